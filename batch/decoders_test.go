package batch

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"waconcile/reader"
	"waconcile/reconcile"
)

// Files are decoded in all slots until the first day is done, and in fewer from
// then on, also while all slots are taken.
func TestDecoderSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const wide, narrow = 5, 2
		slots, first := make(decoderSlots, wide), make(chan struct{})
		ended := make(chan error, 1)
		go func() { ended <- slots.narrow(t.Context(), narrow, first) }()
		taken := 0
		go func() {
			for slots.take(t.Context()) == nil {
				taken++
			}
		}()
		waiting := func(want int) {
			t.Helper()
			if synctest.Wait(); taken != want {
				t.Errorf("%d slots were taken, want %d", taken, want)
			}
		}
		waiting(wide)
		slots.give()
		waiting(wide + 1)
		close(first)
		for range 2 * wide { // some go to those that wait, and some are kept
			slots.give()
			synctest.Wait()
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if kept, most := wide-narrow, wide+1+2*wide-(wide-narrow); len(slots) != wide || taken != most {
			t.Errorf("%d slots are taken and kept, want %d; %d were taken beside the %d kept, want %d", len(slots), wide, taken, kept, most)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	full := decoderSlots(make(chan struct{}))
	if full.take(ctx) == nil || full.narrow(ctx, 0, nil) == nil {
		t.Error("nothing ends with its context")
	}
}

// All workers decode at first where that fits the memory in one pass.
func TestDecodersAtFirst(t *testing.T) {
	t.Parallel()
	const rows = 1 << 20                                                               // a day
	p := &Plan{in: &inputs{accounts: testAccountsOf(t)}, Missing: []reconcile.Date{1}} // no states
	var infos []reader.FileInfo
	for d := range 30 {
		p.days = append(p.days, day{date: reconcile.Date(d), files: make([]reader.Object, 1)})
		infos = append(infos, reader.FileInfo{Rows: rows})
	}
	const workers = 8
	job := func(memory int64) *Job { return &Job{Config: Config{Workers: workers, LateDays: 1, Memory: memory}} }
	least := func(decoding int) (memory int64) { // of one pass
		for p.need(job(0), infos, decoding).passes(memory+1) > 1 {
			memory += 1 << 20
		}
		return memory + 1
	}
	narrow, wide := least(decoders(workers)), least(workers)
	if more := wide - narrow; more < int64(workers-decoders(workers))*(decoderBytes+rows*rowBytes) {
		t.Errorf("%d decoders more take %d bytes more", workers-decoders(workers), more)
	}
	for _, tt := range []struct {
		memory int64
		of     share
		want   int
	}{
		{0, everyone(), workers}, {wide, everyone(), workers}, {wide - 1<<20, everyone(), decoders(workers)},
		{narrow, everyone(), decoders(workers)}, {wide, share{0, 2}, decoders(workers)}, {0, share{1, 2}, decoders(workers)},
	} {
		t.Run(fmt.Sprintf("memory=%d,shares=%d", tt.memory, tt.of.count), func(t *testing.T) {
			if got := p.decodersAtFirst(job(tt.memory), infos, tt.of); got != tt.want {
				t.Errorf("%d files at first, want %d", got, tt.want)
			}
		})
	}
}
