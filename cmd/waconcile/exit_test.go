package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"waconcile/batch"
	"waconcile/cmd/waconcile/bench"
	"waconcile/reader"
	"waconcile/writer"
)

// TestExitCodes is the table of the contract.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  error
		code int
	}{
		{nil, 0},
		{errors.New("never seen"), 1},
		{batch.ErrControl, 1},
		{errUsage, 2},
		{batch.ErrConfig, 2},
		{reader.ErrInput, 2},
		{errFailOn, 3},
		{errLint, 3},
		{batch.ErrUnrated, 3},
		{reader.ErrData, 4},
		{batch.ErrIncomplete, 5},
		{reader.ErrStore, 6},
		{reader.ErrChanged, 6},
		{writer.ErrStore, 6},
		{fmt.Errorf("%w: %w", writer.ErrStore, writer.ErrRemoving), 6},
		{writer.ErrUnsafeStore, 6},
		{writer.ErrOutcomeUnknown, 7},
		{writer.ErrConflict, 8},
		{fmt.Errorf("%w: %w", errMoved, writer.ErrConflict), 8},
		{writer.ErrVerify, 9},
		{writer.ErrBeside, 9},
		{bench.ErrProcess, 1},
		{errNoSuchRun, 2},
		{fmt.Errorf("%w: %w", batch.ErrNotKept, writer.ErrVerify), 9},
		{fmt.Errorf("%w: %w", batch.ErrDamaged, writer.ErrVerify), 9},
	}
	for _, tt := range tests {
		err := tt.err
		if err != nil {
			err = fmt.Errorf("read a: %w", err)
		}
		if o := judge(t.Context(), err); o.code != tt.code {
			t.Errorf("%v: exit code %d, want %d", err, o.code, tt.code)
		}
	}
}

// TestAdvice wants of every exit code of a failure that its last line says what
// to do next, and of all that publish nothing that it says so.
func TestAdvice(t *testing.T) {
	t.Parallel()
	told := map[int]bool{}
	for _, o := range append(outcomes(), judge(t.Context(), errors.New("never seen"))) {
		told[o.code] = true
		if words := len(strings.Fields(o.next)); words < 4 {
			t.Errorf("exit code %d of %v: next is %q", o.code, o.err, o.next)
		}
		if got := o.advice(true); o.unpublished != strings.HasPrefix(got, "nothing was published; ") {
			t.Errorf("exit code %d of %v: %q", o.code, o.err, got)
		}
	}
	for _, code := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143} {
		if !told[code] {
			t.Errorf("nothing leads to exit code %d", code)
		}
	}
}

// TestAdviceOnDamage tells a run that was not published, and needs to be done
// again, from one that was, and does not help by that.
func TestAdviceOnDamage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{batch.ErrNotKept, "nothing was published; run the same command again"},
		{batch.ErrDamaged, "waconcile verify tells what is left of it"},
		{nil, "do not use this run"},
	} {
		err := writer.ErrVerify
		if tt.err != nil {
			err = fmt.Errorf("%w: %w", tt.err, err)
		}
		if got := judge(t.Context(), err).advice(true); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%v: %s; want %s …", err, got, tt.want)
		}
	}
}

// A month that was run while it was to be closed is not closed blindly.
func TestAdviceOnMoved(t *testing.T) {
	t.Parallel()
	if got := judge(t.Context(), fmt.Errorf("%w: %w", errMoved, writer.ErrConflict)).advice(false); !strings.HasPrefix(got, "look at the run") {
		t.Error(got)
	}
}

// TestExitCodeOfSignal holds that a signal counts for more than what it broke,
// except where the commit was under way.
func TestExitCodeOfSignal(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]int{errInterrupted: 130, errTerminated: 143} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		tests := map[error]int{
			nil:                      0,
			context.Canceled:         want,
			reader.ErrStore:          want,
			writer.ErrOutcomeUnknown: 7,
			errFailOn:                3,
			batch.ErrDamaged:         9,
		}
		for err, code := range tests {
			if o := judge(ctx, err); o.code != code {
				t.Errorf("%v after %v: exit code %d, want %d", err, cause, o.code, code)
			}
		}
	}
}

// TestSignals sends real signals to the test itself, so it is not parallel.
func TestSignals(t *testing.T) {
	for signal, want := range map[syscall.Signal]error{syscall.SIGINT: errInterrupted, syscall.SIGTERM: errTerminated} {
		ctx, stop := withSignals(t.Context())
		if err := syscall.Kill(os.Getpid(), signal); err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		if cause := context.Cause(ctx); !errors.Is(cause, want) {
			t.Errorf("after %v the cause is %v", signal, cause)
		}
		stop()
	}
}

func TestFailureIsOneLine(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("%w: %w", errUsage, errors.Join(errors.New("first"), errors.New("second\n\tthird")))
	for _, format := range []string{logText, logJSON} {
		var w bytes.Buffer
		o := judge(t.Context(), err)
		reportFailure(t.Context(), format, &w, err, o.code, o.advice(true))
		if strings.Count(w.String(), "\n") != 1 || !strings.Contains(w.String(), "first; second; third") {
			t.Errorf("%s: %q", format, w.String())
		}
	}
}
