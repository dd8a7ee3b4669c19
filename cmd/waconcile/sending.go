package main

import (
	"context"
	"fmt"
)

// sending is one of the ways by which a run tells of itself.
type sending struct {
	what string // it does, such as push metrics
	send func(context.Context) error
}

// sideBySide does all at the same time, and gives what became of each, in their
// order. It returns by the end of ctx: what does not end by then, such as a
// write to a place that no longer answers, is left behind.
func sideBySide(ctx context.Context, all []sending) []error {
	results := make([]chan error, len(all))
	for i, s := range all {
		results[i] = make(chan error, 1)
		go func() { results[i] <- s.send(ctx) }()
	}
	errs := make([]error, len(all))
	for i, s := range all {
		select {
		case errs[i] = <-results[i]:
		case <-ctx.Done():
			errs[i] = atTheEnd(ctx, s.what, results[i])
		}
	}
	return errs
}

// atTheEnd is a result that came by the end of ctx, else that it has ended.
func atTheEnd(ctx context.Context, what string, result <-chan error) error {
	select {
	case err := <-result:
		return err
	default:
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	}
}
