package reconcile

// A day's rows and the open pairs are kept in parts by the hash of the pair,
// and folded a part at a time: the rows, the pairs and the working memory of
// one part lie in the processor's cache together, where those of a whole day
// would be fetched from memory again and again, in no order.
const (
	partBits = 6
	// PartCount is the number of parts.
	PartCount = 1 << partBits
)

// Part is the part that a pair lies in. Rows that come in the order of their
// parts are added faster.
func (k PairKey) Part() int { return partOf(k.Hash()) }

// partOf is the part of a pair with this hash. The index of pairs goes by the
// lower bits.
func partOf(pairHash uint64) int { return int(pairHash >> (64 - partBits)) }

// day is what an engine holds of one UTC day, by part.
type day struct {
	rows    [PartCount]dayRows
	pending [PartCount][]message // sent before the day they count on; their ids are their own
}

// dayRows is a part of what was sent on one day, in chunks of a fixed number
// of rows, so that a day grows without being copied and its memory serves the
// next day.
type dayRows struct {
	chunks []*Packed // of chunkRows rows but for the last
}

const (
	chunkBits = 8
	chunkRows = 1 << chunkBits
	chunkMask = chunkRows - 1
)

// len is the number of rows.
func (d *dayRows) len() int {
	n := len(d.chunks)
	if n == 0 {
		return 0
	}
	return (n-1)<<chunkBits + len(d.chunks[n-1].rows)
}

// id is the message id of row i; it shares memory with d.
func (d *dayRows) id(i uint32) []byte { return d.chunks[i>>chunkBits].id(int(i & chunkMask)) }

// unpack writes row i to out, but for its hash. The id that it returns shares
// memory with d.
func (d *dayRows) unpack(out *row, i uint32) (id []byte) {
	return d.chunks[i>>chunkBits].unpack(out, int(i&chunkMask))
}

// room is a chunk with room for one more row, taken from spare where a new
// one is needed.
func (d *dayRows) room(spare *chunkPool) *Packed {
	n := len(d.chunks)
	if n == 0 || len(d.chunks[n-1].rows) == chunkRows {
		d.chunks = append(d.chunks, spare.take())
		n++
	}
	return d.chunks[n-1]
}

// addRun adds rows from row i on that were sent on the day that begins at
// start, as long as they lie in one part, and returns the row after them.
func (d *day) addRun(rows *Packed, i int, start int64, spare *chunkPool) int {
	part := rows.rows[i].pair().Part()
	c := d.rows[part].room(spare)
	end, limit := i+1, min(rows.Len(), i+chunkRows-len(c.rows))
	for end < limit && sentWithin(rows.rows[end].sent, start) && rows.rows[end].pair().Part() == part {
		end++
	}
	c.appendRun(rows, i, end)
	return end
}

// sentWithin tells whether an instant lies on the day that begins at start.
func sentWithin(sent, start int64) bool { return sent >= start && sent-start < DayMillis }

// addRow adds a row.
func (d *day) addRow(r *row, id []byte, spare *chunkPool) {
	d.rows[r.pair().Part()].room(spare).appendRow(r, id)
}

// wait keeps a message until it counts, on this day.
func (d *day) wait(m message) {
	part := m.pair().Part()
	d.pending[part] = append(d.pending[part], m)
}

// chunkPool keeps the chunks of folded parts for rows to come.
type chunkPool struct {
	free []*Packed
}

func (p *chunkPool) take() *Packed {
	n := len(p.free)
	if n == 0 {
		return NewPacked(chunkRows)
	}
	c := p.free[n-1]
	p.free = p.free[:n-1]
	return c
}

// give takes the chunks of d back. What d held is gone.
func (p *chunkPool) give(d *dayRows) {
	for _, c := range d.chunks {
		c.Reset()
		p.free = append(p.free, c)
	}
	d.chunks = d.chunks[:0]
}

// empty makes d, whose rows have been given back, ready for another day.
func (d *day) empty() {
	for part := range d.pending {
		clear(d.pending[part])
		d.pending[part] = d.pending[part][:0]
	}
}
