package batch

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"waconcile/writer"
)

// standing is how a period stands in the place that results go to, as a run
// of it finds it.
type standing struct {
	period   string
	current  *current     // the run that the period's pointer names; nil: none
	seal     *writer.Seal // not nil: the month is closed
	whole    bool         // both halves of the seal are there
	adjusted *current     // the newest run that adjusts the closed month; nil: none

	earlier []*writer.Manifest // all runs that adjust it, oldest first
	taken   []*writer.Manifest // runs that adjust earlier months, for the statements of this one
	within  []string           // of a period that is no month: closed months that it has days of
	waiting []Waiting          // closed months whose adjustments an open one before this holds up
}

// readStanding is how the job's period stands. A simulation has no standing: it
// moves no pointer, adjusts nothing and takes no adjustments in.
func (job *Job) readStanding(ctx context.Context) (*standing, error) {
	if job.Simulation != nil {
		return &standing{period: job.Period.String()}, nil
	}
	return readStanding(ctx, job.Out, job.Period)
}

// readStanding finds out how a period stands. Only a whole month can be
// closed, and only its statements take in adjustments of closed ones.
func readStanding(ctx context.Context, out writer.Store, p Period) (*standing, error) {
	period := p.String()
	st := &standing{period: period}
	var err error
	if st.current, err = pointedRun(writer.Current(ctx, out, period)); err != nil {
		return nil, err
	}
	if !writer.IsMonth(period) {
		st.within, err = closedWithin(ctx, out, p)
		return st, err
	}
	if err := st.readSeal(ctx, out); err != nil {
		return nil, err
	}
	if st.seal == nil {
		return st, st.readTaken(ctx, out)
	}
	if err := st.readAdjusting(ctx, out); err != nil {
		return nil, err
	}
	st.taken, err = runsNamed(ctx, out, st.current.manifest, writer.TakenInput)
	return st, err
}

// pointedRun is what writer.Current or writer.Adjusted gave; nil where there
// is none.
func pointedRun(p *writer.Pointer, m *writer.Manifest, version string, err error) (*current, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &current{p, m, version}, nil
}

func (st *standing) readSeal(ctx context.Context, out writer.Target) (err error) {
	var p *writer.Pointer
	if st.current != nil {
		p = st.current.pointer
	}
	st.seal, st.whole, err = writer.ReadSeal(ctx, out, st.period, p)
	return err
}

// readAdjusting finds the runs that adjust a closed month: the newest names
// all others.
func (st *standing) readAdjusting(ctx context.Context, out writer.Target) (err error) {
	if st.adjusted, err = pointedRun(writer.Adjusted(ctx, out, st.period)); err != nil || st.adjusted == nil {
		return err
	}
	if st.earlier, err = runsNamed(ctx, out, st.adjusted.manifest, writer.AdjustmentsInput); err != nil {
		return err
	}
	st.earlier = append(st.earlier, st.adjusted.manifest)
	writer.ByAge(st.earlier)
	return nil
}

