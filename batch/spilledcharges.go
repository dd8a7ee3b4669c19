package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"waconcile/batch/spill"
	"waconcile/reader"
	"waconcile/reconcile"

	"github.com/cespare/xxhash/v2"
)

// passCharges takes the charges of one pass to a temporary file: the tables of
// a date can be written only when all passes have given theirs. Groups stay in
// memory, since they are few.
type passCharges struct {
	file    *spill.File
	names   *reader.Names
	buckets int

	mu    sync.Mutex
	dates map[reconcile.Date]*passDate
}

// passDate is what a pass has of a date. Its charges lie in buckets by the
// hash of the contact's text, of which a file of the table takes some that
// follow each other.
type passDate struct {
	charges int
	buckets [][]spill.Piece
	keys    []groupKey
	groups  []group
}

func newPassCharges(names *reader.Names, buckets int) *passCharges {
	return &passCharges{
		file: spill.NewFile("waconcile-charges-*"), names: names, buckets: buckets,
		dates: make(map[reconcile.Date]*passDate),
	}
}

// close gives the temporary file back.
func (p *passCharges) close() error { return p.file.Close() }

// take writes the charges that all shards have of a date, and gives their
// chunks back.
func (p *passCharges) take(d reconcile.Date, shares []*dateCharges) error {
	date := &passDate{buckets: make([][]spill.Piece, p.buckets)}
	var index groupIndex
	groups := make([][]uint32, len(shares)) // of each share's groups, the number in date's
	for i, s := range shares {
		groups[i] = make([]uint32, len(s.groups))
		for key, g := range s.index.all() {
			groups[i][g] = addGroup(&index, &date.groups, key, &s.groups[g])
		}
		date.charges += s.len()
	}
	date.keys = make([]groupKey, len(date.groups))
	for key, g := range index.all() {
		date.keys[g] = *key
	}
	if err := p.write(date, shares, groups); err != nil {
		return err
	}
	for _, s := range shares {
		s.release()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dates[d] = date
	return nil
}

// addGroup adds the charges of a group to the one of the same key.
func addGroup(index *groupIndex, groups *[]group, key *groupKey, g *group) uint32 {
	at, known := index.of(key, uint32(len(*groups)))
	if known {
		(*groups)[at].quantity += g.quantity
	} else {
		*groups = append(*groups, *g)
	}
	return at
}

// pieceBytes is how large a piece of a bucket grows before it is written.
const pieceBytes = 256 << 10

// write puts the charges into their buckets, bucket by bucket: what is in
// memory beside them is their order and a piece.
func (p *passCharges) write(date *passDate, shares []*dateCharges, groups [][]uint32) error {
	order, ends := p.order(shares, date.charges)
	buf, start := make([]byte, 0, pieceBytes+chargeBytesMax), 0
	flush := func(bucket int) error {
		piece, err := p.file.Write(buf)
		date.buckets[bucket] = append(date.buckets[bucket], piece)
		buf = buf[:0]
		return err
	}
	for bucket, end := range ends {
		for _, ref := range order[start:end] {
			chunk := shares[ref.share].chunks[ref.index/chunkCharges]
			c := &chunk.charges[ref.index%chunkCharges]
			buf = appendCharge(buf, c, groups[ref.share][c.group], chunk.ids[c.idStart:c.idEnd])
			if len(buf) >= pieceBytes {
				if err := flush(bucket); err != nil {
					return err
				}
			}
		}
		if len(buf) > 0 {
			if err := flush(bucket); err != nil {
				return err
			}
		}
		start = end
	}
	return nil
}

// spillRef finds a charge of a share.
type spillRef struct{ share, index uint32 }

// order is the charges by bucket, and where each bucket ends.
func (p *passCharges) order(shares []*dateCharges, n int) (order []spillRef, ends []int) {
	in, text := make([]uint8, 0, n), []byte(nil) // the bucket of each: chargeFilesMax bounds them
	ends = make([]int, p.buckets+1)              // at first of the bucket before
	for _, s := range shares {
		for _, chunk := range s.chunks {
			for i := range chunk.charges {
				text = p.names.AppendContact(text[:0], chunk.charges[i].contact)
				bucket := bucketOf(xxhash.Sum64(text), p.buckets)
				in = append(in, uint8(bucket))
				ends[bucket+1]++
			}
		}
	}
	for b := range p.buckets {
		ends[b+1] += ends[b]
	}
	order = make([]spillRef, n)
	next := 0
	for s, charges := range shares {
		for i := range charges.len() {
			at := &ends[in[next]]
			order[*at] = spillRef{uint32(s), uint32(i)}
			*at++
			next++
		}
	}
	return order, ends[:p.buckets]
}

// chargeBytesMax is room for a charge with an id of common length.
const chargeBytesMax = 256

var errSpilledCharge = errors.New("spilled charge cannot be decoded")

// appendCharge appends a charge as it lies in a piece.
func appendCharge(b []byte, c *charge, group uint32, id []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(c.contact))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.openedAt))
	b = binary.AppendUvarint(b, uint64(group))
	b = binary.AppendUvarint(b, uint64(uint32(c.out)))
	b = binary.AppendUvarint(b, uint64(uint32(c.in)))
	proven := uint64(0)
	if c.proven {
		proven = 1
	}
	b = binary.AppendUvarint(b, uint64(len(id))<<1|proven)
	return append(b, id...)
}

