package checkpoint

import (
	"fmt"
	"slices"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// loader makes a State of the rows of the tables.
type loader struct {
	names *reader.Names
	state *reconcile.State
	keep  func(reconcile.Contact) bool // nil: all
}

func (l *loader) keeps(c reconcile.Contact) bool { return l.keep == nil || l.keep(c) }

// record is a row being read, from its first column on.
type record struct {
	columns []writer.Column
	row     int
	next    int // the column that is read next
}

func (r *record) column() *writer.Column {
	r.next++
	return &r.columns[r.next-1]
}

func (r *record) null(c *writer.Column) bool { return c.Null != nil && c.Null[r.row] }

func (r *record) text() string {
	c := r.column()
	if r.null(c) {
		return ""
	}
	return c.Text[r.row]
}

func (r *record) instant() int64 {
	c := r.column()
	if r.null(c) {
		return reconcile.NoTime
	}
	return c.Int[r.row]
}

func (r *record) number() int64 { return r.column().Int[r.row] }
func (r *record) flag() bool    { return r.number() != 0 }

func (l *loader) key(r *record) reconcile.PairKey {
	k := reconcile.PairKey{Account: l.names.InternString(r.text()), Business: l.names.InternString(r.text())}
	contact := r.text()
	var phone bool
	if k.Contact, phone = reconcile.PhoneContact([]byte(contact)); !phone {
		k.Contact = reconcile.OpaqueContact(l.names.InternString(contact))
	}
	return k
}

// category reads a category; the empty text is none.
func (r *record) category() (reconcile.Category, error) {
	text := r.text()
	c, known := reconcile.ParseCategory(text)
	if !known && text != "" {
		return c, fmt.Errorf("unknown category %q", text)
	}
	return c, nil
}

// slot reads the category of a conversation.
func (r *record) slot() (reconcile.Slot, error) {
	c, err := r.category()
	slot := reconcile.SlotOf(c)
	if err == nil && slot.Category() != c {
		err = fmt.Errorf("no conversation has category %q", c)
	}
	return slot, err
}

// name reads a text that is one of a list.
func (r *record) name(what string, names []string) (int, error) {
	text := r.text()
	i := slices.Index(names, text)
	if i < 0 {
		return 0, fmt.Errorf("unknown %s %q", what, text)
	}
	return i, nil
}

func (l *loader) pair(r *record) (err error) {
	p := reconcile.PairState{PairKey: l.key(r), Inbound: r.instant()}
	if p.Last, err = r.slot(); err != nil {
		return err
	}
	for slot := range p.Chains {
		p.Chains[slot] = reconcile.Chain{Opened: r.instant(), Quiet: r.number(), Proven: r.flag()}
	}
	if l.keeps(p.Contact) {
		l.state.Pairs = append(l.state.Pairs, p)
	}
	return nil
}

func (l *loader) conversation(r *record) error {
	c := reconcile.Conversation{PairKey: l.key(r)}
	slot, err := r.slot()
	if err != nil {
		return err
	}
	c.Category = slot.Category()
	c.OpenedAt, c.OpenedBy = r.number(), []byte(r.text())
	c.Country = l.names.InternString(r.text())
	c.Out, c.In, c.Proven = int32(r.number()), int32(r.number()), r.flag()
	if l.keeps(c.Contact) {
		l.state.Conversations = append(l.state.Conversations, c)
	}
	return nil
}

func (l *loader) message(r *record) error {
	m := reconcile.MessageState{PairKey: l.key(r), ID: []byte(r.text())}
	role, err := r.name("role", roleNames())
	if err != nil {
		return err
	}
	kind, err := r.name("kind", kindNames())
	if err != nil {
		return err
	}
	m.Role, m.Kind = reconcile.MessageRole(role), reconcile.Kind(kind)
	m.Type = l.names.InternString(r.text())
	if m.Category, err = r.category(); err != nil {
		return err
	}
	m.Country = l.names.InternString(r.text())
	text := r.text()
	var known bool
	if m.Status, known = reconcile.ParseStatus(text); !known && text != "" {
		return fmt.Errorf("unknown status %q", text)
	}
	m.Sent, m.Delivered, m.Read, m.LastSent = r.number(), r.instant(), r.instant(), r.number()
	m.WindowOpen, m.Conflict, m.BadTime = r.flag(), r.flag(), r.flag()
	if l.keeps(m.Contact) {
		l.state.Messages = append(l.state.Messages, m)
	}
	return nil
}
