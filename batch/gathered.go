package batch

import (
	"errors"
	"fmt"

	"waconcile/batch/checkpoint"
	"waconcile/reader"
	"waconcile/reconcile"
)

// gathered is what the passes have come to, added up as each ends: nothing
// else of a pass is kept.
type gathered struct {
	reading  readCounts
	rejects  []reconcile.Reject
	tally    reconcile.Tally
	outside  int64 // conversations whose billing date lies outside the period
	late     map[reconcile.LateKey]int64
	findings *findingList
	states   []*takenState
	priced   []pricedGroups
	ledger   *reconcile.Ledger // of the recharges; nil: there are none
}

// takenState is the state of one day, of all shards of all passes.
type takenState struct {
	day   reconcile.Date
	parts []*reconcile.State // without their lists, where these are spilled
	// spilled has the lists where there are several passes; nil: parts are whole.
	spilled *checkpoint.Spilled
}

// gather begins with nothing. With more than one pass to come, what follows
// the number of contacts or messages goes to temporary files.
func (r *run) gather(spilled bool) *gathered {
	g := &gathered{late: make(map[reconcile.LateKey]int64), findings: newFindingList(r.job.Memory, spilled)}
	for _, day := range r.plan.states(r.plan.in.accounts.Zones()) {
		s := &takenState{day: day}
		if spilled {
			s.spilled = checkpoint.NewSpilled()
		}
		g.states = append(g.states, s)
	}
	return g
}

// days are those of which the shards take states.
func (g *gathered) days() []reconcile.Date {
	days := make([]reconcile.Date, 0, len(g.states))
	for _, s := range g.states {
		days = append(days, s.day)
	}
	return days
}

// add takes what a pass has come to, and lets go of its engines. What is read
// is read by every pass, and counted once.
func (g *gathered) add(a *attempt) error {
	if a.counts {
		g.reading, g.rejects = a.reading, a.rejects
	}
	if a.reading != g.reading {
		return fmt.Errorf("%w: passes read %+v and %+v", reader.ErrChanged, g.reading, a.reading)
	}
	for _, s := range a.shards {
		g.tally.Add(&s.tally)
		g.outside += s.outside
		for key, n := range s.engine.Late() {
			g.late[key] += n
		}
		if err := g.findings.addSorted(s.found); err != nil {
			return err
		}
		if err := g.addFindings(a.names, &s.findings); err != nil {
			return err
		}
	}
	return g.addStates(a)
}

// findingsAtOnce is how many findings become texts, which take several times
// as much, before they are taken and those that they were made of let go.
const findingsAtOnce = 64 * chunkFindings

func (g *gathered) addFindings(names *reader.Names, held *heldFindings) error {
	for held.len() > 0 {
		if err := g.findings.addSorted(held.take(findingsAtOnce).sorted(names)); err != nil {
			return err
		}
	}
	return nil
}

func (g *gathered) addStates(a *attempt) error {
	states := make([][]*reconcile.State, len(g.states)) // of each day
	for _, s := range a.shards {
		for i, state := range s.engine.States() {
			states[i] = append(states[i], state)
		}
		s.engine = nil
	}
	for i, taken := range g.states {
		if taken.spilled == nil {
			taken.parts = append(taken.parts, states[i]...)
			continue
		}
		if err := taken.spilled.Add(states[i], a.names); err != nil {
			return err
		}
		for _, s := range states[i] {
			taken.parts = append(taken.parts, &reconcile.State{At: s.At, Since: s.Since, Latest: s.Latest, Accounts: s.Accounts})
		}
		states[i] = nil
	}
	return nil
}

// latest is the last partition of the rows that the state was made from, as
// far as they are late or of messages with rows on several days.
func (s *takenState) latest() reconcile.Date {
	latest := reconcile.MinDate
	for _, part := range s.parts {
		latest = max(latest, part.Latest)
	}
	return latest
}

// close gives the temporary files back.
func (g *gathered) close() error {
	errs := []error{g.findings.close()}
	for _, s := range g.states {
		if s.spilled != nil {
			errs = append(errs, s.spilled.Close())
		}
	}
	return errors.Join(errs...)
}

// price notes what charges of all passes have come to.
func (g *gathered) price(s *spilledCharges, of Period) {
	for d, date := range s.dates {
		if of.Has(d) {
			g.priced = append(g.priced, pricedGroups{d, date.groups})
		}
	}
}

// drew takes over what recharges have come to, once all charges have drawn.
func (g *gathered) drew(d *drawer, names *reader.Names) error {
	if d == nil {
		return nil
	}
	g.ledger = d.ledger
	return g.addFindings(names, &d.findings)
}
