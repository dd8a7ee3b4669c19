//go:build unix

package bench

import (
	"os/exec"
	"syscall"
)

// endTogether has the end of the context end, too, what the process itself has
// started, such as the program behind a shell command, and lets all of it clean
// up.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
