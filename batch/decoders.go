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

// decodersAtFirst is how many are until the first charges are written: as many as
// there are workers, since there is little else to do yet, unless memory would be
// short if it stayed at that.
func (p *Plan) decodersAtFirst(job *Job, infos []reader.FileInfo, of share) int {
	wide := job.Workers
	if of.count > 1 || p.need(job, infos, wide).passes(job.Memory) > 1 {
		return decoders(wide)
	}
	return wide
}

// writesFrom is the index of the first day that makes charges of the run final, so
// that they are written, or that of the last.
func (p *Plan) writesFrom() int {
	for i := range p.days {
		if p.days[i].date >= p.chargesFrom()+finalAfterDays {
			return i
		}
	}
	return len(p.days) - 1
}

// decoderSlots bounds the files that are decoded at once: each takes a slot. Once
// there are charges to write, the slots beyond those of later on are not given
// back: which files share the time follows from when others end, and from nothing
// else.
type decoderSlots struct {
	slots  chan struct{}
	writes <-chan struct{} // closed once there are charges to write

	mu      sync.Mutex
	surplus int // slots that are still to be kept
}

func newDecoderSlots(atFirst, later int, writes <-chan struct{}) *decoderSlots {
	return &decoderSlots{slots: make(chan struct{}, atFirst), writes: writes, surplus: atFirst - later}
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
	case <-s.writes:
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
