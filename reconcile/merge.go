package reconcile

import (
	"bytes"
	"cmp"
	"strings"
)

// row is one row of an export as merging sees it.
type row struct {
	hash      uint64 // of the pair and the message id
	contact   Contact
	sent      int64
	delivered int64
	read      int64
	account   Name
	business  Name
	typ       Name
	country   Name
	kind      Kind
	category  Category
	status    Status
	// What merging has found so far; false in a row as it was read.
	conflict bool // the rows disagree in direction, kind, category or sent_at
	badTime  bool // a delivery time was ignored
}

func (r *row) pair() PairKey { return PairKey{r.contact, r.account, r.business} }

// message is what the rows of one pair and message id come to.
type message struct {
	row               // the row that sorts first, with the merged status and times
	id         []byte // shares memory with the day's rows
	windowOpen bool   // of a free-form message: the window was open when it was sent
}

// newMessage is a row by itself, with its own memory.
func newMessage(r row, id []byte) message { return message{row: r, id: bytes.Clone(id)} }

// clone has its own memory.
func (m *message) clone() message {
	own := *m
	own.id = bytes.Clone(m.id)
	return own
}

// merger brings rows of one message together as the contract says.
type merger struct {
	deliveryMillis int64
	text           func(Name) string
}

// first tells whether row a sorts before row b among duplicates: by sent_at,
// kind in the order of R1, type, category, country; null last. The columns
// that the contract names after these have no bearing on conversations.
func (m *merger) first(a, b *row) bool {
	return cmp.Or(
		cmp.Compare(a.sent, b.sent),
		cmp.Compare(Rank(a.kind, a.category), Rank(b.kind, b.category)),
		m.compareText(a.typ, b.typ),
		cmp.Compare(a.category-1, b.category-1), // NoCategory wraps to the last
		m.compareText(a.country, b.country),
	) < 0
}

func (m *merger) compareText(a, b Name) int {
	switch {
	case a == b:
		return 0
	case a == 0:
		return 1
	case b == 0:
		return -1
	}
	return strings.Compare(m.text(a), m.text(b))
}

// merge makes one message of its rows; out is zero but for its id.
func (m *merger) merge(out *message, rows []row) {
	out.row = rows[0]
	for i := range rows[1:] {
		if r := &rows[1+i]; m.first(r, &out.row) {
			out.row = *r
		}
	}
	out.status, out.delivered, out.read = NoStatus, NoTime, NoTime
	for i := range rows {
		r := &rows[i]
		out.conflict = out.conflict || r.conflict || disagree(&out.row, r)
		out.badTime = out.badTime || r.badTime
		if r.kind == Inbound {
			continue
		}
		out.status = max(out.status, r.status)
		if out.kind != Inbound {
			m.takeTime(out, &out.delivered, r.delivered)
			m.takeTime(out, &out.read, r.read)
		}
	}
}

// alone makes a message, whose only row out holds already, of that row: its
// delivery times are yet to be judged.
func (m *merger) alone(out *message) {
	if out.delivered == NoTime && out.read == NoTime {
		return
	}
	delivered, read := out.delivered, out.read
	out.delivered, out.read = NoTime, NoTime
	if out.kind == Inbound {
		out.status = NoStatus
		return
	}
	m.takeTime(out, &out.delivered, delivered)
	m.takeTime(out, &out.read, read)
}

// takeTime takes the earlier of two delivery times into earliest, and refuses
// one that cannot be.
func (m *merger) takeTime(out *message, earliest *int64, t int64) {
	switch {
	case t == NoTime:
	case t < out.sent || t-out.sent > m.deliveryMillis:
		out.badTime = true
	case *earliest == NoTime || t < *earliest:
		*earliest = t
	}
}

func disagree(a, b *row) bool {
	return a.sent != b.sent || Rank(a.kind, a.category) != Rank(b.kind, b.category) || a.category != b.category
}

// Uncounted says why a message neither opens nor joins anything (R2).
type Uncounted uint8

// The reasons; Counts is none.
const (
	Counts Uncounted = iota
	IgnoredType
	FailedMessage
	Undelivered
)

// counts decides R2, and when the message counts: the event time of rules.md.
func (m *message) counts(basis Basis) (why Uncounted, at int64) {
	switch {
	case m.kind == Inbound:
		return Counts, m.sent
	case m.kind == Ignored:
		return IgnoredType, m.sent
	case m.status == Failed:
		return FailedMessage, m.sent
	case basis == BasisSent:
		return Counts, m.sent
	case m.status < Delivered:
		return Undelivered, m.sent
	case m.delivered == NoTime && m.read == NoTime:
		return Counts, m.sent
	case m.delivered == NoTime:
		return Counts, m.read
	case m.read == NoTime:
		return Counts, m.delivered
	}
	return Counts, min(m.delivered, m.read)
}
