package reconcile_test

import (
	"testing"

	. "waconcile/reconcile"

	gocmp "github.com/google/go-cmp/cmp"
)

// What rows can still do that come, after a state has been taken, later than
// any run before can have seen: let a message arrive that had not, and nothing
// to one that has counted.
func TestLateRows(t *testing.T) {
	t.Parallel()
	day := DateOf(storyStart)
	at := func(days, hours int64) int64 { return storyStart + days*DayMillis + hours*hour }
	row := func(what string, status Status, sent, delivered int64) oneRow {
		r := oneRow{pair: talePair(1), id: "m", status: status, sent: sent, deliveredAt: delivered, readAt: NoTime, typ: 12}
		r.become(what)
		return r
	}
	window := row("inbound", NoStatus, at(0, 9), NoTime)
	window.id = "i"
	cases := []struct {
		name   string
		before []oneRow // in the partition before the state
		late   []oneRow // in one five days after it
		want   []string
		tally  Tally
	}{
		{
			name:   "a template arrives",
			before: []oneRow{row("marketing", Sent, at(0, 10), NoTime)},
			late:   []oneRow{row("marketing", Delivered, at(0, 10), at(2, 1))},
			want:   []string{"bolt 390200002 393331234567: marketing@49h0m0s by m out 1 in 0 proven true country \"\""},
			tally:  Tally{Rows: 1, Carried: 1, Merged: 1, Messages: 1, Opened: 1},
		}, {
			name:   "a template that failed arrives all the same",
			before: []oneRow{row("marketing", Failed, at(0, 10), NoTime)},
			late:   []oneRow{row("marketing", Read, at(0, 10), at(2, 1))},
			want:   []string{"bolt 390200002 393331234567: marketing@49h0m0s by m out 1 in 0 proven true country \"\""},
			tally:  Tally{Rows: 1, Carried: 1, Merged: 1, Messages: 1, Opened: 1},
		}, {
			name:   "a free-form message arrives, sent while the window was open",
			before: []oneRow{window, row("free", Accepted, at(0, 10), NoTime)},
			late:   []oneRow{row("free", Delivered, at(0, 10), at(2, 1))},
			want:   []string{"bolt 390200002 393331234567: service@49h0m0s by m out 1 in 0 proven true country \"\""},
			tally:  Tally{Rows: 1, Carried: 1, Merged: 1, Messages: 1, Opened: 1},
		}, {
			name:   "a free-form message arrives, sent while the window was closed",
			before: []oneRow{row("free", Accepted, at(0, 10), NoTime)},
			late:   []oneRow{row("free", Delivered, at(0, 10), at(2, 1))},
			tally:  Tally{Rows: 1, Carried: 1, Merged: 1, Messages: 1, OutsideAlone: 1},
		}, {
			name:   "one that arrived before the state comes too late",
			before: []oneRow{row("marketing", Sent, at(0, 10), NoTime)},
			late:   []oneRow{row("marketing", Delivered, at(0, 10), at(0, 20))},
			tally:  Tally{Rows: 1, Carried: 1, Before: 1, Late: 1, Messages: 1, Undelivered: 1},
		}, {
			name:   "one that waits to count is not moved before the state",
			before: []oneRow{row("marketing", Delivered, at(0, 10), at(2, 1))},
			late:   []oneRow{row("marketing", Delivered, at(0, 10), at(0, 20))},
			want:   []string{"bolt 390200002 393331234567: marketing@49h0m0s by m out 1 in 0 proven true country \"\""},
			tally:  Tally{Rows: 1, Carried: 1, Before: 1, Late: 1, Messages: 1, Opened: 1},
		}, {
			name:  "one that nobody knew comes too late",
			late:  []oneRow{row("marketing", Delivered, at(0, 10), at(0, 20)), row("marketing", Read, at(0, 10), at(2, 20))},
			tally: Tally{Rows: 2, Before: 2, Late: 2},
		}, {
			name:   "one that never arrives is known for the delivery days",
			before: []oneRow{row("marketing", Sent, at(0, 10), NoTime)},
			tally:  Tally{Carried: 1, Messages: 1, Undelivered: 1},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := &tale{anchor: storyStart, reading: reading{text: taleText}}
			cfg := EngineConfig{
				Terms: func(Name) *AccountTerms { return &AccountTerms{Basis: BasisDelivered} }, Text: taleText,
				DeliveryDays: 30, LateDays: 1, Begins: []Date{day - 1}, End: (day + 2).Start(), States: []Date{day + 1},
			}
			first := lateEngine(t, cfg, &recorder{}, c.before, day)
			first.Finish()
			cfg.From, cfg.States, cfg.End = first.States()[0], []Date{day + 2}, (day + 8).Start()
			sink := &recorder{}
			second := lateEngine(t, cfg, sink, c.late, day+6)
			tally := second.Finish()
			if diff := gocmp.Diff(c.tally, tally); diff != "" {
				t.Errorf("tally (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(append([]string{}, c.want...), s.tell(sink.conversations)); diff != "" {
				t.Errorf("conversations (-want +got):\n%s", diff)
			}
			late := map[LateKey]int64{}
			if c.tally.Late > 0 {
				late[LateKey{onDelivered, day}] = c.tally.Late
			}
			if diff := gocmp.Diff(late, second.Late()); diff != "" {
				t.Errorf("late rows (-want +got):\n%s", diff)
			}
			for _, days := range sink.sightings {
				if len(days) != 1 {
					t.Errorf("one message was shown on %v: it would be taken for several", days)
				}
			}
			if known := len(second.States()[0].Messages); int64(known) != tally.Messages {
				t.Errorf("the next state knows %d messages that wait, want %d", known, tally.Messages)
			}
		})
	}
}

