package batch

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// discard is a place that keeps nothing.
type discard struct{ writer.Target }

type discardUpload struct{ io.Writer }

func (discard) Create(context.Context, string) (writer.Upload, error) {
	return discardUpload{io.Discard}, nil
}
func (discardUpload) Commit(context.Context) error { return nil }
func (discardUpload) Seal() error                  { return nil }
func (discardUpload) Abort()                       {}

// benchCharges makes what one shard has of a date: n charges in no order, of 40
// business numbers.
func benchCharges(rng *rand.Rand, names *reader.Names, d *dateCharges, day reconcile.Date, n int) {
	rating := &reconcile.Rating{Status: reconcile.Charged, Rate: &reconcile.Rate{Price: 70_000, Currency: "EUR"}}
	for i := range 40 {
		d.groups = append(d.groups, group{
			account: names.InternString(fmt.Sprintf("waba-%d", i/4)), business: names.InternString(fmt.Sprintf("3902%08d", i)),
			category: reconcile.Marketing, place: reconcile.Place{Country: "IT", Market: "Italy"}, rating: rating,
		})
	}
	for range n {
		contact, _ := reconcile.PhoneContact(fmt.Appendf(nil, "39333%07d", rng.IntN(1_000_000)))
		d.add(&reconcile.Conversation{
			PairKey: reconcile.PairKey{Contact: contact}, Category: reconcile.Marketing, Proven: true, Out: 1, In: 2,
			OpenedAt: day.Start() + rng.Int64N(reconcile.DayMillis), OpenedBy: fmt.Appendf(nil, "wamid.%016x%016x", rng.Uint64(), rng.Uint64()),
		}, uint32(rng.IntN(40)))
	}
}

// benchShares is what two shards have of a date.
func benchShares(names *reader.Names, spare *sync.Pool, day reconcile.Date) []*dateCharges {
	rng := rand.New(rand.NewPCG(1, 1))
	shares := []*dateCharges{newDateCharges(spare), newDateCharges(spare)}
	for _, d := range shares {
		benchCharges(rng, names, d, day, benchDate/len(shares))
	}
	return shares
}

// benchDate is how many charges a date has.
const benchDate = 200_000

// writeBenchDate deals, sorts, lays out and writes the charges of a date.
func writeBenchDate(tb testing.TB, names *reader.Names, buffer *frameBuffer, day reconcile.Date, shares []*dateCharges) {
	tb.Helper()
	l := newLayout(day, shares, filesFor(benchDate), names, buffer)
	for i := range l.files {
		if _, err := writer.WriteParquet(tb.Context(), discard{}, "x", writer.ChargesSchema(), l.frames(i)); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkCharges(b *testing.B) {
	names, spare, buffer := reader.NewNames(), newChunkPool(), &frameBuffer{}
	day := reconcile.DateOf(1_720_000_000_000)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		shares := benchShares(names, spare, day)
		b.StartTimer()
		writeBenchDate(b, names, buffer, day, shares)
	}
	b.ReportMetric(benchDate*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// TestChargesAllocateNothing: a file has its writers and its pages, a charge
// has nothing of its own.
func TestChargesAllocateNothing(t *testing.T) {
	names, spare, buffer := reader.NewNames(), newChunkPool(), &frameBuffer{}
	day := reconcile.DateOf(1_720_000_000_000)
	for round := range 3 {
		shares := benchShares(names, spare, day)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		writeBenchDate(t, names, buffer, day, shares)
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; round > 0 && n > benchDate/10 {
			t.Errorf("%d allocations for %d charges", n, benchDate)
		}
	}
}
