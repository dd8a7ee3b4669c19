package reconcile_test

import (
	"cmp"
	"slices"
	"strings"

	. "waconcile/reconcile"
)

// The naive reading of the rules: all messages lie in a list, every question
// is answered by going through that list from the beginning, and nothing is
// remembered from one message to the next but the conversations opened.

// oneRow is a row of an export.
type oneRow struct {
	pair                      PairKey
	id                        string
	kind                      Kind
	category                  Category
	typ, country              Name
	status                    Status
	sent, deliveredAt, readAt int64
}

func (r *oneRow) outbound() bool { return r.kind != Inbound }

// reading is what there is to read, and under which terms.
type reading struct {
	rows         []oneRow
	basis        func(account Name) Basis
	text         func(Name) string
	deliveryDays int
	begins       []Date
	end          int64
}

// oneMessage is a message after merging.
type oneMessage struct {
	oneRow         // the row that sorts first, with the status and times of all
	basis    Basis // of its account
	event    int64 // rules, event time
	conflict bool  // its rows disagree
	badTime  bool  // one of its delivery times was ignored
}

// outcome is what must come of a reading.
type outcome struct {
	conversations []Conversation
	findings      []Finding // without detail
	tally         Tally
	messages      []oneMessage
}

// read answers for all pairs.
func (in *reading) read() *outcome {
	out := &outcome{}
	for _, g := range in.groups() {
		out.messages = append(out.messages, in.merge(g))
	}
	out.tally.Rows = int64(len(in.rows))
	out.tally.Messages = int64(len(out.messages))
	out.tally.Merged = out.tally.Rows - out.tally.Messages
	var pairs []PairKey
	for i := range out.messages {
		if p := out.messages[i].pair; !slices.Contains(pairs, p) {
			pairs = append(pairs, p)
			in.readPair(out.ofPair(p, in.end), out)
		}
	}
	return out
}

// ofPair sorts a pair's messages out: those that count (R2) in the order of
// R1. What is sent, or counts, when the data has ended is ahead and no more.
func (out *outcome) ofPair(pair PairKey, end int64) (counting []*oneMessage) {
	for i := range out.messages {
		m := &out.messages[i]
		if m.pair != pair {
			continue
		}
		if m.sent < end && m.conflict {
			out.find(ConflictingDuplicate, m)
		}
		if m.sent < end && m.badTime {
			out.find(BadDeliveryTime, m)
		}
		switch arrived := m.status == Delivered || m.status == Read || m.status == Played; {
		case m.sent >= end:
			out.tally.Ahead++
		case m.kind == Ignored:
			out.tally.Ignored++
		case m.outbound() && m.status == Failed:
			out.tally.Failed++
		case m.outbound() && m.basis == BasisDelivered && !arrived:
			out.tally.Undelivered++
		case m.event >= end:
			out.tally.Ahead++
		default:
			counting = append(counting, m)
		}
	}
	slices.SortFunc(counting, before)
	return counting
}

func (out *outcome) find(kind FindingKind, m *oneMessage) {
	out.findings = append(out.findings, Finding{Kind: kind, PairKey: m.pair, MessageID: m.id, At: m.sent})
}

// groups puts the rows of one message together.
func (in *reading) groups() [][]oneRow {
	var groups [][]oneRow
next:
	for _, r := range in.rows {
		for i, g := range groups {
			if g[0].pair == r.pair && g[0].id == r.id {
				groups[i] = append(g, r)
				continue next
			}
		}
		groups = append(groups, []oneRow{r})
	}
	return groups
}

// merge makes one message of its rows (contract, merging).
func (in *reading) merge(rows []oneRow) oneMessage {
	m := oneMessage{oneRow: rows[0], basis: in.basis(rows[0].pair.Account)}
	for _, r := range rows[1:] {
		if in.sortsBefore(&r, &m.oneRow) {
			m.oneRow = r
		}
	}
	m.status, m.deliveredAt, m.readAt = NoStatus, NoTime, NoTime
	for _, r := range rows {
		m.conflict = m.conflict || kindOrder(r.kind) != kindOrder(m.kind) || r.category != m.category || r.sent != m.sent
		if !r.outbound() {
			continue
		}
		m.status = further(m.status, r.status)
		if m.outbound() {
			m.deliveredAt = earlier(m.deliveredAt, in.believable(&m, r.deliveredAt))
			m.readAt = earlier(m.readAt, in.believable(&m, r.readAt))
		}
	}
	m.event = m.sent
	if at := earlier(m.deliveredAt, m.readAt); m.basis == BasisDelivered && at != NoTime {
		m.event = at
	}
	return m
}

// believable is a delivery time, or NoTime where it cannot be one.
func (in *reading) believable(m *oneMessage, at int64) int64 {
	if at != NoTime && (at < m.sent || at-m.sent > int64(in.deliveryDays)*24*3600*1000) {
		m.badTime = true
		return NoTime
	}
	return at
}

