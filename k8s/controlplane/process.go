package controlplane

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// watcher runs a program until its standard input ends. The test binary holds
// the other end and never writes to it, so that the program ends with the
// binary however that ends, kill -9 included.
const watcher = `trap '' INT TERM HUP QUIT
log=$1; shift
"$@" >"$log" 2>&1 &
program=$!
cat >/dev/null
kill $program
wait $program
`

// process is a program that ends with the test binary.
type process struct {
	log  string
	hold io.Closer
	cmd  *exec.Cmd // of the watcher
}

// start runs a program in dir, with its log beside what it keeps there.
func start(dir, program string, args ...string) (*process, error) {
	p := &process{log: filepath.Join(dir, filepath.Base(program)+".log")}
	p.cmd = exec.Command("sh", append([]string{"-c", watcher, "sh", p.log, program}, args...)...)
	p.cmd.Dir = dir
	hold, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.hold = hold
	return p, p.cmd.Start()
}

// stop ends the program and waits for its end. How it ended does not matter.
func (p *process) stop() {
	_ = p.hold.Close()
	_ = p.cmd.Wait()
}

// lastLines is the end of the program's log.
func (p *process) lastLines() string {
	const bytes = 4000
	data, err := os.ReadFile(p.log)
	if err != nil {
		return errors.Join(errors.New("no log"), err).Error()
	}
	return string(data[max(0, len(data)-bytes):])
}
