package batch

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"waconcile/writer"
	"waconcile/writer/s3test"
)

// A month that is run and closed between a run's look at its pointer and at
// its seal is another's victory, not damage.
func TestClosedBetweenPointerAndSeal(t *testing.T) {
	t.Parallel()
	warmUp(t)
	temp := t.TempDir()
	for _, before := range []bool{false, true} { // whether anything was published before
		synctest.Test(t, func(t *testing.T) {
			m := wholeMonth(0)
			store := &s3test.Store{}
			for _, key := range sortedKeys(m.inputs) {
				store.Put(key, m.inputs[key])
			}
			job := func(client string, hold func(s3test.Call) time.Duration) Job {
				n := &s3test.Network{Store: store, Client: client, Plan: &s3test.Plan{Seed: 1, Hold: hold}}
				return faultJob(t, n, m.period(), command{lateDays: 1, workers: 1}, temp)
			}
			if before {
				if _, err := Run(t.Context(), job("before", nil)); err != nil {
					t.Fatal(err)
				}
			}
			late := make(chan error)
			go func() {
				_, err := Run(t.Context(), job("late", func(c s3test.Call) time.Duration {
					if c.Op == s3test.GetObject && isSeal(c.Key) {
						return time.Hour
					}
					return 0
				}))
				late <- err
			}()
			time.Sleep(time.Minute)
			store.Put(m.last.key, m.last.data)
			winner := job("winner", nil)
			if _, err := Run(t.Context(), winner); err != nil {
				t.Error(err)
			}
			if _, err := Close(t.Context(), Closing{Period: winner.Period, Out: winner.Out}); err != nil {
				t.Error(err)
			}
			if err := <-late; !errors.Is(err, writer.ErrConflict) || errors.Is(err, writer.ErrVerify) {
				t.Errorf("published before %v: %v, want ErrConflict", before, err)
			}
		})
	}
}
