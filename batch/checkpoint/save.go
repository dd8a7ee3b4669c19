package checkpoint

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
	"strings"
	"sync"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// sortedState is the state of all shards in the order of its texts, from
// which alone its bytes follow. Its lists are sorted side by side.
type sortedState struct {
	names         *reader.Names
	pairs         []keyed[reconcile.PairState]
	conversations []keyed[reconcile.Conversation]
	messages      []keyed[reconcile.MessageState]
}

// keyed is a value with the texts of its pair.
type keyed[T any] struct {
	account, business, contact string
	value                      *T
}

func sortState(states []*reconcile.State, names *reader.Names) *sortedState {
	s := &sortedState{names: names}
	var lists sync.WaitGroup
	lists.Go(func() {
		s.pairs = sortList(states, names, comparePairs,
			func(s *reconcile.State) []reconcile.PairState { return s.Pairs },
			func(p *reconcile.PairState) reconcile.PairKey { return p.PairKey })
	})
	lists.Go(func() {
		s.conversations = sortList(states, names, compareConversations,
			func(s *reconcile.State) []reconcile.Conversation { return s.Conversations },
			func(c *reconcile.Conversation) reconcile.PairKey { return c.PairKey })
	})
	lists.Go(func() {
		s.messages = sortList(states, names, s.compareMessages,
			func(s *reconcile.State) []reconcile.MessageState { return s.Messages },
			func(m *reconcile.MessageState) reconcile.PairKey { return m.PairKey })
	})
	lists.Wait()
	return s
}

// sortList is one list of all shards.
func sortList[T any](states []*reconcile.State, names *reader.Names, compare func(a, b keyed[T]) int,
	list func(*reconcile.State) []T, key func(*T) reconcile.PairKey,
) (sorted []keyed[T]) {
	for _, state := range states {
		values := list(state)
		sorted = slices.Grow(sorted, len(values))
		for i := range values {
			k := key(&values[i])
			sorted = append(sorted, keyed[T]{names.Text(k.Account), names.Text(k.Business), names.ContactText(k.Contact), &values[i]})
		}
	}
	slices.SortFunc(sorted, compare)
	return sorted
}

func compareConversations(a, b keyed[reconcile.Conversation]) int {
	return cmp.Or(comparePairs(a, b), cmp.Compare(a.value.Category, b.value.Category))
}

func comparePairs[T any](a, b keyed[T]) int {
	return cmp.Or(strings.Compare(a.account, b.account), strings.Compare(a.business, b.business), strings.Compare(a.contact, b.contact))
}

// compareMessages puts even rows that differ in one value only in an order.
func (s *sortedState) compareMessages(a, b keyed[reconcile.MessageState]) int {
	x, y := a.value, b.value
	return cmp.Or(comparePairs(a, b), bytes.Compare(x.ID, y.ID), cmp.Compare(x.Role, y.Role), cmp.Compare(x.Sent, y.Sent),
		cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Category, y.Category), cmp.Compare(x.Status, y.Status),
		strings.Compare(s.names.Text(x.Type), s.names.Text(y.Type)), strings.Compare(s.names.Text(x.Country), s.names.Text(y.Country)),
		cmp.Compare(x.Delivered, y.Delivered), cmp.Compare(x.Read, y.Read), cmp.Compare(x.LastSent, y.LastSent),
		cmp.Compare(flag(x.WindowOpen), flag(y.WindowOpen)), cmp.Compare(flag(x.Conflict), flag(y.Conflict)), cmp.Compare(flag(x.BadTime), flag(y.BadTime)))
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (s *sortedState) pairFrames() iter.Seq2[writer.Frame, error] {
	type row = keyed[reconcile.PairState]
	return writer.FramesOf(s.pairs, func(rows []row) writer.Frame {
		columns := append(pairColumnsOf(rows),
			instants(rows, func(r *row) int64 { return r.value.Inbound }),
			writer.TextOf(rows, func(r *row) string { return r.value.Last.Category().String() }))
		for slot := range reconcile.SlotCount {
			columns = append(columns,
				instants(rows, func(r *row) int64 { return r.value.Chains[slot].Opened }),
				writer.NumbersOf(rows, func(r *row) int64 { return r.value.Chains[slot].Quiet }),
				writer.NumbersOf(rows, func(r *row) int64 { return flag(r.value.Chains[slot].Proven) }))
		}
		return writer.Frame{Rows: len(rows), Columns: columns}
	})
}

