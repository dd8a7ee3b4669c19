package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

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
}

// readStanding finds out how a period stands. Only a whole month can be
// closed, and only its statements take in adjustments of closed ones.
func readStanding(ctx context.Context, out writer.Target, period string) (*standing, error) {
	st := &standing{period: period}
	var err error
	if st.current, err = pointedRun(writer.Current(ctx, out, period)); err != nil || !writer.IsMonth(period) {
		return st, err
	}
	if err := st.readSeal(ctx, out); err != nil {
		return nil, err
	}
	if st.seal == nil {
		st.taken, err = openTaken(ctx, out, period)
		return st, err
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

// openTaken are the runs whose adjustments the statements of an open month
// take in: those of the closed months right before it, back to the first that
// is not closed, without those that a closed month's statements have taken in
// already. So each is billed once, by the month that closes first.
func openTaken(ctx context.Context, out writer.Target, month string) ([]*writer.Manifest, error) {
	var taken []*writer.Manifest
	billed := map[string]bool{} // keys of manifests
	for m := monthBefore(month); m != ""; m = monthBefore(m) {
		st := &standing{period: m}
		var err error
		if st.current, err = pointedRun(writer.Current(ctx, out, m)); err != nil {
			return nil, err
		}
		if err := st.readSeal(ctx, out); err != nil {
			return nil, err
		}
		if st.seal == nil {
			return taken, nil
		}
		if err := st.readAdjusting(ctx, out); err != nil {
			return nil, err
		}
		for _, in := range st.current.manifest.InputsOf(writer.TakenInput) {
			billed[in.Key] = true
		}
		for _, run := range st.earlier {
			if in, err := writer.RunInput(writer.TakenInput, run); err != nil {
				return nil, err
			} else if !billed[in.Key] {
				taken = append(taken, run)
			}
		}
	}
	return taken, nil
}

// monthBefore is empty where there is none.
func monthBefore(month string) string {
	var year, number int
	if _, err := fmt.Sscanf(month, "%4d-%2d", &year, &number); err != nil {
		return ""
	}
	if number--; number == 0 {
		year, number = year-1, 12
	}
	if year < 1 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", year, number)
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

func (st *standing) sealedRun() string {
	if st.seal == nil {
		return ""
	}
	return st.seal.Run
}

// result is what a run of the plan has come to.
func (p *Plan) result(key string, m *writer.Manifest, already bool) *Result {
	return &Result{RunID: m.RunID, RunKey: key, Already: already, Manifest: m, Sealed: p.standing.sealedRun()}
}
