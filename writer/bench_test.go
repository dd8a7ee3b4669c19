package writer

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
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
func (discardUpload) Seal() error                  { return nil }
func (discardUpload) Abort()                       {}

// chargeBuilder fills the columns of a frame of charges by name.
type chargeBuilder struct {
	schema Schema
	frame  Frame
}

func (b *chargeBuilder) text(name string, value func(i int) string) {
	c := at(&b.frame, b.schema, name)
	for i := range b.frame.Rows {
		c.Text = append(c.Text, value(i))
	}
}

func (b *chargeBuilder) same(name, value string) {
	b.text(name, func(int) string { return value })
}

func (b *chargeBuilder) empty(name string) {
	b.same(name, "")
	at(&b.frame, b.schema, name).Null = slices.Repeat([]bool{true}, b.frame.Rows)
}

func (b *chargeBuilder) ints(name string, value func(i int) int64) {
	c := at(&b.frame, b.schema, name)
	for i := range b.frame.Rows {
		c.Int = append(c.Int, value(i))
	}
}

// numbered makes texts that many rows share.
func numbered(n int, format string) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf(format, i)
	}
	return texts
}

// chargeFrame makes n believable charges of 2024-07-03, sorted by account and
// business number only.
func chargeFrame(n int, seed uint64) Frame {
	const day = 19907
	r := rand.New(rand.NewPCG(seed, 1))
	s := ChargesSchema()
	b := &chargeBuilder{s, Frame{Rows: n, Columns: make([]Column, len(s))}}
	categories := []string{"authentication", "marketing", "service", "utility"}
	countries := []string{"IT", "ES", "DE", "FR", "GB", "BR"}
	accounts, businesses := numbered(10, "account-%02d"), numbered(20, "3906%07d")
	category, country := make([]int, n), make([]int, n)
	for i := range n {
		category[i], country[i] = r.IntN(len(categories)), r.IntN(len(countries))
		price := reconcile.Micros(country[i]*1700 + category[i]*13100)
		for _, name := range []string{"unit_price", "amount"} {
			c := at(&b.frame, s, name)
			c.Micros = append(c.Micros, price)
		}
	}
	b.text("charge_id", func(int) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) })
	b.text("account_id", func(i int) string { return accounts[i*10/n] })
	b.text("business_number", func(i int) string { return businesses[i*20/n] })
	b.text("contact", func(int) string { return fmt.Sprintf("39%010d", r.IntN(10_000_000_000)) })
	b.text("country", func(i int) string { return countries[country[i]] })
	b.text("market", func(i int) string { return countries[country[i]] })
	b.same("unit", "conversation")
	b.text("category", func(i int) string { return categories[category[i]] })
	b.same("rules", "conversation")
	b.ints("opened_at", func(int) int64 { return day*reconcile.DayMillis + r.Int64N(reconcile.DayMillis) })
	b.ints("expires_at", func(i int) int64 { return at(&b.frame, s, "opened_at").Int[i] + reconcile.DayMillis })
	b.ints("billing_date", func(int) int64 { return day })
	b.text("opened_by", func(int) string { return fmt.Sprintf("wamid.%016X%016X", r.Uint64(), r.Uint64()) })
	b.ints("messages_out", func(int) int64 { return 1 + r.Int64N(6) })
	b.ints("messages_in", func(int) int64 { return r.Int64N(6) })
	b.same("plan", "standard")
	b.same("currency", "EUR")
	b.same("status", "charged")
	b.empty("reason")
	b.empty("recharge_id")
	b.same("certainty", "proven")
	return b.frame
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
		if c.Packed != nil {
			o.Packed = &Texts{}
			for row := from; row < to; row++ {
				o.Packed.Append(c.Packed.At(row))
			}
		}
		if c.Of != nil {
			o.Of, o.Code = c.Of, c.Code[from:to]
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
