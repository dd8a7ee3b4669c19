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
	ids     []byte   // of the messages that opened them, pile by pile
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

// pile is the charges of a pile, in any order.
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

// deal counts the charges of every pile, and then copies each to its pile:
// both times in the order in which they lie in memory. The chunks of the
// shares are given back to their pool.
func deal(shares []*dateCharges, l *layout) dealt {
	numbers := len(l.numbers)
	piles := make([]pileSize, l.files*numbers)
	firstCode := make([]uint32, len(shares))
	file := newFileSplit(l)
	next := uint32(0)
	for s, share := range shares {
		firstCode[s] = next
		next += uint32(len(share.groups))
		for _, chunk := range share.chunks {
			for i := range chunk.charges {
				c := &chunk.charges[i]
				p := &piles[file.of(c.contact)*numbers+int(l.codes[firstCode[s]+c.group].number)]
				p.charges++
				p.bytes += uint64(c.idEnd - c.idStart)
			}
		}
	}
	d := makePiles(piles, &l.buffer.dealt)
	for s, share := range shares {
		for _, chunk := range share.chunks {
			for i := range chunk.charges {
				c := &chunk.charges[i]
				code := firstCode[s] + c.group
				of := l.codes[code]
				p := &piles[file.of(c.contact)*numbers+int(of.number)]
				id := chunk.ids[c.idStart:c.idEnd]
				copy(d.ids[p.bytes:], id)
				d.charges[p.charges] = dealtCharge{
					contact: c.contact, openedAt: c.openedAt, idStart: p.bytes, idLength: uint32(len(id)), code: code,
					out: c.out, in: c.in, category: of.category, proven: c.proven,
				}
				p.charges++
				p.bytes += uint64(len(id))
			}
		}
		share.release()
	}
	return d
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
	used.charges = slices.Grow(used.charges[:0], int(at.charges))[:at.charges]
	used.ids = slices.Grow(used.ids[:0], int(at.bytes))[:at.bytes]
	return *used
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
