package batch

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"testing"

	"waconcile/writer"
	"waconcile/writer/writertest"
)

// A run that dies anywhere between its first checkpoint and its end leaves the
// same run to be done, from the same start, until it is published: nothing
// that it has written makes it another one.
func TestCrashLeavesThePlan(t *testing.T) {
	t.Parallel()
	exports := plainDays(t, "2024-06-20", "2024-07-14")
	addChain(t, exports, "2024-06-21", "2024-07-13")
	for late := range 4 {
		for name, days := range map[string][]int{"reading back": nil, "from the night before": {8}, "from days before": {2, 3}} {
			t.Run(fmt.Sprintf("%s,late=%d", name, late), func(t *testing.T) {
				t.Parallel()
				ground := &writertest.Mem{}
				job := func(day int, out *writertest.Mem) Job {
					j := utcJob(t, day, exports, out)
					j.LateDays = late
					return j
				}
				for _, day := range days {
					mustRun(t, job(day, ground))
				}
				want, err := NewPlan(t.Context(), job(9, ground))
				if err != nil || (want.Checkpoint() != "") != (days != nil) {
					t.Fatalf("the run starts from %q, %v", want.Checkpoint(), err)
				}
				checkCrashes(t, ground, want, func(out *writertest.Mem) Job { return job(9, out) })
			})
		}
	}
}

// checkCrashes lets the planned run die after each object of its checkpoints,
// its manifest and its pointer, on the ground that other runs have left.
func checkCrashes(t *testing.T, ground *writertest.Mem, want *Plan, job func(out *writertest.Mem) Job) {
	t.Helper()
	checkpoints := 0
	for lives := 1; ; lives++ {
		out, died := copyOf(t, ground), ""
		left := lives
		out.Hook = func(op, key string) (bool, error) {
			if died != "" {
				return false, errors.New("dead")
			}
			if commits(op, key) {
				if left--; left == 0 {
					died = key
					return true, errors.New("dead")
				}
			}
			return true, nil
		}
		_, err := Run(t.Context(), job(out))
		if died == "" {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if strings.HasPrefix(died, "checkpoints/") {
			checkpoints++
		}
		out.Hook = nil
		checkPlanLeft(t, out, want, path.Base(died), job(out))
	}
	if checkpoints == 0 {
		t.Error("the run wrote no checkpoint")
	}
}

// commits tells the operations after which a run may die with something new to
// be found by the next.
func commits(op, key string) bool {
	return (op == "put" || op == "commit") &&
		(strings.HasPrefix(key, "checkpoints/") || strings.HasPrefix(key, "current/") || strings.HasSuffix(key, "/manifest.json"))
}

func checkPlanLeft(t *testing.T, out *writertest.Mem, want *Plan, died string, j Job) {
	t.Helper()
	got, err := NewPlan(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	_, published := out.Objects()["current/2024-07-09.json"]
	if got.RunID != want.RunID || got.Already != published || !published && got.Checkpoint() != want.Checkpoint() {
		t.Errorf("dead after %s: run %s from %q, published %t; want %s from %q, published %t",
			died, got.RunID, got.Checkpoint(), got.Already, want.RunID, want.Checkpoint(), published)
	}
	if res := mustRun(t, j); res.RunKey != want.RunKey {
		t.Errorf("dead after %s: published as %s, want %s", died, res.RunKey, want.RunKey)
	}
	for _, fault := range out.Faults() {
		t.Errorf("dead after %s: %v", died, fault)
	}
}

// copyOf is another place with the same objects.
func copyOf(t *testing.T, from *writertest.Mem) *writertest.Mem {
	t.Helper()
	to := &writertest.Mem{}
	for key, data := range from.Objects() {
		if err := to.Put(t.Context(), key, data, writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
