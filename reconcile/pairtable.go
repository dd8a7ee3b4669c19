package reconcile

import (
	"bytes"
	"math/bits"
)

// pairTable holds the pairs of which something may still be open, by key: an
// open-addressing table of indexes into slices that hold no pointers, which
// the garbage collector need not look into. It is made anew at each sweep, so
// nothing is ever removed from it.
type pairTable struct {
	keys     []PairKey
	pairs    []Pair
	convs    [][SlotCount]uint32 // of each pair, index+1 into live; 0: none
	live     []openConversation
	ids      []byte // of the messages that opened live
	spare    []openConversation
	spareIDs []byte
	slots    []uint32 // index+1 into keys; length a power of two
	since    int64    // what NewPair is given: nothing of a new pair was seen from then on
	swept    int64    // the instant of the last sweep
}

// openConversation is what a conversation has gathered so far.
type openConversation struct {
	openedAt int64
	idStart  int // of the opening message's id in ids
	idEnd    int
	country  Name
	out, in  int32
	proven   bool
}

const pairSlotsMin = 1024

// at is the index of a pair, which is made where there is none.
func (t *pairTable) at(key PairKey) uint32 {
	if 4*(len(t.keys)+1) > 3*len(t.slots) {
		t.rehash(max(pairSlotsMin, 2*len(t.slots)))
	}
	mask := uint64(len(t.slots) - 1)
	for h := key.Hash() & mask; ; h = (h + 1) & mask {
		i := t.slots[h]
		if i == 0 {
			return t.insert(h, key)
		}
		if t.keys[i-1] == key {
			return i - 1
		}
	}
}

func (t *pairTable) insert(slot uint64, key PairKey) uint32 {
	t.keys = append(t.keys, key)
	t.pairs = append(t.pairs, NewPair(t.since))
	t.convs = append(t.convs, [SlotCount]uint32{})
	t.slots[slot] = uint32(len(t.keys))
	return uint32(len(t.keys) - 1)
}

func (t *pairTable) rehash(size int) {
	if cap(t.slots) >= size {
		t.slots = t.slots[:size]
		clear(t.slots)
	} else {
		t.slots = make([]uint32, size)
	}
	mask := uint64(size - 1)
	for i, key := range t.keys {
		h := key.Hash() & mask
		for t.slots[h] != 0 {
			h = (h + 1) & mask
		}
		t.slots[h] = uint32(i + 1)
	}
}

// doubt takes back what was proven of every pair.
func (t *pairTable) doubt(since int64) {
	for i := range t.pairs {
		t.pairs[i].doubt(since)
	}
}

// open notes the conversation that message m has opened, and hands on the one
// that it follows in its slot.
func (t *pairTable) open(index uint32, slot Slot, m *message, ev *event, sink Sink) {
	c := openConversation{
		openedAt: ev.at,
		idStart:  len(t.ids),
		idEnd:    len(t.ids) + len(m.id),
		country:  m.country,
		out:      1,
		proven:   t.pairs[index].Proven(slot),
	}
	t.ids = append(t.ids, m.id...)
	if i := t.convs[index][slot]; i != 0 {
		t.emit(index, slot, sink)
		t.live[i-1] = c
		return
	}
	t.live = append(t.live, c)
	t.convs[index][slot] = uint32(len(t.live))
}

// count adds a message to the open conversation of a slot.
func (t *pairTable) count(index uint32, slot Slot, kind Kind) {
	c := &t.live[t.convs[index][slot]-1]
	if kind == Inbound {
		c.in++
	} else {
		c.out++
	}
}

func (t *pairTable) emit(index uint32, slot Slot, sink Sink) {
	c := &t.live[t.convs[index][slot]-1]
	sink.Conversation(&Conversation{
		PairKey:  t.keys[index],
		Category: slot.Category(),
		OpenedAt: c.openedAt,
		OpenedBy: t.ids[c.idStart:c.idEnd],
		Country:  c.country,
		Out:      c.out,
		In:       c.in,
		Proven:   c.proven,
	})
}

// sweep hands on the conversations that have ended at an instant and drops
// the pairs that have nothing left.
func (t *pairTable) sweep(at int64, sink Sink) {
	if at <= t.swept {
		return
	}
	t.swept = at
	kept := 0
	open, ids := t.spare[:0], t.spareIDs[:0]
	for i := range t.keys {
		convs := t.convs[i]
		for s := range Slot(SlotCount) {
			if convs[s] == 0 {
				continue
			}
			if c := &t.live[convs[s]-1]; at-c.openedAt < DayMillis {
				moved := *c
				moved.idStart = len(ids)
				ids = append(ids, t.ids[c.idStart:c.idEnd]...)
				moved.idEnd = len(ids)
				open = append(open, moved)
				convs[s] = uint32(len(open))
				continue
			}
			t.emit(uint32(i), s, sink)
			convs[s] = 0
		}
		if t.pairs[i].idle(at) {
			continue
		}
		t.keys[kept], t.pairs[kept], t.convs[kept] = t.keys[i], t.pairs[i], convs
		kept++
	}
	t.keys, t.pairs, t.convs = t.keys[:kept], t.pairs[:kept], t.convs[:kept]
	t.live, t.spare = open, t.live
	t.ids, t.spareIDs = ids, t.ids
	t.rehash(max(pairSlotsMin, slotsFor(kept)))
}

// slotsFor is the smallest power of two that leaves n keys room to double.
func slotsFor(n int) int { return 1 << bits.Len(uint(2*n)) }

// restore takes over pairs and open conversations of a state.
func (t *pairTable) restore(from *State) {
	for i := range from.Pairs {
		p := &from.Pairs[i]
		t.pairs[t.at(p.PairKey)] = p.pair()
	}
	for i := range from.Conversations {
		c := &from.Conversations[i]
		index := t.at(c.PairKey)
		t.live = append(t.live, openConversation{
			openedAt: c.OpenedAt, idStart: len(t.ids), idEnd: len(t.ids) + len(c.OpenedBy),
			country: c.Country, out: c.Out, in: c.In, proven: c.Proven,
		})
		t.ids = append(t.ids, c.OpenedBy...)
		t.convs[index][SlotOf(c.Category)] = uint32(len(t.live))
	}
}

// save puts all pairs and open conversations into a state.
func (t *pairTable) save(s *State) {
	s.Pairs = make([]PairState, len(t.keys))
	s.Conversations = make([]Conversation, 0, len(t.live))
	ids := bytes.Clone(t.ids)
	for i, key := range t.keys {
		s.Pairs[i] = t.pairs[i].state(key)
		for slot := range Slot(SlotCount) {
			if at := t.convs[i][slot]; at != 0 {
				c := &t.live[at-1]
				s.Conversations = append(s.Conversations, Conversation{
					PairKey: key, Category: slot.Category(), OpenedAt: c.openedAt, OpenedBy: ids[c.idStart:c.idEnd],
					Country: c.country, Out: c.out, In: c.in, Proven: c.proven,
				})
			}
		}
	}
}
