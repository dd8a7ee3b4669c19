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
	buried                   // a tombstone
)

// pauses are what a step waits before it is tried again. S3 answers 409 where
// two conditional writes of a key meet, and 503 where it is asked too often.
func pauses() []time.Duration {
	return []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond}
}

// settle takes one step of the commit, or none where ctx has ended before. Once
// it has begun, the end of ctx stops no request that may already be with the
// store; each has a time-out of its own. No answer of put but success is
// believed: look says what is there, and with "anothers" in words what that
// is; an error of look means that nobody knows. As long as nothing has changed
// the step is tried again, a few times: should the first try arrive late, the
// next is refused and finds what is ours. Where in the end nothing has changed
// and a try had no answer, it may still arrive, and nobody knows either.
func settle(ctx context.Context, step string, put func(context.Context) error, look func(context.Context) (finding, error)) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", step, context.Cause(ctx))
	}
	var silent error
	for again := pauses(); ; again = again[1:] {
		err := bounded(ctx, put)
		if err == nil {
			return nil
		}
		if _, is := errors.AsType[unanswered](err); is {
			silent = err
		}
		var found finding
		lookErr := bounded(ctx, func(ctx context.Context) (err error) {
			found, err = look(ctx)
			return err
		})
		switch {
		case found == ours:
			return nil
		case found == anothers:
			return fmt.Errorf("%s: %w: %w", step, ErrConflict, lookErr)
		case found == buried:
			return fmt.Errorf("%s: %w: %w", step, ErrStore, ErrRemoving)
		case lookErr != nil:
			// Neither is matched: which of them happened last is not known.
			return fmt.Errorf("%s: %w: %v; reading back: %v", step, ErrOutcomeUnknown, err, lookErr)
		case len(again) > 0 && pause(ctx, again[0]) == nil:
		case silent != nil:
			return fmt.Errorf("%s: %w: %v; nothing has changed there yet", step, ErrOutcomeUnknown, silent)
		default:
			return notTaken(ctx, step, err)
		}
	}
}

// unanswered is the error of a write that may be with its store, which has
// said nothing of it. A directory always answers.
type unanswered struct{ error }

func (e unanswered) Unwrap() error { return e.error }

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

// stepTimeout bounds a request of the commit, be it a write or the question
// what is there after one that failed.
const stepTimeout = 30 * time.Second

// bounded asks even if ctx ends meanwhile: a run that is stopped at the last
// step still has to know whether it took place.
func bounded(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), stepTimeout, errNoAnswer)
	defer cancel()
	return ask(ctx)
}

var errNoAnswer = fmt.Errorf("%w: no answer within %s", ErrStore, stepTimeout)
