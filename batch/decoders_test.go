package batch

import (
	"context"
	"testing"
	"testing/synctest"
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
