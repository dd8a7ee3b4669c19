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

// frame lays charges of one billing date out in the columns of
// writer.ChargesSchema, in its order.
func (t *chargeTables) frame(d reconcile.Date, charges []charge) writer.Frame {
	n := len(charges)
	ids, contacts := newTextColumn(n, chargeIDLength), newTextColumn(n, 16)
	account, business, openedBy := make([]string, n), make([]string, n), make([]string, n)
	country, market := newNullableText(n), newNullableText(n)
	plan, currency, reason := newNullableText(n), newNullableText(n), newNullableText(n)
	unit, category, rules := make([]string, n), make([]string, n), make([]string, n)
	status, certainty := make([]string, n), make([]string, n)
	openedAt, expiresAt, date := make([]int64, n), make([]int64, n), make([]int64, n)
	out, in := make([]int64, n), make([]int64, n)
	price := newNullableMoney(n)
	amount := newNullableMoney(n)
	recharge := newNullableText(n)
	id, contact := chargeID{names: t.names}, []byte(nil)
	for i := range charges {
		c := &charges[i]
		ids.append(id.of(c))
		contact = appendContact(contact[:0], c.Contact, t.names)
		contacts.append(contact)
		account[i], business[i], openedBy[i] = t.names.Text(c.Account), t.names.Text(c.Business), c.openedBy
		country.set(i, c.place.Country)
		market.set(i, c.place.Market)
		unit[i], category[i], rules[i] = reconcile.UnitConversation.String(), c.category.String(), rulesName
		openedAt[i], expiresAt[i], date[i] = c.openedAt, c.openedAt+reconcile.DayMillis, int64(d)
		out[i], in[i] = int64(c.out), int64(c.in)
		if c.rating.Account != nil {
			plan.set(i, c.rating.Account.Plan)
		}
		if r := c.rating.Rate; r != nil {
			currency.set(i, r.Currency)
			price.set(i, r.Price)
			amount.set(i, r.Price)
		}
		status[i] = c.rating.Status.String()
		reason.set(i, string(c.rating.Reason))
		certainty[i] = certaintyAssumed
		if c.proven {
			certainty[i] = certaintyProven
		}
	}
	return writer.Frame{Rows: n, Columns: []writer.Column{
		{Text: ids.texts()},
		{Text: account},
		{Text: business},
		{Text: contacts.texts()},
		country.column(),
		market.column(),
		{Text: unit},
		{Text: category},
		{Text: rules},
		{Int: openedAt},
		{Int: expiresAt},
		{Int: date},
		{Text: openedBy},
		{Int: out},
		{Int: in},
		plan.column(),
		price.column(),
		currency.column(),
		amount.column(),
		{Text: status},
		reason.column(),
		recharge.column(),
		{Text: certainty},
	}}
}

// chargeIDLength is the number of hex digits of a charge id: 128 bits.
const chargeIDLength = 32

// chargeID makes the ids of charges: two 64-bit hashes of the pair, the
// category and the opening message.
type chargeID struct {
	names *reader.Names
	text  []byte
	sum   []byte
	hex   []byte
}

// chargeIDSeed makes the second hash another function than the first.
const chargeIDSeed = 0x77616964

func (id *chargeID) of(c *charge) []byte {
	b := id.text[:0]
	b = appendPart(b, id.names.Text(c.Account))
	b = appendPart(b, id.names.Text(c.Business))
	start := len(b)
	b = append(b, 0, 0)
	b = appendContact(b, c.Contact, id.names)
	length := len(b) - start - 2
	b[start], b[start+1] = byte(length>>8), byte(length)
	b = appendPart(b, c.category.String())
	b = append(b, c.openedBy...)
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
func appendPart(b []byte, s string) []byte {
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
