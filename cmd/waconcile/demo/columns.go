package demo

import (
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
		{node: text("account_id", required), text: func(e *exporter, b []byte, m *message) []byte {
			return append(b, e.accounts[m.account].id...)
		}},
		{node: text("business_number", required), text: func(e *exporter, b []byte, m *message) []byte {
			return append(b, e.accounts[m.account].numbers[m.business]...)
		}},
		{node: text("contact", required), plain: true, text: func(e *exporter, b []byte, m *message) []byte {
			return e.accounts[m.account].appendContact(b, m)
		}},
		{node: text("direction", required), text: appendDirection},
		{node: text("type", required), text: func(_ *exporter, b []byte, m *message) []byte {
			return append(b, m.kind.String()...)
		}},
		{node: text("category", optional), text: func(_ *exporter, b []byte, m *message) []byte {
			if m.defect == noCategory {
				return b
			}
			return append(b, m.category.String()...)
		}},
		{node: number("sent_at", required, millis), plain: true, time: func(m *message) (int64, bool) { return m.sent, true }},
		{node: text("status", optional), text: appendStatus},
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

func appendDirection(_ *exporter, b []byte, m *message) []byte {
	switch {
	case m.defect == badDirection:
		return append(b, "internal"...)
	case m.inbound:
		return append(b, "inbound"...)
	}
	return append(b, "outbound"...)
}

func appendStatus(_ *exporter, b []byte, m *message) []byte {
	switch {
	case m.defect == badStatus:
		return append(b, "bounced"...)
	case m.inbound:
		return append(b, "received"...)
	}
	return append(b, m.status.String()...)
}
