package bench

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// ErrProcess is matched by the error of a process that was measured and
// failed.
var ErrProcess = errors.New("a measured process failed")

// Cost is what one process took.
type Cost struct {
	Wall time.Duration
	CPU  time.Duration // of the process itself, in user and kernel mode
	Peak int64         // bytes of memory at most; 0 where the system does not tell
}

// Bounds of what is kept of a process's output, and of how long it is waited
// for once the process itself has ended.
const (
	outputMax = 64 << 10
	afterEnd  = 5 * time.Second
)

// measure runs a process and gives what it cost and the end of its output.
func measure(ctx context.Context, program string, args, env []string) (Cost, []byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	var stdout, stderr tail
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = env, &stdout, &stderr, afterEnd
	endTogether(cmd)
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if ctx.Err() != nil {
		return Cost{}, nil, ctx.Err()
	}
	if err != nil {
		return Cost{}, nil, fmt.Errorf("%w: %s: %w: %s", ErrProcess, strings.Join(cmd.Args, " "), err, stderr.lastLine())
	}
	state := cmd.ProcessState
	return Cost{Wall: wall, CPU: state.UserTime() + state.SystemTime(), Peak: peakBytes(state)}, stdout.data, nil
}

// tail keeps the end of what is written to it.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if len(t.data) > 2*outputMax {
		t.data = append(t.data[:0], t.data[len(t.data)-outputMax:]...)
	}
	return len(p), nil
}

func (t *tail) lastLine() string {
	text := strings.TrimSpace(string(t.data))
	return text[strings.LastIndexByte(text, '\n')+1:]
}
