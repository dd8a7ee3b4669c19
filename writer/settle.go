package writer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// finding is what is there after a step of the commit that gave an error.
type finding int

const (
	unchanged finding = iota // what was there before the step
	ours                     // what the step was to write
	anothers                 // something else
)

// pauses are what a step waits before it is tried again. S3 answers 409 where
// two conditional writes of a key meet, and 503 where it is asked too often.
func pauses() []time.Duration {
	return []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond}
}

// settle takes one step of the commit. No answer of put but success is
// believed: look says what is there, and with "anothers" in words what that
// is; an error of look means that nobody knows. As long as nothing has changed
// the step is tried again, a few times: should the first try arrive late, the
// next is refused and finds what is ours.
func settle(ctx context.Context, step string, put func() error, look func(context.Context) (finding, error)) error {
	for again := pauses(); ; again = again[1:] {
		err := put()
		if err == nil {
			return nil
		}
		found, lookErr := afterwards(ctx, look)
		switch {
		case found == ours:
			return nil
		case found == anothers:
			return fmt.Errorf("%s: %w: %w", step, ErrConflict, lookErr)
		case lookErr != nil:
			// Neither is matched: which of them happened last is not known.
			return fmt.Errorf("%s: %w: %v; reading back: %v", step, ErrOutcomeUnknown, err, lookErr)
		case len(again) == 0 || pause(ctx, again[0]) != nil:
			return notTaken(ctx, step, err)
		}
	}
}

// notTaken is the error of a step that did not take place. A conflict of which
// nothing is to be seen is none: no other run was first.
func notTaken(ctx context.Context, step string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", step, context.Cause(ctx))
	case errors.Is(err, ErrConflict):
		return fmt.Errorf("%s: %w: it is refused as if another writer were first, and nothing has changed there", step, ErrStore)
	}
	return fmt.Errorf("%s: %w", step, err)
}

// pause returns early, and with an error, when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}

// readBackTimeout bounds the question what is there after a failed step.
const readBackTimeout = 30 * time.Second

// afterwards looks even if ctx has ended: a run that is stopped at the last
// step still has to know whether it took place.
func afterwards(ctx context.Context, look func(context.Context) (finding, error)) (finding, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackTimeout)
	defer cancel()
	return look(ctx)
}
