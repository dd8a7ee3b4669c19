package batch

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// The charges of a chunk come pile by pile, those of a pile as they lie; where
// there are very many piles, all of them as they lie.
func TestChunkSplit(t *testing.T) {
	t.Parallel()
	var s chunkSplit
	for _, piles := range []int{1, 3, 40, chunkCharges, 3 * chunkCharges} {
		t.Run(fmt.Sprintf("piles=%d", piles), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(piles)))
			s.begin(piles, nil)
			for range 2*chunkCharges + 100 {
				s.add(uint32(rng.IntN(piles)))
			}
			s.rewind()
			for from := 0; from < len(s.piles); from += chunkCharges {
				want := s.piles[from:min(from+chunkCharges, len(s.piles))]
				of, order := s.next(len(want))
				if !slices.Equal(of, want) || len(order) != len(want) {
					t.Fatalf("charges from %d: %d piles and %d in order, want %d", from, len(of), len(order), len(want))
				}
				sorted := make([]uint32, len(want))
				for i := range sorted {
					sorted[i] = uint32(i)
				}
				if piles < chunkCharges {
					slices.SortStableFunc(sorted, func(a, b uint32) int { return cmp.Compare(want[a], want[b]) })
				}
				if !slices.Equal(order, sorted) {
					t.Fatalf("charges from %d are not in the order of their piles", from)
				}
			}
		})
	}
}
