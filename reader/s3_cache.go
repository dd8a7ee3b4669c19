package reader

import "math"

// stale is the number of reads after which a block that nobody touched, or a
// stream that did not go on, no longer counts.
const stale = 64

// block is a range of an object, being fetched or fetched.
type block struct {
	index int64
	off   int64
	data  []byte
	done  chan struct{} // closed when data is filled or err is set
	err   error         // valid once done is closed

	// Guarded by the file's mutex.
	users int   // readers that wait for it or copy from it
	used  int64 // clock of the last read that wanted it
	ready bool  // done is closed, or about to be
	spent bool  // a reader took its last byte: its stream went on
}

// rangeCache is what one open object keeps in memory: at most limit blocks,
// more only where as many readers are copying at once. What a stream has read
// to the end goes first, then what was not touched for longest. Reading ahead
// may push out only what is spent or stale, never what another stream is in
// the middle of: streams that push each other out would fetch everything
// again at each step.
type rangeCache struct {
	limit    int
	blocks   map[int64]*block
	clock    int64 // reads so far
	inFlight int
}

// room is how many blocks could be read ahead now.
func (c *rangeCache) room() int {
	n := c.limit
	for _, b := range c.blocks {
		if !c.idle(b) {
			n--
		}
	}
	return n
}

func (c *rangeCache) hasRoom() bool { return c.room() > 0 }

// idle says that a block may go for the sake of reading ahead.
func (c *rangeCache) idle(b *block) bool {
	return b.ready && b.users == 0 && (b.spent || c.clock-b.used > stale)
}

// makeRoom takes a block out of a full cache and returns it, or nil. With
// force it may be one that a stream still needs.
func (c *rangeCache) makeRoom(force bool) *block {
	if len(c.blocks) < c.limit {
		return nil
	}
	var victim *block
	best := int64(math.MaxInt64)
	for _, b := range c.blocks {
		if !b.ready || b.users > 0 || !force && !c.idle(b) {
			continue
		}
		rank := b.used
		if !c.idle(b) {
			rank += math.MaxInt64 / 2
		}
		if rank < best || rank == best && b.index < victim.index {
			victim, best = b, rank
		}
	}
	if victim != nil {
		delete(c.blocks, victim.index)
	}
	return victim
}

// streams tells sequential readers apart by where each would go on.
type streams struct {
	list []stream
}

type stream struct {
	next int64 // where it would go on
	used int64 // clock of its last read
}

// maxStreams is more columns than one row group is read by at once.
const maxStreams = 64

// note takes a read of [off, end) and returns how many streams are active.
func (s *streams) note(off, end, clock int64) int {
	at, active := -1, 0
	for i := range s.list {
		if st := &s.list[i]; st.next == off {
			at = i
		} else if clock-st.used <= stale {
			active++
		}
	}
	switch {
	case at >= 0:
	case len(s.list) < maxStreams:
		s.list = append(s.list, stream{})
		at = len(s.list) - 1
	default:
		at = 0
		for i := range s.list {
			if s.list[i].used < s.list[at].used {
				at = i
			}
		}
	}
	s.list[at] = stream{next: end, used: clock}
	return active + 1
}
