package batch

import (
	"slices"

	"waconcile/reconcile"

	"github.com/cespare/xxhash/v2"
)

// dealt is the charges of a billing date in piles: one for each file and
// business number, one pile behind the other.
type dealt struct {
	charges []dealtCharge
	ids     []byte   // of the messages that opened them, in the order of charges
	ends    []uint32 // of each pile in charges
}

// dealtCharge is a charge with the code of its group among those of all
// shards.
type dealtCharge struct {
	contact  reconcile.Contact
	openedAt int64
	idStart  uint64 // of the opening message's id
	idLength uint32
	code     uint32
	out, in  int32
	category reconcile.Category
	proven   bool
}

// pile is the charges of a pile, in the order in which they were dealt.
func (d *dealt) pile(i int) []dealtCharge {
	start := uint32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.charges[start:d.ends[i]]
}

func (d *dealt) openedBy(c *dealtCharge) []byte {
	return d.ids[c.idStart : c.idStart+uint64(c.idLength)]
}

// idsOf are the ids of a pile, one behind the other.
func (d *dealt) idsOf(pile []dealtCharge) []byte {
	if len(pile) == 0 {
		return nil
	}
	last := &pile[len(pile)-1]
	return d.ids[pile[0].idStart : last.idStart+uint64(last.idLength)]
}

// deal counts the charges of every pile, and then copies each to its pile, chunk
// by chunk. The chunks of the shares are given back to their pool.
func deal(shares []*dateCharges, l *layout) dealt {
	piles := make([]pileSize, l.files*len(l.numbers))
	firstCode := make([]uint32, len(shares))
	file, split := newFileSplit(l), &l.buffer.split
	split.begin(len(piles), shares)
	next := uint32(0)
	for s, share := range shares {
		firstCode[s] = next
		next += uint32(len(share.groups))
		for _, chunk := range share.chunks {
			for i := range chunk.charges {
				c := &chunk.charges[i]
				pile := file.of(c.contact)*len(l.numbers) + int(l.codes[firstCode[s]+c.group].number)
				split.add(uint32(pile))
				piles[pile].charges++
				piles[pile].bytes += uint64(c.idEnd - c.idStart)
			}
		}
	}
	split.rewind()
	d := makePiles(piles, &l.buffer.dealt)
	for s, share := range shares {
		for _, chunk := range share.chunks {
			of, order := split.next(len(chunk.charges))
			l.buffer.ahead.bytes(chunk.ids)
			for _, i := range order {
				c, p := &chunk.charges[i], &piles[of[i]]
				code := firstCode[s] + c.group
				id := chunk.ids[c.idStart:c.idEnd]
				copy(d.ids[p.bytes:], id)
				d.charges[p.charges] = dealtCharge{
					contact: c.contact, openedAt: c.openedAt, idStart: p.bytes, idLength: uint32(len(id)), code: code,
					out: c.out, in: c.in, category: l.codes[code].category, proven: c.proven,
				}
				p.charges++
				p.bytes += uint64(len(id))
			}
		}
		share.release()
	}
	return d
}

// chunkSplit puts the charges of a chunk in the order of their piles. A chunk
// fits the processor's cache, what they are copied to does not: so each pile is
// written in one go, not a line here and a line there.
type chunkSplit struct {
	piles  []uint32 // of all charges, chunk by chunk
	left   []uint32 // of those of the chunks to come
	starts []uint32 // where each pile begins in order
	order  []uint32
}

func (s *chunkSplit) begin(piles int, shares []*dateCharges) {
	s.piles = slices.Grow(s.piles[:0], chargesIn(shares))
	s.starts = slices.Grow(s.starts[:0], piles)[:piles]
}

// add says which pile the next charge belongs to.
func (s *chunkSplit) add(pile uint32) { s.piles = append(s.piles, pile) }

// rewind goes back to the first chunk.
func (s *chunkSplit) rewind() { s.left = s.piles }

// next gives, of the next n charges, the pile of each, and their order. Where
// there are as many piles as charges they stay as they are: nothing would come
// of it.
func (s *chunkSplit) next(n int) (piles, order []uint32) {
	piles, s.left = s.left[:n], s.left[n:]
	s.order = slices.Grow(s.order[:0], n)[:n]
	if len(s.starts) >= chunkCharges {
		for i := range s.order {
			s.order[i] = uint32(i)
		}
		return piles, s.order
	}
	clear(s.starts)
	for _, pile := range piles {
		s.starts[pile]++
	}
	at := uint32(0)
	for pile, count := range s.starts {
		s.starts[pile] = at
		at += count
	}
	for i, pile := range piles {
		s.order[s.starts[pile]] = uint32(i)
		s.starts[pile]++
	}
	return piles, s.order
}

// pileSize is first what a pile holds, and then where the next of it goes.
type pileSize struct {
	charges uint32
	bytes   uint64
}

// makePiles makes room for piles of such sizes, in the memory of used ones, and
// turns the sizes into where each pile begins.
func makePiles(piles []pileSize, used *dealt) dealt {
	var at pileSize
	used.ends = used.ends[:0]
	for i := range piles {
		size := piles[i]
		piles[i] = at
		at.charges += size.charges
		at.bytes += size.bytes
		used.ends = append(used.ends, at.charges)
	}
	used.charges = roomFor(used.charges, int(at.charges))
	used.ids = roomFor(used.ids, int(at.bytes))
	return *used
}

// roomFor is s with n elements, whatever they are. New memory is an eighth more
// than is needed now: the next date will be about as long.
func roomFor[E any](s []E, n int) []E {
	if cap(s) < n {
		s = make([]E, n+n/8)
	}
	return s[:n]
}

// fileSplit tells to which of a date's files a contact belongs: by the upper bits
// of the hash of its text.
type fileSplit struct {
	layout *layout
	text   []byte
}

func newFileSplit(l *layout) *fileSplit { return &fileSplit{layout: l} }

func (f *fileSplit) of(c reconcile.Contact) int {
	if f.layout.files == 1 {
		return 0
	}
	f.text = f.layout.names.AppendContact(f.text[:0], c)
	return bucketOf(xxhash.Sum64(f.text), f.layout.files)
}
