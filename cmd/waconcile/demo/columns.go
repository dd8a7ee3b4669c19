package demo

import (
	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// columns are those of the message exports, in the order of the contract. The
// provider of the demo tells neither its prices nor its own conversations:
// those columns are null.
func columns() []column {
	millis := schema.NewTimestampLogicalType(true, schema.TimeUnitMillis)
	required, optional := parquet.Repetitions.Required, parquet.Repetitions.Optional
	text := func(name string, r parquet.Repetition) schema.Node {
		return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, r, schema.StringLogicalType{}, parquet.Types.ByteArray, -1, -1))
	}
	number := func(name string, r parquet.Repetition, t schema.LogicalType) schema.Node {
		return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, r, t, parquet.Types.Int64, -1, -1))
	}
	return []column{
		{node: text("message_id", required), plain: true, text: (*exporter).appendID},
		{node: text("account_id", required), word: func(e *exporter, m *message) []byte { return e.words.accounts[m.account] }},
		{node: text("business_number", required), word: func(e *exporter, m *message) []byte { return e.words.numbers[m.account][m.business] }},
		{node: text("contact", required), plain: true, text: func(e *exporter, b []byte, m *message) []byte {
			return e.accounts[m.account].appendContact(b, m)
		}},
		{node: text("direction", required), word: direction},
		{node: text("type", required), word: func(e *exporter, m *message) []byte { return e.words.kinds[m.kind] }},
		{node: text("category", optional), word: category},
		{node: number("sent_at", required, millis), plain: true, time: func(m *message) (int64, bool) { return m.sent, true }},
		{node: text("status", optional), word: status},
		{node: number("delivered_at", optional, millis), plain: true, time: func(m *message) (int64, bool) {
			return m.sent + int64(m.delivered), m.delivered != noDelay
		}},
		{node: number("read_at", optional, millis), plain: true, time: func(m *message) (int64, bool) {
			return m.sent + int64(m.read), m.read != noDelay
		}},
		{node: text("contact_country", optional), text: func(e *exporter, b []byte, m *message) []byte {
			return append(b, e.accounts[m.account].countryOf(m)...)
		}},
		{
			node: schema.NewBooleanNode("referral", optional, -1),
			flag: func(m *message) (value, ok bool) { return m.referral, m.inbound },
		},
		{node: number("price", optional, schema.NewDecimalLogicalType(18, 6))},
		{node: text("price_currency", optional)},
		{node: text("provider_conversation_id", optional)},
		{node: text("provider_category", optional)},
		{node: schema.NewBooleanNode("billable", optional, -1)},
	}
}

// words are the values that many rows share.
type words struct {
	accounts   [][]byte
	numbers    [][][]byte
	kinds      [textTypeCount][]byte
	categories [reconcile.CategoryCount][]byte
	statuses   [reconcile.StatusCount][]byte

	inbound, outbound, internal []byte
	received, bounced           []byte
}

func newWords(accounts []account) words {
	w := words{
		inbound: []byte("inbound"), outbound: []byte("outbound"), internal: []byte("internal"),
		received: []byte("received"), bounced: []byte("bounced"),
	}
	for _, a := range accounts {
		var numbers [][]byte
		for _, n := range a.numbers {
			numbers = append(numbers, []byte(n))
		}
		w.accounts, w.numbers = append(w.accounts, []byte(a.id)), append(w.numbers, numbers)
	}
	for k := range textTypeCount {
		w.kinds[k] = []byte(k.String())
	}
	for c := range reconcile.Category(reconcile.CategoryCount) {
		w.categories[c] = []byte(c.String())
	}
	for s := range reconcile.Status(reconcile.StatusCount) {
		w.statuses[s] = []byte(s.String())
	}
	return w
}

func direction(e *exporter, m *message) []byte {
	switch {
	case m.defect == badDirection:
		return e.words.internal
	case m.inbound:
		return e.words.inbound
	}
	return e.words.outbound
}

func category(e *exporter, m *message) []byte {
	if m.category == reconcile.NoCategory || m.defect == noCategory {
		return nil
	}
	return e.words.categories[m.category]
}

func status(e *exporter, m *message) []byte {
	switch {
	case m.defect == badStatus:
		return e.words.bounced
	case m.inbound:
		return e.words.received
	}
	return e.words.statuses[m.status]
}