// nextCharge takes a charge off the front of a piece. Its group is that of the
// pass.
func nextCharge(b []byte) (c charge, id, rest []byte, err error) {
	if len(b) < 16 {
		return c, nil, nil, errSpilledCharge
	}
	c.contact = reconcile.Contact(binary.LittleEndian.Uint64(b))
	c.openedAt = int64(binary.LittleEndian.Uint64(b[8:]))
	rest = b[16:]
	var values [4]uint64
	for i := range values {
		v, n := binary.Uvarint(rest)
		if n <= 0 {
			return c, nil, nil, errSpilledCharge
		}
		values[i], rest = v, rest[n:]
	}
	c.group, c.out, c.in, c.proven = uint32(values[0]), int32(values[1]), int32(values[2]), values[3]&1 != 0
	size := values[3] >> 1
	if size > uint64(len(rest)) {
		return c, nil, nil, errSpilledCharge
	}
	return c, rest[:size], rest[size:], nil
}

// spilledCharges is the charges of all passes so far.
type spilledCharges struct {
	buckets int
	passes  []*passCharges
	dates   map[reconcile.Date]*spilledDate
}

// spilledDate is what the passes have of a date, with the groups of all.
type spilledDate struct {
	charges int
	index   groupIndex
	groups  []group
	parts   []spilledPart
	drawn   [][]uint32 // of each bucket's charges, 1 more than the group that they were drawn to; nil: none was
}

// spilledPart is what one pass has of a date.
type spilledPart struct {
	file    *spill.File
	buckets [][]spill.Piece
	groups  []uint32 // of the pass, their numbers in the date's
}

func newSpilledCharges(buckets int) *spilledCharges {
	return &spilledCharges{buckets: buckets, dates: make(map[reconcile.Date]*spilledDate)}
}

// add takes over the charges of a pass that is complete.
func (s *spilledCharges) add(p *passCharges) {
	s.passes = append(s.passes, p)
	for d, date := range p.dates {
		all := s.dates[d]
		if all == nil {
			all = &spilledDate{}
			s.dates[d] = all
		}
		part := spilledPart{file: p.file, buckets: date.buckets, groups: make([]uint32, len(date.groups))}
		for i := range date.keys {
			part.groups[i] = addGroup(&all.index, &all.groups, &date.keys[i], &date.groups[i])
		}
		all.parts = append(all.parts, part)
		all.charges += date.charges
	}
	p.dates = nil
}

// close gives the temporary files back.
func (s *spilledCharges) close() error {
	var errs []error
	for _, p := range s.passes {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// read gives the charges of some buckets, in no order, in the groups that they
// have been drawn to.
func (d *spilledDate) read(from, to int, spare *sync.Pool) (*dateCharges, error) {
	out := &dateCharges{groups: d.groups, spare: spare}
	for bucket := from; bucket < to; bucket++ {
		next := 0
		err := d.each(bucket, func(c charge, id []byte) {
			if d.drawn != nil && d.drawn[bucket][next] != 0 {
				c.group = d.drawn[bucket][next] - 1
			}
			next++
			out.put(c, id)
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// each gives the charges of a bucket, always in the same order, with the groups
// of the date.
func (d *spilledDate) each(bucket int, do func(c charge, id []byte)) error {
	var buf []byte
	for _, part := range d.parts {
		for _, piece := range part.buckets[bucket] {
			var err error
			if buf, err = part.file.Read(piece, buf); err != nil {
				return err
			}
			if err := eachCharge(buf, part.groups, do); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachCharge gives the charges of a piece, with the groups that those of its
// pass are elsewhere.
func eachCharge(b []byte, groups []uint32, do func(c charge, id []byte)) error {
	for len(b) > 0 {
		c, id, rest, err := nextCharge(b)
		if err == nil && int(c.group) >= len(groups) {
			err = fmt.Errorf("%w: group %d of %d", errSpilledCharge, c.group, len(groups))
		}
		if err != nil {
			return err
		}
		c.group = groups[c.group]
		do(c, id)
		b = rest
	}
	return nil
}
