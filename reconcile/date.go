package reconcile

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Date is a calendar date: days since 1970-01-01.
type Date int32

// The ends of an open interval of validity.
const (
	MinDate Date = math.MinInt32
	MaxDate Date = math.MaxInt32
)

const dateLayout = "2006-01-02"

// ParseDate reads YYYY-MM-DD.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(dateLayout, s)
	if err != nil || len(s) != len(dateLayout) {
		return 0, fmt.Errorf("%q is no date of the form YYYY-MM-DD", s)
	}
	return DateOf(t.UnixMilli()), nil
}

// DateOf is the UTC date of an instant.
func DateOf(millis int64) Date { return Date(floorDiv(millis, DayMillis)) }

// Start is midnight UTC at the beginning of d.
func (d Date) Start() int64 { return int64(d) * DayMillis }

func (d Date) String() string { return time.UnixMilli(d.Start()).UTC().Format(dateLayout) }

// DateTexts writes dates as YYYY-MM-DD. It is never nil, so that JSON has a
// list.
func DateTexts(dates []Date) []string {
	texts := make([]string, len(dates))
	for i, d := range dates {
		texts[i] = d.String()
	}
	return texts
}

// Zone is a time zone as a table of its clock changes, made once and safe for
// use by many goroutines.
type Zone struct {
	name    string
	from    []int64 // the instant at which offset[i] begins; from[0] is the beginning of time
	offsets []int64 // milliseconds east of UTC
}

// The years for which a Zone looks for clock changes; before and after them
// the nearest offset holds. Exports hold no message before 2009.
const (
	zoneFirstYear = 2005
	zoneLastYear  = 2100
)

// NewZone tabulates loc.
func NewZone(loc *time.Location) *Zone {
	z := &Zone{name: loc.String()}
	end := time.Date(zoneLastYear, 1, 1, 0, 0, 0, 0, time.UTC)
	for t := time.Date(zoneFirstYear, 1, 1, 0, 0, 0, 0, time.UTC); ; {
		_, seconds := t.In(loc).Zone()
		_, next := t.In(loc).ZoneBounds()
		from := t.UnixMilli()
		if len(z.from) == 0 {
			from = math.MinInt64
		}
		if offset := int64(seconds) * 1000; len(z.offsets) == 0 || offset != z.offsets[len(z.offsets)-1] {
			z.from = append(z.from, from)
			z.offsets = append(z.offsets, offset)
		}
		if next.IsZero() || !next.Before(end) {
			return z
		}
		if !next.After(t) {
			next = t.Add(time.Hour) // package time ends a leap year a day early: go past that day
		}
		t = next
	}
}

// Name is the IANA name.
func (z *Zone) Name() string { return z.name }

// Date is the calendar date in z at an instant.
func (z *Zone) Date(millis int64) Date {
	return DateOf(millis + z.offsets[z.span(millis)])
}

// Start is the first instant whose date in z is d or later: midnight, or
// where the clocks skip midnight, the instant they skip it.
func (z *Zone) Start(d Date) int64 {
	for i, offset := range z.offsets {
		start := max(d.Start()-offset, z.from[i])
		if (i+1 == len(z.from) || start < z.from[i+1]) && z.Date(start) >= d {
			return start
		}
	}
	return d.Start() - z.offsets[len(z.offsets)-1]
}

// span is the index of the offset in force at an instant.
func (z *Zone) span(millis int64) int {
	i, found := slices.BinarySearch(z.from, millis)
	if found {
		return i
	}
	return i - 1
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
