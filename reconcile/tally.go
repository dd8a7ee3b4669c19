package reconcile

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
	e.finding = Finding{
		Kind:      kind,
		PairKey:   m.pair(),
		MessageID: string(m.id),
		At:        m.sent,
		Detail:    detail,
	}
	e.sink.Finding(&e.finding)
}