// runsNamed are the runs that a manifest names as inputs of a table.
func runsNamed(ctx context.Context, out writer.Target, m *writer.Manifest, table string) ([]*writer.Manifest, error) {
	var runs []*writer.Manifest
	for _, in := range m.InputsOf(table) {
		run, err := writer.ReadRunInput(ctx, out, in)
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// readTaken finds the runs whose adjustments the statements of an open month
// take in: those of the closed months right before it, back to the first that
// is not closed, without those that a closed month's statements have taken in
// already. So each is billed once, by the month that closes first. A run
// without adjustments has nothing to take in.
func (st *standing) readTaken(ctx context.Context, out writer.Store) error {
	billed := map[string]bool{} // keys of manifests
	for m := writer.MonthBefore(st.period); m != ""; m = writer.MonthBefore(m) {
		closed, err := closedMonth(ctx, out, m)
		if err != nil {
			return err
		}
		if closed == nil {
			return st.findWaiting(ctx, out, m, billed)
		}
		runs, err := closed.unbilled(billed)
		if err != nil {
			return err
		}
		st.taken = append(st.taken, runs...)
	}
	return nil
}

// closedMonth is how a month stands that is closed, without what it has taken
// in; it is nil where the month is open.
func closedMonth(ctx context.Context, out writer.Target, month string) (*standing, error) {
	st := &standing{period: month}
	var err error
	if st.current, err = pointedRun(writer.Current(ctx, out, month)); err != nil {
		return nil, err
	}
	if err := st.readSeal(ctx, out); err != nil || st.seal == nil {
		return nil, err
	}
	return st, st.readAdjusting(ctx, out)
}

// unbilled are the runs that adjust a closed month, have something to bill,
// and are not among the billed, to which those are added that the month itself
// has taken in.
func (st *standing) unbilled(billed map[string]bool) ([]*writer.Manifest, error) {
	for _, in := range st.current.manifest.InputsOf(writer.TakenInput) {
		billed[in.Key] = true
	}
	var runs []*writer.Manifest
	for _, run := range st.earlier {
		in, err := writer.RunInput(writer.TakenInput, run)
		if err != nil {
			return nil, err
		}
		if in.Rows > 0 && !billed[in.Key] {
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// base is the run that a run of the same inputs would repeat: the newest that
// adjusts a closed month, else the current one. It is nil where there is none.
func (st *standing) base() *current {
	if st.adjusted != nil {
		return st.adjusted
	}
	return st.current
}

// version is that of the pointer that a run of the period moves, as it was
// when the run was planned: a commit may replace that one only.
func (st *standing) version() string {
	moves := st.current
	if st.seal != nil {
		moves = st.adjusted
	}
	if moves == nil {
		return ""
	}
	return moves.version
}

// takenInputs and groundInputs are the runs that a run of the period builds
// on, as inputs of its manifest: those of which its statements take in the
// adjustments, and those whose charges it adjusts.
func (st *standing) takenInputs() ([]writer.Input, error) {
	return runInputs(writer.TakenInput, st.taken...)
}

func (st *standing) groundInputs() ([]writer.Input, error) {
	if st.seal == nil {
		return nil, nil
	}
	sealed, err := runInputs(writer.SealedInput, st.current.manifest)
	if err != nil {
		return nil, err
	}
	earlier, err := runInputs(writer.AdjustmentsInput, st.earlier...)
	return append(sealed, earlier...), err
}

func (st *standing) inputs() ([]writer.Input, error) {
	taken, err := st.takenInputs()
	if err != nil {
		return nil, err
	}
	ground, err := st.groundInputs()
	return append(taken, ground...), err
}

func runInputs(table string, runs ...*writer.Manifest) ([]writer.Input, error) {
	var inputs []writer.Input
	for _, run := range runs {
		in, err := writer.RunInput(table, run)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, in)
	}
	return inputs, nil
}

// repair makes a seal whole that a crash has left in half.
func (st *standing) repair(ctx context.Context, job *Job) error {
	if st.seal == nil || st.whole {
		return nil
	}
	if err := probe(ctx, job); err != nil {
		return err
	}
	_, err := writer.SealPeriod(ctx, job.Out, st.period, st.current.pointer, st.current.version)
	return err
}

// Published is the manifest of the run that a run of the plan would repeat; nil
// where there is none.
func (p *Plan) Published() *writer.Manifest {
	if !p.Already {
		return nil
	}
	return p.standing.base().manifest
}

// SealedRun is the run that a closed month was billed by; it is empty where
// the period is open.
func (p *Plan) SealedRun() string { return p.standing.sealedRun() }

// TakesIn are the closed months whose adjustments the statements of the run
// take in, oldest first.
func (p *Plan) TakesIn() []string {
	var months []string
	for _, run := range p.standing.taken {
		months = append(months, run.Period)
	}
	slices.Sort(months)
	return slices.Compact(months)
}

// Waiting are the closed months whose adjustments wait for another month to be
// closed, oldest first.
func (p *Plan) Waiting() []Waiting { return p.standing.waiting }

// Within are the closed months that a period which is no month has days of.
func (p *Plan) Within() []string { return p.standing.within }

func (st *standing) sealedRun() string {
	if st.seal == nil {
		return ""
	}
	return st.seal.Run
}

// result is what a run of the plan has come to.
func (p *Plan) result(key string, m *writer.Manifest, already bool) *Result {
	return &Result{RunID: m.RunID, RunKey: key, Already: already, Manifest: m, Sealed: p.standing.sealedRun(), Waiting: p.standing.waiting, Within: p.standing.within, Against: p.against}
}
