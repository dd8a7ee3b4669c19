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
	chunks []*rowChunk
}

// packedRow is a row as it waits for its day: all that row has but its hash,
// in less room.
type packedRow struct {
	contact  Contact
	account  Name
	business Name
	typ      Name
	country  Name
	sent     uint32 // milliseconds since the day began
	idEnd    uint32 // in the ids of the chunk; the id begins where the one before ends
	times    uint16 // index+1 into the times of the chunk; 0: none
	kind     Kind
	category Category
	status   Status
	found    uint8 // what merging has found so far
}

// What merging has found of a row that is a message already.
const (
	foundConflict = 1 << iota
	foundBadTime
)

func (r *packedRow) pair() PairKey { return PairKey{r.contact, r.account, r.business} }

// deliveryTimes are those of a row that has any.
type deliveryTimes struct {
	delivered, read int64
}

// rowChunk holds chunkRows rows but for the last of its day.
type rowChunk struct {
	rows  []packedRow
	times []deliveryTimes
	ids   []byte
}

const (
	chunkBits = 8
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

// id is the message id of row i; it shares memory with d.
func (d *dayRows) id(i uint32) []byte {
	c := d.chunks[i>>chunkBits]
	return c.ids[c.idStart(i&chunkMask):c.rows[i&chunkMask].idEnd]
}

func (c *rowChunk) idStart(k uint32) uint32 {
	if k == 0 {
		return 0
	}
	return c.rows[k-1].idEnd
}

// unpack writes row i, sent on the day that begins at start, to out, but for
// its hash. The id that it returns shares memory with d.
func (d *dayRows) unpack(out *row, i uint32, start int64) (id []byte) {
	c, k := d.chunks[i>>chunkBits], i&chunkMask
	r := &c.rows[k]
	out.contact, out.account, out.business = r.contact, r.account, r.business
	out.sent, out.delivered, out.read = start+int64(r.sent), NoTime, NoTime
	out.typ, out.country = r.typ, r.country
	out.kind, out.category, out.status = r.kind, r.category, r.status
	out.conflict, out.badTime = r.found&foundConflict != 0, r.found&foundBadTime != 0
	if r.times > 0 {
		t := &c.times[r.times-1]
		out.delivered, out.read = t.delivered, t.read
	}
	return c.ids[c.idStart(k):r.idEnd]
}

// next is the place for one more row with this id and these times, in a chunk
// of spare where a new one is needed. The caller fills in the rest.
func (d *dayRows) next(id []byte, delivered, read int64, spare *chunkPool) *packedRow {
	n := len(d.chunks)
	if n == 0 || len(d.chunks[n-1].rows) == chunkRows {
		d.chunks = append(d.chunks, spare.take())
		n++
	}
	c := d.chunks[n-1]
	c.ids = append(c.ids, id...)
	c.rows = c.rows[:len(c.rows)+1]
	r := &c.rows[len(c.rows)-1]
	r.idEnd, r.times = uint32(len(c.ids)), 0
	if delivered != NoTime || read != NoTime {
		c.times = append(c.times, deliveryTimes{delivered, read})
		r.times = uint16(len(c.times))
	}
	return r
}

// addBlock adds row i of a block, sent on the day that begins at start.
func (d *day) addBlock(rows *Rows, i int, start int64, spare *chunkPool) {
	pair := rows.Pair(i)
	r := d.rows[pair.Part()].next(rows.ID.At(i), rows.DeliveredAt[i], rows.ReadAt[i], spare)
	r.contact, r.account, r.business = pair.Contact, pair.Account, pair.Business
	r.typ, r.country, r.sent = rows.Type[i], rows.Country[i], uint32(rows.SentAt[i]-start)
	r.kind, r.category, r.status, r.found = rows.Kind[i], rows.Category[i], rows.Status[i], 0
}

// addRow adds a row, sent on the day that begins at start.
func (d *day) addRow(from *row, id []byte, start int64, spare *chunkPool) {
	r := d.rows[from.pair().Part()].next(id, from.delivered, from.read, spare)
	r.contact, r.account, r.business = from.contact, from.account, from.business
	r.typ, r.country, r.sent = from.typ, from.country, uint32(from.sent-start)
	r.kind, r.category, r.status, r.found = from.kind, from.category, from.status, 0
	if from.conflict {
		r.found |= foundConflict
	}
	if from.badTime {
		r.found |= foundBadTime
	}
}

// wait keeps a message until it counts, on this day.
func (d *day) wait(m message) {
	part := m.pair().Part()
	d.pending[part] = append(d.pending[part], m)
}

// chunkPool keeps the chunks of folded parts for rows to come.
type chunkPool struct {
	free []*rowChunk
}

func (p *chunkPool) take() *rowChunk {
	n := len(p.free)
	if n == 0 {
		return &rowChunk{rows: make([]packedRow, 0, chunkRows), ids: make([]byte, 0, chunkIDBytes)}
	}
	c := p.free[n-1]
	p.free = p.free[:n-1]
	return c
}

// give takes the chunks of d back. What d held is gone.
func (p *chunkPool) give(d *dayRows) {
	for _, c := range d.chunks {
		c.rows, c.ids, c.times = c.rows[:0], c.ids[:0], c.times[:0]
		p.free = append(p.free, c)
	}
	d.chunks = nil
}
