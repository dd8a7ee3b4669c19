package writer

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"waconcile/reconcile"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// everyType has a column of each type, as a value and as a nullable one, with
// and without a dictionary.
func everyType() Schema {
	var s Schema
	for t := Text; t <= WideMoney; t++ {
		for _, nullable := range []bool{false, true} {
			for _, unique := range []bool{false, true} {
				s = append(s, ColumnSpec{
					Name: fmt.Sprintf("c%d_%v_%v", t, nullable, unique),
					Type: t, Nullable: nullable, Unique: unique,
				})
			}
		}
	}
	return s
}

func wide(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// extremes are values of each type at the ends of its range.
func extremes() (text []string, ints32, ints64 []int64, micros []reconcile.Micros, wides []decimal.Decimal) {
	most := strings.Repeat("9", 32) + ".999999"
	return []string{"", "a", "è\x00\"\n,", strings.Repeat("x", 5000)},
		[]int64{0, 1, -1, math.MinInt32, math.MaxInt32},
		[]int64{0, 1, -1, math.MinInt64, math.MaxInt64},
		[]reconcile.Micros{0, 1, -1, moneyLimit - 1, 1 - moneyLimit},
		[]decimal.Decimal{wide("0"), wide("-0.000001"), wide("1"), wide("-1"), wide(most), wide("-" + most), wide("12345e3")}
}

// fill gives every column of s rows values out of choose, and nulls.
func fill(s Schema, rows int, choose func(n int) int) Frame {
	text, ints32, ints64, micros, wides := extremes()
	f := Frame{Rows: rows, Columns: make([]Column, len(s))}
	for i, spec := range s {
		c := &f.Columns[i]
		for range rows {
			switch spec.Type {
			case Text:
				c.Text = append(c.Text, text[choose(len(text))])
			case Int32, Day:
				c.Int = append(c.Int, ints32[choose(len(ints32))])
			case Int64, Instant:
				c.Int = append(c.Int, ints64[choose(len(ints64))])
			case Money:
				c.Micros = append(c.Micros, micros[choose(len(micros))])
			case WideMoney:
				c.Wide = append(c.Wide, wides[choose(len(wides))])
			}
			if spec.Nullable {
				c.Null = append(c.Null, choose(3) == 0)
			}
		}
	}
	return f
}

// text is a frame row by row, as CSV has it, with nulls told apart.
func text(s Schema, f Frame) []string {
	rows := make([]string, f.Rows)
	for row := range rows {
		var b strings.Builder
		for i := range s {
			c := &f.Columns[i]
			if c.Null != nil && c.Null[row] {
				b.WriteString("|null")
				continue
			}
			v := c.csvText(s[i].Type, row)
			if s[i].Type == Instant || s[i].Type == Day {
				v = fmt.Sprint(c.Int[row])
			}
			fmt.Fprintf(&b, "|%q", v)
		}
		rows[row] = b.String()
	}
	return rows
}

func allText(t *testing.T, s Schema, frames iter.Seq2[Frame, error]) []string {
	t.Helper()
	var rows []string
	for f, err := range frames {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, text(s, f)...)
	}
	return rows
}

func writeParquet(t testing.TB, s Schema, frames iter.Seq2[Frame, error]) ([]byte, FileEntry) {
	t.Helper()
	store := newFakeStore()
	e, err := WriteParquet(t.Context(), store, "t.parquet", s, frames)
	if err != nil {
		t.Fatal(err)
	}
	return store.objects["t.parquet"], e
}

