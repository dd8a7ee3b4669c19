package reader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/metadata"

	"waconcile/reconcile"
)

const (
	parquetMagic   = "PAR1"
	footerTail     = 8        // length of the footer, magic
	footerGuess    = 64 << 10 // read at once, in the hope that it holds the footer
	footerBytesMax = 64 << 20
)

var (
	errNotParquet = errors.New("not a Parquet file or cut short")
	errDamaged    = errors.New("damaged")
	errNotUTF8    = errors.New("text is not UTF-8")
)

// fileMeta is what a file says of itself, checked before anything relies on
// it.
type fileMeta struct {
	columns [fieldCount]boundColumn
	groups  []groupMeta
	rows    int64
}

// groupMeta is one row group.
type groupMeta struct {
	rows   int64
	oldest int64 // smallest sent_at by the statistics, or NoTime
	chunks [fieldCount]chunkMeta
}

// chunkMeta says where one column of a row group lies.
type chunkMeta struct {
	start, end int64 // bytes of the file
	codec      compress.Compression
}

// readFooter reads and checks a file's footer. An error of the store comes
// as an ioError; all others mean that the file is refused.
func readFooter(r io.ReaderAt, size int64, columnNames *[fieldCount]string) (*fileMeta, error) {
	raw, dataEnd, err := footerBytes(r, size)
	if err != nil {
		return nil, err
	}
	md, err := metadata.NewFileMetaData(raw, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: footer: %w", errDamaged, err)
	}
	if md.Schema == nil {
		return nil, fmt.Errorf("%w: footer has no schema", errDamaged)
	}
	if md.IsSetEncryptionAlgorithm() {
		return nil, errors.New("file is encrypted")
	}
	meta := &fileMeta{rows: md.NumRows}
	for f := range fieldCount {
		meta.columns[f], err = bindColumn(md.Schema, f, columnNames[f])
		if err != nil {
			return nil, &columnError{columnNames[f], err}
		}
	}
	var sum int64
	for i := range md.RowGroups {
		g, err := meta.bindGroup(md, i, dataEnd)
		if err != nil {
			return nil, err
		}
		if g.rows > md.NumRows-sum {
			return nil, fmt.Errorf("%w: row groups hold more than the %d rows of the file", errDamaged, md.NumRows)
		}
		sum += g.rows
		meta.groups = append(meta.groups, g)
	}
	if sum != md.NumRows {
		return nil, fmt.Errorf("%w: row groups hold %d of the %d rows of the file", errDamaged, sum, md.NumRows)
	}
	return meta, nil
}

// footerBytes is the footer, and where it begins.
func footerBytes(r io.ReaderAt, size int64) (raw []byte, start int64, err error) {
	if size < int64(len(parquetMagic))+footerTail {
		return nil, 0, errNotParquet
	}
	tail := make([]byte, min(size, footerGuess))
	if err := readFull(r, tail, size-int64(len(tail))); err != nil {
		return nil, 0, err
	}
	last := tail[len(tail)-footerTail:]
	if string(last[4:]) != parquetMagic {
		return nil, 0, errNotParquet
	}
	length := int64(binary.LittleEndian.Uint32(last))
	start = size - footerTail - length
	if start < int64(len(parquetMagic)) || length > footerBytesMax {
		return nil, 0, fmt.Errorf("%w: footer of %d bytes in a file of %d", errNotParquet, length, size)
	}
	if length+footerTail <= int64(len(tail)) {
		return tail[int64(len(tail))-footerTail-length : len(tail)-footerTail], start, nil
	}
	raw = make([]byte, length)
	return raw, start, readFull(r, raw, start)
}

