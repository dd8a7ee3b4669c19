package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	. "waconcile/reconcile"
)

// Worked example 1: one marketing template to each of 100 contacts makes 100
// conversations, whoever replies.
func TestHundredContacts(t *testing.T) {
	t.Parallel()
	sink := &recorder{}
	e := newTestEngine(t, sink)
	for i := range 100 {
		s := story{}
		if err := s.addLine("0h marketing"); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			if err := s.addLine("1h inbound"); err != nil {
				t.Fatal(err)
			}
		}
		for k := range s.rows.Contact {
			contact, ok := PhoneContact(fmt.Appendf(nil, "39333%07d", i))
			if !ok {
				t.Fatal("no phone number")
			}
			s.rows.Contact[k] = contact
		}
		e.Add(Pack(&s.rows), DateOf(storyStart))
	}
	checkTally(t, e.Finish())
	if len(sink.conversations) != 100 {
		t.Errorf("%d conversations, want 100", len(sink.conversations))
	}
}

func newTestEngine(t *testing.T, sink Sink) *Engine {
	t.Helper()
	utc := NewZone(time.UTC)
	e, err := NewEngine(EngineConfig{
		Terms:        func(Name) *AccountTerms { return &AccountTerms{Zone: utc} },
		Text:         func(n Name) string { return fmt.Sprint(n) },
		DeliveryDays: 30,
		Begins:       []Date{DateOf(storyStart) - 1},
		End:          storyStart + 100*DayMillis,
	}, sink)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Rows of one message that claim to have been sent on different days are one
// message where they come as scattered rows, and two sightings of one hash
// where they do not.
func TestScatteredRows(t *testing.T) {
	t.Parallel()
	s := story{}
	for _, line := range []string{"0h marketing", "49h marketing id=m1", "50h marketing"} {
		if err := s.addLine(line); err != nil {
			t.Fatal(err)
		}
	}
	apart := &recorder{}
	e := newTestEngine(t, apart)
	e.Add(Pack(&s.rows), DateOf(storyStart))
	checkTally(t, e.Finish())
	if days := apart.sightings[s.rows.Hash(0)]; len(days) != 2 {
		t.Errorf("m1 was seen on %v, want two days", days)
	}

	var scattered, plain Rows
	for i := range s.rows.Len() {
		if s.rows.Hash(i) == s.rows.Hash(0) {
			scattered.AppendRow(&s.rows, i)
		} else {
			plain.AppendRow(&s.rows, i)
		}
	}
	together := &recorder{}
	e = newTestEngine(t, together)
	e.AddScattered(Pack(&scattered), DateOf(storyStart))
	e.Add(Pack(&plain), DateOf(storyStart))
	checkTally(t, e.Finish())
	if days := together.sightings[s.rows.Hash(0)]; len(days) != 1 {
		t.Errorf("m1 was seen on %v, want one day", days)
	}
	if n := len(together.conversations); n != 2 {
		t.Errorf("%d conversations, want 2: m1 at 0h and m3 at 50h", n)
	}
	if len(together.findings) != 1 || together.findings[0].Kind != ConflictingDuplicate {
		t.Errorf("findings %+v, want one conflicting_duplicate", together.findings)
	}
}
