package reconcile

import (
	"fmt"
	"testing"
)

// BenchmarkPool adds up and checks invoices of one account, day by day, number
// by number, and holds as many sums of charges against them.
func BenchmarkPool(b *testing.B) {
	for _, numbers := range []int{100, 1600} {
		lines, charged := manyCells(numbers)
		b.Run(fmt.Sprintf("lines=%d", len(lines)), func(b *testing.B) {
			markets := exampleMarkets(b)
			pool, err := NewPool(lines, july1, july31, markets)
			if err != nil {
				b.Fatal(err)
			}
			usage := pool.Usage()
			for _, key := range charged {
				usage.Add(key, 10, dec("1.4"))
			}
			for b.Loop() {
				pool, err := NewPool(lines, july1, july31, markets)
				if err != nil {
					b.Fatal(err)
				}
				if rows := pool.Compare(usage, func(string, Date, Date) bool { return false }).Rows; len(rows) != len(lines) {
					b.Fatalf("%d rows of %d lines", len(rows), len(lines))
				}
			}
			b.ReportMetric(float64(b.N*len(lines))/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

func manyCells(numbers int) (lines []InvoiceLine, charged []CellKey) {
	for i := range numbers {
		number := fmt.Sprint(390000000 + i)
		for day := july1; day <= july31; day++ {
			for _, category := range []Category{Marketing, Utility} {
				lines = append(lines, with(line(fmt.Sprint(len(lines)), "10", "0.14", ""), func(l *InvoiceLine) {
					l.Business, l.From, l.To, l.Category = number, day, day, category
				}))
				charged = append(charged, CellKey{
					Account: "A", Business: number, Date: day, Country: "IT", Market: "IT",
					Category: category, Currency: "EUR", Status: Charged,
				})
			}
		}
	}
	return lines, charged
}
