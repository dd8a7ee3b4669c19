package bench

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// childEnv makes this test binary a process to be measured.
const childEnv = "WACONCILE_BENCH_CHILD"

// TestMain lets a child take memory and time.
func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	const mib = 1 << 20
	data := bytes.Repeat([]byte{1}, 64*mib)
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
		data[len(data)-1]++
	}
	os.Stdout.WriteString("done\n")
	os.Exit(0)
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cost, output, err := measure(t.Context(), program, nil, append(os.Environ(), childEnv+"=1"))
	if err != nil || string(output) != "done\n" {
		t.Fatalf("output %q, %v", output, err)
	}
	if cost.Wall < 50*time.Millisecond || cost.CPU <= 0 || peaksKnown && (cost.Peak < 64<<20 || cost.Peak > 1<<30) {
		t.Errorf("cost = %+v", cost)
	}
}

func TestMeasureFails(t *testing.T) {
	t.Parallel()
	_, _, err := measure(t.Context(), "sh", []string{"-c", "echo first >&2; echo last >&2; exit 3"}, os.Environ())
	if !errors.Is(err, ErrProcess) || !strings.HasSuffix(err.Error(), "exit status 3: last") {
		t.Errorf("error = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := measure(ctx, "sh", []string{"-c", "true"}, os.Environ()); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	t.Parallel()
	var kept tail
	for range 10 * outputMax / 8 {
		kept.Write([]byte("line 12\n"))
	}
	kept.Write([]byte("the last\n"))
	if n := len(kept.data); n > 2*outputMax || kept.lastLine() != "the last" {
		t.Errorf("kept %d bytes, last %q", n, kept.lastLine())
	}
}
