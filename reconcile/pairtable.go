package reconcile

import "slices"

// pairTable holds the pairs of which something may still be open, by part.
type pairTable struct {
	parts [PartCount]pairPart
	index pairIndex
	spare []openConversation // memory for the next sweep
	told  Conversation       // what is handed on
	since int64              // what NewPair is given: nothing of a new pair was seen from then on
	swept int64              // the instant of the last sweep
}

// pairPart is the pairs of one part, in slices without pointers, which the
// garbage collector need not look into. A pair is known by its place in them
// until the next sweep.
type pairPart struct {
	keys  []PairKey
	pairs []Pair
	convs [][SlotCount]uint32 // of each pair, index+1 into live; 0: none
	live  []openConversation
	// The ids of the messages that opened live. What was open at a sweep has
	// ended at the next, a day later at least, and what is opened between
	// them is open at that one: so ids need not be moved one by one.
	ids    []byte // of what was opened since the last sweep
	oldIDs []byte // of what was opened before
}

// openConversation is what a conversation has gathered so far.
type openConversation struct {
	openedAt int64
	idStart  uint32 // of the opening message's id
	idEnd    uint32
	country  Name
	out, in  int32
	proven   bool
	old      bool // the id is in oldIDs
}

func (p *pairPart) id(c *openConversation) []byte {
	if c.old {
		return p.oldIDs[c.idStart:c.idEnd]
	}
	return p.ids[c.idStart:c.idEnd]
}

// at is the index of a pair of the part that the table's index is of; it is
// made where there is none.
func (t *pairTable) at(p *pairPart, key PairKey, hash uint64) uint32 {
	i, found := t.index.find(p.keys, key, hash)
	if !found {
		p.keys = append(p.keys, key)
		p.pairs = append(p.pairs, NewPair(t.since))
		p.convs = append(p.convs, [SlotCount]uint32{})
	}
	return i
}

// doubt takes back what was proven of every pair.
func (t *pairTable) doubt(since int64) {
	for p := range t.parts {
		for i := range t.parts[p].pairs {
			t.parts[p].pairs[i].doubt(since)
		}
	}
}

// open notes the conversation that message m has opened, and hands on the one
// that it follows in its slot.
func (t *pairTable) open(p *pairPart, index uint32, slot Slot, m *message, at int64, sink Sink) {
	c := openConversation{
		openedAt: at,
		idStart:  uint32(len(p.ids)),
		idEnd:    uint32(len(p.ids) + len(m.id)),
		country:  m.country,
		out:      1,
		proven:   p.pairs[index].Proven(slot),
	}
	p.ids = append(p.ids, m.id...)
	if i := p.convs[index][slot]; i != 0 {
		t.emit(p, index, slot, sink)
		p.live[i-1] = c
		return
	}
	p.live = append(p.live, c)
	p.convs[index][slot] = uint32(len(p.live))
}

// count adds a message to the open conversation of a slot.
func (p *pairPart) count(index uint32, slot Slot, kind Kind) {
	c := &p.live[p.convs[index][slot]-1]
	if kind == Inbound {
		c.in++
	} else {
		c.out++
	}
}

func (t *pairTable) emit(p *pairPart, index uint32, slot Slot, sink Sink) {
	c := &p.live[p.convs[index][slot]-1]
	t.told = p.conversation(c, index, slot)
	sink.Conversation(&t.told)
}

// conversation is c, of the pair with that index, with the part's own memory.
func (p *pairPart) conversation(c *openConversation, index uint32, slot Slot) Conversation {
	return Conversation{
		PairKey:  p.keys[index],
		Category: slot.Category(),
		OpenedAt: c.openedAt,
		OpenedBy: p.id(c),
		Country:  c.country,
		Out:      c.out,
		In:       c.in,
		Proven:   c.proven,
	}
}

// sweep hands on the conversations that have ended at an instant and drops
// the pairs that have nothing left.
func (t *pairTable) sweep(at int64, sink Sink) {
	if at <= t.swept {
		return
	}
	t.swept = at
	for part := range t.parts {
		t.sweepPart(part, at, sink)
	}
}