func TestParquetRoundTrip(t *testing.T) {
	t.Parallel()
	s := everyType()
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SampledFrom([]int{0, 1, 2, 7, 100}).Draw(rt, "rows")
		f := fill(s, rows, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") })
		data, e := writeParquet(t, s, cut(f, 3))
		if e.Rows != int64(rows) || e.Bytes != int64(len(data)) {
			rt.Fatalf("entry %+v for %d rows in %d bytes", e, rows, len(data))
		}
		got := allText(t, s, ReadParquet(bytes.NewReader(data), int64(len(data)), s))
		if diff := cmp.Diff(text(s, f), got, cmp.Transformer("nil", func(s []string) []string { return slices.Clip(append([]string{}, s...)) })); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// TestParquetManyGroups crosses row groups, pages and frames of the reader,
// with columns whose dictionary is given up and a column that is all null in
// one row group and not in the next.
func TestParquetManyGroups(t *testing.T) {
	t.Parallel()
	s := Schema{
		{Name: "many", Type: Text}, {Name: "many_int", Type: Int64, Nullable: true},
		{Name: "few", Type: Text, Nullable: true}, {Name: "id", Type: Text, Unique: true},
		{Name: "price", Type: Money, Nullable: true}, {Name: "sum", Type: WideMoney, Nullable: true},
	}
	const rows = 2*rowGroupRows + 5000
	f := Frame{Rows: rows, Columns: make([]Column, len(s))}
	for i := range rows {
		c := f.Columns
		c[0].Text = append(c[0].Text, fmt.Sprintf("value-%d", i/3))
		c[1].Int = append(c[1].Int, int64(i)*1_000_003)
		c[1].Null = append(c[1].Null, i%7 == 0)
		c[2].Text = append(c[2].Text, fmt.Sprintf("few-%d", i%5))
		c[2].Null = append(c[2].Null, i < rowGroupRows)
		c[3].Text = append(c[3].Text, fmt.Sprintf("id-%040d", i))
		c[4].Micros = append(c[4].Micros, reconcile.Micros(-i%11))
		c[4].Null = append(c[4].Null, i%2 == 0)
		c[5].Wide = append(c[5].Wide, decimal.New(int64(i), -6))
		c[5].Null = append(c[5].Null, i%3 == 0)
	}
	data, e := writeParquet(t, s, cut(f, 10_007))
	again, _ := writeParquet(t, s, cut(f, 64_000))
	if !bytes.Equal(data, again) {
		t.Error("the bytes follow the cut into frames")
	}
	got := allText(t, s, ReadParquet(bytes.NewReader(data), int64(len(data)), s))
	if want := text(s, f); !slices.Equal(got, want) {
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("row %d of %d: got %v, want %s", i, len(got), got[min(i, len(got)-1)], want[i])
			}
		}
	}
	if e.Rows != rows {
		t.Errorf("%d rows, want %d", e.Rows, rows)
	}
}

