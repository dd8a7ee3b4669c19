package batch

import (
	"math/rand/v2"
	"testing"

	"waconcile/reconcile"
)

// The index of groups is a map.
func TestGroupIndex(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	want := make(map[groupKey]uint32)
	var x groupIndex
	for range 20_000 {
		key := groupKey{
			account: reconcile.Name(rng.IntN(5)), business: reconcile.Name(rng.IntN(10)), place: int32(rng.IntN(20) - 1),
			country: reconcile.Name(rng.IntN(3)), category: reconcile.Category(rng.IntN(3)), opaque: rng.IntN(2) == 0,
		}
		index, found := x.of(&key, uint32(len(want)))
		known, ok := want[key]
		if !ok {
			known = uint32(len(want))
			want[key] = known
		}
		if index != known || found != ok {
			t.Fatalf("%+v: %d, %t; want %d, %t", key, index, found, known, ok)
		}
	}
}
