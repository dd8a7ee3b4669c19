package demo

import (
	"waconcile/cmd/waconcile/exportfile"
	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// columns are those of the message exports, in the order of the contract. The
// provider of the demo tells neither its prices nor its own conversations:
// those columns are null.
func (e *exporter) columns() []exportfile.Column[message] {
	required, optional := parquet.Repetitions.Required, parquet.Repetitions.Optional
	text, time := exportfile.TextNode, exportfile.TimeNode
	flag := func(name string) schema.Node { return schema.NewBooleanNode(name, optional, -1) }
	return []exportfile.Column[message]{
		{Node: text("message_id", required), Plain: true, Text: e.appendID},
		{Node: text("account_id", required), Word: func(m *message) []byte { return e.words.accounts[m.account] }},
		{Node: text("business_number", required), Word: func(m *message) []byte { return e.words.numbers[m.account][m.business] }},
		{Node: text("contact", required), Plain: true, Text: func(b []byte, m *message) []byte {
			return e.accounts[m.account].appendContact(b, m)
		}},
		{Node: text("direction", required), Word: e.direction},
		{Node: text("type", required), Word: func(m *message) []byte { return e.words.kinds[m.kind] }},
		{Node: text("category", optional), Word: e.category},
		{Node: time("sent_at", required), Plain: true, Stats: true, Time: func(m *message) (int64, bool) { return m.sent, true }},
		{Node: text("status", optional), Word: e.status},
		{Node: time("delivered_at", optional), Plain: true, Time: func(m *message) (int64, bool) {
			return m.sent + int64(m.delivered), m.delivered != noDelay
		}},
		{Node: time("read_at", optional), Plain: true, Time: func(m *message) (int64, bool) {
			return m.sent + int64(m.read), m.read != noDelay
		}},
		{Node: text("contact_country", optional), Text: func(b []byte, m *message) []byte {
			return append(b, e.accounts[m.account].countryOf(m)...)
		}},
		{Node: flag("referral"), Flag: func(m *message) (value, ok bool) { return m.referral, m.inbound }},
		{Node: exportfile.LongNode("price", optional, schema.NewDecimalLogicalType(18, 6))},
		{Node: text("price_currency", optional)},
		{Node: text("provider_conversation_id", optional)},
		{Node: text("provider_category", optional)},
		{Node: flag("billable")},
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

func (e *exporter) direction(m *message) []byte {
	switch {
	case m.defect == badDirection:
		return e.words.internal
	case m.inbound:
		return e.words.inbound
	}
	return e.words.outbound
}

func (e *exporter) category(m *message) []byte {
	if m.category == reconcile.NoCategory || m.defect == noCategory {
		return nil
	}
	return e.words.categories[m.category]
}

func (e *exporter) status(m *message) []byte {
	switch {
	case m.defect == badStatus:
		return e.words.bounced
	case m.inbound:
		return e.words.received
	}
	return e.words.statuses[m.status]
}
