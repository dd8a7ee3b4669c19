package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"waconcile/cmd/waconcile/demo"
)

// benchMessages is how many messages the benchmark's month has, unless the
// environment says otherwise: enough that the fixed costs of a run do not
// decide, little enough to run once in every check.
const (
	benchMessages    = 200_000
	benchMessagesEnv = "WACONCILE_BENCH_MESSAGES"
)

// BenchmarkRun does the whole job on the demo's month in a directory, from
// reading the settings to the pointer, and reports rows a second.
func BenchmarkRun(b *testing.B) {
	messages := benchMessages
	if text, ok := os.LookupEnv(benchMessagesEnv); ok {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatalf("%s: %v", benchMessagesEnv, err)
		}
		messages = n
	}
	b.Run(fmt.Sprintf("messages=%d", messages), func(b *testing.B) {
		dir := b.TempDir()
		made, err := demo.Make(context.Background(), demo.Options{Dir: dir, Messages: messages, Seed: 1})
		if err != nil {
			b.Fatal(err)
		}
		rows, runs := made.Rows(), 0
		for b.Loop() {
			runs++
			out := filepath.Join(b.TempDir(), strconv.Itoa(runs))
			args := []string{"run", "--config", filepath.Join(dir, "waconcile.yaml"), "--out", out, "--invoices", ""}
			if code := run(b.Context(), args, os.LookupEnv, io.Discard, io.Discard); code != 0 {
				b.Fatalf("exit code %d", code)
			}
		}
		b.ReportMetric(float64(rows)*float64(runs)/b.Elapsed().Seconds(), "rows/s")
	})
}