func TestParquetBytesFollowRowsAlone(t *testing.T) {
	t.Parallel()
	f := chargeFrame(9000, 3)
	want, entry := writeParquet(t, ChargesSchema(), cut(f, f.Rows))
	for _, n := range []int{1, 17, 4095, 4096, 4097} {
		got, e := writeParquet(t, ChargesSchema(), cut(f, n))
		if !bytes.Equal(got, want) {
			t.Errorf("frames of %d rows give other bytes", n)
		}
		if diff := cmp.Diff(entry, e); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTotals(t *testing.T) {
	t.Parallel()
	s := Schema{
		{Name: "n", Type: Int64}, {Name: "m", Type: Money, Nullable: true}, {Name: "w", Type: WideMoney},
		{Name: "d", Type: Day}, {Name: "at", Type: Instant}, {Name: "t", Type: Text},
	}
	f := Frame{Rows: 3, Columns: []Column{
		{Int: []int64{math.MaxInt64, math.MaxInt64, -5}},
		{Micros: []reconcile.Micros{-1_500_000, 7, 250_000}, Null: []bool{false, true, false}},
		{Wide: []decimal.Decimal{wide("99999999999999999999999999999999.999999"), wide("0.000001"), wide("-0.5")}},
		{Int: []int64{1, 2, 3}}, {Int: []int64{1, 2, 3}}, {Text: []string{"a", "b", "c"}},
	}}
	_, e := writeParquet(t, s, cut(f, 2))
	want := map[string]string{"n": "18446744073709551609", "m": "-1.250000", "w": "99999999999999999999999999999999.500000"}
	if diff := cmp.Diff(want, e.Totals); diff != "" {
		t.Error(diff)
	}
}

func TestFramesAreChecked(t *testing.T) {
	t.Parallel()
	one := func(spec ColumnSpec, c Column) error {
		store := newFakeStore()
		f := Frame{Rows: 2, Columns: []Column{c}}
		whole := func(yield func(Frame, error) bool) { yield(f, nil) }
		_, err := WriteParquet(t.Context(), store, "k", Schema{spec}, whole)
		if err != nil && len(store.objects) != 0 {
			t.Errorf("%v: something was published", c)
		}
		return err
	}
	for _, tc := range []struct {
		name string
		spec ColumnSpec
		c    Column
		want string
	}{
		{"too few", ColumnSpec{Name: "x", Type: Text}, Column{Text: []string{"a"}}, "want [2 0 0 0]"},
		{"other type", ColumnSpec{Name: "x", Type: Text}, Column{Int: []int64{1, 2}}, "want [2 0 0 0]"},
		{"null marks", ColumnSpec{Name: "x", Type: Text, Nullable: true}, Column{Text: []string{"a", "b"}, Null: []bool{true}}, "1 null marks"},
		{"null", ColumnSpec{Name: "x", Type: Text}, Column{Text: []string{"a", "b"}, Null: []bool{false, true}}, "column x: row 1: is null"},
		{"utf8", ColumnSpec{Name: "x", Type: Text}, Column{Text: []string{"a", "\xff"}}, "column x: a text is not UTF-8"},
		{"utf8 unique", ColumnSpec{Name: "x", Type: Text, Unique: true}, Column{Text: []string{"a", "\xff"}}, "row 1: a text is not UTF-8"},
		{"int32", ColumnSpec{Name: "x", Type: Int32}, Column{Int: []int64{1, 1 << 31}}, "more than 32 bits"},
		{"money", ColumnSpec{Name: "x", Type: Money}, Column{Micros: []reconcile.Micros{1, 1e18}}, "more than 18 digits"},
		{"digits", ColumnSpec{Name: "x", Type: WideMoney}, Column{Wide: []decimal.Decimal{wide("1"), wide("100000000000000000000000000000000")}}, "more than 38 digits"},
		{"exponent", ColumnSpec{Name: "x", Type: WideMoney}, Column{Wide: []decimal.Decimal{wide("1"), decimal.New(1, 1e9)}}, "more than 38 digits"},
		{"decimals", ColumnSpec{Name: "x", Type: WideMoney}, Column{Wide: []decimal.Decimal{wide("1"), wide("0.0000001")}}, "more than 6 decimals"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := one(tc.spec, tc.c)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "write k: ") {
				t.Errorf("got %v, want one with %q", err, tc.want)
			}
		})
	}
	// A null slot is not looked at.
	if err := one(ColumnSpec{Name: "x", Type: WideMoney, Nullable: true}, Column{Wide: []decimal.Decimal{wide("1"), wide("0.0000001")}, Null: []bool{false, true}}); err != nil {
		t.Error(err)
	}
}

// TestWriteErrorIsKept: an encoder that does not look at errors must not turn
// a failed store into a file.
func TestWriteErrorIsKept(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	for _, op := range []string{"create", "write", "seal", "commit"} {
		store := newFakeStore()
		store.fault = func(o, _ string) (bool, error) {
			if o == op {
				return false, broken
			}
			return true, nil
		}
		f := chargeFrame(50, 1)
		if _, err := WriteParquet(t.Context(), store, "k", ChargesSchema(), cut(f, 20)); !errors.Is(err, broken) {
			t.Errorf("%s: got %v", op, err)
		}
		if _, err := WriteCSV(t.Context(), store, "k", ChargesSchema(), cut(f, 20)); !errors.Is(err, broken) {
			t.Errorf("csv %s: got %v", op, err)
		}
		if len(store.objects) != 0 {
			t.Errorf("%s: something was published", op)
		}
	}
}

