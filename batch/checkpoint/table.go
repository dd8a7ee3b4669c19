package checkpoint

import (
	"iter"

	"waconcile/reconcile"
	"waconcile/writer"
)

// The tables of a state.
const (
	Conversations = "conversations"
	Messages      = "messages"
	Pairs         = "pairs"
)

// table is one of the files of a state, by name.
type table struct {
	name   string
	schema writer.Schema
	frames func(s *sortedState) iter.Seq2[writer.Frame, error]
	load   func(l *loader, r *record) error
}

func (t *table) file() string { return t.name + ".parquet" }

// tables are the files in the order of their names.
func tables() []table {
	return []table{
		{Conversations, conversationsSchema(), (*sortedState).conversationFrames, (*loader).conversation},
		{Messages, messagesSchema(), (*sortedState).messageFrames, (*loader).message},
		{Pairs, pairsSchema(), (*sortedState).pairFrames, (*loader).pair},
	}
}

func pairColumns() writer.Schema {
	return writer.Schema{
		{Name: "account_id", Type: writer.Text},
		{Name: "business_number", Type: writer.Text},
		{Name: "contact", Type: writer.Text, Unique: true},
	}
}

func conversationsSchema() writer.Schema {
	return append(pairColumns(), writer.Schema{
		{Name: "category", Type: writer.Text},
		{Name: "opened_at", Type: writer.Instant, Unique: true},
		{Name: "opened_by", Type: writer.Text, Unique: true},
		{Name: "country", Type: writer.Text, Nullable: true},
		{Name: "messages_out", Type: writer.Int32},
		{Name: "messages_in", Type: writer.Int32},
		{Name: "proven", Type: writer.Int32},
	}...)
}

func pairsSchema() writer.Schema {
	s := append(pairColumns(), writer.Schema{
		{Name: "inbound_at", Type: writer.Instant, Nullable: true, Unique: true},
		{Name: "last_opened", Type: writer.Text}, // the category; any where none has
	}...)
	for slot := range reconcile.Slot(reconcile.SlotCount) {
		category := slot.Category().String()
		s = append(s, writer.Schema{
			{Name: category + "_opened_at", Type: writer.Instant, Nullable: true, Unique: true},
			{Name: category + "_quiet_since", Type: writer.Instant, Unique: true},
			{Name: category + "_proven", Type: writer.Int32},
		}...)
	}
	return s
}

func messagesSchema() writer.Schema {
	return append(pairColumns(), writer.Schema{
		{Name: "message_id", Type: writer.Text, Unique: true},
		{Name: "role", Type: writer.Text},
		{Name: "kind", Type: writer.Text},
		{Name: "type", Type: writer.Text, Nullable: true},
		{Name: "category", Type: writer.Text, Nullable: true},
		{Name: "country", Type: writer.Text, Nullable: true},
		{Name: "status", Type: writer.Text, Nullable: true},
		{Name: "sent_at", Type: writer.Instant, Unique: true},
		{Name: "delivered_at", Type: writer.Instant, Nullable: true, Unique: true},
		{Name: "read_at", Type: writer.Instant, Nullable: true, Unique: true},
		{Name: "last_sent_at", Type: writer.Instant, Unique: true},
		{Name: "window_open", Type: writer.Int32},
		{Name: "conflict", Type: writer.Int32},
		{Name: "bad_delivery_time", Type: writer.Int32},
	}...)
}

// roleNames and kindNames name the values of reconcile.MessageRole and
// reconcile.Kind in their order.
func roleNames() []string { return []string{"waiting", "not_delivered", "early", "settled"} }
func kindNames() []string { return []string{"inbound", "template", "free_form", "ignored"} }
