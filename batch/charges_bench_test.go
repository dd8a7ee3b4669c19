package batch

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
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

// BenchmarkCharges deals, sorts, lays out and writes the charges of a date.
func BenchmarkCharges(b *testing.B) {
	const rows, shards = 200_000, 2
	names, spare, buffer := reader.NewNames(), newChunkPool(), &frameBuffer{}
	day, err := reconcile.ParseDate("2024-07-03")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		rng := rand.New(rand.NewPCG(1, 1))
		shares := make([]*dateCharges, shards)
		for s := range shares {
			shares[s] = newDateCharges(spare)
			benchCharges(rng, names, shares[s], day, rows/shards)
		}
		b.StartTimer()
		l := newLayout(day, shares, filesFor(rows), names, buffer)
		for i := range l.files {
			if _, err := writer.WriteParquet(b.Context(), discard{}, "x", writer.ChargesSchema(), l.frames(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
