package batch

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waconcile/batch/spill"
	"waconcile/reader"
	"waconcile/reconcile"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
)

// chargesOfPass are some charges of a date as two shards have them, with groups
// of which some are in both, and as lines.
func chargesOfPass(rng *rand.Rand, names *reader.Names, n int) (shares []*dateCharges, lines []string) {
	spare := newChunkPool()
	for range 2 {
		s := newDateCharges(spare)
		for i := range n {
			account := names.InternString(fmt.Sprint("account", rng.IntN(5)))
			key := groupKey{account: account, category: reconcile.Marketing}
			g, known := s.index.of(&key, uint32(len(s.groups)))
			if !known {
				s.groups = append(s.groups, group{account: account, category: reconcile.Marketing})
			}
			contact := reconcile.OpaqueContact(names.InternString(fmt.Sprint("user", rng.IntN(1000))))
			if rng.IntN(2) == 0 {
				contact, _ = reconcile.PhoneContact(fmt.Appendf(nil, "39333%06d", rng.IntN(1000)))
			}
			c := reconcile.Conversation{
				PairKey: reconcile.PairKey{Contact: contact, Account: account}, Category: reconcile.Marketing, OpenedAt: rng.Int64() - 1<<62,
				OpenedBy: []byte(strings.Repeat("m", rng.IntN(60)*rng.IntN(2)) + fmt.Sprint(i)),
				Out:      rng.Int32(), In: rng.Int32(), Proven: rng.IntN(2) == 0,
			}
			s.add(&c, g)
			lines = append(lines, chargeLine(names, s.groups, &s.chunks[len(s.chunks)-1].charges[(s.len()-1)%chunkCharges], c.OpenedBy))
		}
		shares = append(shares, s)
	}
	return shares, lines
}

func chargeLine(names *reader.Names, groups []group, c *charge, id []byte) string {
	return fmt.Sprint(names.Text(groups[c.group].account), " ", names.ContactText(c.contact), " ", c.openedAt, " ", c.out, " ", c.in, " ", c.proven, " ", string(id))
}

// spilledOf takes three passes to files, and says what was in them.
func spilledOf(t *testing.T, names *reader.Names, buckets, n int) (all *spilledCharges, lines []string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, uint64(buckets)))
	all = newSpilledCharges(buckets)
	t.Cleanup(func() {
		if err := all.close(); err != nil {
			t.Error(err)
		}
	})
	for range 3 {
		p := newPassCharges(names, buckets)
		shares, some := chargesOfPass(rng, names, n)
		if err := p.take(7, shares); err != nil {
			t.Fatal(err)
		}
		all.add(p)
		lines = append(lines, some...)
	}
	return all, lines
}

// What passes have spilled of a date comes back whole, each charge in the
// bucket of its contact, with its group and their sums.
func TestSpilledCharges(t *testing.T) {
	t.Parallel()
	for _, buckets := range []int{1, 2, 16, chargeFilesMax} {
		names := reader.NewNames()
		all, want := spilledOf(t, names, buckets, 3*chunkCharges/2)
		date := all.dates[7]
		var got []string
		for b := range buckets {
			charges, err := date.read(b, b+1, newChunkPool())
			if err != nil {
				t.Fatal(err)
			}
			for _, chunk := range charges.chunks {
				for i := range chunk.charges {
					c := &chunk.charges[i]
					if in := bucketOf(xxhash.Sum64String(names.ContactText(c.contact)), buckets); in != b {
						t.Fatalf("a charge of bucket %d lies in %d of %d", in, b, buckets)
					}
					got = append(got, chargeLine(names, charges.groups, c, chunk.ids[c.idStart:c.idEnd]))
				}
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%d buckets (-spilled +read back):\n%s", buckets, diff)
		}
		quantity := int64(0)
		for _, g := range date.groups {
			quantity += g.quantity
		}
		if date.charges != len(want) || quantity != int64(len(want)) || len(date.groups) != 5 {
			t.Errorf("%d charges, %d in %d groups; want %d in 5", date.charges, quantity, len(date.groups), len(want))
		}
	}
}

// A piece that is not what was written stops the run.
func TestSpilledChargesDamaged(t *testing.T) {
	t.Parallel()
	all, _ := spilledOf(t, reader.NewNames(), 4, 100)
	parts := all.dates[7].parts
	parts[1].file, parts[2].file = parts[2].file, parts[1].file // that of another pass
	if _, err := all.dates[7].read(2, 3, newChunkPool()); !errors.Is(err, spill.ErrDamaged) {
		t.Errorf("other bytes: %v, want spill.ErrDamaged", err)
	}
	parts[1].file, parts[2].file = parts[2].file, parts[1].file
	if _, err := all.dates[7].read(0, 4, newChunkPool()); err != nil {
		t.Error(err)
	}
}

// Whatever bytes a piece has, decoding it ends, in charges or an error.
func TestSpilledChargesCut(t *testing.T) {
	t.Parallel()
	whole := appendCharge(nil, &charge{contact: 1, openedAt: 2, out: 300, in: -1}, 200, []byte("message"))
	for n := 1; n < len(whole); n++ {
		if err := eachCharge(whole[:n], make([]uint32, 201), func(charge, []byte) {}); !errors.Is(err, errSpilledCharge) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if err := eachCharge(whole, make([]uint32, 200), func(charge, []byte) {}); !errors.Is(err, errSpilledCharge) {
		t.Errorf("a group that is not there: %v", err)
	}
}
