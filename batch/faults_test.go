package batch

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"

	"waconcile/reader"
	"waconcile/writer"
	"waconcile/writer/s3test"
)

var (
	faultSeeds = flag.Int("faults.seeds", storiesInCI(), "number of stories that are played on a store with faults")
	faultSeed  = flag.Int64("faults.seed", -1, "play this story only, and show its history")
)

// storiesInCI is how many stories are played where no flag says otherwise.
func storiesInCI() int {
	if withDetector {
		return 40
	}
	return 300
}

// TestFaults plays stories: runs of one period, several at once and again and
// again, over a store and a network that fail by seed, while inputs change.
// Then the faults end, each command runs once more, and the history is
// checked. A story follows from its seed:
//
//	go test ./batch -run TestFaults -faults.seed 17
func TestFaults(t *testing.T) {
	t.Parallel()
	want := []string{"end: published", "end: already published", "end: conflict", "end: input changed", "started from a checkpoint"}
	for _, f := range s3test.Faults() {
		want = append(want, "fault: "+string(f))
	}
	playAll(t, newStory, *faultSeeds, append(want,
		"end: outcome unknown", "end: stopped", "end: reading failed", "end: writing failed"))
}

// TestFaultsClosing plays stories of a month that is closed while it is run,
// and adjusted afterwards; for each ten of TestFaults one.
func TestFaultsClosing(t *testing.T) {
	t.Parallel()
	playAll(t, newClosing, *faultSeeds/10, []string{
		"end: closed", "end: already closed", "end: nothing to close", "end: adjusted", "end: conflict",
	})
}

// TestFaultsCollecting plays stories in which runs are stopped, and what they
// leave is collected while they are begun again; for each ten of TestFaults one.
func TestFaultsCollecting(t *testing.T) {
	t.Parallel()
	playAll(t, newCollecting, *faultSeeds/10, []string{"end: collected", "removals", "tombstones"})
}

// playAll plays and checks stories. Where there are as many as in CI, what is
// wanted must have happened in some of them.
func playAll(t *testing.T, tell func(seed uint64) *story, seeds int, want []string) {
	first := uint64(0)
	if *faultSeed >= 0 {
		first, seeds, want = uint64(*faultSeed), 1, nil
	}
	if *faultSeeds < 300 {
		want = nil
	}
	oracle := newOracle()
	var seen coverage
	t.Run("stories", func(t *testing.T) {
		for seed := first; seed < first+uint64(seeds); seed++ {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				rec := tell(seed).play(t)
				problems := rec.check(t, oracle)
				for _, p := range problems {
					t.Error(p)
				}
				if len(problems) > 0 || *faultSeed >= 0 {
					rec.show(t)
				}
				seen.add(rec)
			})
		}
	})
	seen.report(t, want)
}

// TestFaultsReplay holds that a seed stands for one history: every call in its
// order and at its time.
func TestFaultsReplay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			one, two := newStory(seed).play(t), newStory(seed).play(t)
			for i := range max(len(one.history), len(two.history)) {
				if i >= len(one.history) || i >= len(two.history) {
					t.Fatalf("histories of %d and %d events", len(one.history), len(two.history))
				}
				if a, b := one.history[i].String(), two.history[i].String(); a != b {
					t.Fatalf("event %d of %d: %s and %s", i, len(one.history), a, b)
				}
			}
		})
	}
}

// coverage counts what the stories of a test came to, so that a check which
// nothing reaches is noticed.
type coverage struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *coverage) add(rec *record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	for _, e := range rec.history {
		c.counts["calls"]++
		if e.Fault != s3test.NoFault {
			c.counts["fault: "+string(e.Fault)]++
		}
	}
	for _, e := range rec.history {
		if e.Changed() && e.Op == s3test.DeleteObject {
			c.counts["removals"]++
		}
		if e.Changed() && rec.isTombstone(e.After) {
			c.counts["tombstones"]++
		}
	}
	for _, try := range rec.tries {
		c.counts["runs"]++
		c.counts["end: "+outcomeName(try)]++
		if try.err == nil && try.result != nil && !try.result.Already && try.result.Manifest.Checkpoint != nil {
			c.counts["started from a checkpoint"]++
		}
	}
	for _, moves := range rec.pointerMoves() {
		c.counts["pointer moves"] += len(moves)
	}
}

// outcomeName is the class of a try's end.
func outcomeName(try *try) string {
	switch {
	case try.command.kind == collect && try.err == nil:
		return "collected"
	case try.closed != nil && try.closed.Already:
		return "already closed"
	case try.closed != nil:
		return "closed"
	case try.result != nil && try.err == nil && try.result.Already:
		return "already published"
	case try.result != nil && try.err == nil && try.result.Manifest.Adjusts():
		return "adjusted"
	case try.err == nil:
		return "published"
	}
	for _, class := range outcomeClasses() {
		if errors.Is(try.err, class.err) {
			return class.name
		}
	}
	return "unknown error"
}

type outcomeClass struct {
	name string
	err  error
}

// outcomeClasses are the errors that a store with faults may end a run with,
// in the order in which the command looks for them.
func outcomeClasses() []outcomeClass {
	return []outcomeClass{
		{"outcome unknown", writer.ErrOutcomeUnknown},
		{"stopped", errStopped},
		{"stopped", context.Canceled}, // the command knows why
		{"conflict", writer.ErrConflict},
		{"input changed", reader.ErrChanged},
		{"reading failed", reader.ErrStore},
		{"writing failed", writer.ErrStore},
		{"nothing to close", ErrUnpublished},
	}
}

// report logs the counts, of which those that are wanted must not be zero.
func (c *coverage) report(t *testing.T, want []string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, name := range sortedKeys(c.counts) {
		lines = append(lines, fmt.Sprintf("%s %d", name, c.counts[name]))
	}
	t.Log(strings.Join(lines, ", "))
	for _, name := range want {
		if c.counts[name] == 0 {
			t.Errorf("no story had %s", name)
		}
	}
}
