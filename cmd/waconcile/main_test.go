package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"waconcile": main})
}

// TestScripts runs the command as a person would. Beside the commands that
// testscript has, the scripts may use:
//
//	exits CODE waconcile ARG...
//		runs the command and checks its exit code, and, where that is not
//		0, that the last line of stderr has the form of a failure
//	signalled SIGNAL CODE waconcile ARG...
//		runs the command with an S3 endpoint that accepts connections and
//		never answers, sends the signal (INT or TERM) on the first of them,
//		and checks the exit code
//	mkexports ROWS.csv DIR
//		makes Parquet exports of a text table; see mkExports
//	parquet2csv GLOB [COLUMN,...]
//		prints Parquet files as one text table; see parquetToCSV
//	unpublished DIR
//		checks that nothing is published in an output directory
//	minio
//		makes an empty bucket, sets BUCKET to its s3:// URL and the
//		environment to what the command needs to use it
//	upload DIR URL, download URL DIR
//		copy files between a directory and a bucket
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, scriptParams("testdata/script"))
}

// scriptParams are those of all scripts, which lie in dir.
func scriptParams(dir string) testscript.Params {
	return testscript.Params{
		Dir:                dir,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			// No script may find credentials or a region of this machine.
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Values[testKey{}] = env.T()
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       exits,
			"signalled":   signalled,
			"mkexports":   mkExports,
			"parquet2csv": parquetToCSV,
			"unpublished": unpublished,
			"minio":       minio,
			"upload":      upload,
			"download":    download,
		},
	}
}

// want refuses a wrong use of a script command.
func want(ts *testscript.TestScript, neg, ok bool, usage string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) >= 2, "exits CODE command arg...")
	code, err := strconv.Atoi(args[0])
	ts.Check(err)
	checkExit(ts, code, ts.Exec(args[1], args[2:]...), ts.ReadFile("stderr"))
}

// checkExit compares the exit code of a command, and asks for a last line
// that a person or a log can use.
func checkExit(ts *testscript.TestScript, code int, err error, stderr string) {
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != code {
		ts.Fatalf("exit code is %d, want %d", got, code)
	}
	if code == 0 {
		return
	}
	lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "waconcile: ") && !strings.HasSuffix(last, fmt.Sprintf(`"exit_code":%d}`, code)) {
		ts.Fatalf("the last line of stderr does not tell a failure with code %d: %s", code, last)
	}
}

func unpublished(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "unpublished DIR")
	for _, pattern := range []string{"current/*.json", "runs/*/*/manifest.json"} {
		found, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), pattern))
		ts.Check(err)
		if len(found) > 0 {
			ts.Fatalf("published: %v", found)
		}
	}
}
