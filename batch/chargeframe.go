package batch

import (
	"encoding/binary"
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
	account, business         string
	country, market, category string
	plan, currency            string
	status, reason            string
	recharge                  string
	price, amount             reconcile.Micros
	priced, costs             bool      // price and amount are not null
	cost                      *costText // nil: there is one book
}

func textOf(g *group, names *reader.Names) groupText {
	t := groupText{
		account: names.Text(g.account), business: names.Text(g.business),
		country: g.place.Country, market: g.place.Market, category: g.category.String(),
		status: g.rating.Status.String(), reason: string(g.rating.Reason), plan: g.rating.Plan(),
		cost: costTextOf(g.cost),
	}
	if r := g.rating.Recharge; r != nil {
		t.recharge = r.ID
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

// groupColumns are the columns of writer.ChargesSchema that a charge shares
// with its group: the values of all groups, by code. The others are nil.
type groupColumns struct {
	account, business, country, market, unit, category, rules, date *writer.Column
	plan, price, currency, amount, status, reason, recharge         *writer.Column
	certainty                                                       *writer.Column // by whether it is proven

	cost []*writer.Column // nil where there is one book
}

func newGroupColumns(groups []groupText, date reconcile.Date) groupColumns {
	type group = groupText
	text := func(of func(*group) string) *writer.Column { return new(writer.TextOf(groups, of)) }
	maybe := func(of func(*group) string) *writer.Column { return new(writer.OptionalTextOf(groups, of)) }
	money := func(of func(*group) (reconcile.Micros, bool)) *writer.Column { return new(moneyIf(groups, of)) }
	return groupColumns{
		account:  text(func(g *group) string { return g.account }),
		business: text(func(g *group) string { return g.business }),
		country:  maybe(func(g *group) string { return g.country }),
		market:   maybe(func(g *group) string { return g.market }),
		unit:     text(func(*group) string { return reconcile.UnitConversation.String() }),
		category: text(func(g *group) string { return g.category }),
		rules:    text(func(*group) string { return rulesName }),
		date:     new(writer.NumbersOf(groups, func(*group) int64 { return int64(date) })),
		plan:     maybe(func(g *group) string { return g.plan }),
		price:    money(func(g *group) (reconcile.Micros, bool) { return g.price, g.priced }),
		currency: maybe(func(g *group) string { return g.currency }),
		amount:   money(func(g *group) (reconcile.Micros, bool) { return g.amount, g.costs }),
		status:   text(func(g *group) string { return g.status }),
		reason:   maybe(func(g *group) string { return g.reason }),
		recharge: maybe(func(g *group) string { return g.recharge }),

		certainty: &writer.Column{Text: []string{assumedCode: certaintyAssumed, provenCode: certaintyProven}},
		cost:      costColumns(groups),
	}
}

// The codes of the column certainty.
const (
	assumedCode = iota
	provenCode
)

// frameBuffer is the memory of a layout, one after the other, and of its
// frames, which the writer is done with when it asks for the next.
type frameBuffer struct {
	dealt           dealt
	split           chunkSplit
	keys, spareKeys []chargeKey // of the pile that is laid out

	ids, contacts, openedBy writer.Texts
	opened, expires         []int64
	out, in                 []int64
	codes, certainty        []uint32

	id    chargeID
	ahead prefetch
}

func (f *frameBuffer) rows() int { return len(f.codes) }

func (f *frameBuffer) reset() {
	f.ids.Reset()
	f.contacts.Reset()
	f.openedBy.Reset()
	f.opened, f.expires, f.out, f.in = f.opened[:0], f.expires[:0], f.out[:0], f.in[:0]
	f.codes, f.certainty = f.codes[:0], f.certainty[:0]
}

// add lays out one charge.
func (f *frameBuffer) add(l *layout, c *dealtCharge) {
	text := f.contacts.Begin()
	start := len(text)
	text = l.names.AppendContact(text, c.contact)
	f.contacts.End(text)
	message := l.dealt.openedBy(c)
	f.openedBy.Append(message)
	f.ids.End(f.id.append(f.ids.Begin(), text[start:], c.category, message))
	f.opened = append(f.opened, c.openedAt)
	f.expires = append(f.expires, c.openedAt+reconcile.DayMillis)
	f.out, f.in = append(f.out, int64(c.out)), append(f.in, int64(c.in))
	f.codes = append(f.codes, c.code)
	certainty := uint32(assumedCode)
	if c.proven {
		certainty = provenCode
	}
	f.certainty = append(f.certainty, certainty)
}

// frame is the charges added, in the columns of writer.ChargesSchema, or of
// writer.CostChargesSchema, and in its order.
func (f *frameBuffer) frame(l *layout) writer.Frame {
	g := &l.columns
	coded := func(of *writer.Column) writer.Column { return writer.Column{Of: of, Code: f.codes} }
	frame := writer.Frame{Rows: f.rows(), Columns: []writer.Column{
		{Packed: &f.ids},
		coded(g.account),
		coded(g.business),
		{Packed: &f.contacts},
		coded(g.country),
		coded(g.market),
		coded(g.unit),
		coded(g.category),
		coded(g.rules),
		{Int: f.opened},
		{Int: f.expires},
		coded(g.date),
		{Packed: &f.openedBy},
		{Int: f.out},
		{Int: f.in},
		coded(g.plan),
		coded(g.price),
		coded(g.currency),
		coded(g.amount),
		coded(g.status),
		coded(g.reason),
		coded(g.recharge),
		{Of: g.certainty, Code: f.certainty},
	}}
	for _, of := range g.cost {
		frame.Columns = append(frame.Columns, coded(of))
	}
	return frame
}

// chargeID makes the ids of charges: two 64-bit hashes of the pair, the
// category and the opening message, in 32 hex digits.
type chargeID struct {
	text []byte
	head int // bytes of text: of the account and business number, which many have in common
	sum  []byte
}

// chargeIDSeed makes the second hash another function than the first.
const chargeIDSeed = 0x77616964

// begin says which account and business number the next charges are of.
func (id *chargeID) begin(account, business string) {
	id.text = appendPart(appendPart(id.text[:0], account), business)
	id.head = len(id.text)
}

// append appends the id of a charge to out.
func (id *chargeID) append(out, contact []byte, category reconcile.Category, openedBy []byte) []byte {
	b := appendPart(id.text[:id.head], contact)
	b = appendPart(b, category.String())
	b = append(b, openedBy...)
	id.text = b
	var second xxhash.Digest
	second.ResetWithSeed(chargeIDSeed)
	second.Write(b)
	sum := binary.BigEndian.AppendUint64(id.sum[:0], xxhash.Sum64(b))
	id.sum = binary.BigEndian.AppendUint64(sum, second.Sum64())
	return hex.AppendEncode(out, id.sum)
}

// appendPart appends a text with its length in front, so that no two lists of
// texts look the same.
func appendPart[T string | []byte](b []byte, s T) []byte {
	b = append(b, byte(len(s)>>8), byte(len(s)))
	return append(b, s...)
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