// kindOrder tells inbound, template and free-form apart; what is ignored is
// free-form.
func kindOrder(k Kind) int {
	return map[Kind]int{Inbound: 0, Template: 1, FreeForm: 2, Ignored: 2}[k]
}

// place is R1's order of what happens at one instant.
func place(k Kind, c Category) int {
	switch k {
	case Inbound:
		return 0
	case Template:
		return map[Category]int{Marketing: 1, Utility: 2, Authentication: 3, AuthenticationInternational: 3}[c]
	}
	return 4
}

// sortsBefore is the contract's order of the rows of one message.
func (in *reading) sortsBefore(a, b *oneRow) bool {
	return cmp.Or(
		cmp.Compare(a.sent, b.sent),
		cmp.Compare(place(a.kind, a.category), place(b.kind, b.category)),
		nullLast(in.text(a.typ), in.text(b.typ)),
		nullLast(a.category.String(), b.category.String()),
		nullLast(in.text(a.country), in.text(b.country)),
	) < 0
}

func nullLast(a, b string) int {
	if (a == "") != (b == "") {
		return -strings.Compare(a, b)
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

// further is the more advanced of two statuses.
func further(a, b Status) Status {
	stage := map[Status]int{NoStatus: 0, Accepted: 1, Queued: 1, Sent: 1, Failed: 2, Delivered: 3, Read: 4, Played: 4}
	if stage[b] > stage[a] {
		return b
	}
	return a
}

// earlier is the earlier of two instants, of which one or both may be absent.
func earlier(a, b int64) int64 {
	switch {
	case a == NoTime:
		return b
	case b == NoTime:
		return a
	}
	return min(a, b)
}

// before is R1.
func before(a, b *oneMessage) int {
	return cmp.Or(cmp.Compare(a.event, b.event), cmp.Compare(place(a.kind, a.category), place(b.kind, b.category)), strings.Compare(a.id, b.id))
}

// readPair takes the messages of one pair through R3 to R9.
func (in *reading) readPair(seen []*oneMessage, out *outcome) {
	var opened []*Conversation
	for _, m := range seen {
		switch m.kind {
		case Inbound:
			out.tally.Inbound++
			if c := openedLast(opened, m.event, NoCategory); c != nil {
				c.In++
			}
		case Template:
			category := m.category.Conversation()
			if c := openedLast(opened, m.event, category); c != nil {
				c.Out++
				out.tally.Joined++
			} else {
				opened = append(opened, in.open(m, category, seen, out))
			}
		case FreeForm:
			opened = in.readFreeForm(m, opened, seen, out)
		}
	}
	for _, c := range opened {
		out.conversations = append(out.conversations, *c)
	}
}

// readFreeForm is R4 and R5.
func (in *reading) readFreeForm(m *oneMessage, opened []*Conversation, seen []*oneMessage, out *outcome) []*Conversation {
	window := slices.ContainsFunc(seen, func(x *oneMessage) bool {
		return x.kind == Inbound && x.sent <= m.sent && m.sent < x.sent+24*3600*1000
	})
	if !window {
		out.find(OutsideWindow, m)
	}
	switch c := openedLast(opened, m.event, NoCategory); {
	case c != nil:
		c.Out++
		out.tally.Joined++
	case window:
		return append(opened, in.open(m, Service, seen, out))
	default:
		out.tally.OutsideAlone++
	}
	return opened
}

// openedLast is the conversation opened last of those that are open at an
// instant (R7), of one category or, where that is NoCategory, of all.
func openedLast(opened []*Conversation, at int64, category Category) *Conversation {
	var last *Conversation
	for _, c := range opened {
		if c.OpenedAt <= at && at < c.OpenedAt+24*3600*1000 && (category == NoCategory || c.Category == category) {
			last = c
		}
	}
	return last
}

func (in *reading) open(m *oneMessage, category Category, seen []*oneMessage, out *outcome) *Conversation {
	out.tally.Opened++
	return &Conversation{
		PairKey: m.pair, Category: category, OpenedAt: m.event, OpenedBy: []byte(m.id), Country: m.country,
		Out: 1, Proven: in.proven(m, category, seen),
	}
}

// proven says whether 24 hours without a message of the chain have passed in
// the data before m: from the data's beginning to the first message of the
// chain, or from one to the next, m included. The chain of a category is its
// templates, that of service is all that goes out.
func (in *reading) proven(m *oneMessage, category Category, seen []*oneMessage) bool {
	begin := NoTime
	for _, d := range in.begins {
		if d.Start() <= m.event {
			begin = d.Start()
		}
	}
	if begin == NoTime {
		return false
	}
	quietSince := begin
	for _, x := range seen {
		inChain := x.outbound() && (category == Service || x.category.Conversation() == category)
		if !inChain || x.event < begin || x.event > m.event {
			continue
		}
		if x.event-quietSince >= 24*3600*1000 {
			return true
		}
		quietSince = x.event
	}
	return false
}
