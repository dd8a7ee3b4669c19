package writer

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/shopspring/decimal"
)

// Pages are encoded by this package, though arrow has writers for whole
// columns: these are the other reading of what a file has to be. Both write the
// same bytes, whatever the columns hold and in whatever form it comes, as long
// as no page is a stride, which is compressed here.
func TestBytesAreThoseOfArrow(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			s := Schema{
				{Name: "id", Type: Text, Unique: true},
				{Name: "maybe_id", Type: Text, Unique: true, Nullable: true},
				{Name: "packed", Type: Text, Unique: true},
				{Name: "word", Type: Text},
				{Name: "maybe_word", Type: Text, Nullable: true},
				{Name: "count", Type: Int32},
				{Name: "maybe_count", Type: Int32, Nullable: true, Unique: true},
				{Name: "total", Type: Int64, Nullable: true},
				{Name: "day", Type: Day},
				{Name: "at", Type: Instant, Unique: true},
				{Name: "price", Type: Money, Nullable: true},
				{Name: "amount", Type: WideMoney, Nullable: true},
			}
			rows := []int{0, 1, 7, batchRows, rowGroupRows, 2*rowGroupRows + 9999}[r.IntN(6)]
			plain := randomFrame(r, s, rows)
			want := arrowFile(t, s, &plain)
			data, _, err := EncodeParquet(t.Context(), "table.parquet", s, cut(plain, 8192))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(data, want) {
				t.Errorf("%d rows: %d bytes, arrow writes %d others", rows, len(data), len(want))
			}
			for name, frames := range map[string]iter.Seq2[Frame, error]{
				"of all":   cut(apart(s, plain), 5000),
				"of these": eachApart(s, cut(plain, 5000)), // alike in some frames, and others in the next
			} {
				data, _, err = EncodeParquet(t.Context(), "table.parquet", s, frames)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(data, want) {
					t.Errorf("%d rows with the values %s apart: %d bytes, arrow writes %d others", rows, name, len(data), len(want))
				}
			}
		})
	}
}

// randomFrame has columns of few and of many values, in runs and not, of which
// none, some or all are null, or now all, now some and now none.
func randomFrame(r *rand.Rand, s Schema, rows int) Frame {
	f := Frame{Rows: rows, Columns: make([]Column, len(s))}
	for i, spec := range s {
		c := &f.Columns[i]
		values, run, nulls := []int{1, 2, 3, 300, 20_000}[r.IntN(5)], []int{1, 3, 40, 5000}[r.IntN(4)], r.IntN(4)
		v := 0
		for row := range rows {
			if row%run == 0 {
				v = r.IntN(values)
			}
			if spec.Nullable {
				some := r.IntN(5) == 0
				c.Null = append(c.Null, [...]bool{false, some, true, [...]bool{true, some, false}[row/7000%3]}[nulls])
			}
			switch spec.Type {
			case Text:
				c.Text = append(c.Text, fmt.Sprintf("t%d", v*7919%values))
			case Money:
				c.Micros = append(c.Micros, reconcile.Micros(v*100-5000))
			case WideMoney:
				c.Wide = append(c.Wide, decimal.New(int64(v)-100, -3))
			case Int32, Int64, Day:
				c.Int = append(c.Int, int64(v)-150)
			case Instant: // on both sides of 0, or they were a stride
				c.Int = append(c.Int, int64(v)^-int64(row&1))
			}
		}
	}
	return f
}

// apart is the same table with texts in one piece and with values by code.
func apart(s Schema, f Frame) Frame {
	coded := Frame{Rows: f.Rows, Columns: make([]Column, len(s))}
	for i, spec := range s {
		c := f.Columns[i]
		switch {
		case spec.Name == "packed":
			c = Column{Packed: textsOf(c.Text)}
		case hasDictionary(spec) && f.Rows > 0:
			codes := make([]uint32, f.Rows)
			for row := range codes {
				codes[row] = uint32(f.Rows - 1 - row) // values of many codes are the same
			}
			c = Column{Of: new(reversed(c)), Code: codes}
		}
		coded.Columns[i] = c
	}
	return coded
}

