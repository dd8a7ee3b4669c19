package writer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// tableFrameRows is the most rows of a frame of ReadTable; it divides
// rowGroupRows.
const tableFrameRows = 16 << 10

// ReadTable reads a table that WriteParquet wrote: the columns that are named,
// in the order in which they are named, or all of s where none is. It is the
// quick way, through the library that wrote the file, for a table whose sha256
// the caller has compared or otherwise trusts; ReadParquet is the one that
// proves something.
//
// The file must have the columns of s and nothing else, of the names, order,
// types and nullability that WriteParquet gives them. Frames are of at most
// 16384 rows and are valid until the next is asked for. Their texts stay valid
// for ever, and each keeps about a megabyte of its neighbours in memory: clone
// the few that are kept. A damaged file ends the sequence with an error, not
// with a panic, but its page headers can ask for more memory than there is.
func ReadTable(ctx context.Context, t Target, key string, s Schema, columns ...string) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		if err := eachTableFrame(ctx, t, key, s, columns, yield); err != nil {
			yield(Frame{}, fmt.Errorf("read %s: %w", key, err))
		}
	}
}

// eachTableFrame returns nil where yield wants no more.
func eachTableFrame(ctx context.Context, t Target, key string, s Schema, columns []string, yield func(Frame, error) bool) error {
	stored, err := t.Open(ctx, key)
	if err != nil {
		return err
	}
	defer stored.Close()
	return eachFrame(ctx, &tableSource{ReaderAt: stored, size: stored.Size()}, s, columns, yield)
}

func eachFrame(ctx context.Context, source *tableSource, s Schema, columns []string, yield func(Frame, error) bool) error {
	r, err := openTable(source, s, columns)
	if err != nil {
		return err
	}
	for group, rows := range r.groups {
		if err := r.openGroup(group); err != nil {
			return err
		}
		for left := rows; left > 0; left -= int64(r.frame.Rows) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := r.next(int(min(left, tableFrameRows))); err != nil {
				return err
			}
			if !yield(r.frame, nil) {
				return nil
			}
		}
	}
	return nil
}

// tableSource is a file as the library wants it. It keeps the error of the
// store, which the library does not always pass on.
type tableSource struct {
	io.ReaderAt
	size int64
	err  error
}

func (f *tableSource) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.ReaderAt.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) && f.err == nil {
		f.err = err
	}
	return n, err
}

// Seek is asked for the size only.
func (f *tableSource) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekEnd {
		return 0, errors.ErrUnsupported
	}
	return f.size, nil
}

func (f *tableSource) Read([]byte) (int, error) { return 0, errors.ErrUnsupported }

// tableReader reads one file. Its library panics on some damaged files, and so
// every call is guarded.
type tableReader struct {
	source  *tableSource
	pr      *file.Reader
	groups  []int64 // rows of each row group
	schema  Schema  // of the columns that are read
	index   []int   // of each of them in the file
	columns []columnReader
	frame   Frame
}

func openTable(source *tableSource, s Schema, columns []string) (r *tableReader, err error) {
	r = &tableReader{source: source}
	defer r.explain(&err)
	if err := r.choose(s, columns); err != nil {
		return nil, err
	}
	if err := checkEnds(source, source.size); err != nil {
		return nil, err
	}
	// The Go allocator leaves memory to the collector, so that texts may
	// refer to it.
	props := parquet.NewReaderProperties(memory.NewGoAllocator())
	if r.pr, err = file.NewParquetReader(source, file.WithReadProps(props)); err != nil {
		return nil, fmt.Errorf("read footer: %w", err)
	}
	if err := checkColumns(r.pr.MetaData().Schema, s); err != nil {
		return nil, err
	}
	return r, r.countRows()
}

// explain is deferred: it turns a panic of the library into an error, and an
// error that the store is to blame for into the store's.
func (r *tableReader) explain(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged file: %v", p)
	}
	if *err != nil && r.source.err != nil {
		*err = r.source.err
	}
}