// lateEngine is an engine that has been given rows of one partition.
func lateEngine(t *testing.T, cfg EngineConfig, sink Sink, rows []oneRow, partition Date) *Engine {
	t.Helper()
	e, err := NewEngine(cfg, sink)
	if err != nil {
		t.Fatal(err)
	}
	var b Rows
	for i := range rows {
		rows[i].appendTo(&b)
	}
	e.Add(Pack(&b), partition)
	return e
}

// A message that has not been delivered is forgotten once no delivery of it
// would be believed any more, and one on basis sent at once.
func TestStateForgets(t *testing.T) {
	t.Parallel()
	day := DateOf(storyStart)
	for _, c := range []struct {
		basis Basis
		after Date // days from the sending to the state
		known int
	}{{BasisDelivered, 1, 1}, {BasisDelivered, 2, 1}, {BasisDelivered, 3, 0}, {BasisSent, 1, 0}} {
		r := oneRow{pair: talePair(1), id: "m", status: Failed, sent: storyStart + hour, deliveredAt: NoTime, readAt: NoTime}
		r.become("marketing")
		e := lateEngine(t, EngineConfig{
			Terms: func(Name) *AccountTerms { return &AccountTerms{Basis: c.basis} }, Text: taleText,
			DeliveryDays: 2, Begins: []Date{day - 1}, End: (day + 8).Start(), States: []Date{day + c.after},
		}, &recorder{}, []oneRow{r}, day)
		e.Finish()
		if known := len(e.States()[0].Messages); known != c.known {
			t.Errorf("basis %v, %d days after: %d messages, want %d", c.basis, c.after, known, c.known)
		}
	}
}

// A state tells of a gap before it, also where nothing was sent since.
func TestStateAfterGap(t *testing.T) {
	t.Parallel()
	day := DateOf(storyStart)
	r := oneRow{pair: talePair(0), id: "m", status: Sent, sent: storyStart + hour, deliveredAt: NoTime, readAt: NoTime}
	r.become("marketing")
	e := lateEngine(t, EngineConfig{
		Terms: func(Name) *AccountTerms { return &AccountTerms{} }, Text: taleText,
		Begins: []Date{day - 1, day + 1}, End: (day + 8).Start(), States: []Date{day + 1, day + 2},
	}, &recorder{}, []oneRow{r}, day)
	e.Finish()
	for i, want := range []Date{day - 1, day + 1} {
		if s := e.States()[i]; s.Since != want {
			t.Errorf("state of %v: no gap since %v, want %v", s.At, s.Since, want)
		}
	}
}

// The settings of an engine that starts from a state or takes one.
func TestStateConfig(t *testing.T) {
	t.Parallel()
	day := DateOf(storyStart)
	from := &State{At: day, Since: day - 2}
	for name, c := range map[string]EngineConfig{
		"begins elsewhere":         {From: from, Begins: []Date{day - 1}},
		"a state of nothing":       {From: &State{At: day, Since: day}, Begins: []Date{day}},
		"states out of order":      {Begins: []Date{day - 2}, States: []Date{day + 2, day + 1}},
		"the state it starts from": {From: from, Begins: []Date{day - 2}, States: []Date{day}},
		"beyond the data":          {Begins: []Date{day - 2}, States: []Date{day + 6}},
	} {
		c.Terms, c.Text, c.End = func(Name) *AccountTerms { return nil }, taleText, (day + 5).Start()
		if _, err := NewEngine(c, &recorder{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
