package batch

import (
	"context"
	"errors"
	"strings"
	"testing"

	"waconcile/writer"
	"waconcile/writer/writertest"
)

// probed is a store that counts how often it is asked whether it is safe.
type probed struct {
	*writertest.Mem
	answer error
	asked  int
}

func (p *probed) Probe(context.Context) error {
	p.asked++
	return p.answer
}

// A store is probed by a run that has something to publish, and by no other.
func TestProbe(t *testing.T) {
	t.Parallel()
	job, mem := aJob(t)
	out := &probed{Mem: mem, answer: writer.ErrUnsafeStore}
	job.Out = out
	run := func(name string, want error, asked int) {
		t.Helper()
		before := out.asked
		if _, err := Run(t.Context(), job); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if n := out.asked - before; n != asked {
			t.Errorf("%s: probed %d times, want %d", name, n, asked)
		}
	}
	run("unsafe store", writer.ErrUnsafeStore, 1)
	if n := len(mem.Objects()); n != 0 {
		t.Errorf("%d objects were written to an unsafe store", n)
	}
	// The run dies before its pointer, so that the next has that to move.
	died := errors.New("died before the pointer")
	mem.Hook = func(op, key string) (bool, error) {
		if op == "put" && strings.HasPrefix(key, "current/") {
			return false, died
		}
		return true, nil
	}
	out.answer = nil
	run("new run", died, 1)
	mem.Hook = nil
	out.answer = writer.ErrUnsafeStore
	run("complete run, unsafe store", writer.ErrUnsafeStore, 1)
	out.answer = nil
	run("complete run", nil, 1)
	out.answer = writer.ErrUnsafeStore
	run("same inputs", nil, 0)
	job.LateDays = 2
	job.UnsafeStore = true
	run("unsafe store allowed", nil, 0)
}
