package reconcile

import "slices"

// pairTable holds the pairs of which something may still be open, by part.
type pairTable struct {
	parts [PartCount]pairPart
	work  pairWork
	told  Conversation // what is handed on
	since int64        // what NewPair is given: nothing of a new pair was seen from then on
	swept int64        // the instant of the last sweep
}

// pairPart is the pairs of one part as they wait for the next day, in slices
// without pointers, which the garbage collector need not look into.
type pairPart struct {
	pairs []pairEntry
	live  []openConversation
	ids   []byte // of the messages that opened live
}

// pairEntry is a pair with what is open of it.
type pairEntry struct {
	key   PairKey
	convs [SlotCount]uint32 // index+1 into live; 0: none
	Pair
}

// pairWork is the pairs of the part that is being folded, to which those of
// the day are added: one memory for all parts, so that each of them keeps only
// what is left after the sweep. A pair is known by its place in pairs until
// then.
type pairWork struct {
	pairs []pairEntry
	index pairIndex
	live  []openConversation
	// Ids need not be moved one by one. What was open when the part was taken
	// up has ended when it is swept, a day later; what is opened in between is
	// open then.
	ids    []byte // of what has been opened since the part was taken up
	oldIDs []byte // of what was open then: the part's own
}

// openConversation is what a conversation has gathered so far.
type openConversation struct {
	openedAt int64
	idStart  uint32 // of the opening message's id
	idEnd    uint32
	country  Name
	out, in  int32
	proven   bool
	old      bool // it was open when its part was taken up, or waits in its part
}

func (w *pairWork) id(c *openConversation) []byte {
	if c.old {
		return w.oldIDs[c.idStart:c.idEnd]
	}
	return w.ids[c.idStart:c.idEnd]
}

// take takes up a part to be folded, to which at most so many pairs will be
// added. sweepPart puts it back.
func (t *pairTable) take(part, more int) {
	p, w := &t.parts[part], &t.work
	w.pairs = append(w.pairs[:0], p.pairs...)
	w.live = append(w.live[:0], p.live...)
	w.ids, w.oldIDs = w.ids[:0], p.ids
	if more > 0 {
		w.index.load(w.pairs, more)
	}
}

