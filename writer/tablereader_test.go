package writer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// tableStore is a store with one table under t.parquet.
func tableStore(data []byte) *fakeStore {
	store := newFakeStore()
	store.set("t.parquet", data)
	return store
}

// readAll reads t.parquet of a store whose bytes need not be a table.
func readAll(ctx context.Context, store Target, s Schema, columns ...string) (rows []string, err error) {
	chosen := pick(s, columns)
	for f, frameErr := range ReadTable(ctx, store, "t.parquet", s, columns...) {
		if err = frameErr; err == nil {
			rows = append(rows, text(chosen, f)...)
		}
	}
	return rows, err
}

// pick is the schema of some columns of s, or s itself where none is named.
func pick(s Schema, columns []string) Schema {
	if len(columns) == 0 {
		return s
	}
	var chosen Schema
	for _, name := range columns {
		chosen = append(chosen, s[s.index(name)])
	}
	return chosen
}

func TestReadTableRoundTrip(t *testing.T) {
	t.Parallel()
	s := everyType()
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SampledFrom([]int{0, 1, 2, 7, 100}).Draw(rt, "rows")
		f := fill(s, rows, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") })
		data, _ := writeParquet(t, s, cut(f, 3))
		got, err := readAll(t.Context(), tableStore(data), s)
		if err != nil {
			rt.Fatal(err)
		}
		if want := text(s, f); !slices.Equal(got, want) {
			rt.Fatalf("got %q\nwant %q", got, want)
		}
	})
}

// TestReadTableLarge has more than one row group, more than one page, more
// texts than a dictionary takes, and runs of nulls.
func TestReadTableLarge(t *testing.T) {
	t.Parallel()
	s := ChargesSchema()
	f := chargeFrame(rowGroupRows+3*tableFrameRows+5, 11)
	for _, name := range []string{"plan", "reason", "amount"} {
		c := at(&f, s, name)
		c.Null = make([]bool, f.Rows)
		for i := range c.Null {
			c.Null[i] = i%1000 > 700 || i%7 == 0
		}
	}
	for i := range f.Rows {
		at(&f, s, "recharge_id").Text[i] = fmt.Sprintf("recharge %d", i)
		at(&f, s, "recharge_id").Null[i] = i%5 == 0
	}
	data, _ := writeParquet(t, s, cut(f, 8192))
	row := 0
	for frame, err := range ReadTable(t.Context(), tableStore(data), "t.parquet", s) {
		if err != nil {
			t.Fatal(err)
		}
		want := f.slice(row, row+frame.Rows)
		for i, spec := range s {
			if !sameColumn(&frame.Columns[i], &want.Columns[i], frame.Rows) {
				t.Fatalf("rows from %d on: column %s differs", row, spec.Name)
			}
		}
		row += frame.Rows
	}
	if row != f.Rows {
		t.Errorf("%d rows, want %d", row, f.Rows)
	}
}

// sameColumn compares the values of two columns that hold no wide amounts.
func sameColumn(a, b *Column, rows int) bool {
	for row := range rows {
		switch {
		case a.isNull(row) || b.isNull(row):
			if a.isNull(row) != b.isNull(row) {
				return false
			}
		case len(b.Text) > 0 && a.Text[row] != b.Text[row],
			len(b.Int) > 0 && a.Int[row] != b.Int[row],
			len(b.Micros) > 0 && a.Micros[row] != b.Micros[row]:
			return false
		}
	}
	return true
}

func TestReadTableColumns(t *testing.T) {
	t.Parallel()
	s := ChargesSchema()
	f := chargeFrame(300, 3)
	data, _ := writeParquet(t, s, cut(f, 100))
	columns := []string{"amount", "charge_id", "expires_at", "charge_id"}
	got, err := readAll(t.Context(), tableStore(data), s, columns...)
	if err != nil {
		t.Fatal(err)
	}
	want := Frame{Rows: f.Rows}
	for _, name := range columns {
		want.Columns = append(want.Columns, *at(&f, s, name))
	}
	if !slices.Equal(got, text(pick(s, columns), want)) {
		t.Errorf("columns %v: got %s", columns, got[0])
	}
	for range ReadTable(t.Context(), tableStore(data), "t.parquet", s) {
		break // one frame is enough, and no error
	}
}

// TestReadTableTextsStay: the texts of a frame are still theirs when the next
// has been read.
func TestReadTableTextsStay(t *testing.T) {
	t.Parallel()
	s := ChargesSchema()
	f := chargeFrame(3*tableFrameRows, 5)
	data, _ := writeParquet(t, s, cut(f, 8192))
	var kept []string
	for frame, err := range ReadTable(t.Context(), tableStore(data), "t.parquet", s, "charge_id") {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, frame.Columns[0].Text...)
	}
	if !slices.Equal(kept, at(&f, s, "charge_id").Text) {
		t.Error("texts changed after their frame")
	}
}

func TestReadTableRefuses(t *testing.T) {
	t.Parallel()
	want := Schema{{Name: "a", Type: Text}, {Name: "b", Type: Money, Nullable: true}}
	for _, tc := range []struct {
		name    string
		schema  Schema
		columns []string
		message string
	}{
		{"more", append(slices.Clone(want), ColumnSpec{Name: "c", Type: Text}), nil, "read t.parquet: 3 columns, want 2"},
		{"name", Schema{{Name: "a", Type: Text}, {Name: "x", Type: Money, Nullable: true}}, nil, "read t.parquet: column 1 is called x, want b"},
		{"order", Schema{want[1], want[0]}, nil, "column 0 is called b, want a"},
		{"type", Schema{want[0], {Name: "b", Type: Int64, Nullable: true}}, nil, "read t.parquet: column b is INT64"},
		{"wide", Schema{want[0], {Name: "b", Type: WideMoney, Nullable: true}}, nil, "column b is FIXED_LEN_BYTE_ARRAY(16)"},
		{"nulls", Schema{want[0], {Name: "b", Type: Money}}, nil, "levels 0/0, want"},
		{"no such column", want, []string{"z"}, "column z: the table has none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data, _ := writeParquet(t, tc.schema, cut(fill(tc.schema, 3, func(int) int { return 0 }), 3))
			var err error
			for _, err = range ReadTable(t.Context(), tableStore(data), "t.parquet", want, tc.columns...) {
				if err == nil {
					t.Error("a frame")
				}
			}
			if err == nil || !strings.Contains(err.Error(), tc.message) {
				t.Errorf("got %v, want one with %q", err, tc.message)
			}
		})
	}
}

