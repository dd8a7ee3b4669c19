package reconcile

// dayRows is what was sent on one day, in chunks of a fixed number of rows, so
// that a day grows without being copied and its memory serves the next day.
type dayRows struct {
	chunks []*rowChunk
}

// rowChunk holds chunkRows rows but for the last of its day.
type rowChunk struct {
	rows []row
	ids  []byte
}

const (
	chunkBits = 12
	chunkRows = 1 << chunkBits
	chunkMask = chunkRows - 1

	chunkIDBytes = 40 * chunkRows // room at first; chunks of longer ids grow
)

// len is the number of rows.
func (d *dayRows) len() int {
	n := len(d.chunks)
	if n == 0 {
		return 0
	}
	return (n-1)<<chunkBits + len(d.chunks[n-1].rows)
}

// at is row i.
func (d *dayRows) at(i uint32) *row { return &d.chunks[i>>chunkBits].rows[i&chunkMask] }

// id is the message id of row i; it shares memory with d.
func (d *dayRows) id(i uint32) []byte {
	c := d.chunks[i>>chunkBits]
	r := &c.rows[i&chunkMask]
	return c.ids[r.idStart:r.idEnd]
}

// add appends a row, in a chunk of spare where a new one is needed.
func (d *dayRows) add(r row, id []byte, spare *chunkPool) {
	if n := len(d.chunks); n == 0 || len(d.chunks[n-1].rows) == chunkRows {
		d.chunks = append(d.chunks, spare.take())
	}
	c := d.chunks[len(d.chunks)-1]
	r.idStart = uint32(len(c.ids))
	c.ids = append(c.ids, id...)
	r.idEnd = uint32(len(c.ids))
	c.rows = append(c.rows, r)
}

// rowOf is row i of a block as the engine keeps it.
func rowOf(rows *Rows, i int) row {
	return row{
		hash: rows.Hash(i), contact: rows.Contact[i], account: rows.Account[i], business: rows.Business[i],
		sent: rows.SentAt[i], delivered: rows.DeliveredAt[i], read: rows.ReadAt[i],
		typ: rows.Type[i], country: rows.Country[i],
		kind: rows.Kind[i], category: rows.Category[i], status: rows.Status[i],
	}
}

// chunkPool keeps the chunks of folded days for the days to come.
type chunkPool struct {
	free []*rowChunk
}

func (p *chunkPool) take() *rowChunk {
	n := len(p.free)
	if n == 0 {
		return &rowChunk{rows: make([]row, 0, chunkRows), ids: make([]byte, 0, chunkIDBytes)}
	}
	c := p.free[n-1]
	p.free = p.free[:n-1]
	return c
}

// give takes the chunks of d back. What d held is gone.
func (p *chunkPool) give(d *dayRows) {
	for _, c := range d.chunks {
		c.rows, c.ids = c.rows[:0], c.ids[:0]
		p.free = append(p.free, c)
	}
	d.chunks = nil
}
