package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"golang.org/x/sync/errgroup"
)

// Decode reads the columns of all exports in a directory, in as many
// goroutines as there are processors, each file by one of them, and gives the
// number of rows.
func Decode(ctx context.Context, dir string) (rows int64, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "dt=*", "*.parquet"))
	if err != nil {
		return 0, fmt.Errorf("list exports: %w", err)
	}
	var next, read atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() error {
			d := newDecoder()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(paths) {
					return nil
				}
				n, err := d.decode(paths[i])
				if err != nil {
					return fmt.Errorf("decode %s: %w", paths[i], err)
				}
				read.Add(n)
			}
			return ctx.Err()
		})
	}
	err = group.Wait()
	return read.Load(), err
}

// batchRows is how many values are decoded at a time.
const batchRows = 8192

// decoder is the memory that one goroutine decodes into.
type decoder struct {
	levels []int16
	texts  []parquet.ByteArray
	times  []int64
}

func newDecoder() *decoder {
	return &decoder{levels: make([]int16, batchRows), texts: make([]parquet.ByteArray, batchRows), times: make([]int64, batchRows)}
}

func (d *decoder) decode(path string) (rows int64, err error) {
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		for _, name := range columnNames() {
			column, err := group.Column(r.MetaData().Schema.ColumnIndexByName(name))
			if err != nil {
				return rows, err
			}
			if err := d.column(column); err != nil {
				return rows, fmt.Errorf("column %s: %w", name, err)
			}
		}
		rows += group.NumRows()
	}
	return rows, nil
}

func (d *decoder) column(column file.ColumnChunkReader) (err error) {
	for column.HasNext() && err == nil {
		switch column := column.(type) {
		case *file.ByteArrayColumnChunkReader:
			_, _, err = column.ReadBatch(batchRows, d.texts, d.levels, nil)
		case *file.Int64ColumnChunkReader:
			_, _, err = column.ReadBatch(batchRows, d.times, d.levels, nil)
		default:
			err = fmt.Errorf("no reader for type %s", column.Type())
		}
	}
	return errors.Join(err, column.Err())
}
