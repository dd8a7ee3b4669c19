package batch

import (
	"context"

	"waconcile/reader"
)

// decoders is how many files are decoded at once. Decoding costs about a
// quarter of what folding and writing cost, and each further file is a day
// that waits in memory.
func decoders(workers int) int { return (workers + 1) / 2 }

// decodersAtFirst is how many are until the first day can be folded: as many as
// there are workers, since the shards have little to do yet, unless memory would
// be short if it stayed at that.
func (p *Plan) decodersAtFirst(job *Job, infos []reader.FileInfo, of share) int {
	wide := job.Workers
	if of.count > 1 || p.need(job, infos, wide).passes(job.Memory) > 1 {
		return decoders(wide)
	}
	return wide
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
