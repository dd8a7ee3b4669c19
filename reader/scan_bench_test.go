package reader_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

// benchMessages are rows as real exports have them: few accounts, many
// contacts, long ids.
func benchMessages(n int) []message {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]message, n)
	for i := range rows {
		sent := dayStart + int64(i)*reconcile.DayMillis/int64(n)
		m := message{
			ID: fmt.Sprintf("wamid.HBgL%016X%08X", r.Uint64(), i), Account: fmt.Sprintf("account-%02d", r.IntN(20)),
			Business: fmt.Sprintf("3902000%04d", r.IntN(40)), Contact: fmt.Sprintf("39333%07d", r.IntN(n/5+1)),
			Direction: "inbound", Type: "text", Sent: sent,
		}
		if r.IntN(3) > 0 {
			m.Direction, m.Status, m.Delivered = "outbound", "delivered", sent+r.Int64N(5000)
			if r.IntN(2) == 0 {
				m.Type, m.Category, m.Status, m.Read = "template", "marketing", "read", sent+60_000
			}
		}
		rows[i] = m
	}
	return rows
}

// benchFiles are the layouts that decoding is measured with.
func benchFiles(b *testing.B, run func(b *testing.B, rows int, data []byte)) {
	const n = 200_000
	for _, v := range []struct {
		name string
		l    layout
	}{
		{"zstd/dictionary", layout{codec: compress.Codecs.Zstd, dictionary: true}},
		{"snappy/dictionary", layout{codec: compress.Codecs.Snappy, dictionary: true}},
		{"none/dictionary", layout{dictionary: true}},
		{"none/plain", layout{}},
	} {
		b.Run(fmt.Sprintf("rows=%d/%s", n, v.name), func(b *testing.B) {
			data := exportFile(b, v.l, exportColumns(benchMessages(n), arrow.BinaryTypes.String, arrow.Millisecond)...)
			runtime.GC()
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			run(b, n, data)
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkScan(b *testing.B) {
	benchFiles(b, func(b *testing.B, rows int, data []byte) {
		scan := benchScan(b, data)
		for b.Loop() {
			scan()
		}
	})
}

// benchScan makes what decodes a file.
func benchScan(tb testing.TB, data []byte) func() {
	src := &readertest.Mem{}
	src.Put(testDayKey, data)
	o, err := src.Stat(testDayKey)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := reader.NewExports(src, reader.NewNames(), reader.ExportOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return func() {
		err := e.Scan(tb.Context(), o, testDay, reconcile.NoTime, func(*reader.Block) error { return nil })
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// TestScanAllocatesNothing: a page has its header, a row has nothing of its
// own.
func TestScanAllocatesNothing(t *testing.T) {
	const rows = 200_000
	data := exportFile(t, layout{codec: compress.Codecs.Snappy, dictionary: true}, exportColumns(benchMessages(rows), arrow.BinaryTypes.String, arrow.Millisecond)...)
	if n := testing.AllocsPerRun(5, benchScan(t, data)); n > rows/50 {
		t.Errorf("%v allocations for %d rows", n, rows)
	}
}

// BenchmarkBareDecode is what Scan is measured against: the library's own
// column readers, whose values nobody looks at.
func BenchmarkBareDecode(b *testing.B) {
	texts, levels := make([]parquet.ByteArray, 8192), make([]int16, 8192)
	times := make([]int64, 8192)
	benchFiles(b, func(b *testing.B, rows int, data []byte) {
		for b.Loop() {
			props := parquet.NewReaderProperties(nil)
			props.BufferedStreamEnabled, props.BufferSize = true, 1<<20
			r, err := file.NewParquetReader(bytes.NewReader(data), file.WithReadProps(props))
			if err != nil {
				b.Fatal(err)
			}
			for g := range r.NumRowGroups() {
				group := r.RowGroup(g)
				for c := range group.NumColumns() {
					column, err := group.Column(c)
					if err != nil {
						b.Fatal(err)
					}
					for column.HasNext() {
						switch column := column.(type) {
						case *file.ByteArrayColumnChunkReader:
							_, _, err = column.ReadBatch(8192, texts, levels, nil)
						case *file.Int64ColumnChunkReader:
							_, _, err = column.ReadBatch(8192, times, levels, nil)
						}
						if err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		}
	})
}
