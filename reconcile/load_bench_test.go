package reconcile

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkSort puts the rows of a day in the order of their pairs, part by
// part: the first half of folding it.
func BenchmarkSort(b *testing.B) {
	const rows, pairs, date = 350_000, 100_000, Date(20_000)
	utc := NewZone(time.UTC)
	e, err := NewEngine(EngineConfig{
		Terms:  func(Name) *AccountTerms { return &AccountTerms{Zone: utc} },
		Text:   func(n Name) string { return fmt.Sprint(n) },
		Begins: []Date{date},
		End:    (date + 1).Start(),
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range rows {
		r := row{contact: Contact(rng.IntN(pairs)), account: 1, business: 2, sent: date.Start(), delivered: NoTime, read: NoTime}
		e.addRow(&r, fmt.Appendf(nil, "wamid.%016x%016x", rng.Uint64(), rng.Uint64()))
	}
	of := e.dayOf(date)
	b.ReportAllocs()
	for b.Loop() {
		for part := range PartCount {
			e.load(of, part)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
