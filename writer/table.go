package writer

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// The cut of a table into row groups and batches. Both are counted in rows
// from the beginning of the file, so that the bytes never follow the frames
// in which the rows came. A batch is the step in which pages grow.
const (
	rowGroupRows = 32 << 10
	batchRows    = 4 << 10 // divides rowGroupRows
)

// createdBy stands in every file. It names no version: the manifest does.
const createdBy = "waconcile"

// WriteParquet writes a table of schema s as one Parquet file under key: zstd,
// row groups of 32768 rows, a dictionary for every column that is not Unique
// unless it would be large, statistics. The bytes follow from the rows alone, not from how frames cuts
// them. Frames are checked before they are written: lengths, nulls, decimals
// of at most 38 digits and 6 decimals, text in UTF-8. A frame may be reused by
// the caller as soon as the next is asked for; its strings stay in use until
// the end. Nothing is visible under key where an error is returned, unless it
// is that of Commit.
func WriteParquet(ctx context.Context, t Target, key string, s Schema, frames iter.Seq2[Frame, error]) (FileEntry, error) {
	staged, err := StageParquet(ctx, t, key, s, frames)
	if err != nil {
		return FileEntry{}, err
	}
	defer staged.Abort()
	return staged.Commit(ctx)
}

// Staged is a file that is written whole and not visible yet. It is sealed, so
// that any number of them may wait: each takes two kilobytes of memory and no
// descriptor. It ends in Commit or Abort; Abort after Commit does nothing.
type Staged struct {
	upload *upload
	rows   int64
	totals []total
	groups []RowGroup
}

// Commit makes the file visible and durable.
func (s *Staged) Commit(ctx context.Context) (FileEntry, error) {
	e, err := s.upload.commit(ctx, s.rows, s.totals)
	if err != nil {
		return FileEntry{}, err
	}
	e.Groups = s.groups
	return e, nil
}

// Abort gives the file up.
func (s *Staged) Abort() { s.upload.up.Abort() }

// StageParquet does all of WriteParquet but the last step. The end of ctx
// ends the upload, too, until Commit.
func StageParquet(ctx context.Context, t Target, key string, s Schema, frames iter.Seq2[Frame, error]) (*Staged, error) {
	u, err := newUpload(ctx, t, key)
	if err != nil {
		return nil, err
	}
	w, err := writeFrames(ctx, u, s, frames)
	if err != nil {
		u.up.Abort()
		return nil, fmt.Errorf("write %s: %w", key, err)
	}
	if err := u.seal(); err != nil {
		u.up.Abort()
		return nil, err
	}
	return &Staged{upload: u, rows: w.rows, totals: w.totals, groups: w.groups}, nil
}

func writeFrames(ctx context.Context, u *upload, s Schema, frames iter.Seq2[Frame, error]) (*tableWriter, error) {
	w, err := newTableWriter(u, s)
	if err != nil {
		return nil, err
	}
	for f, err := range frames {
		if err == nil {
			err = errors.Join(ctx.Err(), u.err)
		}
		if err == nil {
			err = w.write(&f)
		}
		if err != nil {
			return nil, err
		}
	}
	return w, w.close()
}

// tableWriter owns one Parquet file being written.
type tableWriter struct {
	schema  Schema
	file    *parquetFile
	grouped int // rows in the row group
	columns []columnBuffer
	batched int // rows in the batch
	rows    int64
	totals  []total // of the row groups that are complete
	sums    []total // of the row group
	groups  []RowGroup
}

func newTableWriter(u *upload, s Schema) (*tableWriter, error) {
	root, err := parquetSchema(s)
	if err != nil {
		return nil, err
	}
	file, err := beginFile(u, root, properties(s))
	if err != nil {
		return nil, err
	}
	w := &tableWriter{schema: s, file: file, columns: make([]columnBuffer, len(s)), totals: newTotals(s), sums: newTotals(s)}
	for i, spec := range s {
		w.columns[i] = newColumnBuffer(spec)
	}
	return w, nil
}

