package batch

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"waconcile/batch/checkpoint"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer/writertest"
)

// A checkpoint that was made from fewer days than a run would read back to is
// refused where there is data before them; the chain of the test would go on
// in another step.
func TestCheckpointOfShorterLookback(t *testing.T) {
	t.Parallel()
	exports := plainDays(t, "2024-06-20", "2024-07-12")
	addChain(t, exports, "2024-06-21", "2024-07-08")
	for _, c := range []struct {
		then, now int // days of looking back
		refused   bool
	}{{3, 12, true}, {3, 5, true}, {3, 4, false}, {12, 12, false}, {12, 3, false}, {13, 14, false}, {16, 30, false}} {
		t.Run(fmt.Sprintf("lookback=%d,then=%d", c.now, c.then), func(t *testing.T) {
			t.Parallel()
			for day := 3; day < 7; day++ {
				out := &writertest.Mem{}
				before, j := utcJob(t, day-1, exports, out), utcJob(t, day, exports, out)
				before.LookbackDays, j.LookbackDays = c.then, c.now
				root := before.Period.From - reconcile.Date(c.then)
				mustRun(t, before)
				if c.refused {
					checkRefused(t, j, fmt.Sprintf("its data begins on %s, and this run would read back to %s", root, j.Period.From-reconcile.Date(c.now)))
					continue
				}
				alone := j
				alone.Out, alone.LookbackDays = &writertest.Mem{}, c.then+1 // from the same day on
				got, want := mustRun(t, j), mustRun(t, alone)
				if startOf(got) == "" {
					t.Errorf("day %d read back to %s", day, got.Manifest.DaysRead[0])
				}
				if diff := tablesDiffer(t.Context(), tablesOf(t, alone.Out.(*writertest.Mem), want.RunKey), tablesOf(t, out, got.RunKey)); diff != "" {
					t.Errorf("tables of day %d (-without checkpoints +with):\n%s", day, diff)
				}
			}
		})
	}
}

// An account that is newly on basis delivered makes a run read back for its
// deliveries; a checkpoint from before does not know its messages.
func TestCheckpointBeforeAccountOnDelivered(t *testing.T) {
	t.Parallel()
	exports, out := plainDays(t, "2024-05-20", "2024-07-12"), &writertest.Mem{}
	r := templateAt("m", hour(t, "2024-06-20", 10))
	r.Account, r.Status, r.DeliveredAt = "milan", "delivered", hour(t, "2024-07-05", 1)
	addRows(t, exports, "dt=2024-06-20/milan.parquet", r)
	mustRun(t, utcJob(t, 4, exports, out))
	j := utcJob(t, 5, exports, out)
	j.Accounts = tableSource(utcAccounts + "milan,Milano,small,conversation,delivered,UTC,0.22,,,\n")
	checkRefused(t, j, "its data begins on 2024-07-01, and this run would read back to 2024-06-05")
	summary := string(out.Objects()[mustRun(t, j).RunKey+"summary.csv"])
	if !strings.Contains(summary, "milan") {
		t.Errorf("the message that arrived on the day is not charged:\n%s", summary)
	}
}

// Of several checkpoints of a day, the one whose data begins first is taken,
// whatever their hashes.
func TestCheckpointOfOldestRoot(t *testing.T) {
	t.Parallel()
	firstByHash := 0
	for variant := range 6 {
		exports, out := plainDays(t, "2024-06-20", "2024-07-12"), &writertest.Mem{}
		addRows(t, exports, "dt=2024-06-29/variant.parquet", templateAt(fmt.Sprint("variant ", variant), hour(t, "2024-06-29", 1)))
		long := utcJob(t, 4, exports, out)
		long.Period.From = mustDate(t, "2024-06-26")
		mustRun(t, utcJob(t, 4, exports, out))
		mustRun(t, long)
		keys, err := checkpoint.Find(t.Context(), out, mustDate(t, "2024-07-05"), mustDate(t, "2024-07-05"))
		if err != nil || len(keys) != 2 {
			t.Fatalf("checkpoints %v of 2024-07-05, %v; want two", keys, err)
		}
		start := startOf(mustRun(t, utcJob(t, 5, exports, out)))
		h, err := checkpoint.ReadHeader(t.Context(), out, start)
		if err != nil {
			t.Fatal(err)
		}
		if root := h.Root().String(); root != "2024-06-23" {
			t.Errorf("variant %d started from data of %s on, want 2024-06-23", variant, root)
		}
		if start == keys[0] {
			firstByHash++
		}
	}
	if firstByHash == 0 || firstByHash == 6 {
		t.Errorf("%d of 6 were the first by their hash: the test tells nothing", firstByHash)
	}
}

// A checkpoint from before the days that a run would read back is refused
// where days are missing between, and taken where none is.
func TestCheckpointBeyondMissingDays(t *testing.T) {
	t.Parallel()
	exports, out := plainDays(t, "2024-06-20", "2024-07-12"), &writertest.Mem{}
	mustRun(t, utcJob(t, 1, exports, out))
	j := utcJob(t, 10, exports, out)
	plan, err := NewPlan(t.Context(), j)
	if err != nil || !strings.HasPrefix(plan.Checkpoint(), "checkpoints/2024-07-02/") {
		t.Errorf("starts from %q, %v; want the checkpoint of 2024-07-02", plan.Checkpoint(), err)
	}
	exports.Remove("dt=2024-07-04/plain.parquet")
	checkRefused(t, j, "days are missing between it and 2024-07-07")
}

// A run that would not read back at all refuses a checkpoint as others do: for
// what changed in the days before, and for its settings.
func TestCheckpointWithoutLookback(t *testing.T) {
	t.Parallel()
	for reason, change := range map[string]func(j *Job, exports *readertest.Mem){
		"the objects of 2024-07-03": func(_ *Job, exports *readertest.Mem) { replaceExport(t, exports, "dt=2024-07-03/plain.parquet") },
		"DeliveryDays:29":           func(j *Job, _ *readertest.Mem) { j.DeliveryDays = 29 },
	} {
		exports, out := plainDays(t, "2024-06-20", "2024-07-12"), &writertest.Mem{}
		mustRun(t, utcJob(t, 4, exports, out))
		j := utcJob(t, 5, exports, out)
		j.LookbackDays = 0
		if plan, err := NewPlan(t.Context(), j); err != nil || plan.Checkpoint() == "" {
			t.Errorf("starts from %q, %v; want a checkpoint before anything changed", plan.Checkpoint(), err)
		}
		change(&j, exports)
		checkRefused(t, j, reason)
	}
}

// An object with other bytes is another, though its key and its size are the same.
func TestCheckpointOfOtherBytes(t *testing.T) {
	t.Parallel()
	const key = "dt=2024-07-03/m.parquet"
	exports, out := plainDays(t, "2024-06-20", "2024-07-12"), &writertest.Mem{}
	addRows(t, exports, key, templateAt("m1", hour(t, "2024-07-03", 1)))
	before := bytesOf(t, exports, key)
	mustRun(t, utcJob(t, 4, exports, out))
	addRows(t, exports, key, templateAt("m2", hour(t, "2024-07-03", 1)))
	if after := bytesOf(t, exports, key); len(after) != len(before) || bytes.Equal(after, before) {
		t.Fatalf("%d bytes, and %d before: want as many, and others", len(after), len(before))
	}
	checkRefused(t, utcJob(t, 5, exports, out), "the objects of 2024-07-03 are not those that it was made from")
}