func eachApart(s Schema, frames iter.Seq2[Frame, error]) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for f, err := range frames {
			if !yield(apart(s, f), err) {
				return
			}
		}
	}
}

func reversed(c Column) Column {
	return Column{Text: backwards(c.Text), Int: backwards(c.Int), Micros: backwards(c.Micros), Null: backwards(c.Null)}
}

func backwards[E any](s []E) []E {
	var out []E
	for i := range s {
		out = append(out, s[len(s)-1-i])
	}
	return out
}

// arrowFile writes a table by the column writers of the library.
func arrowFile(t *testing.T, s Schema, f *Frame) []byte {
	t.Helper()
	root, err := parquetSchema(s)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, root, file.WithWriterProps(properties(s)))
	for from := 0; from < f.Rows; from += rowGroupRows {
		to := min(from+rowGroupRows, f.Rows)
		group := w.AppendBufferedRowGroup()
		for i, spec := range s {
			column, err := group.Column(i)
			if err == nil {
				err = arrowColumn(column, spec, &f.Columns[i], from, to)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := group.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.FlushWithFooter(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func arrowColumn(column file.ColumnChunkWriter, spec ColumnSpec, c *Column, from, to int) error {
	var levels []int16
	var rows []int
	for row := from; row < to; row++ {
		if c.Null != nil && c.Null[row] {
			levels = append(levels, 0)
			continue
		}
		levels, rows = append(levels, 1), append(rows, row)
	}
	if !spec.Nullable {
		levels = nil
	}
	var err error
	switch w := column.(type) {
	case *file.ByteArrayColumnChunkWriter:
		_, err = w.WriteBatch(picked(rows, func(row int) parquet.ByteArray { return parquet.ByteArray(c.Text[row]) }), levels, nil)
	case *file.Int32ColumnChunkWriter:
		_, err = w.WriteBatch(picked(rows, func(row int) int32 { return int32(c.Int[row]) }), levels, nil)
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(picked(rows, func(row int) int64 {
			if spec.Type == Money {
				return int64(c.Micros[row])
			}
			return c.Int[row]
		}), levels, nil)
	case *file.FixedLenByteArrayColumnChunkWriter:
		_, err = w.WriteBatch(picked(rows, func(row int) parquet.FixedLenByteArray { return appendDecimal(nil, c.Wide[row]) }), levels, nil)
	}
	return err
}

func picked[E any](rows []int, of func(row int) E) []E {
	values := make([]E, 0, len(rows))
	for _, row := range rows {
		values = append(values, of(row))
	}
	return values
}

// TestManyLongTexts: a row group of too many values for a dictionary is written
// plainly, and the same each time: its footer must not follow from a map.
func TestManyLongTexts(t *testing.T) {
	t.Parallel()
	s := Schema{{Name: "text", Type: Text, Nullable: true}}
	f := Frame{Rows: rowGroupRows + 100, Columns: make([]Column, 1)}
	for row := range f.Rows {
		f.Columns[0].Text = append(f.Columns[0].Text, fmt.Sprintf("%060d", row))
		f.Columns[0].Null = append(f.Columns[0].Null, row%11 == 0)
	}
	first, _, err := EncodeParquet(t.Context(), "table.parquet", s, cut(f, 8192))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, _, err := EncodeParquet(t.Context(), "table.parquet", s, cut(f, 8192))
		if err != nil || !bytes.Equal(first, again) {
			t.Fatalf("other bytes of the same rows, %v", err)
		}
	}
	row := 0
	for back, err := range ReadParquet(bytes.NewReader(first), int64(len(first)), s) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range back.Rows {
			c := &f.Columns[0]
			if back.Columns[0].Null[i] != c.Null[row] || !c.Null[row] && back.Columns[0].Text[i] != c.Text[row] {
				t.Fatalf("row %d reads back as %q", row, back.Columns[0].Text[i])
			}
			row++
		}
	}
	if row != f.Rows {
		t.Errorf("%d rows, want %d", row, f.Rows)
	}
}
