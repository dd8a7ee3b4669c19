package batch

import "context"

// decoders is how many files are decoded at once. Decoding costs about a
// quarter of what folding and writing cost, and each further file is a day
// that waits in memory.
func decoders(workers int) int { return (workers + 1) / 2 }

// decodersAtFirst is how many are until the first day can be folded: the shards
// have little to do yet, and hold little, unless memory is short.
func (a *attempt) decodersAtFirst() int {
	if a.share.count > 1 {
		return decoders(a.job.Workers)
	}
	return a.job.Workers
}

// decoderSlots bounds the files that are decoded at once: each takes a slot.
type decoderSlots chan struct{}

// take waits for a slot.
func (s decoderSlots) take(ctx context.Context) error {
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s decoderSlots) give() { <-s }

// narrow keeps all but so many slots for itself, as they become free, once the
// first day is done.
func (s decoderSlots) narrow(ctx context.Context, to int, first <-chan struct{}) error {
	select {
	case <-first:
	case <-ctx.Done():
		return ctx.Err()
	}
	for range cap(s) - to {
		if err := s.take(ctx); err != nil {
			return err
		}
	}
	return nil
}
