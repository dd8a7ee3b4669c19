package reconcile

import (
	"fmt"
	"testing"
)

// What no state to be taken can hold is not kept for one: a run over a month
// has early rows and undelivered messages of every day, and takes its states
// at the end.
func TestKeptForStates(t *testing.T) {
	t.Parallel()
	const days, deliveryDays = 32, 2
	for _, c := range []struct {
		name   string
		states []Date // days after july1
		want   kept
	}{
		{"no state", nil, kept{}},
		{"one", []Date{30}, kept{early: 1, spread: 1, undelivered: days - 30 + deliveryDays}},
		{"two", []Date{28, 30}, kept{early: 2, spread: 2, undelivered: days - 28 + deliveryDays}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cfg := EngineConfig{
				Terms:        func(Name) *AccountTerms { return &AccountTerms{Basis: BasisDelivered} },
				Text:         func(n Name) string { return fmt.Sprint(n) },
				DeliveryDays: deliveryDays, LateDays: 1, Begins: []Date{july1}, End: (july1 + days).Start(),
			}
			for _, d := range c.states {
				cfg.States = append(cfg.States, july1+d)
			}
			e, err := NewEngine(cfg, deafSink{})
			if err != nil {
				t.Fatal(err)
			}
			for d := july1; d < july1+days; d++ {
				e.Add(Pack(rowSent(t, fmt.Sprint("waits ", d), d, Template)), d)
				e.Add(Pack(rowSent(t, fmt.Sprint("early ", d), d+1, Inbound)), d)
				e.AddScattered(Pack(rowSent(t, fmt.Sprint("spread ", d), d, Inbound)), d)
				e.AddScattered(Pack(rowSent(t, fmt.Sprint("spread ", d), d+1, Inbound)), d+1)
			}
			e.Advance(july1 + days - 1)
			if got := (kept{len(e.carry.early), len(e.carry.spread), len(e.carry.undelivered)}); got != c.want {
				t.Errorf("kept %+v, want %+v", got, c.want)
			}
		})
	}
}

// kept counts what an engine keeps for states.
type kept struct{ early, spread, undelivered int }

// rowSent is a row that has not been delivered, sent at noon of a day.
func rowSent(t *testing.T, id string, day Date, kind Kind) *Rows {
	t.Helper()
	contact, ok := PhoneContact([]byte("393331234567"))
	if !ok {
		t.Fatal("no phone number")
	}
	r := &Rows{
		Account: []Name{1}, Business: []Name{2}, Contact: []Contact{contact}, Type: []Name{3}, Country: []Name{0},
		Kind: []Kind{kind}, Category: []Category{NoCategory}, Status: []Status{NoStatus},
		SentAt: []int64{day.Start() + DayMillis/2}, DeliveredAt: []int64{NoTime}, ReadAt: []int64{NoTime},
	}
	if kind == Template {
		r.Category[0], r.Status[0] = Marketing, Sent
	}
	r.ID.Append([]byte(id))
	return r
}

// deafSink takes what comes and keeps nothing.
type deafSink struct{}

func (deafSink) Conversation(*Conversation) {}
func (deafSink) Finding(*Finding)           {}
func (deafSink) Messages([]uint64, Date)    {}
