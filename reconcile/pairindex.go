package reconcile

import "math/bits"

// pairIndex finds the pairs of one part by their keys: an open-addressing
// table, made anew for each part that is folded, so that nothing is ever
// removed from it and one memory serves all.
type pairIndex struct {
	slots []uint32 // index+1 of a pair; length a power of two
}

const pairSlotsMin = 64

// load makes the index of pairs, with room for so many more.
func (x *pairIndex) load(pairs []pairEntry, more int) {
	size := max(pairSlotsMin, 1<<bits.Len(uint(2*(len(pairs)+more))))
	if cap(x.slots) < size {
		x.slots = make([]uint32, size)
	}
	x.slots = x.slots[:size]
	clear(x.slots)
	mask := uint64(size - 1)
	for i := range pairs {
		h := pairs[i].key.Hash() & mask
		for x.slots[h] != 0 {
			h = (h + 1) & mask
		}
		x.slots[h] = uint32(i + 1)
	}
}

// find is the index of a key of this hash, or else the next index, which is
// then the key's: the caller appends it to pairs.
func (x *pairIndex) find(pairs []pairEntry, key PairKey, hash uint64) (index uint32, found bool) {
	mask := uint64(len(x.slots) - 1)
	for h := hash & mask; ; h = (h + 1) & mask {
		i := x.slots[h]
		if i == 0 {
			x.slots[h] = uint32(len(pairs) + 1)
			return uint32(len(pairs)), false
		}
		if pairs[i-1].key == key {
			return i - 1, true
		}
	}
}
