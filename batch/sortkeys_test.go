package batch

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSortKeys: keys are dealt into the very order that comparing gives.
func TestSortKeys(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, dealFrom - 1, dealFrom, dealFrom + 1, 20_000} {
		for _, contacts := range []uint64{1, 2, 300, 1 << 20, 1 << 54} {
			keys := make([]chargeKey, n)
			base := rng.Uint64N(1 << 54)
			for i := range keys {
				keys[i] = chargeKey{contact: base ^ rng.Uint64N(contacts), rest: rng.Uint64N(5)<<indexBits | uint64(i)}
			}
			want := slices.Clone(keys)
			slices.SortFunc(want, compareKeys)
			sortKeys(keys, make([]chargeKey, n))
			if !slices.Equal(keys, want) {
				t.Errorf("%d keys of up to %d contacts are out of order", n, contacts)
			}
		}
	}
}
