package writer

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// checkTaken holds that the adjustments which the statements take in are on
// no statement before.
func (v *verifier) checkTaken(ctx context.Context) error {
	taken := v.manifest.InputsOf(TakenInput)
	if len(taken) == 0 {
		return nil
	}
	err := v.findTakenTwice(ctx, taken)
	if err != nil && !errors.Is(err, ErrVerify) {
		return err
	}
	v.check("taken in once", manifestName, err, fmt.Sprintf("%d, each adjusts a closed month, and no month between has billed it", len(taken)))
	return nil
}

// findTakenTwice goes back over the months that the run takes from. All of
// them were closed when it was planned, and so they stand today as they did
// then, but for runs that have adjusted them since.
func (v *verifier) findTakenTwice(ctx context.Context, taken []Input) error {
	oldest := v.manifest.TakesIn()[0]
	billed := map[string]string{} // month by what its sealed run takes in
	for month := MonthBefore(v.manifest.Period); month >= oldest; month = MonthBefore(month) {
		sealed, err := v.sealedRun(ctx, month, oldest)
		if err != nil {
			return err
		}
		if err := v.checkTakenFrom(ctx, month, taken, billed); err != nil {
			return err
		}
		for _, in := range sealed.InputsOf(TakenInput) {
			billed[in.Key] = month
		}
	}
	return nil
}

// sealedRun is the run that a month was billed by.
func (v *verifier) sealedRun(ctx context.Context, month, oldest string) (*Manifest, error) {
	closed, err := readClosing(ctx, v.target, month)
	switch {
	case err != nil:
		return nil, err
	case closed.damage != nil:
		return nil, closed.damage
	case closed.seal == nil:
		return nil, fmt.Errorf("read %s: %w: the month is not closed, and adjustments of %s are taken in", SealKey(month), ErrVerify, oldest)
	}
	_, sealed, _, err := Current(ctx, v.target, month)
	return sealed, err
}

// checkTakenFrom looks at what is taken in from one month: runs that adjust
// it, and that no later month has billed.
func (v *verifier) checkTakenFrom(ctx context.Context, month string, taken []Input, billed map[string]string) error {
	var late *lateRuns
	for _, in := range taken {
		if !strings.HasPrefix(in.Key, RunsPrefix(month)) {
			continue
		}
		if by := billed[in.Key]; by != "" {
			return fmt.Errorf("%s: %w: the run that billed %s takes it in as well", in.Key, ErrVerify, by)
		}
		if late == nil {
			var err error
			if late, err = readLate(ctx, v.target, month); err != nil {
				return err
			}
		}
		switch {
		case late == nil:
			return fmt.Errorf("read %s: %w: it is not there, and %s is taken in", AdjustedKey(month), ErrVerify, in.Key)
		case late.damage != nil:
			return late.damage
		case late.sums[in.Key] != in.Identity:
			return fmt.Errorf("read %s: %w: neither it nor its run names %s with sha256 %s", AdjustedKey(month), ErrVerify, in.Key, in.Identity)
		}
	}
	return nil
}
