package reconcile

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
)

// folder is the working memory of one day's fold: rows in the order of their
// pairs, and the messages and events of one pair at a time.
type folder struct {
	day      *dayRows
	pending  []message
	pairOf   []uint32 // of each row, then of each pending message
	starts   []uint32 // where each pair's entries begin in order
	order    []uint32 // entries by pair; an entry beyond the rows is a pending message
	messages []message
	events   []event
	taken    []bool
}

// group is what one pair has on one day.
type group struct {
	pair    uint32
	rows    []uint32 // indexes of rows
	pending []uint32 // pending messages, numbered on from the day's rows
}

// event is a moment in a pair's day: a message that counts, or the sending of
// a free-form message that counts later, at which its window is judged (R5).
type event struct {
	at      int64
	message *message
	rank    uint8
}

const sendingRank uint8 = 1 // after inbound, before what counts at the same instant

// load sorts a day's rows and pending messages by pair, by counting: most
// pairs have few.
func (f *folder) load(e *Engine, day Date) {
	f.day, f.pending = e.dayOf(day), e.pending[day]
	n := f.day.len() + len(f.pending)
	f.pairOf = slices.Grow(f.pairOf[:0], n)
	for _, c := range f.day.chunks {
		for i := range c.rows {
			r := &c.rows[i]
			f.pairOf = append(f.pairOf, e.pairs.at(PairKey{r.contact, r.account, r.business}))
		}
	}
	for i := range f.pending {
		r := &f.pending[i].row
		f.pairOf = append(f.pairOf, e.pairs.at(PairKey{r.contact, r.account, r.business}))
	}
	f.starts = append(f.starts[:0], make([]uint32, len(e.pairs.pairs)+1)...)
	for _, p := range f.pairOf {
		f.starts[p+1]++
	}
	for p := range e.pairs.pairs {
		f.starts[p+1] += f.starts[p]
	}
	f.order = append(f.order[:0], make([]uint32, n)...)
	for i := n - 1; i >= 0; i-- {
		p := f.pairOf[i]
		f.starts[p+1]--
		f.order[f.starts[p+1]] = uint32(i)
	}
}

// groups yields each pair that has something on the day. After load,
// starts[p+1] is where pair p begins.
func (f *folder) groups() iter.Seq[group] {
	return func(yield func(group) bool) {
		rows := uint32(f.day.len())
		for p := range len(f.starts) - 1 {
			end := uint32(len(f.order))
			if p+2 < len(f.starts) {
				end = f.starts[p+2]
			}
			entries := f.order[f.starts[p+1]:end]
			if len(entries) == 0 {
				continue
			}
			split, _ := slices.BinarySearch(entries, rows)
			if !yield(group{pair: uint32(p), rows: entries[:split], pending: entries[split:]}) {
				return
			}
		}
	}
}

// mergeGroup makes the messages of one pair and day of their rows.
func (e *Engine) mergeGroup(day Date, g group) []message {
	f := &e.fold
	f.messages = f.messages[:0]
	if len(g.rows) > pairwiseMax {
		slices.SortStableFunc(g.rows, func(a, b uint32) int {
			return cmp.Compare(f.day.at(a).hash, f.day.at(b).hash)
		})
	}
	f.taken = append(f.taken[:0], make([]bool, len(g.rows))...)
	for i := range g.rows {
		if !f.taken[i] {
			same := f.sameMessage(g.rows, i)
			f.messages = append(f.messages, message{id: f.day.id(same[0])})
			m := &f.messages[len(f.messages)-1]
			e.merger.merge(m, len(same), func(k int) *row { return f.day.at(same[k]) })
			e.tally.Merged += int64(len(same) - 1)
			e.sink.Message(m.hash, day)
		}
	}
	e.tally.Messages += int64(len(f.messages))
	return f.messages
}

// pairwiseMax is the number of rows up to which every two are compared; more
// are sorted by their hash first.
const pairwiseMax = 16

// sameMessage moves the rows with the id of row i right behind it and returns
// them all, marking them as taken. Rows of one hash are compared by their ids.
func (f *folder) sameMessage(rows []uint32, i int) []uint32 {
	hash, id := f.day.at(rows[i]).hash, f.day.id(rows[i])
	sorted := len(rows) > pairwiseMax
	n := i + 1
	for k := i + 1; k < len(rows); k++ {
		if f.day.at(rows[k]).hash != hash {
			if sorted {
				break
			}
			continue
		}
		if bytes.Equal(f.day.id(rows[k]), id) {
			rows[n], rows[k] = rows[k], rows[n]
			n++
		}
	}
	for k := i; k < n; k++ {
		f.taken[k] = true
	}
	return rows[i:n]
}

