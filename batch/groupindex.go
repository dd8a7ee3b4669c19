package batch

import "iter"

// groupIndex finds the groups of a date by their keys, once for every
// conversation: by open addressing, which takes a third of a map's time. Its
// zero value is empty.
type groupIndex struct {
	slots []groupSlot // length a power of two
	used  int
}

// groupSlot is a key and its index+1; 0 marks a free slot.
type groupSlot struct {
	key  groupKey
	next uint32
}

const groupSlotsMin = 64

// of is the index of a key, or else takes the given one for it.
func (x *groupIndex) of(key *groupKey, otherwise uint32) (index uint32, found bool) {
	if 2*(x.used+1) > len(x.slots) {
		x.grow()
	}
	s := x.slot(key)
	if s.next != 0 {
		return s.next - 1, true
	}
	*s = groupSlot{*key, otherwise + 1}
	x.used++
	return otherwise, false
}

// slot is where a key is, or would be.
func (x *groupIndex) slot(key *groupKey) *groupSlot {
	mask := uint64(len(x.slots) - 1)
	for h := key.hash() & mask; ; h = (h + 1) & mask {
		if s := &x.slots[h]; s.next == 0 || s.key == *key {
			return s
		}
	}
}

// all gives every key and its index.
func (x *groupIndex) all() iter.Seq2[*groupKey, uint32] {
	return func(yield func(*groupKey, uint32) bool) {
		for i := range x.slots {
			if s := &x.slots[i]; s.next != 0 && !yield(&s.key, s.next-1) {
				return
			}
		}
	}
}

func (x *groupIndex) grow() {
	old := x.slots
	x.slots = make([]groupSlot, max(groupSlotsMin, 2*len(old)))
	for i := range old {
		if old[i].next != 0 {
			*x.slot(&old[i].key) = old[i]
		}
	}
}

// hash mixes a key. Handles differ from one process to the next, and so does
// the hash: it reaches nothing published.
func (k *groupKey) hash() uint64 {
	const m1, m2 = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	place := uint64(uint32(k.place)) ^ uint64(k.country) ^ uint64(uint32(k.costPlace))<<16
	h := (uint64(k.account)<<32|uint64(k.business))*m1 ^ (place<<8|uint64(k.category))*m2
	return h ^ h>>32
}