// choose finds the columns that are asked for.
func (r *tableReader) choose(s Schema, columns []string) error {
	if len(columns) == 0 {
		for i := range s {
			r.index = append(r.index, i)
		}
	}
	for _, name := range columns {
		i := slices.IndexFunc(s, func(c ColumnSpec) bool { return c.Name == name })
		if i < 0 {
			return fmt.Errorf("column %s: the table has none", name)
		}
		r.index = append(r.index, i)
	}
	for _, i := range r.index {
		r.schema = append(r.schema, s[i])
		r.columns = append(r.columns, newColumnReader(s[i]))
	}
	r.frame.Columns = make([]Column, len(r.index))
	return nil
}

// checkColumns holds the columns of a file against those of a table.
func checkColumns(got *schema.Schema, s Schema) error {
	root, err := parquetSchema(s)
	if err != nil {
		return err
	}
	want := schema.NewSchema(root)
	if got.NumColumns() != want.NumColumns() {
		return fmt.Errorf("%d columns, want %d", got.NumColumns(), want.NumColumns())
	}
	for i, spec := range s {
		g, w := got.Column(i), want.Column(i)
		if g.Path() != spec.Name {
			return fmt.Errorf("column %d is called %s, want %s", i, g.Path(), spec.Name)
		}
		if a, b := columnType(g), columnType(w); a != b {
			return fmt.Errorf("column %s is %s, want %s", spec.Name, a, b)
		}
	}
	return nil
}

func columnType(c *schema.Column) string {
	return fmt.Sprintf("%s(%d) %s %s, levels %d/%d", c.PhysicalType(), max(0, c.TypeLength()), c.LogicalType(),
		c.ConvertedType(), c.MaxDefinitionLevel(), c.MaxRepetitionLevel())
}

// countRows adds up the row groups.
func (r *tableReader) countRows() error {
	var sum int64
	for i := range r.pr.NumRowGroups() {
		rows := r.pr.RowGroup(i).NumRows()
		if rows < 0 || rows > r.pr.NumRows()-sum {
			return fmt.Errorf("row group %d of %d rows in a file of %d", i, rows, r.pr.NumRows())
		}
		sum += rows
		r.groups = append(r.groups, rows)
	}
	if sum != r.pr.NumRows() {
		return fmt.Errorf("row groups of %d rows in a file of %d", sum, r.pr.NumRows())
	}
	return nil
}

func (r *tableReader) openGroup(i int) (err error) {
	defer r.explain(&err)
	group := r.pr.RowGroup(i)
	for n, column := range r.index {
		err := r.checkChunk(group.MetaData(), column, r.groups[i])
		var pages file.PageReader
		if err == nil {
			pages, err = group.GetColumnPageReader(column)
		}
		if err != nil {
			return fmt.Errorf("row group %d: column %s: %w", i, r.schema[n].Name, err)
		}
		r.columns[n].open(pages)
	}
	return nil
}

// checkChunk looks at what the library trusts, and at what the decoding here
// does: only zstd gives every page memory of its own.
func (r *tableReader) checkChunk(group *metadata.RowGroupMetaData, column int, rows int64) error {
	chunk, err := group.ColumnChunk(column)
	if err != nil {
		return err
	}
	start := chunk.DataPageOffset()
	if chunk.HasDictionaryPage() && chunk.DictionaryPageOffset() > 0 {
		start = min(start, chunk.DictionaryPageOffset())
	}
	size := chunk.TotalCompressedSize()
	switch {
	case start < 0 || size < 0 || start > r.source.size-size:
		return fmt.Errorf("%d bytes at %d of a file of %d", size, start, r.source.size)
	case chunk.NumValues() != rows:
		return fmt.Errorf("%d values in a row group of %d rows", chunk.NumValues(), rows)
	case chunk.Compression() != compress.Codecs.Zstd:
		return fmt.Errorf("compressed with %s, want %s", chunk.Compression(), compress.Codecs.Zstd)
	}
	return nil
}

// next fills the frame with n rows, which are left in the row group.
func (r *tableReader) next(n int) (err error) {
	defer r.explain(&err)
	r.frame.Rows = n
	for i, c := range r.columns {
		if err := c.read(&r.frame.Columns[i], n); err != nil {
			return fmt.Errorf("column %s: %w", r.schema[i].Name, err)
		}
	}
	return nil
}
