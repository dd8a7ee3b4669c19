package batch

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Hashes that occur twice are found wherever their two sightings lie: held or
// spilled, in one block or in two, and the hash 0, which marks a free slot.
func TestSightings(t *testing.T) {
	t.Parallel()
	log := newSightings()
	defer func() {
		if err := log.close(); err != nil {
			t.Error(err)
		}
	}()
	rng := rand.New(rand.NewPCG(1, 2))
	want := map[uint64]bool{0: true}
	var lot []uint64 // added at once, part by part
	size := 1
	add := func(hash uint64) {
		if lot = append(lot, hash); len(lot) < size {
			return
		}
		slices.Sort(lot)
		if err := log.add(lot); err != nil {
			t.Fatal(err)
		}
		lot, size = lot[:0], []int{1, 100, 3 * sightingBuffer}[rng.IntN(3)]
	}
	seen := make(map[uint64]bool)
	add(0)
	for i := range 3*sightingBuffer + 100 {
		crowded := rng.Uint64() >> sightingPartBits // all in the first part
		elsewhere := rng.Uint64() | 1<<63
		for _, h := range []uint64{crowded, elsewhere} {
			if h == 0 || seen[h] {
				continue
			}
			seen[h] = true
			add(h)
		}
		if i%5000 == 0 {
			want[crowded] = true
		}
	}
	size = 0
	add(^uint64(0))
	if len(log.parts[0].blocks) < 3 || len(log.parts[0].held) == 0 {
		t.Fatalf("%d blocks, %d held: the test does not reach both", len(log.parts[0].blocks), len(log.parts[0].held))
	}
	for _, h := range slices.Sorted(maps.Keys(want)) {
		size = 0
		add(h)
	}
	got := make(map[uint64]bool)
	if err := log.repeated(got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("repeated (-want +got):\n%s", diff)
	}
}