// sweepPart does that for one part, which no sweep up to that instant has
// done.
func (t *pairTable) sweepPart(part int, at int64, sink Sink) {
	p := &t.parts[part]
	kept, open := 0, t.spare[:0]
	for i := range p.keys {
		convs := p.convs[i]
		if convs != [SlotCount]uint32{} {
			open = t.sweepPair(p, uint32(i), at, open, sink)
			convs = p.convs[i]
		}
		if convs == [SlotCount]uint32{} && p.pairs[i].idle(at) {
			continue
		}
		if kept != i {
			p.keys[kept], p.pairs[kept], p.convs[kept] = p.keys[i], p.pairs[i], convs
		}
		kept++
	}
	p.keys, p.pairs, p.convs = p.keys[:kept], p.pairs[:kept], p.convs[:kept]
	p.live, t.spare = open, p.live
	p.ids, p.oldIDs = p.oldIDs[:0], p.ids
}

// sweepPair hands on the conversations of a pair that have ended and moves the
// others to open.
func (t *pairTable) sweepPair(p *pairPart, index uint32, at int64, open []openConversation, sink Sink) []openConversation {
	convs := &p.convs[index]
	for s := range Slot(SlotCount) {
		if convs[s] == 0 {
			continue
		}
		c := &p.live[convs[s]-1]
		if at-c.openedAt >= DayMillis {
			t.emit(p, index, s, sink)
			convs[s] = 0
			continue
		}
		moved := *c
		if c.old { // swept again within a day
			moved.idStart = uint32(len(p.ids))
			p.ids = append(p.ids, p.id(c)...)
			moved.idEnd = uint32(len(p.ids))
		}
		moved.old = true
		open = append(open, moved)
		convs[s] = uint32(len(open))
	}
	return open
}

// restore takes over pairs and open conversations of a state.
func (t *pairTable) restore(from *State) {
	pairs, convs := make([][]*PairState, PartCount), make([][]*Conversation, PartCount)
	for i := range from.Pairs {
		s := &from.Pairs[i]
		part := s.Part()
		pairs[part] = append(pairs[part], s)
	}
	for i := range from.Conversations {
		c := &from.Conversations[i]
		part := c.Part()
		convs[part] = append(convs[part], c)
	}
	for part := range t.parts {
		t.restorePart(&t.parts[part], pairs[part], convs[part])
	}
}

func (t *pairTable) restorePart(p *pairPart, pairs []*PairState, convs []*Conversation) {
	t.index.load(p.keys, len(pairs)+len(convs))
	for _, s := range pairs {
		index := t.at(p, s.PairKey, s.Hash())
		p.pairs[index] = s.pair()
	}
	for _, c := range convs {
		index := t.at(p, c.PairKey, c.Hash())
		p.live = append(p.live, openConversation{
			openedAt: c.OpenedAt, idStart: uint32(len(p.ids)), idEnd: uint32(len(p.ids) + len(c.OpenedBy)),
			country: c.Country, out: c.Out, in: c.In, proven: c.Proven,
		})
		p.ids = append(p.ids, c.OpenedBy...)
		p.convs[index][SlotOf(c.Category)] = uint32(len(p.live))
	}
}

// save puts all pairs and open conversations into a state.
func (t *pairTable) save(s *State) {
	for part := range t.parts {
		p := &t.parts[part]
		s.Pairs = slices.Grow(s.Pairs, len(p.keys))
		s.Conversations = slices.Grow(s.Conversations, len(p.live))
		own := pairPart{keys: p.keys, ids: slices.Clone(p.ids), oldIDs: slices.Clone(p.oldIDs)}
		for i, key := range p.keys {
			s.Pairs = append(s.Pairs, p.pairs[i].state(key))
			for slot := range Slot(SlotCount) {
				if at := p.convs[i][slot]; at != 0 {
					s.Conversations = append(s.Conversations, own.conversation(&p.live[at-1], uint32(i), slot))
				}
			}
		}
	}
}
