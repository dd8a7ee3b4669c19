package batch

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer/writertest"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
)

// inPasses makes a job take so many passes, and read the state that it starts
// from for each of them.
func inPasses(j *Job, n int) {
	j.passes, j.Memory = n, 1
	j.tight = func(share) bool { return false }
}

// bytesAgree compares all that two runs or more have written.
func bytesAgree(t *testing.T, what string, want, got *writertest.Mem) {
	t.Helper()
	w, g := want.Objects(), got.Objects()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(w)), slices.Sorted(maps.Keys(g))); diff != "" {
		t.Fatalf("%s: objects (-one pass +several):\n%s", what, diff)
	}
	for key := range w {
		if !bytes.Equal(w[key], g[key]) {
			t.Errorf("%s: %s differs", what, key)
		}
	}
}

// manyContacts gives messages to many contacts, of which some are no numbers;
// all rows of a message to the same.
func (c *crowd) manyContacts() {
	for _, rows := range c.rows {
		for i := range rows {
			n := xxhash.Sum64String(rows[i].MessageID) % 60
			rows[i].Contact = fmt.Sprintf("+39333000%04d", n)
			if n%10 == 0 {
				rows[i].Contact = fmt.Sprintf("user.%d", n)
			}
		}
	}
}

// Whatever the passes, every object comes out the same: charges, all other
// tables, the report, the manifest and the checkpoints, of runs that read back
// and of such as start from a checkpoint, with late rows, messages with rows on
// different days, rejects and invoices.
func TestPassesChangeNothing(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-25")
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			c := newCrowd(300+seed, first, 17)
			c.late, c.quiet = []reconcile.Date{-1, 1, 2}[seed%3], seed == 4
			c.fill(1000)
			if seed%2 == 0 {
				c.manyContacts()
			}
			if seed%3 > 0 {
				c.prepay(12)
			}
			exports := c.exports(t, rand.New(rand.NewPCG(seed, 2)), 2, 50)
			want := threePeriods(t, exports, c, func(*Job) {})
			for _, passes := range []int{2, 3, 7} {
				got := threePeriods(t, exports, c, func(j *Job) {
					j.Workers = 1 + passes%4
					inPasses(j, passes)
				})
				bytesAgree(t, fmt.Sprint(passes, " passes"), want, got)
			}
		})
	}
}

// threePeriods runs a period and two after it, which start from checkpoints
// where there are any.
func threePeriods(t *testing.T, exports *readertest.Mem, c *crowd, how func(*Job)) *writertest.Mem {
	t.Helper()
	out := &writertest.Mem{}
	started := 0
	for _, period := range []string{"2024-07-01..2024-07-02", "2024-07-03", "2024-07-04..2024-07-06"} {
		j, _ := testJob(t, exports, period)
		j.Out, j.Invoices = out, tableSource(historyInvoices)
		if c.recharges != "" {
			j.Rates, j.Recharges = tableSource(testRates+prepaidRates), tableSource(c.recharges)
		}
		if c.late > 1 {
			j.LateDays = int(c.late)
		}
		how(&j)
		if mustRun(t, j).Manifest.Checkpoint != nil {
			started++
		}
	}
	if c.late >= 0 && started == 0 {
		t.Fatal("no run started from a checkpoint")
	}
	return out
}

// A pass that does not fit the memory is done again in halves, and what the
// passes before it came to stays.
func TestPassesInHalves(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-25")
	c := newCrowd(5, first, 17)
	c.fill(1000)
	c.manyContacts()
	exports := c.exports(t, rand.New(rand.NewPCG(5, 2)), 2, 50)
	want := threePeriods(t, exports, c, func(*Job) {})
	var given atomic.Int64
	got := threePeriods(t, exports, c, func(j *Job) {
		var blocks atomic.Int64
		j.tight = func(s share) bool {
			if blocks.Add(1)%5 != 0 || s.count > 8 || s.count > 2 && s.index%3 == 0 {
				return false
			}
			given.Add(1)
			return true
		}
	})
	bytesAgree(t, "halves", want, got)
	if given.Load() < 9 {
		t.Errorf("%d passes were given up, want more", given.Load())
	}
}

// Every contact is in one share of any split and in one half of it, and a
// share's contacts spread over its shards.
func TestShares(t *testing.T) {
	t.Parallel()
	const shards, contacts = 4, 10000
	for _, n := range []int{1, 2, 3, 7, 256} {
		seen := make([][shards]int, n)
		for i := range contacts {
			contact, ok := reconcile.PhoneContact(fmt.Appendf(nil, "39333%07d", i))
			if i%2 == 0 {
				contact, ok = reconcile.OpaqueContact(reconcile.Name(i)), true
			}
			if !ok {
				t.Fatal("no phone number")
			}
			in := 0
			for k, s := range sharesOf(n) {
				shard, has := s.shardOf(contact, shards)
				if has != s.has(contact) {
					t.Fatal("shardOf and has disagree")
				}
				if has {
					in++
					seen[k][shard]++
				}
				if h := s.halves(); has != (h[0].has(contact) != h[1].has(contact)) || h[0].has(contact) && h[1].has(contact) {
					t.Fatalf("contact %d of share %d of %d: %v in its halves", i, k, n, has)
				}
			}
			if in != 1 {
				t.Fatalf("contact %d is in %d of %d shares", i, in, n)
			}
		}
		for k, shards := range seen {
			for shard, got := range shards {
				if even := contacts / n / len(shards); even > 100 && (got < even/2 || got > even*2) {
					t.Errorf("share %d of %d: %d contacts in shard %d, want about %d", k, n, got, shard, even)
				}
			}
		}
	}
}

// Passes that do not read the same have not read one month.
func TestPassesReadTheSame(t *testing.T) {
	t.Parallel()
	g := &gathered{findings: newFindingList(0, false)}
	counts := readCounts{read: 10, rejected: 1, used: 9}
	if err := g.add(&attempt{counts: true, reading: counts}); err != nil {
		t.Fatal(err)
	}
	if err := g.add(&attempt{reading: counts}); err != nil {
		t.Error(err)
	}
	counts.misplaced++
	if err := g.add(&attempt{reading: counts}); !errors.Is(err, reader.ErrChanged) {
		t.Errorf("another pass read otherwise: %v, want ErrChanged", err)
	}
}
