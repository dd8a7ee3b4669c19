package writer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// closing is how a month stands.
type closing struct {
	pointer *Pointer // nil: there is none, or it is damaged
	seal    *Seal    // nil: the month is open, or damaged
	whole   bool     // mark and seal are both there
	damage  error    // of pointer or seal, or why they do not belong together
	damaged string   // the key that is at fault
}

// readClosing reads the pointer of a month and then its seal. Where one was
// written between the two they are read again: a month that is closed stays
// as it is.
func readClosing(ctx context.Context, t Target, period string) (*closing, error) {
	for again := true; ; again = false {
		p, _, err := readPointer(ctx, t, PointerKey(period), period)
		if errors.Is(err, ErrVerify) {
			return &closing{damage: err, damaged: PointerKey(period)}, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		seal, whole, err := ReadSeal(ctx, t, period, p)
		switch {
		case again && (errors.Is(err, ErrConflict) || seal != nil && !whole):
		case errors.Is(err, ErrVerify):
			return &closing{pointer: p, damage: err, damaged: SealKey(period)}, nil
		default:
			return &closing{pointer: p, seal: seal, whole: whole}, err
		}
	}
}

// lateRuns are the runs that adjust a closed month.
type lateRuns struct {
	newest *Manifest
	sums   map[string]string // sha256 of the manifests of all of them, by key
	damage error             // of the pointer to the newest, or of that run
}

// readLate is nil where nothing has been adjusted.
func readLate(ctx context.Context, t Target, period string) (*lateRuns, error) {
	p, newest, _, err := Adjusted(ctx, t, period)
	switch {
	case errors.Is(err, ErrVerify):
		return &lateRuns{damage: err}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	late := &lateRuns{newest: newest, sums: map[string]string{p.Run + manifestName: p.ManifestSHA256}}
	for _, in := range newest.InputsOf(AdjustmentsInput) {
		late.sums[in.Key] = in.Identity
	}
	return late, nil
}

// checkClosing looks at what closes the run's month, and at what has adjusted
// it since. The latter is read first: the seal was there before it, and so a
// month that is closed and adjusted meanwhile does not look open and adjusted.
func (v *verifier) checkClosing(ctx context.Context) error {
	period := v.manifest.Period
	if !IsMonth(period) {
		return nil
	}
	late, err := readLate(ctx, v.target, period)
	if err != nil {
		return err
	}
	closed, err := readClosing(ctx, v.target, period)
	if err != nil {
		return err
	}
	if counts, err := v.counts(ctx, closed); err != nil || !counts {
		return err
	}
	v.checkSeal(closed, late)
	return v.checkLate(ctx, late, closed)
}

// counts says whether the run is the one that its month counts by, or adjusts
// it. How the month stands is nothing against any other.
func (v *verifier) counts(ctx context.Context, closed *closing) (bool, error) {
	switch {
	case v.manifest.Adjusts(), closed.pointer != nil && closed.pointer.Run == v.run:
		return true, nil
	case closed.damage == nil:
		return false, nil
	}
	seal, err := readSeal(ctx, v.target, v.manifest.Period)
	if err != nil && !errors.Is(err, ErrVerify) {
		return false, err
	}
	return seal != nil && seal.Run == v.run, nil
}

// checkBeside adds a check of an object that is no part of the run.
func (v *verifier) checkBeside(name, key string, problem error, detail string) {
	v.check(name, "", problem, detail)
	v.checks[len(v.checks)-1].Key = key
}

// checkSeal says nothing of a month that is open.
func (v *verifier) checkSeal(closed *closing, late *lateRuns) {
	const name = "seal"
	if closed.damage != nil {
		v.checkBeside(name, closed.damaged, closed.damage, "")
		return
	}
	problem := closed.checkAdjusts(v.manifest)
	if problem == nil && closed.seal == nil {
		return
	}
	if problem == nil && !closed.whole {
		if key, lost := closed.lost(v.manifest.Period, late); lost != nil {
			v.checkBeside(name, key, lost, "")
			return
		}
	}
	detail := "names the run that the month was billed by"
	if !closed.whole {
		detail = "the month is closed, and has no seal yet; closing it again makes it whole"
	}
	v.checkBeside(name, SealKey(v.manifest.Period), problem, detail)
}

// lost tells what a crash has not left where only one of pointer and seal
// closes the month: the mark on the pointer is made first, and whoever adjusts
// the month makes both whole before.
func (c *closing) lost(period string, late *lateRuns) (key string, problem error) {
	switch {
	case !c.pointer.Sealed:
		return PointerKey(period), fmt.Errorf("%s closes the month, and the pointer has no mark", SealKey(period))
	case late != nil:
		return SealKey(period), errors.New("it is not there, and the month has been adjusted")
	}
	return "", nil
}

// checkAdjusts holds what a run adjusts against what was sealed.
func (c *closing) checkAdjusts(m *Manifest) error {
	for _, in := range m.InputsOf(SealedInput) {
		if c.seal == nil {
			return fmt.Errorf("%s adjusts %s, and the month is not closed", m.RunKey(), in.Key)
		}
		if in.Key != c.seal.Run+manifestName || in.Identity != c.seal.ManifestSHA256 {
			return fmt.Errorf("%s adjusts %s of sha256 %s, and the month is closed by %s", m.RunKey(), in.Key, in.Identity, c.seal)
		}
	}
	return nil
}

// checkLate says nothing of a month that nothing has adjusted.
func (v *verifier) checkLate(ctx context.Context, late *lateRuns, closed *closing) error {
	if late == nil {
		return nil
	}
	problem := late.damage
	if problem == nil {
		problem = late.check(ctx, v.target, closed)
	}
	if problem != nil && !errors.Is(problem, ErrVerify) {
		return problem
	}
	detail := ""
	if problem == nil {
		detail = fmt.Sprintf("names %s, the newest that adjusts the month; %d in all", late.newest.RunKey(), len(late.sums))
		if _, named := late.sums[v.run+manifestName]; !named && v.manifest.Adjusts() {
			detail += "; this run is none of them: another was first"
		}
	}
	v.checkBeside("adjusted pointer", AdjustedKey(v.manifest.Period), problem, detail)
	return nil
}

// check looks for all runs that adjust a month, each as the newest names it.
// What closes the month is left out where it is damaged.
func (l *lateRuns) check(ctx context.Context, t Target, closed *closing) error {
	runs := []*Manifest{l.newest}
	for _, in := range l.newest.InputsOf(AdjustmentsInput) {
		run, err := ReadRunInput(ctx, t, in)
		if err != nil {
			return err
		}
		if !run.Adjusts() {
			return fmt.Errorf("read %s: %w: the run adjusts nothing, and %s names it", in.Key, ErrVerify, l.newest.RunKey())
		}
		runs = append(runs, run)
	}
	if closed.damage != nil {
		return nil
	}
	for _, run := range runs {
		if err := closed.checkAdjusts(run); err != nil {
			return fmt.Errorf("%w: %w", ErrVerify, err)
		}
	}
	return nil
}
