package demo

import (
	"waconcile/reconcile"
)

// calendar is the days that have exports: those of July, with those before it
// that a run looks back to and the late ones after it.
type calendar struct {
	first reconcile.Date
	days  int
}

func newCalendar() calendar {
	const june27 = reconcile.Date(19901)
	return calendar{first: june27, days: 38}
}

func (c calendar) start(day int) int64 { return (c.first + reconcile.Date(day)).Start() }

func (c calendar) name(day int) string { return (c.first + reconcile.Date(day)).String() }

// end is the instant at which the last day ends.
func (c calendar) end() int64 { return c.start(c.days) }

// day is the place of an instant's day, which must lie before the end.
func (c calendar) day(millis int64) int { return int(reconcile.DateOf(millis) - c.first) }

// quotas spreads messages over the days on which their stories start, fewer
// at weekends. They sum to messages exactly.
func (c calendar) quotas(messages int) []int {
	total := 0
	for d := range c.days {
		total += c.weight(d)
	}
	quotas := make([]int, c.days)
	seen, given := 0, 0
	for d := range quotas {
		seen += c.weight(d)
		upTo := messages * seen / total
		quotas[d], given = upTo-given, upTo
	}
	return quotas
}

// weight is how busy a day is; no two are alike.
func (c calendar) weight(day int) int {
	const most = 40
	more := int(scatter(uint64(day)) % most)
	if c.weekend(day) {
		return 50 + more/2
	}
	return 90 + more
}

// weekend is true for Saturday and Sunday; 1970-01-01 was a Thursday.
func (c calendar) weekend(day int) bool {
	weekday := (int(c.first) + day + 4) % 7
	return weekday == 0 || weekday == 6
}