// bindGroup checks row group i and finds the columns in it.
func (m *fileMeta) bindGroup(md *metadata.FileMetaData, i int, dataEnd int64) (groupMeta, error) {
	rg := md.RowGroup(i)
	g := groupMeta{rows: rg.NumRows(), oldest: reconcile.NoTime}
	if g.rows < 0 || rg.NumColumns() != md.Schema.NumColumns() {
		return g, fmt.Errorf("%w: row group %d has %d rows and %d of %d columns", errDamaged, i, g.rows, rg.NumColumns(), md.Schema.NumColumns())
	}
	if g.rows == 0 {
		return g, nil // its columns lie nowhere
	}
	for f := range fieldCount {
		c := &m.columns[f]
		if c.leaf < 0 {
			continue
		}
		chunk, err := rg.ColumnChunk(c.leaf)
		if err != nil {
			return g, &columnError{c.name, fmt.Errorf("row group %d: %w", i, err)}
		}
		if g.chunks[f], err = bindChunk(c, chunk, g.rows, dataEnd); err != nil {
			return g, &columnError{c.name, fmt.Errorf("row group %d: %w", i, err)}
		}
		if f == fieldSentAt {
			g.oldest = oldestByStatistics(chunk, c.unit)
		}
	}
	return g, nil
}

func bindChunk(c *boundColumn, chunk *metadata.ColumnChunkMetaData, rows, dataEnd int64) (chunkMeta, error) {
	m := chunkMeta{start: chunk.DataPageOffset(), codec: chunk.Compression()}
	switch {
	case chunk.CryptoMetadata() != nil:
		return m, errors.New("column is encrypted")
	case chunk.FilePath() != "":
		return m, errors.New("column lies in another file")
	case chunk.Type() != c.physical:
		return m, fmt.Errorf("%w: %s in a column of %s", errDamaged, chunk.Type(), c.physical)
	case chunk.NumValues() != rows:
		return m, fmt.Errorf("%w: %d values in %d rows", errDamaged, chunk.NumValues(), rows)
	}
	if d := chunk.DictionaryPageOffset(); chunk.HasDictionaryPage() && d > 0 && d < m.start {
		m.start = d
	}
	length := chunk.TotalCompressedSize()
	if m.start < int64(len(parquetMagic)) || length < 0 || m.start > dataEnd || length > dataEnd-m.start {
		return m, fmt.Errorf("%w: %d bytes at %d where the footer begins at %d", errDamaged, length, m.start, dataEnd)
	}
	m.end = m.start + length
	return m, checkCodec(m.codec)
}

// oldestByStatistics is the smallest sent_at in milliseconds that a row group
// declares, or NoTime. INT96 has no order, and so no statistics.
func oldestByStatistics(chunk *metadata.ColumnChunkMetaData, unit timeUnit) int64 {
	if unit == unitInt96 {
		return reconcile.NoTime
	}
	stats, err := chunk.Statistics()
	if err != nil || stats == nil {
		return reconcile.NoTime
	}
	s, ok := stats.(*metadata.Int64Statistics)
	if !ok || !s.HasMinMax() {
		return reconcile.NoTime
	}
	return unit.millis(s.Min())
}

// info sums up a file for planning.
func (m *fileMeta) info() FileInfo {
	info := FileInfo{Rows: m.rows, Oldest: math.MaxInt64}
	for i := range m.groups {
		if m.groups[i].rows > 0 {
			info.Oldest = min(info.Oldest, m.groups[i].oldest) // NoTime is the least of all
		}
	}
	if m.rows == 0 {
		info.Oldest = reconcile.NoTime
	}
	return info
}

// ioError is an error of the store on its way out of the decoder: it says
// nothing about the data.
type ioError struct{ err error }

func (e *ioError) Error() string { return e.err.Error() }
func (e *ioError) Unwrap() error { return e.err }

// columnError is an error about one column, until the file is known.
type columnError struct {
	column string // the name as in the file
	err    error
}

func (e *columnError) Error() string { return e.column + ": " + e.err.Error() }
func (e *columnError) Unwrap() error { return e.err }

// rowError is an error about one row of a file, inside a columnError.
type rowError struct {
	row int64
	err error
}

func (e *rowError) Error() string { return e.err.Error() }
func (e *rowError) Unwrap() error { return e.err }

// readFull fills p from off. A file that ends before is cut short, other
// errors are the store's.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || isBareEOF(err):
		return errNotParquet
	}
	return &ioError{err}
}

// isBareEOF says that a read met the end of the file, and that the store has
// nothing to say about why.
func isBareEOF(err error) bool {
	return (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) &&
		!errors.Is(err, ErrChanged) && !errors.Is(err, ErrStore)
}
