package reconcile

// foldPart folds one part of a day: merges, orders and steps what each of its
// pairs has, and hands on what has ended with the day.
func (e *Engine) foldPart(date Date, of *day, part int) {
	f := &e.fold
	e.load(of, part)
	for group := range f.groups() {
		e.foldPair(date, group)
	}
	e.sink.Messages(f.seen, date)
	e.chunks.give(&of.rows[part])
	e.pairs.sweepPart(part, date.Start()+DayMillis, e.sink)
}

// foldPair merges, orders and steps what one pair has on one day.
func (e *Engine) foldPair(date Date, g group) {
	f := &e.fold
	end := min(date.Start()+DayMillis, e.cfg.End)
	messages := e.mergeGroup(g.rows)
	f.events = f.events[:0]
	waits := false
	for i := range messages {
		waits = e.schedule(&messages[i], end) || waits
	}
	for _, i := range g.pending {
		p := &f.pending[int(i)-f.rows.len()]
		_, at := p.counts(BasisDelivered)
		f.events = append(f.events, event{at: at, message: p, rank: countRank(&p.row)})
	}
	sortEvents(f.events)
	pair := &e.pairs.work.pairs[g.pair]
	for i := range f.events {
		e.step(pair, &f.events[i])
	}
	if waits {
		e.deferMessages(messages, end)
	}
}

// schedule adds the events of a message that was sent on the day. It tells
// whether the message counts on a later day, or may yet.
func (e *Engine) schedule(m *message, end int64) (waits bool) {
	f := &e.fold
	e.reportMerge(m)
	why, at := m.counts(e.basisOf(m.account))
	if why != Counts {
		e.tallyUncounted(why)
		waits = e.mayArrive(m, why)
		if m.kind == FreeForm && waits {
			f.events = append(f.events, event{at: m.sent, message: m, rank: sendingRank})
		}
		return waits
	}
	if m.kind == FreeForm && at > m.sent {
		f.events = append(f.events, event{at: m.sent, message: m, rank: sendingRank})
	}
	if at >= end {
		return true
	}
	f.events = append(f.events, event{at: at, message: m, rank: countRank(&m.row)})
	return false
}

// step takes one event of a pair through the rules.
func (e *Engine) step(pair *pairEntry, ev *event) {
	m := ev.message
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
		e.pairs.open(pair, slot, m, ev.at, e.sink)
	case Joined, OutsideJoined:
		e.pairs.work.count(pair, slot, m.kind)
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
			e.dayOf(DateOf(at)).wait(m.clone())
		case e.mayArrive(m, why):
			e.carry.undelivered = append(e.carry.undelivered, m.clone())
		}
	}
}
