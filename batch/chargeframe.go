package batch

import (
	"encoding/hex"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/cespare/xxhash/v2"
)

// rulesName is what the rules column says of charges made by R1 to R13.
const rulesName = "conversation"

// The values of the certainty column.
const (
	certaintyProven  = "proven"
	certaintyAssumed = "assumed"
)

// groupText is a group as its charges' rows show it.
type groupText struct {
	pair                      uint32 // its place in the order by account and business number
	account, business         string
	country, market, category string
	plan, currency            string
	status, reason            string
	price, amount             reconcile.Micros
	priced, costs             bool // price and amount are not null
}

func textOf(g *group, names *reader.Names) groupText {
	t := groupText{
		account: names.Text(g.account), business: names.Text(g.business),
		country: g.place.Country, market: g.place.Market, category: g.category.String(),
		status: g.rating.Status.String(), reason: string(g.rating.Reason),
	}
	if a := g.rating.Account; a != nil {
		t.plan = a.Plan
	}
	if r := g.rating.Rate; r != nil {
		t.currency, t.price, t.priced = r.Currency, r.Price, true
	}
	switch g.rating.Status {
	case reconcile.Charged:
		t.amount, t.costs = t.price, true
	case reconcile.Free:
		t.costs = true
	}
	return t
}

// frameBuffer is the memory of a layout's frames, which the writer is done
// with when it asks for the next; texts made for a frame are new each time,
// since they stay in use.
type frameBuffer struct {
	charges                 []*charge
	groups                  []*groupText
	ids, contacts, openedBy textColumn
	columns                 []writer.Column
}

// frame lays charges out in the columns of writer.ChargesSchema, in its order.
func (l *layout) frame(refs []chargeRef) writer.Frame {
	f := l.buffer
	l.load(refs)
	next := 0
	column := func() *writer.Column {
		if next == len(f.columns) {
			f.columns = append(f.columns, writer.Column{})
		}
		next++
		return &f.columns[next-1]
	}
	made := func(t *textColumn) { column().Text = t.texts() }
	always := func(of func(*groupText) string) { f.text(column(), of) }
	maybe := func(of func(*groupText) string) { f.optional(column(), of) }
	number := func(of func(*charge) int64) { f.number(column(), of) }
	price := func(of func(*groupText) (reconcile.Micros, bool)) { f.money(column(), of) }

	made(&f.ids)
	always(func(g *groupText) string { return g.account })
	always(func(g *groupText) string { return g.business })
	made(&f.contacts)
	maybe(func(g *groupText) string { return g.country })
	maybe(func(g *groupText) string { return g.market })
	always(func(*groupText) string { return reconcile.UnitConversation.String() })
	always(func(g *groupText) string { return g.category })
	always(func(*groupText) string { return rulesName })
	number(func(c *charge) int64 { return c.openedAt })
	number(func(c *charge) int64 { return c.openedAt + reconcile.DayMillis })
	number(func(*charge) int64 { return int64(l.date) })
	made(&f.openedBy)
	number(func(c *charge) int64 { return int64(c.out) })
	number(func(c *charge) int64 { return int64(c.in) })
	maybe(func(g *groupText) string { return g.plan })
	price(func(g *groupText) (reconcile.Micros, bool) { return g.price, g.priced })
	maybe(func(g *groupText) string { return g.currency })
	price(func(g *groupText) (reconcile.Micros, bool) { return g.amount, g.costs })
	always(func(g *groupText) string { return g.status })
	maybe(func(g *groupText) string { return g.reason })
	maybe(func(*groupText) string { return "" }) // recharge_id: none pays (R12)
	f.certainty(column())
	return writer.Frame{Rows: len(refs), Columns: f.columns}
}

// load finds the charges and makes the texts that are a charge's own.
func (l *layout) load(refs []chargeRef) {
	f := l.buffer
	f.charges, f.groups = f.charges[:0], f.groups[:0]
	f.ids.reset()
	f.contacts.reset()
	f.openedBy.reset()
	var id chargeID
	var contact []byte
	for i := range refs {
		c, message, g := l.at(&refs[i])
		f.charges, f.groups = append(f.charges, c), append(f.groups, g)
		contact = l.names.AppendContact(contact[:0], c.contact)
		f.contacts.append(contact)
		f.openedBy.append(message)
		f.ids.append(id.of(g, contact, message))
	}
}

