package reader

import (
	"math"
	"slices"
)

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
	read  bool  // a reader came to it: it was not only read ahead
	spent bool  // a reader took its last byte: its stream went on
}

// rangeCache is what one open object keeps in memory: at most limit blocks,
// more only where as many readers are copying at once. What a stream has read
// to the end goes first, then what was not touched for longest. Reading ahead
// may push out only what is spent or stale, never what another stream is in
// the middle of: streams that push each other out would fetch everything
// again at each step. Nor does it fetch anything for the second time.
type rangeCache struct {
	limit    int
	blocks   map[int64]*block
	seen     map[int64]bool // ranges that were fetched: where one column ends another began, and has been read
	clock    int64          // reads so far
	places   int            // ranges in which active streams are
	inFlight int
}

// room is how many blocks could be read ahead now. Each place of a stream has
// one set aside: read ahead must not leave a stream without its next.
func (c *rangeCache) room() int {
	kept, ahead := 0, 0
	for _, b := range c.blocks {
		if c.idle(b) {
			continue
		}
		kept++
		if !b.read {
			ahead++
		}
	}
	return c.limit - max(kept, c.places+ahead)
}

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

// note takes a read of [off, end) and says whether it goes on where an earlier
// one ended.
func (s *streams) note(off, end, clock int64) (goesOn bool) {
	at := slices.IndexFunc(s.list, func(st stream) bool { return st.next == off })
	goesOn = at >= 0
	switch {
	case goesOn:
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
	return goesOn
}

// places counts the ranges of unit bytes in which active streams go on; at
// least 1.
func (s *streams) places(unit, clock int64) int {
	var at []int64
	for _, st := range s.list {
		if i := st.next / unit; clock-st.used <= stale && !slices.Contains(at, i) {
			at = append(at, i)
		}
	}
	return max(len(at), 1)
}