func (s *sortedState) conversationFrames() iter.Seq2[writer.Frame, error] {
	type row = keyed[reconcile.Conversation]
	return writer.FramesOf(s.conversations, func(rows []row) writer.Frame {
		columns := append(pairColumnsOf(rows),
			writer.TextOf(rows, func(r *row) string { return r.value.Category.String() }),
			writer.NumbersOf(rows, func(r *row) int64 { return r.value.OpenedAt }),
			writer.TextOf(rows, func(r *row) string { return string(r.value.OpenedBy) }),
			writer.OptionalTextOf(rows, func(r *row) string { return s.names.Text(r.value.Country) }),
			writer.NumbersOf(rows, func(r *row) int64 { return int64(r.value.Out) }),
			writer.NumbersOf(rows, func(r *row) int64 { return int64(r.value.In) }),
			writer.NumbersOf(rows, func(r *row) int64 { return flag(r.value.Proven) }))
		return writer.Frame{Rows: len(rows), Columns: columns}
	})
}

func (s *sortedState) messageFrames() iter.Seq2[writer.Frame, error] {
	type row = keyed[reconcile.MessageState]
	return writer.FramesOf(s.messages, func(rows []row) writer.Frame {
		columns := append(pairColumnsOf(rows),
			writer.TextOf(rows, func(r *row) string { return string(r.value.ID) }),
			writer.TextOf(rows, func(r *row) string { return roleNames()[r.value.Role] }),
			writer.TextOf(rows, func(r *row) string { return kindNames()[r.value.Kind] }),
			writer.OptionalTextOf(rows, func(r *row) string { return s.names.Text(r.value.Type) }),
			writer.OptionalTextOf(rows, func(r *row) string { return r.value.Category.String() }),
			writer.OptionalTextOf(rows, func(r *row) string { return s.names.Text(r.value.Country) }),
			writer.OptionalTextOf(rows, func(r *row) string { return r.value.Status.String() }),
			writer.NumbersOf(rows, func(r *row) int64 { return r.value.Sent }),
			instants(rows, func(r *row) int64 { return r.value.Delivered }),
			instants(rows, func(r *row) int64 { return r.value.Read }),
			writer.NumbersOf(rows, func(r *row) int64 { return r.value.LastSent }),
			writer.NumbersOf(rows, func(r *row) int64 { return flag(r.value.WindowOpen) }),
			writer.NumbersOf(rows, func(r *row) int64 { return flag(r.value.Conflict) }),
			writer.NumbersOf(rows, func(r *row) int64 { return flag(r.value.BadTime) }))
		return writer.Frame{Rows: len(rows), Columns: columns}
	})
}

func pairColumnsOf[T any](rows []keyed[T]) []writer.Column {
	type row = keyed[T]
	return []writer.Column{
		writer.TextOf(rows, func(r *row) string { return r.account }),
		writer.TextOf(rows, func(r *row) string { return r.business }),
		writer.TextOf(rows, func(r *row) string { return r.contact }),
	}
}

// instants is a column in which reconcile.NoTime is null.
func instants[Row any](rows []Row, of func(*Row) int64) writer.Column {
	c := writer.NumbersOf(rows, of)
	c.Null = make([]bool, len(rows))
	for i, at := range c.Int {
		c.Null[i] = at == reconcile.NoTime
	}
	return c
}