// TestStagedIsSealed: what waits for the end of a run is sealed, and is not
// visible.
func TestStagedIsSealed(t *testing.T) {
	t.Parallel()
	store := newFakeStore()
	s, err := StageParquet(t.Context(), store, "k", ChargesSchema(), cut(chargeFrame(50, 1), 20))
	if err != nil {
		t.Fatal(err)
	}
	if last := store.trace[len(store.trace)-1]; last != "seal k" || len(store.objects) != 0 {
		t.Errorf("staging ends with %s, %d objects", last, len(store.objects))
	}
	if s.upload.buf != nil {
		t.Error("staging keeps its buffer")
	}
	e, err := s.Commit(t.Context())
	if err != nil || e.Rows != 50 || e.Bytes != int64(len(store.objects["k"])) {
		t.Errorf("commit: %+v, %v", e, err)
	}
	s.Abort() // does nothing
	// One that could not be sealed is given up.
	store.fault = func(op, _ string) (bool, error) {
		if op == "seal" {
			return false, ErrStore
		}
		return true, nil
	}
	if _, err := StageParquet(t.Context(), store, "l", ChargesSchema(), cut(chargeFrame(50, 1), 20)); !errors.Is(err, ErrStore) {
		t.Errorf("got %v", err)
	}
}

func TestFrameErrorEndsTable(t *testing.T) {
	t.Parallel()
	bad := errors.New("no more")
	store := newFakeStore()
	frames := func(yield func(Frame, error) bool) {
		if yield(chargeFrame(3, 1), nil) {
			yield(Frame{}, bad)
		}
	}
	if _, err := WriteParquet(t.Context(), store, "k", ChargesSchema(), frames); !errors.Is(err, bad) {
		t.Errorf("got %v", err)
	}
	if len(store.objects) != 0 {
		t.Error("something was published")
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	s := Schema{
		{Name: "name", Type: Text}, {Name: "n", Type: Int32}, {Name: "day", Type: Day}, {Name: "at", Type: Instant, Nullable: true},
		{Name: "price", Type: Money, Nullable: true}, {Name: "sum", Type: WideMoney},
	}
	f := Frame{Rows: 3, Columns: []Column{
		{Text: []string{"plain", "a \"quoted\", one\nand more", "=1+1"}},
		{Int: []int64{1, -2, 3}},
		{Int: []int64{19907, 0, -1}},
		{Int: []int64{1720000800000, 0, -1}, Null: []bool{false, true, false}},
		{Micros: []reconcile.Micros{61_800, 0, -1}, Null: []bool{false, true, false}},
		{Wide: []decimal.Decimal{wide("12"), wide("-0.5"), wide("1234567890.123456")}},
	}}
	store := newFakeStore()
	e, err := WriteCSV(t.Context(), store, "runs/2024-07/abc/t.csv", s, cut(f, 2))
	if err != nil {
		t.Fatal(err)
	}
	want := "name,n,day,at,price,sum\n" +
		"plain,1,2024-07-03,2024-07-03T10:00:00.000Z,0.061800,12.000000\n" +
		"\"a \"\"quoted\"\", one\nand more\",-2,1970-01-01,,,-0.500000\n" +
		"=1+1,3,1969-12-31,1969-12-31T23:59:59.999Z,-0.000001,1234567890.123456\n"
	if diff := cmp.Diff(want, string(store.objects["runs/2024-07/abc/t.csv"])); diff != "" {
		t.Error(diff)
	}
	if e.Name != "t.csv" || e.Rows != 3 || e.Totals["sum"] != "1234567901.623456" {
		t.Errorf("entry %+v", e)
	}
}

// TestReadParquetDamaged: whatever is missing or wiped out, reading ends, and
// without a panic. What is not noticed here is noticed by its hash.
func TestReadParquetDamaged(t *testing.T) {
	t.Parallel()
	s := ChargesSchema()
	data, _ := writeParquet(t, s, cut(chargeFrame(60, 5), 60))
	read := func(data []byte) (err error) {
		for _, frameErr := range ReadParquet(bytes.NewReader(data), int64(len(data)), s) {
			err = frameErr
		}
		return err
	}
	if err := read(data); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(data); n += 13 {
		if read(data[:n]) == nil {
			t.Errorf("cut at %d of %d: not noticed", n, len(data))
		}
	}
	noticed, total := 0, 0
	for n := 4; n+8 < len(data); n += 8 {
		wiped := bytes.Clone(data)
		clear(wiped[n : n+8])
		total++
		if read(wiped) != nil {
			noticed++
		}
	}
	if noticed < total/2 {
		t.Errorf("%d of %d wipes noticed", noticed, total)
	}
}
