package batch

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/reader"
	"waconcile/writer"
	"waconcile/writer/s3test"
)

var (
	faultSeeds = flag.Int("faults.seeds", 300, "number of stories that are played on a store with faults")
	faultSeed  = flag.Int64("faults.seed", -1, "play this story only, and show its history")
)

// TestFaults plays stories: runs of one period, several at once and again and
// again, over a store and a network that fail by seed, while inputs change.
// Then the faults end, each command runs once more, and the history is
// checked. A story follows from its seed:
//
//	go test ./batch -run TestFaults -faults.seed 17
func TestFaults(t *testing.T) {
	t.Parallel()
	seeds := make([]uint64, *faultSeeds)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	if *faultSeed >= 0 {
		seeds = []uint64{uint64(*faultSeed)}
	}
	oracle := newOracle()
	var seen coverage
	t.Run("stories", func(t *testing.T) {
		for _, seed := range seeds {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				rec := newStory(seed).play(t)
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
	seen.report(t, len(seeds) >= 300)
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
	for _, try := range rec.tries {
		c.counts["runs"]++
		c.counts["end: "+outcomeName(try)]++
	}
	for _, moves := range rec.pointerMoves() {
		c.counts["pointer moves"] += len(moves)
	}
}

// outcomeName is the class of a try's end.
func outcomeName(try *try) string {
	if try.err == nil {
		if try.result.Already {
			return "already published"
		}
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
	}
}

// report logs the counts. Where there were enough stories, each fault and each
// end must be among them.
func (c *coverage) report(t *testing.T, all bool) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(c.counts)) {
		lines = append(lines, fmt.Sprintf("%s %d", name, c.counts[name]))
	}
	t.Log(strings.Join(lines, ", "))
	if !all {
		return
	}
	want := []string{"end: published", "end: already published"}
	for _, f := range s3test.Faults() {
		want = append(want, "fault: "+string(f))
	}
	for _, class := range outcomeClasses() {
		want = append(want, "end: "+class.name)
	}
	for _, name := range want {
		if c.counts[name] == 0 {
			t.Errorf("no story had %s", name)
		}
	}
}
