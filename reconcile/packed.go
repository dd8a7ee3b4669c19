package reconcile

import "slices"

// Packed is rows as an Engine takes and keeps them: row by row, without what
// can be worked out again. Whoever fills one owns it; an Engine copies what it
// keeps.
type Packed struct {
	rows  []packedRow
	times []deliveryTimes
	ids   []byte
}

// packedRow is a row without its hash.
type packedRow struct {
	contact  Contact
	sent     int64
	account  Name
	business Name
	typ      Name
	country  Name
	idEnd    uint32 // in ids; the id begins where the one before ends
	times    uint16 // index+1 into times; 0: none
	what     uint8  // kind, category and status
	found    uint8  // what merging has found of a row that is a message already
}

// deliveryTimes are those of a row that has any.
type deliveryTimes struct {
	delivered, read int64
}

// PackedMax is the most rows that a Packed takes.
const PackedMax = 1<<16 - 1

// idBytes is the room for a message id at first; what holds longer ones grows.
const idBytes = 40

// The bits of packedRow.what: two for the kind, three for the category, three
// for the status.
const (
	categoryShift = 2
	statusShift   = 5
)

// The bits of packedRow.found.
const (
	foundConflict = 1 << iota
	foundBadTime
)

// NewPacked makes an empty Packed with room for n rows.
func NewPacked(n int) *Packed {
	return &Packed{rows: make([]packedRow, 0, n), ids: make([]byte, 0, n*idBytes)}
}

// Pack packs a block of rows.
func Pack(rows *Rows) *Packed {
	p := NewPacked(rows.Len())
	for i := range rows.Len() {
		p.Append(rows, []uint32{uint32(i)})
	}
	return p
}

// Len is the number of rows.
func (p *Packed) Len() int { return len(p.rows) }

// Reset empties p and keeps its memory.
func (p *Packed) Reset() { p.rows, p.times, p.ids = p.rows[:0], p.times[:0], p.ids[:0] }

// Append adds rows of a block by their indexes.
func (p *Packed) Append(from *Rows, rows []uint32) {
	n, ids := len(p.rows), p.ids
	p.rows = slices.Grow(p.rows, len(rows))[:n+len(rows)]
	for at, i := range rows {
		ids = append(ids, from.ID.At(int(i))...)
		p.rows[n+at] = packedRow{
			contact: from.Contact[i], sent: from.SentAt[i],
			account: from.Account[i], business: from.Business[i], typ: from.Type[i], country: from.Country[i],
			idEnd: uint32(len(ids)), times: p.addTimes(from.DeliveredAt[i], from.ReadAt[i]),
			what: packWhat(from.Kind[i], from.Category[i], from.Status[i]),
		}
	}
	p.ids = ids
}

// appendRow adds a row.
func (p *Packed) appendRow(r *row, id []byte) {
	p.ids = append(p.ids, id...)
	found := uint8(0)
	if r.conflict {
		found |= foundConflict
	}
	if r.badTime {
		found |= foundBadTime
	}
	p.rows = append(p.rows, packedRow{
		contact: r.contact, sent: r.sent,
		account: r.account, business: r.business, typ: r.typ, country: r.country,
		idEnd: uint32(len(p.ids)), times: p.addTimes(r.delivered, r.read),
		what: packWhat(r.kind, r.category, r.status), found: found,
	})
}

// appendRun adds rows first to end-1 of another Packed: their ids in one piece.
func (p *Packed) appendRun(from *Packed, first, end int) {
	n, idStart := len(p.rows), from.idStart(first)
	shift := uint32(len(p.ids)) - idStart // may wrap, and wraps back
	p.ids = append(p.ids, from.ids[idStart:from.rows[end-1].idEnd]...)
	p.rows = append(p.rows, from.rows[first:end]...)
	for i := range p.rows[n:] {
		r := &p.rows[n+i]
		r.idEnd += shift
		if r.times > 0 {
			t := &from.times[r.times-1]
			r.times = p.addTimes(t.delivered, t.read)
		}
	}
}

// addTimes keeps the delivery times of a row and returns its times.
func (p *Packed) addTimes(delivered, read int64) uint16 {
	if delivered == NoTime && read == NoTime {
		return 0
	}
	p.times = append(p.times, deliveryTimes{delivered, read})
	return uint16(len(p.times))
}

func packWhat(k Kind, c Category, s Status) uint8 {
	return uint8(k) | uint8(c)<<categoryShift | uint8(s)<<statusShift
}

func (r *packedRow) pair() PairKey { return PairKey{r.contact, r.account, r.business} }

func (p *Packed) idStart(i int) uint32 {
	if i == 0 {
		return 0
	}
	return p.rows[i-1].idEnd
}

// id is the message id of row i; it shares memory with p.
func (p *Packed) id(i int) []byte { return p.ids[p.idStart(i):p.rows[i].idEnd] }

// unpack writes row i to out, but for its hash. The id that it returns shares
// memory with p.
func (p *Packed) unpack(out *row, i int) (id []byte) {
	r := &p.rows[i]
	out.contact, out.account, out.business = r.contact, r.account, r.business
	out.sent, out.delivered, out.read = r.sent, NoTime, NoTime
	out.typ, out.country = r.typ, r.country
	out.kind = Kind(r.what & (1<<categoryShift - 1))
	out.category = Category(r.what >> categoryShift & (1<<(statusShift-categoryShift) - 1))
	out.status = Status(r.what >> statusShift)
	out.conflict, out.badTime = r.found&foundConflict != 0, r.found&foundBadTime != 0
	if r.times > 0 {
		t := &p.times[r.times-1]
		out.delivered, out.read = t.delivered, t.read
	}
	return p.id(i)
}

// row is row i by itself, with its hash, and its id.
func (p *Packed) row(i int) (r row, id []byte) {
	id = p.unpack(&r, i)
	r.hash = messageHash(id, r.pair().Hash())
	return r, id
}
