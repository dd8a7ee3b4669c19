package batch

import (
	"errors"
	"testing"

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
