package reconcile

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
)

// folder is the working memory of the fold of one part of a day: its rows in
// the order of their pairs, and the messages and events of one pair at a time.
type folder struct {
	rows     *dayRows
	pending  []message
	hashes   []uint64 // of each row's pair and message id
	pairOf   []uint32 // of each row, then of each pending message
	starts   []uint32 // where each pair's entries begin in order
	order    []uint32 // entries by pair; an entry beyond the rows is a pending message
	messages []message
	seen     []uint64 // hashes of the messages of all pairs
	events   []event
	same     []row // of one message
}

// group is what one pair has on one day.
type group struct {
	pair    uint32
	rows    []uint32 // indexes of rows
	pending []uint32 // pending messages, numbered on from the day's rows
}

// load gets a part of a day ready to be folded.
func (e *Engine) load(of *day, part int) {
	f := &e.fold
	f.rows, f.pending, f.seen = &of.rows[part], of.pending[part], f.seen[:0]
	n := f.rows.len() + len(f.pending)
	f.hashes, f.pairOf = f.hashes[:0], f.pairOf[:0]
	e.pairs.take(part, n)
	for _, c := range f.rows.chunks {
		e.loadChunk(c)
	}
	for i := range f.pending {
		key := f.pending[i].pair()
		f.pairOf = append(f.pairOf, e.pairs.at(key, key.Hash()))
	}
	f.sort(len(e.pairs.work.pairs))
}

// loadChunk finds the pairs of a chunk's rows and hashes their ids.
func (e *Engine) loadChunk(c *Packed) {
	f, start := &e.fold, uint32(0)
	for i := range c.rows {
		r := &c.rows[i]
		key := r.pair()
		hash := key.Hash()
		f.pairOf = append(f.pairOf, e.pairs.at(key, hash))
		f.hashes = append(f.hashes, messageHash(c.ids[start:r.idEnd], hash))
		start = r.idEnd
	}
}

// sort sorts rows and pending messages by pair, by counting: most pairs have
// few.
func (f *folder) sort(pairs int) {
	n := len(f.pairOf)
	f.starts = slices.Grow(f.starts[:0], pairs+1)[:pairs+1]
	clear(f.starts)
	for _, p := range f.pairOf {
		f.starts[p+1]++
	}
	for p := range pairs {
		f.starts[p+1] += f.starts[p]
	}
	f.order = slices.Grow(f.order[:0], n)[:n]
	for i := n - 1; i >= 0; i-- {
		p := f.pairOf[i]
		f.starts[p+1]--
		f.order[f.starts[p+1]] = uint32(i)
	}
}

// groups yields each pair that has something on the day. After sort,
// starts[p+1] is where pair p begins.
func (f *folder) groups() iter.Seq[group] {
	return func(yield func(group) bool) {
		if len(f.order) == 0 {
			return
		}
		rows := uint32(f.rows.len())
		for p := range len(f.starts) - 1 {
			end := uint32(len(f.order))
			if p+2 < len(f.starts) {
				end = f.starts[p+2]
			}
			entries := f.order[f.starts[p+1]:end]
			if len(entries) == 0 {
				continue
			}
			split := len(entries)
			for split > 0 && entries[split-1] >= rows {
				split--
			}
			if !yield(group{pair: uint32(p), rows: entries[:split], pending: entries[split:]}) {
				return
			}
		}
	}
}

// mergeGroup makes the messages of one pair and day of their rows.
func (e *Engine) mergeGroup(rows []uint32) []message {
	f := &e.fold
	f.messages = f.messages[:0]
	if f.anyTwice(rows) {
		e.mergeTwice(rows)
	} else {
		for _, i := range rows {
			m := f.message()
			m.id = f.rows.unpack(&m.row, i)
			m.hash = f.hashes[i]
			e.merger.alone(m)
		}
	}
	for i := range f.messages {
		f.seen = append(f.seen, f.messages[i].hash)
	}
	e.tally.Messages += int64(len(f.messages))
	return f.messages
}

// message is the place for one more message of the pair.
func (f *folder) message() *message {
	f.messages = append(f.messages, message{})
	return &f.messages[len(f.messages)-1]
}

// pairwiseMax is the number of rows up to which every two are compared; more
// are sorted by their hash first.
const pairwiseMax = 16

// anyTwice tells whether two rows have one hash. It may sort them.
func (f *folder) anyTwice(rows []uint32) bool {
	if len(rows) > pairwiseMax {
		f.sortByMessage(rows)
		for i := 1; i < len(rows); i++ {
			if f.hashes[rows[i-1]] == f.hashes[rows[i]] {
				return true
			}
		}
		return false
	}
	var hashes [pairwiseMax]uint64
	for i, at := range rows {
		hash := f.hashes[at]
		for _, other := range hashes[:i] {
			if other == hash {
				return true
			}
		}
		hashes[i] = hash
	}
	return false
}

// sortByMessage brings rows of one message together.
func (f *folder) sortByMessage(rows []uint32) {
	slices.SortFunc(rows, func(a, b uint32) int {
		return cmp.Or(f.compareMessages(a, b), cmp.Compare(a, b))
	})
}

// compareMessages is 0 for rows of one message: those of one hash are told
// apart by their ids.
func (f *folder) compareMessages(a, b uint32) int {
	if c := cmp.Compare(f.hashes[a], f.hashes[b]); c != 0 {
		return c
	}
	return bytes.Compare(f.rows.id(a), f.rows.id(b))
}

// mergeTwice makes messages of rows of which some may be of one message.
func (e *Engine) mergeTwice(rows []uint32) {
	f := &e.fold
	f.sortByMessage(rows)
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && f.compareMessages(rows[0], rows[n]) == 0 {
			n++
		}
		f.same = f.same[:0]
		for _, i := range rows[:n] {
			var r row
			f.rows.unpack(&r, i)
			r.hash = f.hashes[i]
			f.same = append(f.same, r)
		}
		m := f.message()
		m.id = f.rows.id(rows[0])
		e.merger.merge(m, f.same)
		e.tally.Merged += int64(n - 1)
		rows = rows[n:]
	}
}
