package batch

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// leftovers is a job of which an earlier run died before its manifest, nine
// days ago, and what a gc finds of it.
func leftovers(t *testing.T) (Job, *writertest.Mem, []writer.Garbage) {
	t.Helper()
	job, _, out := brokenJob(t)
	now := time.Date(2024, 8, 1, 0, 0, 0, 0, time.UTC)
	out.Now = func() time.Time { return now }
	died := errors.New("died")
	out.Hook = func(op, key string) (bool, error) {
		if op == "put" && strings.HasSuffix(key, "/manifest.json") {
			return false, died
		}
		return true, nil
	}
	if _, err := Run(t.Context(), job); !errors.Is(err, died) {
		t.Fatalf("a run that dies: %v", err)
	}
	out.Hook = nil
	now = now.AddDate(0, 0, 9)
	found, err := writer.FindGarbage(t.Context(), out)
	if err != nil || len(found) != 1 || !found[0].Old(now, 7*24*time.Hour) {
		t.Fatalf("found %+v, %v", found, err)
	}
	return job, out, found
}

// publishedWhole fails if what the pointer names is not all there as its manifest says,
// and tells whether anything is published.
func publishedWhole(t *testing.T, out *writertest.Mem, when string) bool {
	t.Helper()
	for _, fault := range out.Faults() {
		t.Errorf("%s: %v", when, fault)
	}
	if _, there := out.Objects()["current/2024-07-02.json"]; !there {
		return false
	}
	if _, err := writer.Verify(t.Context(), out, "", "2024-07-02"); err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	return true
}

// hidden are operations of which nobody else sees anything.
func hidden(op string) bool { return op == "create" || op == "write" || op == "seal" || op == "abort" }

// A gc that found the leftovers of a dead run removes them while the same run
// is done again, at whichever of its operations that happens: either the run
// is published whole, or it is not published and can be done again.
func TestGCWhileRunning(t *testing.T) {
	t.Parallel()
	job, out, _ := leftovers(t)
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	want := out.Objects()
	published := 0
	for n := int64(1); ; n++ {
		job, out, found := leftovers(t)
		var operations atomic.Int64
		var at atomic.Value
		out.Hook = func(op, key string) (bool, error) {
			if !hidden(op) && operations.Add(1) == n {
				at.Store(op + " " + key)
				if _, err := writer.RemoveGarbage(t.Context(), out, found[0], time.Now); err != nil {
					t.Errorf("gc at operation %d, %s %s: %v", n, op, key, err)
				}
			}
			return true, nil
		}
		_, err := Run(t.Context(), job)
		when := fmt.Sprintf("gc at operation %d, %v", n, at.Load())
		if at.Load() == nil {
			if n < 20 || published < 5 || int64(published) > n-5 {
				t.Errorf("%d operations, %d of the runs were published", n, published)
			}
			return
		}
		if publishedWhole(t, out, when) != (err == nil) {
			t.Fatalf("%s: %v, and published: %v", when, err, err != nil)
		}
		if err == nil {
			published++
		} else if !errors.Is(err, writer.ErrVerify) && !errors.Is(err, writer.ErrRemoving) {
			t.Fatalf("%s: %v", when, err)
		}
		out.Hook = nil
		if _, err := Run(t.Context(), job); err != nil || !publishedWhole(t, out, when+", again") {
			t.Fatalf("%s, again: %v", when, err)
		}
		if diff := cmp.Diff(want, out.Objects(), cmp.Comparer(bytes.Equal)); diff != "" {
			t.Fatalf("%s, again (-want +got):\n%s", when, diff)
		}
	}
}

// The same, but for the run, which is done at an operation of the gc.
func TestRunWhileCollecting(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		job, out, found := leftovers(t)
		count, at := 0, ""
		var runErr error
		out.Hook = func(op, key string) (bool, error) {
			if count++; count == n {
				at = op + " " + key
				hook := out.Hook
				out.Hook = nil
				_, runErr = Run(t.Context(), job)
				out.Hook = hook
			}
			return true, nil
		}
		before := out.Objects()
		kept, err := writer.RemoveGarbage(t.Context(), out, found[0], time.Now)
		out.Hook = nil
		if at == "" {
			if n < 10 {
				t.Errorf("only %d operations", n)
			}
			return
		}
		when := fmt.Sprintf("run at operation %d of gc, %s", n, at)
		if err != nil || (kept != "") != (n == 1) {
			t.Fatalf("%s: kept %q, %v", when, kept, err)
		}
		if publishedWhole(t, out, when) != (runErr == nil) || (runErr == nil) != (n == 1) {
			t.Fatalf("%s: %v", when, runErr)
		}
		if runErr != nil && !errors.Is(runErr, writer.ErrRemoving) && !errors.Is(runErr, writer.ErrVerify) {
			t.Fatalf("%s: %v", when, runErr)
		}
		if _, err := Run(t.Context(), job); err != nil || !publishedWhole(t, out, when+", again") {
			t.Fatalf("%s, again: %v", when, err)
		}
		for key := range before {
			if _, there := out.Objects()[key]; !there {
				t.Errorf("%s, again: %s is not there", when, key)
			}
		}
	}
}
