package batch

import (
	"sync"

	"waconcile/reconcile"
)

// dateCharges is what one shard has of one billing date: charges in chunks
// without pointers, and the groups of charges that are alike but for contact,
// time and counts. The shard fills it, then gives it away whole.
type dateCharges struct {
	chunks []*chargeChunk
	groups []group
	index  groupIndex // into groups
	spare  *sync.Pool // of *chargeChunk
}

// charge is a conversation as it waits for its table; what it costs stands in
// its group.
type charge struct {
	contact  reconcile.Contact
	openedAt int64
	idStart  uint32 // of the opening message's id in the chunk's ids
	idEnd    uint32
	group    uint32
	out, in  int32
	proven   bool
}

type chargeChunk struct {
	charges []charge
	ids     []byte
}

// chunkCharges is how many charges a chunk holds, and chunkIDBytes the room
// for their ids at first.
const (
	chunkCharges = 4 << 10
	chunkIDBytes = 40 * chunkCharges
)

// groupKey is all that a charge's place and price depend on, on a given date.
type groupKey struct {
	account, business reconcile.Name
	place             int32          // of a phone number
	costPlace         int32          // likewise, by the provider's table of markets; 0 where there is no cost
	country           reconcile.Name // of a contact that is none
	category          reconcile.Category
	opaque            bool
}

// group is charges of one price: the grain on which money is computed.
type group struct {
	account, business reconcile.Name
	category          reconcile.Category
	place             reconcile.Place
	rating            *reconcile.Rating
	cost              *costing // nil: there is one book, or the date is before the period
	quantity          int64
}

func newDateCharges(spare *sync.Pool) *dateCharges {
	return &dateCharges{spare: spare}
}

// newChunkPool makes the pool that chunks are taken from by the shards, and
// given back to by whoever has copied what they hold.
func newChunkPool() *sync.Pool {
	return &sync.Pool{New: func() any {
		return &chargeChunk{
			charges: make([]charge, 0, chunkCharges),
			ids:     make([]byte, 0, chunkIDBytes),
		}
	}}
}

// release gives the chunks back; the groups stay.
func (d *dateCharges) release() {
	for _, c := range d.chunks {
		c.charges, c.ids = c.charges[:0], c.ids[:0]
		d.spare.Put(c)
	}
	d.chunks = nil
}

// add appends a charge of the group with the given index.
func (d *dateCharges) add(c *reconcile.Conversation, group uint32) {
	d.put(charge{
		contact:  c.Contact,
		openedAt: c.OpenedAt,
		group:    group,
		out:      c.Out,
		in:       c.In,
		proven:   c.Proven,
	}, c.OpenedBy)
	d.groups[group].quantity++
}

// put appends a charge and the id of the message that opened it.
func (d *dateCharges) put(c charge, openedBy []byte) {
	n := len(d.chunks)
	if n == 0 || len(d.chunks[n-1].charges) == chunkCharges {
		d.chunks = append(d.chunks, d.spare.Get().(*chargeChunk))
		n++
	}
	chunk := d.chunks[n-1]
	c.idStart = uint32(len(chunk.ids))
	chunk.ids = append(chunk.ids, openedBy...)
	c.idEnd = uint32(len(chunk.ids))
	chunk.charges = append(chunk.charges, c)
}

// at is a charge by its place, and the id of the message that opened it.
func (d *dateCharges) at(index uint32) (*charge, []byte) {
	chunk := d.chunks[index/chunkCharges]
	c := &chunk.charges[index%chunkCharges]
	return c, chunk.ids[c.idStart:c.idEnd]
}

// move moves charges to other groups: to, for each, is 1 more than the group's
// place, or 0 where it stays.
func (d *dateCharges) move(to []uint32) {
	next := 0
	for _, chunk := range d.chunks {
		for i := range chunk.charges {
			if g := to[next]; g != 0 {
				c := &chunk.charges[i]
				d.groups[c.group].quantity--
				c.group = g - 1
				d.groups[c.group].quantity++
			}
			next++
		}
	}
}

// chargesIn is the number of charges of all shares.
func chargesIn(shares []*dateCharges) int {
	n := 0
	for _, d := range shares {
		n += d.len()
	}
	return n
}

// len is the number of charges.
func (d *dateCharges) len() int {
	n := 0
	for _, c := range d.chunks {
		n += len(c.charges)
	}
	return n
}
