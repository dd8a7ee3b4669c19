package writer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"testing"

	"waconcile/reconcile"
)

// discard is a Target that keeps nothing.
type discard struct{ Target }

type discardUpload struct{ io.Writer }

func (discard) Create(context.Context, string) (Upload, error) {
	return discardUpload{io.Discard}, nil
}
func (discardUpload) Commit(context.Context) error { return nil }
func (discardUpload) Abort()                       {}

// chargeFrame makes n believable charges of one day, in no order.
func chargeFrame(n int, seed uint64) Frame {
	r := rand.New(rand.NewPCG(seed, 1))
	s := ChargesSchema()
	f := Frame{Rows: n, Columns: make([]Column, len(s))}
	text := func(name string, value func(i int) string) {
		c := &f.Columns[s.index(name)]
		c.Text = make([]string, n)
		for i := range n {
			c.Text[i] = value(i)
		}
	}
	ints := func(name string, value func(i int) int64) {
		c := &f.Columns[s.index(name)]
		c.Int = make([]int64, n)
		for i := range n {
			c.Int[i] = value(i)
		}
	}
	nulls := func(name string, null func(i int) bool) {
		c := &f.Columns[s.index(name)]
		c.Null = make([]bool, n)
		for i := range n {
			c.Null[i] = null(i)
		}
	}
	categories := []string{"authentication", "marketing", "service", "utility"}
	countries := []string{"IT", "ES", "DE", "FR", "GB", "BR"}
	category := make([]int, n)
	country := make([]int, n)
	for i := range n {
		category[i], country[i] = r.IntN(len(categories)), r.IntN(len(countries))
	}
	const day = 19907 // 2024-07-03
	text("charge_id", func(int) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) })
	accounts, businesses := make([]string, 10), make([]string, 20)
	for i := range accounts {
		accounts[i] = fmt.Sprintf("account-%02d", i)
	}
	for i := range businesses {
		businesses[i] = fmt.Sprintf("3906%07d", i)
	}
	text("account_id", func(i int) string { return accounts[i*10/n] })
	text("business_number", func(i int) string { return businesses[i*20/n] })
	text("contact", func(i int) string { return fmt.Sprintf("39%010d", r.IntN(10_000_000_000)) })
	text("country", func(i int) string { return countries[country[i]] })
	text("market", func(i int) string { return countries[country[i]] })
	text("unit", func(int) string { return "conversation" })
	text("category", func(i int) string { return categories[category[i]] })
	text("rules", func(int) string { return "conversation" })
	ints("opened_at", func(int) int64 { return day*reconcile.DayMillis + r.Int64N(reconcile.DayMillis) })
	ints("expires_at", func(i int) int64 { return f.Columns[s.index("opened_at")].Int[i] + reconcile.DayMillis })
	ints("billing_date", func(int) int64 { return day })
	text("opened_by", func(int) string { return fmt.Sprintf("wamid.%016X%016X", r.Uint64(), r.Uint64()) })
	ints("messages_out", func(int) int64 { return 1 + r.Int64N(6) })
	ints("messages_in", func(int) int64 { return r.Int64N(6) })
	text("plan", func(int) string { return "standard" })
	price := func(i int) reconcile.Micros { return reconcile.Micros(country[i]*1700 + category[i]*13100) }
	for _, name := range []string{"unit_price", "amount"} {
		c := &f.Columns[s.index(name)]
		for i := range n {
			c.Micros = append(c.Micros, price(i))
		}
	}
	text("currency", func(int) string { return "EUR" })
	text("status", func(int) string { return "charged" })
	text("reason", func(int) string { return "" })
	nulls("reason", func(int) bool { return true })
	text("recharge_id", func(int) string { return "" })
	nulls("recharge_id", func(int) bool { return true })
	text("certainty", func(int) string { return "proven" })
	return f
}

// slice is rows [from, to) of f.
func (f Frame) slice(from, to int) Frame {
	out := Frame{Rows: to - from, Columns: make([]Column, len(f.Columns))}
	for i, c := range f.Columns {
		o := &out.Columns[i]
		if c.Text != nil {
			o.Text = c.Text[from:to]
		}
		if c.Int != nil {
			o.Int = c.Int[from:to]
		}
		if c.Micros != nil {
			o.Micros = c.Micros[from:to]
		}
		if c.Wide != nil {
			o.Wide = c.Wide[from:to]
		}
		if c.Null != nil {
			o.Null = c.Null[from:to]
		}
	}
	return out
}

// cut yields f in pieces of n rows.
func cut(f Frame, n int) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for from := 0; from < f.Rows; from += n {
			if !yield(f.slice(from, min(from+n, f.Rows)), nil) {
				return
			}
		}
	}
}

func BenchmarkWriteCharges(b *testing.B) {
	for _, rows := range []int{12_500, 200_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			f := chargeFrame(rows, 7)
			var size int64
			b.ReportAllocs()
			for b.Loop() {
				e, err := WriteParquet(b.Context(), discard{}, "x", ChargesSchema(), cut(f, 8192))
				if err != nil {
					b.Fatal(err)
				}
				size = e.Bytes
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(float64(size)/float64(rows), "bytes/row")
		})
	}
}

func BenchmarkReadBack(b *testing.B) {
	const rows = 100_000
	f := chargeFrame(rows, 7)
	data, _ := writeParquet(b, ChargesSchema(), cut(f, 8192))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for frame, err := range ReadParquet(bytes.NewReader(data), int64(len(data)), ChargesSchema()) {
			if err != nil {
				b.Fatal(err)
			}
			n += frame.Rows
		}
		if n != rows {
			b.Fatalf("%d rows", n)
		}
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
