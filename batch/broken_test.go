package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"
)

// brokenJob is a small job, the same each time.
func brokenJob(t *testing.T) (Job, *readertest.Mem, *writertest.Mem) {
	t.Helper()
	first, err := reconcile.ParseDate("2024-07-01")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(1, first, 3)
	c.fill(60)
	exports := c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000)
	job, out := testJob(t, exports, "2024-07-02")
	job.AllowMissing = true // of the zones' other days
	return job, exports, out
}

// unpublished fails if something in out is visible to a reader.
func unpublished(t *testing.T, out *writertest.Mem) {
	t.Helper()
	for key := range out.Objects() {
		if strings.HasPrefix(key, "current/") || strings.HasSuffix(key, "/manifest.json") {
			t.Errorf("%s was published", key)
		}
	}
}

// A file that changes while it is read stops the run, at whichever of its
// reads that happens (contract, Files).
func TestExportChangesWhileRead(t *testing.T) {
	t.Parallel()
	const key = "dt=2024-07-02/part-0.parquet"
	changes := map[string]func(*readertest.Mem){
		"replaced":  func(m *readertest.Mem) { m.Put(key, []byte("something else")) },
		"rewritten": func(m *readertest.Mem) { m.Put(key, nil) },
		"removed":   func(m *readertest.Mem) { m.Remove(key) },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := int64(1); ; n++ {
				job, exports, out := brokenJob(t)
				var reads atomic.Int64
				exports.OnRead = func(read string, _ int64, _ int) error {
					if read == key && reads.Add(1) == n {
						change(exports)
					}
					return nil
				}
				_, err := Run(t.Context(), job)
				if err == nil {
					if reads.Load() >= n || n < 3 {
						t.Fatalf("%s at read %d of %d, and the run was published", name, n, reads.Load())
					}
					return
				}
				if !errors.Is(err, reader.ErrChanged) || errors.Is(err, reader.ErrData) || !strings.Contains(err.Error(), key) {
					t.Fatalf("%s at read %d: %v, want ErrChanged naming %s", name, n, err, key)
				}
				unpublished(t, out)
			}
		})
	}
}

// So does a table beside the exports.
func TestTableChangesWhileRead(t *testing.T) {
	t.Parallel()
	tables := map[string]struct {
		text string
		put  func(*Job, reader.Source)
	}{
		"rates":    {testRates, func(j *Job, s reader.Source) { j.Rates = s }},
		"accounts": {testAccounts, func(j *Job, s reader.Source) { j.Accounts = s }},
		"markets":  {"prefix,country,market\n39,IT,Italy\n", func(j *Job, s reader.Source) { j.Markets = s }},
		"invoices": {"invoice_id,account_id,date_from,date_to,amount,currency\n", func(j *Job, s reader.Source) { j.Invoices = s }},
	}
	for name, table := range tables {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job, _, out := brokenJob(t)
			src := tableSource(table.text)
			src.OnRead = func(key string, _ int64, _ int) error {
				src.Put(key, []byte(table.text+"\n"))
				return nil
			}
			table.put(&job, src)
			if _, err := Run(t.Context(), job); !errors.Is(err, reader.ErrChanged) || !strings.Contains(err.Error(), "table.csv") {
				t.Errorf("%v, want ErrChanged naming table.csv", err)
			}
			unpublished(t, out)
		})
	}
}

// Of several files that are refused the first by day and key is named,
// whichever is found out first.
func TestFirstRefusedFileIsNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		job, exports, out := brokenJob(t)
		const first = "dt=2024-07-02/a.parquet"
		for _, key := range []string{first, "dt=2024-07-02/b.parquet", "dt=2024-07-03/a.parquet"} {
			exports.Put(key, bytes.Repeat([]byte("not Parquet "), 100))
		}
		exports.OnRead = func(key string, _ int64, _ int) error {
			if key == first {
				time.Sleep(time.Hour) // until all others have failed
			}
			return nil
		}
		if _, err := Run(t.Context(), job); !errors.Is(err, reader.ErrData) || !strings.Contains(err.Error(), first) {
			t.Errorf("%v, want ErrData naming %s", err, first)
		}
		unpublished(t, out)
	})
}

// A run that is cancelled at any of its reads publishes nothing.
func TestCancelWhileReading(t *testing.T) {
	t.Parallel()
	for n := int64(1); ; n++ {
		job, exports, out := brokenJob(t)
		ctx, cancel := context.WithCancel(t.Context())
		var reads atomic.Int64
		exports.OnRead = func(string, int64, int) error {
			if reads.Add(1) == n {
				cancel()
			}
			return nil
		}
		_, err := Run(ctx, job)
		cancel()
		if reads.Load() < n {
			if err != nil || n < 10 {
				t.Fatalf("after %d reads: %v", reads.Load(), err)
			}
			return
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled at read %d: %v", n, err)
		}
		unpublished(t, out)
	}
}

// A run that is cancelled at any of its writes publishes all or nothing, and
// says which, or that it does not know.
func TestCancelWhileWriting(t *testing.T) {
	t.Parallel()
	for n := int64(1); ; n++ {
		job, _, out := brokenJob(t)
		ctx, cancel := context.WithCancel(t.Context())
		var operations atomic.Int64
		var at atomic.Value
		out.Hook = func(op, key string) (bool, error) {
			if operations.Add(1) == n {
				at.Store(fmt.Sprintf("operation %d, %s %s", n, op, key))
				cancel()
			}
			return true, nil
		}
		res, err := Run(ctx, job)
		cancel()
		if operations.Load() < n {
			if err != nil || n < 10 {
				t.Fatalf("after %d operations: %v", operations.Load(), err)
			}
			return
		}
		_, published := out.Objects()["current/2024-07-02.json"]
		switch {
		case err == nil && published && res != nil:
		case errors.Is(err, writer.ErrOutcomeUnknown) && published:
		case errors.Is(err, context.Canceled) && !published:
		default:
			t.Fatalf("cancelled at %v: published %v, error %v", at.Load(), published, err)
		}
		for _, fault := range out.Faults() {
			t.Errorf("cancelled at %v: %v", at.Load(), fault)
		}
	}
}
