package batch

import (
	"fmt"
	"strings"
	"time"

	"waconcile/reconcile"
)

// Period is a run of billing dates, both ends included.
type Period struct {
	From, To reconcile.Date
}

const monthLayout = "2006-01"

// ParsePeriod reads a period as the contract writes it: 2024-07, 2024-07-03,
// 2024-07-01..2024-07-15, or one of yesterday, month-to-date and last-month,
// which are resolved against now in zone.
func ParsePeriod(text string, now time.Time, zone *time.Location) (Period, error) {
	today := now.In(zone)
	yesterday := time.Date(today.Year(), today.Month(), today.Day()-1, 0, 0, 0, 0, time.UTC)
	switch text {
	case "yesterday":
		return Period{calendarDate(yesterday), calendarDate(yesterday)}, nil
	case "month-to-date":
		return Period{calendarDate(firstOfMonth(yesterday)), calendarDate(yesterday)}, nil
	case "last-month":
		return monthOf(time.Date(today.Year(), today.Month()-1, 1, 0, 0, 0, 0, time.UTC)), nil
	}
	if from, to, ok := strings.Cut(text, ".."); ok {
		return parseRange(text, from, to)
	}
	if month, err := time.Parse(monthLayout, text); err == nil && len(text) == len(monthLayout) {
		return monthOf(month), nil
	}
	d, err := reconcile.ParseDate(text)
	if err != nil {
		return Period{}, fmt.Errorf("period %q is none of 2024-07, 2024-07-03, 2024-07-01..2024-07-15, yesterday, month-to-date, last-month", text)
	}
	return Period{d, d}, nil
}

func parseRange(text, from, to string) (Period, error) {
	first, err := reconcile.ParseDate(from)
	if err != nil {
		return Period{}, fmt.Errorf("period %q: %w", text, err)
	}
	last, err := reconcile.ParseDate(to)
	if err != nil {
		return Period{}, fmt.Errorf("period %q: %w", text, err)
	}
	if last < first {
		return Period{}, fmt.Errorf("period %q ends before it begins", text)
	}
	return Period{first, last}, nil
}

// String names the period in keys: 2024-07 for a whole month, 2024-07-03 for
// a day, else 2024-07-01_2024-07-15.
func (p Period) String() string {
	first := time.UnixMilli(p.From.Start()).UTC()
	switch {
	case p == monthOf(first):
		return first.Format(monthLayout)
	case p.From == p.To:
		return p.From.String()
	}
	return p.From.String() + "_" + p.To.String()
}

// Has tells whether a billing date lies in the period.
func (p Period) Has(d reconcile.Date) bool { return p.From <= d && d <= p.To }

// firstStart is when a billing date begins in the first of the zones.
func firstStart(zones []*reconcile.Zone, d reconcile.Date) int64 {
	start := zones[0].Start(d)
	for _, z := range zones[1:] {
		start = min(start, z.Start(d))
	}
	return start
}

func monthOf(t time.Time) Period {
	first := firstOfMonth(t)
	return Period{calendarDate(first), calendarDate(first.AddDate(0, 1, -1))}
}

func firstOfMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func calendarDate(t time.Time) reconcile.Date { return reconcile.DateOf(t.UnixMilli()) }
