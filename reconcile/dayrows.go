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

// room is a chunk with room for one more row, taken from spare where a new
// one is needed.
func (d *dayRows) room(spare *chunkPool) *rowChunk {
	n := len(d.chunks)
	if n == 0 || len(d.chunks[n-1].rows) == chunkRows {
		d.chunks = append(d.chunks, spare.take())
		n++
	}
	return d.chunks[n-1]
}

// addRun adds rows of a block from row i on that were sent on the day that
// begins at start, as long as they lie in one part, and returns the row after
// them. The ids of such a run are copied as one.
func (d *day) addRun(rows *Rows, i int, start int64, spare *chunkPool) int {
	part := rows.Pair(i).Part()
	c := d.rows[part].room(spare)
	shift := uint32(len(c.ids)) - rows.ID.start(i) // may wrap, and wraps back
	first := i
	for len(c.rows) < chunkRows {
		c.rows = append(c.rows, packedRow{
			contact: rows.Contact[i], account: rows.Account[i], business: rows.Business[i],
			typ: rows.Type[i], country: rows.Country[i],
			sent: uint32(rows.SentAt[i] - start), idEnd: rows.ID.Ends[i] + shift,
			times: c.addTimes(rows.DeliveredAt[i], rows.ReadAt[i]),
			kind:  rows.Kind[i], category: rows.Category[i], status: rows.Status[i],
		})
		i++
		if i == rows.Len() || rows.SentAt[i] < start || rows.SentAt[i]-start >= DayMillis || rows.Pair(i).Part() != part {
			break
		}
	}
	c.ids = append(c.ids, rows.ID.Bytes[rows.ID.start(first):rows.ID.Ends[i-1]]...)
	return i
}

// addTimes keeps the delivery times of a row and returns its times.
func (c *rowChunk) addTimes(delivered, read int64) uint16 {
	if delivered == NoTime && read == NoTime {
		return 0
	}
	c.times = append(c.times, deliveryTimes{delivered, read})
	return uint16(len(c.times))
}

// addRow adds a row, sent on the day that begins at start.
func (d *day) addRow(r *row, id []byte, start int64, spare *chunkPool) {
	c := d.rows[r.pair().Part()].room(spare)
	c.ids = append(c.ids, id...)
	found := uint8(0)
	if r.conflict {
		found |= foundConflict
	}
	if r.badTime {
		found |= foundBadTime
	}
	c.rows = append(c.rows, packedRow{
		contact: r.contact, account: r.account, business: r.business, typ: r.typ, country: r.country,
		sent: uint32(r.sent - start), idEnd: uint32(len(c.ids)), times: c.addTimes(r.delivered, r.read),
		kind: r.kind, category: r.category, status: r.status, found: found,
	})
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
	d.chunks = d.chunks[:0]
}

// empty makes d, whose rows have been given back, ready for another day.
func (d *day) empty() {
	for part := range d.pending {
		clear(d.pending[part])
		d.pending[part] = d.pending[part][:0]
	}
}