// foldPair merges, orders and steps what one pair has on one day.
func (e *Engine) foldPair(day Date, g group) {
	f := &e.fold
	end := min(day.Start()+DayMillis, e.cfg.End)
	messages := e.mergeGroup(day, g)
	f.events = f.events[:0]
	for i := range messages {
		m := &messages[i]
		e.reportMerge(m)
		why, at := m.counts(e.basisOf(m.account))
		if why != Counts {
			e.tallyUncounted(why)
			if m.kind == FreeForm && e.mayArrive(m, why) {
				f.events = append(f.events, event{at: m.sent, message: m, rank: sendingRank})
			}
			continue
		}
		if m.kind == FreeForm && at > m.sent {
			f.events = append(f.events, event{at: m.sent, message: m, rank: sendingRank})
		}
		if at < end {
			f.events = append(f.events, event{at: at, message: m, rank: countRank(&m.row)})
		}
	}
	for _, i := range g.pending {
		p := &f.pending[int(i)-f.day.len()]
		_, at := p.counts(BasisDelivered)
		f.events = append(f.events, event{at: at, message: p, rank: countRank(&p.row)})
	}
	sortEvents(f.events)
	for i := range f.events {
		e.step(g.pair, &f.events[i])
	}
	e.deferMessages(messages, end)
}

// countRank leaves room for sendingRank in the order of R1.
func countRank(r *row) uint8 {
	if r.kind == Inbound {
		return 0
	}
	return sendingRank + Rank(r.kind, r.category)
}

// fewEvents is the number of events up to which inserting beats sorting: most
// pairs have one or two a day.
const fewEvents = 12

func sortEvents(events []event) {
	if len(events) > fewEvents {
		slices.SortFunc(events, compareEvents)
		return
	}
	for i := 1; i < len(events); i++ {
		for k := i; k > 0 && (events[k].at < events[k-1].at || events[k].at == events[k-1].at && compareEvents(events[k], events[k-1]) < 0); k-- {
			events[k], events[k-1] = events[k-1], events[k]
		}
	}
}

// compareEvents is the order of R1.
func compareEvents(a, b event) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank), bytes.Compare(a.message.id, b.message.id))
}

// step takes one event through the rules.
func (e *Engine) step(index uint32, ev *event) {
	pair, m := &e.pairs.pairs[index], ev.message
	if ev.rank == sendingRank {
		m.windowOpen = pair.WindowOpen(ev.at)
		return
	}
	if m.kind == FreeForm && ev.at == m.sent {
		m.windowOpen = pair.WindowOpen(ev.at)
	}
	verdict, slot := pair.Step(Step{At: ev.at, Kind: m.kind, Category: m.category, WindowOpen: m.windowOpen})
	e.tallyVerdict(m.kind, verdict)
	switch verdict {
	case Opened:
		e.pairs.open(index, slot, m, ev, e.sink)
	case Joined, OutsideJoined:
		e.pairs.count(index, slot, m.kind)
	}
	if verdict == OutsideJoined || verdict == OutsideAlone {
		e.report(OutsideWindow, m, "sent outside the customer service window")
	}
}

// deferMessages keeps what counts on a later day than it was sent, or may yet.
func (e *Engine) deferMessages(messages []message, end int64) {
	for i := range messages {
		m := &messages[i]
		why, at := m.counts(e.basisOf(m.account))
		switch {
		case why == Counts && at >= end:
			e.pending[DateOf(at)] = append(e.pending[DateOf(at)], m.clone())
		case e.mayArrive(m, why):
			e.carry.undelivered = append(e.carry.undelivered, m.clone())
		}
	}
}

func (e *Engine) tallyUncounted(why Uncounted) {
	switch why {
	case IgnoredType:
		e.tally.Ignored++
	case FailedMessage:
		e.tally.Failed++
	case Undelivered:
		e.tally.Undelivered++
	}
}

func (e *Engine) tallyVerdict(kind Kind, v Verdict) {
	switch {
	case kind == Inbound:
		e.tally.Inbound++
	case v == Opened:
		e.tally.Opened++
	case v == OutsideAlone:
		e.tally.OutsideAlone++
	default:
		e.tally.Joined++
	}
}

func (e *Engine) reportMerge(m *message) {
	if m.conflict {
		e.report(ConflictingDuplicate, m, "rows of this message disagree in direction, kind, category or sent_at")
	}
	if m.badTime {
		e.report(BadDeliveryTime, m, "a delivery time before the sending or too long after it was ignored")
	}
}

func (e *Engine) report(kind FindingKind, m *message, detail string) {
	e.sink.Finding(&Finding{
		Kind:      kind,
		PairKey:   PairKey{m.contact, m.account, m.business},
		MessageID: string(m.id),
		At:        m.sent,
		Detail:    detail,
	})
}
