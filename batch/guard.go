package batch

import (
	"errors"
	"runtime/metrics"
)

// guard gives a pass up that turns out not to fit the memory: the estimate
// knows how many rows there are, and not what is in them. The pass is then
// done in halves.
type guard struct {
	share share
	tight func(share) bool // of tests
	limit uint64           // of the live heap
	own   uint64           // what the pass must have of it at the least: halves of less would not help
	begun uint64           // the live heap before the pass
}

// errTight is the end of such a pass.
var errTight = errors.New("memory is short")

// A pass is given up where the live heap is more than tightNumerator of
// tightDenominator of the memory, and the pass itself has more than a quarter
// and more than what every pass has.
const (
	tightNumerator   = 7
	tightDenominator = 10
	ownDenominator   = 4
)

// newGuard makes a guard of a pass that is about to begin; nil where there is
// no limit, or nothing to be split any further.
func (r *run) newGuard(of share) *guard {
	memory := uint64(r.job.Memory)
	switch {
	case r.job.tight != nil:
		return &guard{share: of, tight: r.job.tight}
	case memory == 0 || of.count > passesMax/2:
		return nil
	}
	fixed := uint64(r.plan.need(r.job, r.infos, decoders(r.job.Workers)).fixed)
	return &guard{limit: memory / tightDenominator * tightNumerator, own: max(memory/ownDenominator, fixed), begun: liveHeap()}
}

// check is asked for every block of rows.
func (g *guard) check() error {
	switch {
	case g == nil:
		return nil
	case g.tight != nil:
		if g.tight(g.share) {
			return errTight
		}
		return nil
	}
	if live := liveHeap(); live > g.limit && live > g.begun+g.own {
		return errTight
	}
	return nil
}

// liveHeap is the bytes of the heap that the last garbage collection found in
// use.
func liveHeap() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}
