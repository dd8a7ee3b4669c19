package demo

import "waconcile/reconcile"

// How often a message is repeated or given a delivery time that cannot be,
// and how often a row cannot be used at all: once in so many messages.
const (
	repeatEvery     = 500
	conflictEvery   = 50 * repeatEvery
	impossibleEvery = 20_000
	rejectEvery     = 10_000
)

// Fewer rejects than rejectsMin are not planted, as long as they stay well
// below the one in a thousand that a run puts up with.
const (
	rejectsMin         = 2
	rejectsMinMessages = 2_500
)

// rejectNumber is the first number of what is no message.
const rejectNumber = uint64(1) << 40

// add puts a message into its day's export, and now and then a second time:
// in the same export, or in the next day's with the status it reached since.
func (m *month) add(row message) {
	day := m.calendar.day(row.sent)
	if row.number%impossibleEvery == impossibleEvery/2 && row.delivered != noDelay {
		row.delivered = int32(-5 * second)
	}
	if row.number%repeatEvery != 0 {
		m.days[day] = append(m.days[day], row)
		return
	}
	m.repeats++
	again, where := row, day
	switch turn := row.number / repeatEvery % 4; {
	case row.number%conflictEvery == 0:
		again.sent += second
	case turn == 0 && row.status >= reconcile.Delivered:
		row.status, row.delivered, row.read = reconcile.Sent, noDelay, noDelay
		where = min(day+1, m.calendar.days-1)
	}
	m.days[day] = append(m.days[day], row)
	m.days[where] = append(m.days[where], again)
}

// rejects is how many unusable rows go with so many messages.
func rejects(messages int) int {
	n := messages / rejectEvery
	if messages >= rejectsMinMessages {
		return max(n, rejectsMin)
	}
	return n
}

// spoil adds to a day its part of the rows that cannot be used.
func (m *month) spoil(day, total int) {
	from, to := total*day/m.calendar.days, total*(day+1)/m.calendar.days
	for n := from; n < to; n++ {
		row := message{
			sent: m.calendar.start(day) + m.below(reconcile.DayMillis), number: rejectNumber + uint64(n),
			account: uint8(m.pick(m.shares)), kind: typeTemplate, category: reconcile.Utility,
			status: reconcile.Sent, delivered: noDelay, read: noDelay,
			defect: badDirection + defect(n)%(defectCount-badDirection),
		}
		if row.defect == badTime {
			row.sent = second
		}
		m.days[day] = append(m.days[day], row)
	}
}

// take gives the finished rows of a day in about the order in which they were
// sent, as an export that is written while messages come in: by minute, and
// within a minute as they were drawn.
func (m *month) take(day int) []message {
	rows := m.days[day]
	m.days[day] = nil
	const minutes = reconcile.DayMillis / minute
	var at [minutes + 1]int
	slot := func(row *message) int { return int(row.sent % reconcile.DayMillis / minute) }
	for i := range rows {
		at[slot(&rows[i])+1]++
	}
	for i := range minutes {
		at[i+1] += at[i]
	}
	ordered := make([]message, len(rows))
	for i := range rows {
		s := slot(&rows[i])
		ordered[at[s]] = rows[i]
		at[s]++
	}
	return ordered
}