func (f *frameBuffer) text(c *writer.Column, of func(*groupText) string) {
	c.Text = c.Text[:0]
	for _, g := range f.groups {
		c.Text = append(c.Text, of(g))
	}
}

// optional fills a text column in which the empty text is null.
func (f *frameBuffer) optional(c *writer.Column, of func(*groupText) string) {
	c.Text, c.Null = c.Text[:0], c.Null[:0]
	for _, g := range f.groups {
		s := of(g)
		c.Text, c.Null = append(c.Text, s), append(c.Null, s == "")
	}
}

func (f *frameBuffer) number(c *writer.Column, of func(*charge) int64) {
	c.Int = c.Int[:0]
	for _, charge := range f.charges {
		c.Int = append(c.Int, of(charge))
	}
}

func (f *frameBuffer) money(c *writer.Column, of func(*groupText) (reconcile.Micros, bool)) {
	c.Micros, c.Null = c.Micros[:0], c.Null[:0]
	for _, g := range f.groups {
		m, ok := of(g)
		c.Micros, c.Null = append(c.Micros, m), append(c.Null, !ok)
	}
}

func (f *frameBuffer) certainty(c *writer.Column) {
	c.Text = c.Text[:0]
	for _, charge := range f.charges {
		if charge.proven {
			c.Text = append(c.Text, certaintyProven)
		} else {
			c.Text = append(c.Text, certaintyAssumed)
		}
	}
}

// chargeID makes the ids of charges: two 64-bit hashes of the pair, the
// category and the opening message, in 32 hex digits.
type chargeID struct {
	text []byte
	sum  []byte
	hex  []byte
}

// chargeIDSeed makes the second hash another function than the first.
const chargeIDSeed = 0x77616964

func (id *chargeID) of(g *groupText, contact, openedBy []byte) []byte {
	b := appendPart(id.text[:0], g.account)
	b = appendPart(b, g.business)
	b = appendPart(b, contact)
	b = appendPart(b, g.category)
	b = append(b, openedBy...)
	id.text = b
	var second xxhash.Digest
	second.ResetWithSeed(chargeIDSeed)
	second.Write(b)
	sum := appendUint64(id.sum[:0], xxhash.Sum64(b))
	id.sum = appendUint64(sum, second.Sum64())
	id.hex = hex.AppendEncode(id.hex[:0], id.sum)
	return id.hex
}

// appendPart appends a text with its length in front, so that no two lists of
// texts look the same.
func appendPart[T string | []byte](b []byte, s T) []byte {
	b = append(b, byte(len(s)>>8), byte(len(s)))
	return append(b, s...)
}

func appendUint64(b []byte, v uint64) []byte {
	for shift := 56; shift >= 0; shift -= 8 {
		b = append(b, byte(v>>shift))
	}
	return b
}

// textColumn gathers texts in one piece of memory.
type textColumn struct {
	bytes []byte
	ends  []int
}

func (c *textColumn) reset() { c.bytes, c.ends = c.bytes[:0], c.ends[:0] }

func (c *textColumn) append(text []byte) {
	c.bytes = append(c.bytes, text...)
	c.ends = append(c.ends, len(c.bytes))
}

// texts cuts one string into the texts.
func (c *textColumn) texts() []string {
	all, texts, start := string(c.bytes), make([]string, len(c.ends)), 0
	for i, end := range c.ends {
		texts[i], start = all[start:end], end
	}
	return texts
}

// nullableMoney is a money column that is null where nothing was set.
type nullableMoney struct {
	micros []reconcile.Micros
	null   []bool
}

func newNullableMoney(n int) nullableMoney {
	c := nullableMoney{make([]reconcile.Micros, n), make([]bool, n)}
	for i := range c.null {
		c.null[i] = true
	}
	return c
}

func (c nullableMoney) set(i int, m reconcile.Micros) { c.micros[i], c.null[i] = m, false }

func (c nullableMoney) column() writer.Column { return writer.Column{Micros: c.micros, Null: c.null} }
