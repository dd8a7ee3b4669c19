package reconcile_test

import (
	"testing"
	"time"

	. "waconcile/reconcile"

	"pgregory.net/rapid"
)

// zoneNames are zones whose clocks change at 1, 2 or 3 in the morning, at
// midnight forwards (which then does not exist) and backwards (which then
// comes twice, or a minute after), by half an hour, by a whole day, or never.
var zoneNames = []string{
	"UTC", "Europe/Rome", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca",
	"America/Asuncion", "America/Havana", "America/Santiago", "America/St_Johns", "Asia/Amman", "Asia/Gaza", "Asia/Tehran",
	"Asia/Kathmandu", "Asia/Pyongyang", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Pacific/Tongatapu",
}

// drawInstant draws an instant, mostly within a few milliseconds or hours of
// a change of the clocks or of a midnight.
func drawInstant(rt *rapid.T, loc *time.Location) time.Time {
	at := time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC).
		Add(time.Duration(rapid.IntRange(0, 40*366*24).Draw(rt, "hour")) * time.Hour)
	switch rapid.IntRange(0, 2).Draw(rt, "near") {
	case 1:
		if _, end := at.In(loc).ZoneBounds(); !end.IsZero() {
			at = end
		}
	case 2:
		y, m, d := at.In(loc).Date()
		at = time.Date(y, m, d, 0, 0, 0, 0, loc)
	}
	return at.Add(time.Duration(rapid.SampledFrom([]int{0, 0, -1, 1, -2, 2, -24, 24}).Draw(rt, "hours")) * time.Hour).
		Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "milli")) * time.Millisecond)
}

func wallDate(at time.Time, loc *time.Location) Date {
	y, m, d := at.In(loc).Date()
	return DateOf(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMilli())
}

// A zone's dates are those of package time, and a date begins at the first
// instant that has it or a later one.
func TestZoneProperty(t *testing.T) {
	t.Parallel()
	zones := make(map[string]*Zone)
	for _, name := range zoneNames {
		zones[name] = NewZone(mustLocation(name))
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(zoneNames).Draw(rt, "zone")
		loc, zone := mustLocation(name), zones[name]
		at := drawInstant(rt, loc)
		date := wallDate(at, loc)
		if got := zone.Date(at.UnixMilli()); got != date {
			rt.Fatalf("%v in %s is %v, want %v", at.UTC(), name, got, date)
		}
		date += Date(rapid.IntRange(-1, 1).Draw(rt, "days"))
		start := time.UnixMilli(zone.Start(date))
		if wallDate(start, loc) < date {
			rt.Fatalf("%v in %s begins at %v, which is before it", date, name, start.In(loc))
		}
		for back := time.Millisecond; back < 49*time.Hour; back += 10 * time.Minute {
			if before := start.Add(-back); wallDate(before, loc) >= date {
				rt.Fatalf("%v in %s begins at %v, but %v is in it", date, name, start.In(loc), before.In(loc))
			}
		}
	})
}

// A conversation lasts 86,400,000 ms, whatever the clocks of its account do
// meanwhile, and is billed on the date of its opening there.
func TestElapsedDayProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		loc := mustLocation(rapid.SampledFrom(zoneNames).Draw(rt, "zone"))
		at := drawInstant(rt, loc).UnixMilli()
		sink := &recorder{}
		e, err := NewEngine(EngineConfig{
			Terms:  func(Name) *AccountTerms { return &AccountTerms{Zone: NewZone(loc)} },
			Text:   func(Name) string { return "" },
			Begins: []Date{DateOf(at) - 2},
			End:    (DateOf(at) + 5).Start(),
		}, sink)
		if err != nil {
			rt.Fatal(err)
		}
		var b Rows
		for i, sent := range []int64{at, at + 86_399_999, at + 86_400_000} {
			r := oneRow{pair: PairKey{Account: 1, Business: 2, Contact: 3}, id: string(rune('a' + i)), sent: sent, status: Sent, deliveredAt: NoTime, readAt: NoTime}
			r.become("utility")
			r.appendTo(&b)
		}
		e.Add(Pack(&b), DateOf(storyStart))
		e.Finish()
		if n := len(sink.conversations); n != 2 {
			rt.Fatalf("%d conversations, want 2: %+v", n, sink.conversations)
		}
		for i, want := range []int64{at, at + 86_400_000} {
			if got := sink.conversations[i].OpenedAt; got != want {
				rt.Fatalf("conversation %d opened at %d, want %d", i, got, want)
			}
		}
	})
}