// at is the index of a pair of the part that was taken up; it is made where
// there is none.
func (t *pairTable) at(key PairKey, hash uint64) uint32 {
	w := &t.work
	i, found := w.index.find(w.pairs, key, hash)
	if !found {
		w.pairs = append(w.pairs, pairEntry{key: key, Pair: NewPair(t.since)})
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
func (t *pairTable) open(pair *pairEntry, slot Slot, m *message, at int64, sink Sink) {
	w := &t.work
	c := openConversation{
		openedAt: at,
		idStart:  uint32(len(w.ids)),
		idEnd:    uint32(len(w.ids) + len(m.id)),
		country:  m.country,
		out:      1,
		proven:   pair.Proven(slot),
	}
	w.ids = append(w.ids, m.id...)
	if i := pair.convs[slot]; i != 0 {
		t.emit(pair, slot, sink)
		w.live[i-1] = c
		return
	}
	w.live = append(w.live, c)
	pair.convs[slot] = uint32(len(w.live))
}

// count adds a message to the open conversation of a slot.
func (w *pairWork) count(pair *pairEntry, slot Slot, kind Kind) {
	c := &w.live[pair.convs[slot]-1]
	if kind == Inbound {
		c.in++
	} else {
		c.out++
	}
}

func (t *pairTable) emit(pair *pairEntry, slot Slot, sink Sink) {
	c := &t.work.live[pair.convs[slot]-1]
	t.told = conversation(pair.key, slot, c, t.work.id(c))
	sink.Conversation(&t.told)
}

func conversation(key PairKey, slot Slot, c *openConversation, id []byte) Conversation {
	return Conversation{
		PairKey:  key,
		Category: slot.Category(),
		OpenedAt: c.openedAt,
		OpenedBy: id,
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
		t.take(part, 0)
		t.sweepPart(part, at, sink)
	}
}

// sweepPart does that for the part that was taken up, and puts it back.
func (t *pairTable) sweepPart(part int, at int64, sink Sink) {
	p, w := &t.parts[part], &t.work
	p.pairs, p.live = p.pairs[:0], p.live[:0]
	for i := range w.pairs {
		pair := &w.pairs[i]
		open := pair.convs != [SlotCount]uint32{} && t.sweepPair(p, pair, at, sink)
		if open || !pair.idle(at) {
			p.pairs = append(p.pairs, *pair)
		}
	}
	p.ids, w.ids = w.ids, w.oldIDs
}

// sweepPair hands on the conversations of a pair that have ended, moves the
// others to a part and tells whether there are any.
func (t *pairTable) sweepPair(p *pairPart, pair *pairEntry, at int64, sink Sink) (open bool) {
	w := &t.work
	for s := range Slot(SlotCount) {
		if pair.convs[s] == 0 {
			continue
		}
		c := &w.live[pair.convs[s]-1]
		if at-c.openedAt >= DayMillis {
			t.emit(pair, s, sink)
			pair.convs[s] = 0
			continue
		}
		moved := *c
		if c.old { // swept again within a day
			moved.idStart = uint32(len(w.ids))
			w.ids = append(w.ids, w.id(c)...)
			moved.idEnd = uint32(len(w.ids))
		}
		moved.old = true
		p.live = append(p.live, moved)
		pair.convs[s] = uint32(len(p.live))
		open = true
	}
	return open
}

// restore takes over pairs and open conversations of a state.
func (t *pairTable) restore(from *State) {
	pairs, convs := make([][]*PairState, PartCount), make([][]*Conversation, PartCount)
	for i := range from.Pairs {
		s := &from.Pairs[i]
		pairs[s.Part()] = append(pairs[s.Part()], s)
	}
	for i := range from.Conversations {
		c := &from.Conversations[i]
		convs[c.Part()] = append(convs[c.Part()], c)
	}
	for part := range t.parts {
		t.restorePart(part, pairs[part], convs[part])
	}
}

func (t *pairTable) restorePart(part int, pairs []*PairState, convs []*Conversation) {
	t.take(part, len(pairs)+len(convs))
	w := &t.work
	for _, s := range pairs {
		index := t.at(s.PairKey, s.Hash()) // which may move the pairs
		w.pairs[index].Pair = s.pair()
	}
	for _, c := range convs {
		index := t.at(c.PairKey, c.Hash())
		w.live = append(w.live, openConversation{
			openedAt: c.OpenedAt, idStart: uint32(len(w.ids)), idEnd: uint32(len(w.ids) + len(c.OpenedBy)),
			country: c.Country, out: c.Out, in: c.In, proven: c.Proven, old: true,
		})
		w.ids = append(w.ids, c.OpenedBy...)
		w.pairs[index].convs[SlotOf(c.Category)] = uint32(len(w.live))
	}
	t.parts[part] = pairPart{pairs: slices.Clone(w.pairs), live: slices.Clone(w.live), ids: slices.Clone(w.ids)}
}

// save puts all pairs and open conversations into a state.
func (t *pairTable) save(s *State) {
	for part := range t.parts {
		p := &t.parts[part]
		s.Pairs = slices.Grow(s.Pairs, len(p.pairs))
		s.Conversations = slices.Grow(s.Conversations, len(p.live))
		ids := slices.Clone(p.ids)
		for i := range p.pairs {
			pair := &p.pairs[i]
			s.Pairs = append(s.Pairs, pair.state(pair.key))
			for slot := range Slot(SlotCount) {
				if at := pair.convs[slot]; at != 0 {
					c := &p.live[at-1]
					s.Conversations = append(s.Conversations, conversation(pair.key, slot, c, ids[c.idStart:c.idEnd]))
				}
			}
		}
	}
}
