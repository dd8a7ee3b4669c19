package exportfile

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// columns of rows that are numbers, of which every second is null where a
// column is optional.
func columns() []Column[int] {
	required, optional := parquet.Repetitions.Required, parquet.Repetitions.Optional
	word := []byte("even")
	return []Column[int]{
		{Node: TextNode("text", required), Plain: true, Text: func(b []byte, n *int) []byte { return strconv.AppendInt(b, int64(*n), 10) }},
		{Node: TextNode("word", optional), Word: func(n *int) []byte { return map[int][]byte{0: word}[*n%2] }},
		{Node: TimeNode("time", optional), Stats: true, Time: func(n *int) (int64, bool) { return int64(*n), *n%2 == 0 }},
		{Node: TextNode("nothing", optional)},
	}
}

func TestSetWrites(t *testing.T) {
	t.Parallel()
	const n = GroupRows + 10
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	set, path := NewSet(columns), filepath.Join(t.TempDir(), "a.parquet")
	if err := set.Write(t.Context(), path, rows); err != nil {
		t.Fatal(err)
	}
	if files, bytes := set.Written(); files != 1 || bytes < n {
		t.Errorf("written: %d files, %d bytes", files, bytes)
	}
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.NumRows() != n || r.NumRowGroups() != 2 {
		t.Fatalf("%d rows in %d groups", r.NumRows(), r.NumRowGroups())
	}
	last := r.RowGroup(1)
	texts, times, levels := make([]parquet.ByteArray, 10), make([]int64, 10), make([]int16, 10)
	for i, want := range []int{10, 5, 5, 0} {
		column, err := last.Column(i)
		if err != nil {
			t.Fatal(err)
		}
		values := 0
		switch column := column.(type) {
		case *file.ByteArrayColumnChunkReader:
			_, values, err = column.ReadBatch(10, texts, levels, nil)
		case *file.Int64ColumnChunkReader:
			_, values, err = column.ReadBatch(10, times, levels, nil)
		}
		if err != nil || values != want {
			t.Errorf("column %d: %d values, want %d (%v)", i, values, want, err)
		}
		chunk, err := last.MetaData().ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		if set, err := chunk.StatsSet(); err != nil || set != columns()[i].Stats {
			t.Errorf("column %d: statistics are there: %t (%v)", i, set, err)
		}
	}
	if times[0] != GroupRows || times[4] != GroupRows+8 {
		t.Errorf("times = %v", times[:5])
	}
}

func TestSetStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := NewSet(columns).Write(ctx, filepath.Join(t.TempDir(), "a.parquet"), []int{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}
