package main

import (
	"bytes"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// signalled runs a command that waits for a store which never answers, and
// sends a signal as soon as it has connected: then it is under way, whatever
// the speed of the machine.
func signalled(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) >= 3 && args[2] == "waconcile", "signalled INT|TERM CODE waconcile arg...")
	signal, ok := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[0]]
	want(ts, neg, ok, "signalled INT|TERM CODE waconcile arg...")
	code, err := strconv.Atoi(args[1])
	ts.Check(err)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer silent.Close()

	cmd := exec.CommandContext(testOf(ts).Context(), programPath(ts), args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{
		"AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true",
		"WACONCILE_S3_ENDPOINT=http://" + silent.Addr().String(), "WACONCILE_S3_PATH_STYLE=true",
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	ts.Check(cmd.Start())
	conn, err := silent.Accept()
	ts.Check(err)
	defer conn.Close()
	ts.Check(cmd.Process.Signal(signal))
	err = cmd.Wait()
	_, writeErr := io.WriteString(ts.Stderr(), stderr.String())
	ts.Check(writeErr)
	checkExit(ts, code, err, stderr.String())
}

// programPath is where testscript has put the command.
func programPath(ts *testscript.TestScript) string {
	first, _, _ := strings.Cut(ts.Getenv("PATH"), string(filepath.ListSeparator))
	return filepath.Join(first, programName)
}