// brokenStore fails reads from its n-th on.
type brokenStore struct {
	*fakeStore
	left int
}

type brokenStored struct {
	Stored
	store *brokenStore
}

var errWireCut = fmt.Errorf("%w: wire cut", ErrStore)

func (s *brokenStore) Open(ctx context.Context, key string) (Stored, error) {
	stored, err := s.fakeStore.Open(ctx, key)
	return brokenStored{stored, s}, err
}

func (s brokenStored) ReadAt(p []byte, off int64) (int, error) {
	if s.store.left--; s.store.left < 0 {
		return 0, errWireCut
	}
	return s.Stored.ReadAt(p, off)
}

func TestReadTableStoreErrors(t *testing.T) {
	t.Parallel()
	s := ChargesSchema()
	data, _ := writeParquet(t, s, cut(chargeFrame(50, 5), 50))
	if _, err := readAll(t.Context(), newFakeStore(), s); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for n := 0; ; n++ {
		_, err := readAll(t.Context(), &brokenStore{tableStore(data), n}, s)
		if err == nil && n > len(s) {
			break
		}
		if !errors.Is(err, errWireCut) || !strings.HasPrefix(err.Error(), "read t.parquet: ") {
			t.Fatalf("read %d fails: %v", n, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	if _, err := readAll(ctx, tableStore(data), s); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestReadTableDamaged: whatever is missing or wiped out, reading ends, and
// without a panic.
func TestReadTableDamaged(t *testing.T) {
	t.Parallel()
	s := ChargesSchema()
	data, _ := writeParquet(t, s, cut(chargeFrame(60, 5), 60))
	for n := 0; n < len(data); n += 13 {
		if _, err := readAll(t.Context(), tableStore(data[:n]), s); err == nil {
			t.Errorf("cut at %d of %d: not noticed", n, len(data))
		}
	}
	noticed, total := 0, 0
	for n := 4; n+8 < len(data); n += 8 {
		wiped := bytes.Clone(data)
		clear(wiped[n : n+8])
		total++
		if _, err := readAll(t.Context(), tableStore(wiped), s); err != nil {
			noticed++
		}
	}
	if noticed < total/2 {
		t.Errorf("%d of %d wipes noticed", noticed, total)
	}
}

// TestHybridRuns: runs that end early are an error and not a loop.
func TestHybridRuns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		runs hybridRuns
		want []uint32
	}{
		{"nothing", hybridRuns{}, nil},
		{"repeated", hybridRuns{data: []byte{6, 9}, width: 4}, []uint32{9, 9, 9}},
		{"repeated too short", hybridRuns{data: []byte{4, 9}, width: 4}, nil},
		{"repeated none", hybridRuns{data: []byte{0, 9, 6, 9}, width: 4}, nil},
		{"no value", hybridRuns{data: []byte{6}, width: 4}, nil},
		{"width 0", hybridRuns{data: []byte{6}, width: 0}, []uint32{0, 0, 0}},
		{"packed width 0", hybridRuns{data: []byte{3}, width: 0}, []uint32{0, 0, 0}},
		{"packed", hybridRuns{data: []byte{3, 0x88, 0xc6, 0xfa}, width: 3}, []uint32{0, 1, 2}},
		{"packed too short", hybridRuns{data: []byte{3, 0x88, 0xc6}, width: 3}, nil},
		{"wide", hybridRuns{data: []byte{6, 1, 2, 3, 4}, width: 32}, []uint32{0x04030201, 0x04030201, 0x04030201}},
		{"endless header", hybridRuns{data: bytes.Repeat([]byte{0xff}, 20), width: 3}, nil},
	} {
		got := make([]uint32, 3)
		err := tc.runs.read(got)
		if (err == nil) != (tc.want != nil) || err == nil && !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, %v, want %v", tc.name, got, err, tc.want)
		}
	}
}

func FuzzReadTable(f *testing.F) {
	s := everyType()
	for _, rows := range []int{0, 1, 20} {
		n := 0
		frame := fill(s, rows, func(k int) int { n++; return n * n % k })
		store := newFakeStore()
		if _, err := WriteParquet(f.Context(), store, "t.parquet", s, cut(frame, 7)); err != nil {
			f.Fatal(err)
		}
		f.Add(store.objects["t.parquet"])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = readAll(t.Context(), tableStore(data), s)
	})
}

func BenchmarkReadTable(b *testing.B) {
	const rows = 100_000
	data, _ := writeParquet(b, ChargesSchema(), cut(chargeFrame(rows, 7), 8192))
	for _, columns := range [][]string{nil, {"charge_id", "contact", "amount"}} {
		b.Run(fmt.Sprintf("columns=%d", len(pick(ChargesSchema(), columns))), func(b *testing.B) {
			store := tableStore(data)
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for frame, err := range ReadTable(b.Context(), store, "t.parquet", ChargesSchema(), columns...) {
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
		})
	}
}
