package batch

import (
	"errors"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
)

// A message hash that could not be noted while the last messages were counted
// stops the run, like any before it: a repeat would stay unseen.
func TestHashLostAtTheEnd(t *testing.T) {
	t.Parallel()
	s := &shard{queue: make(chan work), dates: make(map[reconcile.Date]*dateCharges)}
	engine, err := reconcile.NewEngine(reconcile.EngineConfig{
		Terms:  func(reconcile.Name) *reconcile.AccountTerms { return nil },
		Text:   func(reconcile.Name) string { return "" },
		Begins: []reconcile.Date{0},
	}, s)
	if err != nil {
		t.Fatal(err)
	}
	lost := errors.New("no space left")
	s.engine, s.logErr = engine, lost
	close(s.queue)
	delivered := false
	deliver := func(reconcile.Date, *dateCharges) error { delivered = true; return nil }
	if err := s.run(t.Context(), nil, deliver); !errors.Is(err, lost) || delivered {
		t.Errorf("err = %v, delivered = %v; want the lost hash and nothing delivered", err, delivered)
	}
}

// What charges before the period cost, nobody asks: they only take of recharges,
// and are of one kind wherever the provider sees the contact.
func TestCostsOfThePeriod(t *testing.T) {
	t.Parallel()
	j, _ := testJob(t, nil, diffDay)
	withCosts(&j)
	in, err := j.readInputs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := reader.NewNames()
	s := &shard{
		pricer: reconcile.NewPricer(in.accounts, in.markets, in.rates), costPricer: in.cost.pricer(), names: names, period: j.Period,
		dates: make(map[reconcile.Date]*dateCharges), spare: newChunkPool(), drawsSince: func(string) int64 { return 1 },
	}
	for date := j.Period.From - 1; date <= j.Period.From; date++ {
		for _, digits := range []string{"393331234567", "393331234568"} { // one market, and two of the provider
			contact, _ := reconcile.PhoneContact([]byte(digits))
			s.Conversation(&reconcile.Conversation{
				PairKey:  reconcile.PairKey{Account: names.InternString("rome"), Business: names.InternString("390211"), Contact: contact},
				Category: reconcile.Marketing, OpenedAt: date.Start() + reconcile.DayMillis/2, OpenedBy: []byte(digits),
			})
		}
	}
	before, within := s.dates[j.Period.From-1].groups, s.dates[j.Period.From].groups
	if len(before) != 1 || before[0].cost != nil {
		t.Errorf("before the period: %+v", before)
	}
	if len(within) != 2 || within[0].cost == nil || within[1].cost == nil {
		t.Errorf("in the period: %+v", within)
	}
}