func properties(s Schema) *parquet.WriterProperties {
	options := []parquet.WriterProperty{
		parquet.WithCreatedBy(createdBy),
		parquet.WithVersion(parquet.V2_LATEST),
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithCompressionLevel(compressionLevel),
		parquet.WithBatchSize(batchRows),
		parquet.WithStats(true),
	}
	for _, c := range s {
		options = append(options, parquet.WithDictionaryFor(c.Name, hasDictionary(c)))
	}
	return parquet.NewWriterProperties(options...)
}

// parquetSchema gives the physical and logical types that other readers see.
func parquetSchema(s Schema) (*schema.GroupNode, error) {
	fields := make(schema.FieldList, len(s))
	for i, c := range s {
		p := physical(c.Type)
		repetition := parquet.Repetitions.Required
		if c.Nullable {
			repetition = parquet.Repetitions.Optional
		}
		var err error
		if p.logical == nil {
			fields[i], err = schema.NewPrimitiveNode(c.Name, repetition, p.kind, -1, int32(p.length))
		} else {
			fields[i], err = schema.NewPrimitiveNodeLogical(c.Name, repetition, p.logical, p.kind, p.length, -1)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
}

type physicalType struct {
	kind    parquet.Type
	length  int // of a fixed length byte array, else -1
	logical schema.LogicalType
}

// wideBytes is the length of a WideMoney: the least that holds 38 digits.
const wideBytes = 16

func physical(t Type) physicalType {
	switch t {
	case Text:
		return physicalType{parquet.Types.ByteArray, -1, schema.StringLogicalType{}}
	case Int32:
		return physicalType{parquet.Types.Int32, -1, nil}
	case Int64:
		return physicalType{parquet.Types.Int64, -1, nil}
	case Day:
		return physicalType{parquet.Types.Int32, -1, schema.DateLogicalType{}}
	case Instant:
		return physicalType{parquet.Types.Int64, -1, schema.NewTimestampLogicalType(true, schema.TimeUnitMillis)}
	case Money:
		return physicalType{parquet.Types.Int64, -1, schema.NewDecimalLogicalType(18, scale)}
	case WideMoney:
		return physicalType{parquet.Types.FixedLenByteArray, wideBytes, schema.NewDecimalLogicalType(wideDigits, scale)}
	}
	panic("unknown column type")
}

func (w *tableWriter) write(f *Frame) error {
	if err := checkFrame(w.schema, f, w.rows); err != nil {
		return err
	}
	for from := 0; from < f.Rows; {
		n := min(f.Rows-from, batchRows-w.batched)
		for i, c := range w.columns {
			c.append(&f.Columns[i], from, from+n)
			w.sums[i].addRows(&f.Columns[i], from, from+n)
		}
		from += n
		w.batched += n
		w.rows += int64(n)
		if w.batched == batchRows {
			if err := w.endBatch(); err != nil {
				return err
			}
		}
	}
	return nil
}

// endBatch ends a batch of every column, and the row group where it is full.
func (w *tableWriter) endBatch() error {
	for _, c := range w.columns {
		c.endBatch()
	}
	w.grouped += w.batched
	w.batched = 0
	if w.grouped < rowGroupRows {
		return nil
	}
	return w.endGroup()
}

func (w *tableWriter) endGroup() error {
	err := w.file.group(w.grouped, func(column int, c *chunkWriter) error {
		if err := w.columns[column].write(c); err != nil {
			return fmt.Errorf("column %s: %w", w.schema[column].Name, err)
		}
		return nil
	})
	w.groups = append(w.groups, RowGroup{Rows: int64(w.grouped), Totals: totalsText(w.sums)})
	for i := range w.totals {
		w.totals[i].merge(&w.sums[i])
	}
	w.grouped, w.sums = 0, newTotals(w.schema)
	return err
}

func (w *tableWriter) close() error {
	if w.batched > 0 {
		if err := w.endBatch(); err != nil {
			return err
		}
	}
	if w.grouped > 0 {
		if err := w.endGroup(); err != nil {
			return err
		}
	}
	return w.file.end()
}
