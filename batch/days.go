package batch

import (
	"path"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
)

// daySpan is which UTC days a run reads, all bounds included.
type daySpan struct {
	first, last                 reconcile.Date // of all days read
	requiredFirst, requiredLast reconcile.Date // of the days that the period touches
}

// spanOf works out the days of a period: those that its billing dates touch
// in any of the zones must be there; before them lookback days are read, and
// after them the day in which the last conversation of the period ends and
// lateDays more.
func spanOf(p Period, zones []*reconcile.Zone, lookback, lateDays int) daySpan {
	start, end := firstStart(zones, p.From), zones[0].Start(p.To+1)
	for _, z := range zones[1:] {
		end = max(end, z.Start(p.To+1))
	}
	s := daySpan{requiredFirst: reconcile.DateOf(start), requiredLast: reconcile.DateOf(end - 1)}
	s.first = s.requiredFirst - reconcile.Date(lookback)
	s.last = reconcile.DateOf(end-1+reconcile.DayMillis) + reconcile.Date(lateDays)
	return s
}

// day is one UTC day of exports.
type day struct {
	date   reconcile.Date
	files  []reader.Object
	marked bool // the complete marker is there, or none is asked for
}

// partition is the prefix of a day's exports.
func partition(d reconcile.Date) string { return "dt=" + d.String() + "/" }

// dateOfKey is the day in whose partition an object lies.
func dateOfKey(key string) (reconcile.Date, error) {
	dir, _, _ := strings.Cut(key, "/")
	return reconcile.ParseDate(strings.TrimPrefix(dir, "dt="))
}

// dayOf sorts what lies below a day's prefix into data and the marker. Names
// beginning with "_" or "." are not data, nor is what lies deeper.
func dayOf(date reconcile.Date, objects []reader.Object, marker string) day {
	d := day{date: date, marked: marker == ""}
	for _, o := range objects {
		name := strings.TrimPrefix(o.Key, partition(date))
		switch {
		case strings.Contains(name, "/"):
		case marker != "" && name == marker:
			d.marked = true
		case strings.HasPrefix(name, "_") || strings.HasPrefix(name, "."):
		case path.Ext(name) == ".parquet":
			d.files = append(d.files, o)
		}
	}
	return d
}

// missing lists the required days without data or without their marker.
func (s daySpan) missing(days []day) []reconcile.Date {
	present := make(map[reconcile.Date]bool, len(days))
	for _, d := range days {
		present[d.date] = len(d.files) > 0 && d.marked
	}
	var missing []reconcile.Date
	for d := s.requiredFirst; d <= s.requiredLast; d++ {
		if !present[d] {
			missing = append(missing, d)
		}
	}
	return missing
}

// begins lists the days before which data is missing, beyond the first day
// read: each that follows a gap after the day known.
func begins(known reconcile.Date, days []day) []reconcile.Date {
	var out []reconcile.Date
	for _, d := range days {
		if d.date != known+1 {
			out = append(out, d.date)
		}
		known = d.date
	}
	return out
}
