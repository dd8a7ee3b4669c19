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
	pair                      uint64 // its place in the order by account and business number
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

// frame lays charges out in the columns of writer.ChargesSchema, in its order.
func (l *layout) frame(refs []chargeRef) writer.Frame {
	n := len(refs)
	charges, groups := make([]*charge, n), make([]*groupText, n)
	ids, contacts, openedBy := newTextColumn(n, chargeIDLength), newTextColumn(n, 16), newTextColumn(n, 40)
	var id chargeID
	var contact []byte
	for i := range refs {
		c, message, g := l.at(&refs[i])
		charges[i], groups[i] = c, g
		contact = appendContact(contact[:0], c.contact, l.names)
		contacts.append(contact)
		openedBy.append(message)
		ids.append(id.of(g, contact, message))
	}
	group := func(of func(*groupText) string) writer.Column {
		return text(groups, func(g **groupText) string { return of(*g) })
	}
	nullable := func(of func(*groupText) string) writer.Column {
		return optional(groups, func(g **groupText) string { return of(*g) })
	}
	number := func(of func(*charge) int64) writer.Column {
		return whole(charges, func(c **charge) int64 { return of(*c) })
	}
	return writer.Frame{Rows: n, Columns: []writer.Column{
		{Text: ids.texts()},
		group(func(g *groupText) string { return g.account }),
		group(func(g *groupText) string { return g.business }),
		{Text: contacts.texts()},
		nullable(func(g *groupText) string { return g.country }),
		nullable(func(g *groupText) string { return g.market }),
		group(func(*groupText) string { return reconcile.UnitConversation.String() }),
		group(func(g *groupText) string { return g.category }),
		group(func(*groupText) string { return rulesName }),
		number(func(c *charge) int64 { return c.openedAt }),
		number(func(c *charge) int64 { return c.openedAt + reconcile.DayMillis }),
		number(func(*charge) int64 { return int64(l.date) }),
		{Text: openedBy.texts()},
		number(func(c *charge) int64 { return int64(c.out) }),
		number(func(c *charge) int64 { return int64(c.in) }),
		nullable(func(g *groupText) string { return g.plan }),
		money(groups, func(g *groupText) (reconcile.Micros, bool) { return g.price, g.priced }),
		nullable(func(g *groupText) string { return g.currency }),
		money(groups, func(g *groupText) (reconcile.Micros, bool) { return g.amount, g.costs }),
		group(func(g *groupText) string { return g.status }),
		nullable(func(g *groupText) string { return g.reason }),
		nullable(func(*groupText) string { return "" }), // recharge_id: none pays (R12)
		text(charges, func(c **charge) string { return certaintyOf((*c).proven) }),
	}}
}

func certaintyOf(proven bool) string {
	if proven {
		return certaintyProven
	}
	return certaintyAssumed
}

func money(groups []*groupText, of func(*groupText) (reconcile.Micros, bool)) writer.Column {
	c := newNullableMoney(len(groups))
	for i, g := range groups {
		if m, ok := of(g); ok {
			c.set(i, m)
		}
	}
	return c.column()
}

// chargeIDLength is the number of hex digits of a charge id: 128 bits.
const chargeIDLength = 32

// chargeID makes the ids of charges: two 64-bit hashes of the pair, the
// category and the opening message.
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

func newTextColumn(n, length int) *textColumn {
	return &textColumn{bytes: make([]byte, 0, n*length), ends: make([]int, 0, n)}
}

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

// nullableText is a text column in which the empty text is null.
type nullableText struct {
	text []string
	null []bool
}

func newNullableText(n int) nullableText {
	c := nullableText{make([]string, n), make([]bool, n)}
	for i := range c.null {
		c.null[i] = true
	}
	return c
}

func (c nullableText) set(i int, s string) { c.text[i], c.null[i] = s, s == "" }

func (c nullableText) column() writer.Column { return writer.Column{Text: c.text, Null: c.null} }

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
