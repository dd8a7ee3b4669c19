package exportfile

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
)

// GroupRows is the rows of a row group, but for the last of a file.
const GroupRows = 122_880

// writer writes export files. It belongs to one goroutine at a time; its
// buffers hold one column of one row group.
type writer[R any] struct {
	columns []Column[R]

	texts  []parquet.ByteArray
	ints   []int64
	bools  []bool
	levels []int16
	ends   []int
	arena  []byte
}

// write makes one export file and returns its size.
func (w *writer[R]) write(ctx context.Context, path string, rows []R) (size int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	root, properties, err := layout(w.columns)
	if err != nil {
		return 0, err
	}
	const bufferBytes = 1 << 20
	buffer := bufio.NewWriterSize(f, bufferBytes)
	out := file.NewParquetWriter(buffer, root, file.WithWriterProps(properties))
	for len(rows) > 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n := min(len(rows), GroupRows)
		if err := w.writeGroup(out.AppendRowGroup(), rows[:n]); err != nil {
			return 0, fmt.Errorf("write %s: %w", path, err)
		}
		rows = rows[n:]
	}
	if err := out.Close(); err != nil {
		return 0, fmt.Errorf("write %s: %w", path, err)
	}
	if err := buffer.Flush(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (w *writer[R]) writeGroup(group file.SerialRowGroupWriter, rows []R) error {
	for i := range w.columns {
		c := &w.columns[i]
		chunk, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := w.writeColumn(chunk, c, rows); err != nil {
			return fmt.Errorf("column %s: %w", c.Node.Name(), err)
		}
		if err := chunk.Close(); err != nil {
			return err
		}
	}
	return group.Close()
}

func (w *writer[R]) writeColumn(chunk file.ColumnChunkWriter, c *Column[R], rows []R) error {
	w.levels = w.levels[:0]
	var err error
	switch chunk := chunk.(type) {
	case *file.ByteArrayColumnChunkWriter:
		if c.Word != nil {
			w.collectWords(c, rows)
		} else {
			w.collectTexts(c, rows)
		}
		_, err = chunk.WriteBatch(w.texts, w.definition(c), nil)
	case *file.Int64ColumnChunkWriter:
		w.collectTimes(c, rows)
		_, err = chunk.WriteBatch(w.ints, w.definition(c), nil)
	case *file.BooleanColumnChunkWriter:
		w.collectFlags(c, rows)
		_, err = chunk.WriteBatch(w.bools, w.definition(c), nil)
	default:
		err = fmt.Errorf("no writer for type %s", chunk.Type())
	}
	return err
}

// definition is the levels that tell null from present; a required column has
// none.
func (w *writer[R]) definition(c *Column[R]) []int16 {
	if c.Node.RepetitionType() == parquet.Repetitions.Required {
		return nil
	}
	return w.levels
}

func (w *writer[R]) collectWords(c *Column[R], rows []R) {
	w.texts = w.texts[:0]
	for i := range rows {
		word := c.Word(&rows[i])
		level := int16(0)
		if word != nil {
			w.texts = append(w.texts, word)
			level = 1
		}
		w.levels = append(w.levels, level)
	}
}

func (w *writer[R]) collectTexts(c *Column[R], rows []R) {
	w.texts, w.ends, w.arena = w.texts[:0], w.ends[:0], w.arena[:0]
	required := c.Node.RepetitionType() == parquet.Repetitions.Required
	for i := range rows {
		before := len(w.arena)
		if c.Text != nil {
			w.arena = c.Text(w.arena, &rows[i])
		}
		if required || len(w.arena) > before {
			w.ends = append(w.ends, len(w.arena))
			w.levels = append(w.levels, 1)
		} else {
			w.levels = append(w.levels, 0)
		}
	}
	from := 0
	for _, end := range w.ends {
		w.texts = append(w.texts, w.arena[from:end])
		from = end
	}
}

func (w *writer[R]) collectTimes(c *Column[R], rows []R) {
	w.ints = w.ints[:0]
	for i := range rows {
		level := int16(0)
		if c.Time != nil {
			if t, ok := c.Time(&rows[i]); ok {
				w.ints = append(w.ints, t)
				level = 1
			}
		}
		w.levels = append(w.levels, level)
	}
}

func (w *writer[R]) collectFlags(c *Column[R], rows []R) {
	w.bools = w.bools[:0]
	for i := range rows {
		level := int16(0)
		if c.Flag != nil {
			if v, ok := c.Flag(&rows[i]); ok {
				w.bools = append(w.bools, v)
				level = 1
			}
		}
		w.levels = append(w.levels, level)
	}
}
