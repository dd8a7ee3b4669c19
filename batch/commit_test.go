package batch

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"
)

// aJob is a small job, and the store that it publishes to.
func aJob(t *testing.T) (Job, *writertest.Mem) {
	t.Helper()
	first, err := reconcile.ParseDate("2024-06-28")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(1, first, 14)
	c.fill(100)
	return testJob(t, c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000), "2024-07-01..2024-07-06")
}

// A run that is complete and not current has its pointer moved; one that has
// lost a file meanwhile is written again.
func TestCompleteRunWithoutPointer(t *testing.T) {
	t.Parallel()
	for _, lost := range []string{"", "report.html", "charges/2024-07-03/part-0000.parquet"} {
		t.Run("lost="+lost, func(t *testing.T) {
			t.Parallel()
			job, out := aJob(t)
			died := errors.New("died before the pointer")
			out.Hook = func(op, key string) (bool, error) {
				if op == "put" && strings.HasPrefix(key, "current/") {
					return false, died
				}
				return true, nil
			}
			if _, err := Run(t.Context(), job); !errors.Is(err, died) {
				t.Fatal(err)
			}
			out.Hook = nil
			before := out.Objects()
			run := ""
			for key := range before {
				if r, ok := strings.CutSuffix(key, "manifest.json"); ok {
					run = r
				}
			}
			if _, there := before[run+lost]; lost != "" && !there {
				t.Fatalf("no %s%s among %d objects", run, lost, len(before))
			}
			if lost != "" {
				if err := out.Remove(t.Context(), run+lost); err != nil {
					t.Fatal(err)
				}
			}
			res, err := Run(t.Context(), job)
			if err != nil || res.RunKey != run || res.Already != (lost == "") {
				t.Fatalf("%+v, %v", res, err)
			}
			after := out.Objects()
			for key, data := range before {
				if string(after[key]) != string(data) {
					t.Errorf("%s is not what it was", key)
				}
			}
			if pointer, _, _, err := writer.Current(t.Context(), out, "2024-07-01_2024-07-06"); err != nil || pointer.Run != run {
				t.Errorf("current is %+v, %v", pointer, err)
			}
		})
	}
}

// rotten is a store that gives one byte of some objects back as another.
type rotten struct {
	*writertest.Mem
	suffix string
}

func (r *rotten) Open(ctx context.Context, key string) (writer.Stored, error) {
	s, err := r.Mem.Open(ctx, key)
	if err == nil && strings.HasSuffix(key, r.suffix) {
		s = rottenStored{s}
	}
	return s, err
}

type rottenStored struct{ writer.Stored }

func (s rottenStored) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Stored.ReadAt(p, off)
	if at := s.Size()/2 - off; at >= 0 && at < int64(n) {
		p[at] ^= 1
	}
	if err == io.EOF && n == len(p) {
		err = nil
	}
	return n, err
}

// healing is a store in which an object is rotten until it is written again.
type healing struct {
	*rotten
	healed atomic.Bool
}

func (h *healing) Create(ctx context.Context, key string) (writer.Upload, error) {
	if strings.HasSuffix(key, h.suffix) {
		h.healed.Store(true)
	}
	return h.rotten.Create(ctx, key)
}

func (h *healing) Open(ctx context.Context, key string) (writer.Stored, error) {
	if h.healed.Load() {
		return h.Mem.Open(ctx, key)
	}
	return h.rotten.Open(ctx, key)
}

// A run that is complete and not current, and of which a file has other bytes
// of the same number, is written again before the pointer names it.
func TestCompleteRunIsRotten(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"report.html", "summary.parquet", "charges/2024-07-03/part-0000.parquet"} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			job, out := aJob(t)
			died := errors.New("died before the pointer")
			out.Hook = func(op, key string) (bool, error) {
				if op == "put" && strings.HasPrefix(key, "current/") {
					return false, died
				}
				return true, nil
			}
			if _, err := Run(t.Context(), job); !errors.Is(err, died) {
				t.Fatal(err)
			}
			out.Hook = nil
			place := &healing{rotten: &rotten{out, suffix}}
			job.Out = place
			res, err := Run(t.Context(), job)
			if err != nil || res.Already || !place.healed.Load() {
				t.Fatalf("%+v, %v, written again: %v", res, err, place.healed.Load())
			}
			if _, err := writer.Verify(t.Context(), place, "", "2024-07-01_2024-07-06"); err != nil {
				t.Error(err)
			}
		})
	}
}

// What reads back as something else is not published: no manifest, no pointer.
func TestRottenStore(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"summary.parquet", "rejects.csv", "report.html", "charges/2024-07-04/part-0000.parquet"} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			job, out := aJob(t)
			job.Out = &rotten{out, suffix}
			_, err := Run(t.Context(), job)
			if !errors.Is(err, writer.ErrVerify) || !errors.Is(err, ErrNotKept) || !strings.Contains(err.Error(), suffix) {
				t.Errorf("%v, want one about %s", err, suffix)
			}
			for key := range out.Objects() {
				if strings.HasSuffix(key, "manifest.json") || strings.HasPrefix(key, "current/") {
					t.Errorf("%s was written", key)
				}
			}
		})
	}
}

// A file that goes between the read-back and the pointer keeps the run from
// being published; the same run again publishes it.
func TestFileGoneBeforePointer(t *testing.T) {
	t.Parallel()
	job, out := aJob(t)
	out.Hook = func(op, key string) (bool, error) {
		if run, ok := strings.CutSuffix(key, "manifest.json"); ok && op == "put" {
			return true, out.Remove(t.Context(), run+"findings.csv")
		}
		return true, nil
	}
	_, err := Run(t.Context(), job)
	if !errors.Is(err, writer.ErrVerify) || !errors.Is(err, ErrNotKept) || !strings.Contains(err.Error(), "findings.csv") {
		t.Fatalf("%v, want one about findings.csv", err)
	}
	out.Hook = nil
	if res, err := Run(t.Context(), job); err != nil || res.Already {
		t.Fatalf("again: %+v, %v", res, err)
	}
}
