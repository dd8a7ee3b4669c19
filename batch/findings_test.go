package batch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waconcile/reconcile"
)

// TestFindingsBeyondMemory: findings that are too many for the memory are the
// same in the same order, and no more of them than that stay in it.
func TestFindingsBeyondMemory(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	var all []finding
	for i := range 5000 {
		all = append(all, finding{
			kind: []reconcile.FindingKind{reconcile.OutsideWindow, reconcile.BadDeliveryTime}[rng.IntN(2)], account: "acme", business: fmt.Sprint(rng.IntN(3)),
			contact: fmt.Sprint(rng.IntN(50)), messageID: fmt.Sprint(i), at: int64(rng.IntN(9)), detail: "text",
		})
	}
	const memory = 1000 * findingPart * findingBytes
	for _, limit := range []int64{0, memory} {
		l := newFindingList(limit, false)
		defer l.close()
		for piece := range slices.Chunk(all, 700) {
			if err := l.add(slices.Clone(piece)); err != nil {
				t.Fatal(err)
			}
			if limit > 0 && l.held > 1000 {
				t.Fatalf("%d findings in memory", l.held)
			}
		}
		if spilled := l.runs != nil; spilled != (limit > 0) {
			t.Errorf("with a memory of %d: spilled: %v", limit, spilled)
		}
		want := slices.SortedFunc(slices.Values(all), compareFindings)
		for range 2 {
			got, err := l.first(len(all) + 1)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(finding{})); diff != "" {
				t.Errorf("with a memory of %d (-want +got):\n%s", limit, diff)
			}
		}
	}
}

// All shards together make texts of no more findings than memory allows, and of
// none where these go to a file.
func TestFoundMax(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		memory  int64
		workers int
		spilled bool
		want    int
	}{
		{0, 1, false, math.MaxInt}, {0, 4, false, math.MaxInt / 4}, {4000 * findingPart * findingBytes, 4, false, 1000},
		{4000 * findingPart * findingBytes, 4, true, 0}, {0, 1, true, 0},
	} {
		a := &attempt{job: &Job{Config: Config{Memory: tt.memory, Workers: tt.workers}}, tables: &chargeTables{}}
		if tt.spilled {
			a.tables.spill = &passCharges{}
		}
		if got := a.foundMax(); got != tt.want {
			t.Errorf("%+v: %d findings", tt, got)
		}
	}
}
