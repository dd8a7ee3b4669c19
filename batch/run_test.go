package batch

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// tablesOf are the published bytes of a run's tables by name, rejects aside.
func tablesOf(t *testing.T, out *writertest.Mem, run string) map[string]string {
	t.Helper()
	tables := make(map[string]string)
	for key, data := range out.Objects() {
		name, ok := strings.CutPrefix(key, run)
		if !ok || strings.HasPrefix(name, "rejects.") || name == "manifest.json" || name == "report.html" {
			continue
		}
		tables[name] = string(data)
	}
	return tables
}

// The bytes of every table but rejects follow from the messages alone: not
// from the workers or passes, the order of files and rows, the cutting of days into
// files, or the size of row groups.
func TestTablesFollowTheMessages(t *testing.T) {
	t.Parallel()
	first, err := reconcile.ParseDate("2024-06-28")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			c := newCrowd(seed, first, 14)
			c.fill(1500)
			rng := rand.New(rand.NewPCG(seed, 2))
			var want map[string]string
			for _, v := range []struct {
				workers, cut, passes int
				groupRows            int64
			}{{1, 1, 1, 1 << 20}, {2, 1, 1, 64}, {7, 3, 1, 10}, {3, 5, 1, 1 << 20}, {2, 2, 3, 100}} {
				job, out := testJob(t, c.exports(t, rng, v.cut, v.groupRows), "2024-07-01..2024-07-06")
				job.Workers = v.workers
				if v.passes > 1 {
					inPasses(&job, v.passes)
				}
				res, err := Run(t.Context(), job)
				if err != nil {
					t.Fatalf("%+v: %v", v, err)
				}
				got := tablesOf(t, out, res.RunKey)
				if want == nil {
					want = got
					continue
				}
				if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
					t.Fatalf("%+v: files (-want +got):\n%s", v, diff)
				}
				for name := range want {
					if want[name] != got[name] {
						t.Errorf("%+v: %s differs", v, name)
						if strings.HasSuffix(name, ".csv") {
							t.Log(cmp.Diff(want[name], got[name]))
						}
					}
				}
			}
		})
	}
}

// A second run of the same inputs writes nothing and finds the first.
func TestSameInputsAgain(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-28")
	c := newCrowd(1, first, 14)
	c.fill(300)
	job, out := testJob(t, c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000), "2024-07-01..2024-07-06")
	one, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if one.Already {
		t.Error("the first run says that it was published before")
	}
	before := len(out.Trace())
	job.Workers = 5
	two, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if !two.Already || two.RunKey != one.RunKey {
		t.Errorf("second run: already %v, key %s; want true, %s", two.Already, two.RunKey, one.RunKey)
	}
	for _, op := range out.Trace()[before:] {
		if verb, _, _ := strings.Cut(op, " "); verb != "get" && verb != "open" && verb != "list" {
			t.Errorf("second run did %s", op)
		}
	}
}

// A run id stands for bytes: a place without invoices is none, and another
// build of the program shows in the manifest alone.
func TestSameRunIDSameBytes(t *testing.T) {
	t.Parallel()
	first, err := reconcile.ParseDate("2024-06-28")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(1, first, 14)
	c.fill(100)
	one, oneOut := testJob(t, c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000), "2024-07-01..2024-07-06")
	two, twoOut := one, &writertest.Mem{}
	two.Out, two.Invoices = twoOut, &readertest.Mem{}
	two.Program.Version = "another"
	var runs [2]*Result
	for i, job := range []Job{one, two} {
		if runs[i], err = Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if runs[0].RunID != runs[1].RunID {
		t.Fatalf("run ids are %s and %s", runs[0].RunID, runs[1].RunID)
	}
	want, got := oneOut.Objects(), twoOut.Objects()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Fatalf("objects (-one +two):\n%s", diff)
	}
	for key := range want {
		if strings.HasPrefix(key, runs[0].RunKey) && key != runs[0].RunKey+"manifest.json" && !bytes.Equal(want[key], got[key]) {
			t.Errorf("%s differs", key)
		}
	}
	runs[1].Manifest.Program = runs[0].Manifest.Program
	if diff := cmp.Diff(runs[0].Manifest, runs[1].Manifest); diff != "" {
		t.Errorf("manifests, but for the program (-one +two):\n%s", diff)
	}
}

// Days that the period touches in any account's zone must be there.
func TestMissingDays(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-30")
	c := newCrowd(1, first, 3) // 30 June to 2 July; Los Angeles needs 7 July
	c.fill(50)
	job, out := testJob(t, c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000), "2024-07-01..2024-07-06")
	_, err := Run(t.Context(), job)
	if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), "2024-07-03, 2024-07-04, 2024-07-05, 2024-07-06, 2024-07-07") {
		t.Fatalf("err = %v, want ErrIncomplete naming 3 to 7 July", err)
	}
	if n := len(out.Objects()); n != 0 {
		t.Errorf("%d objects were written", n)
	}
	job.AllowMissing = true
	res, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if res.Manifest.Verdict != "incomplete" || len(res.Manifest.DaysMissing) != 5 {
		t.Errorf("verdict %s, missing %v", res.Manifest.Verdict, res.Manifest.DaysMissing)
	}
}

// A run that another of other inputs has overtaken does not move the pointer.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-28")
	c := newCrowd(1, first, 14)
	c.fill(100)
	slow, out := testJob(t, c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000), "2024-07-01..2024-07-06")
	fast := slow
	fast.Exports = c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000)
	fast.LateDays = 2
	var winner *Result
	overtake := sync.OnceValue(func() (err error) {
		winner, err = Run(t.Context(), fast)
		return err
	})
	slow.Progress = func(Progress) {
		if err := overtake(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Run(t.Context(), slow); !errors.Is(err, writer.ErrConflict) {
		t.Fatalf("err = %v, want ErrConflict", err)
	}
	pointer, _, _, err := writer.Current(t.Context(), out, "2024-07-01_2024-07-06")
	if err != nil || pointer.Run != winner.RunKey {
		t.Errorf("current is %+v, %v; want %s", pointer, err, winner.RunKey)
	}
}
