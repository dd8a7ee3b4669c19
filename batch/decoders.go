package batch

import (
	"context"
	"sync"

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

// decoderSlots bounds the files that are decoded at once: each takes a slot. Once
// the first day is done, the slots beyond those of later on are not given back:
// which files share the time follows from when others end, and from nothing else.
type decoderSlots struct {
	slots chan struct{}
	first <-chan struct{} // closed once the first day is done

	mu      sync.Mutex
	surplus int // slots that are still to be kept
}

func newDecoderSlots(atFirst, later int, first <-chan struct{}) *decoderSlots {
	return &decoderSlots{slots: make(chan struct{}, atFirst), first: first, surplus: atFirst - later}
}

// take waits for a slot.
func (s *decoderSlots) take(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// give gives a slot back.
func (s *decoderSlots) give() {
	if !s.kept() {
		<-s.slots
	}
}

func (s *decoderSlots) kept() bool {
	select {
	case <-s.first:
	default:
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.surplus == 0 {
		return false
	}
	s.surplus--
	return true
}
