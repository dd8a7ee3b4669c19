package demo

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// The cut of an export: rows of a row group, and rows of a file.
const (
	groupRows = 122_880
	fileRows  = 4 * groupRows
)

// exporter writes export files. It belongs to one goroutine at a time; its
// buffers hold one column of one row group.
type exporter struct {
	accounts []account
	words    words
	seed     uint64
	columns  []column

	texts  []parquet.ByteArray
	ints   []int64
	bools  []bool
	levels []int16
	ends   []int
	arena  []byte
}

func newExporter(accounts []account, seed uint64) *exporter {
	return &exporter{accounts: accounts, words: newWords(accounts), seed: scatter(seed), columns: columns()}
}

// column is a column of the export and how it is made. One of the last four
// is set; a column without any of them is null in every row.
type column struct {
	node schema.Node
	// plain columns hardly repeat a value and get no dictionary.
	plain bool
	// text appends the value; nothing appended is null where the column is
	// optional.
	text func(e *exporter, b []byte, m *message) []byte
	// word gives a value that is shared by many rows; nil is null.
	word func(e *exporter, m *message) []byte
	// time gives milliseconds; ok is false for null.
	time func(m *message) (millis int64, ok bool)
	flag func(m *message) (value, ok bool)
}

// schema is the export's schema and how it is to be encoded.
func (e *exporter) schema() (*schema.GroupNode, *parquet.WriterProperties, error) {
	options := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithStats(false), parquet.WithStatsFor("sent_at", true),
	}
	fields := make(schema.FieldList, len(e.columns))
	for i, c := range e.columns {
		fields[i] = c.node
		if c.plain {
			options = append(options, parquet.WithDictionaryFor(c.node.Name(), false))
		}
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	return root, parquet.NewWriterProperties(options...), err
}

// write makes one export file and returns its size.
func (e *exporter) write(ctx context.Context, path string, rows []message) (size int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	root, properties, err := e.schema()
	if err != nil {
		return 0, fmt.Errorf("make schema of exports: %w", err)
	}
	const bufferBytes = 1 << 20
	buffer := bufio.NewWriterSize(f, bufferBytes)
	w := file.NewParquetWriter(buffer, root, file.WithWriterProps(properties))
	for len(rows) > 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		n := min(len(rows), groupRows)
		if err := e.writeGroup(w.AppendRowGroup(), rows[:n]); err != nil {
			return 0, fmt.Errorf("write %s: %w", path, err)
		}
		rows = rows[n:]
	}
	if err := w.Close(); err != nil {
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

func (e *exporter) writeGroup(group file.SerialRowGroupWriter, rows []message) error {
	for i := range e.columns {
		c := &e.columns[i]
		chunk, err := group.NextColumn()
		if err != nil {
			return err
		}
		if err := e.writeColumn(chunk, c, rows); err != nil {
			return fmt.Errorf("column %s: %w", c.node.Name(), err)
		}
		if err := chunk.Close(); err != nil {
			return err
		}
	}
	return group.Close()
}

func (e *exporter) writeColumn(chunk file.ColumnChunkWriter, c *column, rows []message) error {
	e.levels = e.levels[:0]
	var err error
	switch chunk := chunk.(type) {
	case *file.ByteArrayColumnChunkWriter:
		if c.word != nil {
			e.collectWords(c, rows)
		} else {
			e.collectTexts(c, rows)
		}
		_, err = chunk.WriteBatch(e.texts, e.definition(c), nil)
	case *file.Int64ColumnChunkWriter:
		e.collectTimes(c, rows)
		_, err = chunk.WriteBatch(e.ints, e.definition(c), nil)
	case *file.BooleanColumnChunkWriter:
		e.collectFlags(c, rows)
		_, err = chunk.WriteBatch(e.bools, e.definition(c), nil)
	default:
		err = fmt.Errorf("no writer for type %s", chunk.Type())
	}
	return err
}

// definition is the levels that tell null from present; a required column has
// none.
func (e *exporter) definition(c *column) []int16 {
	if c.node.RepetitionType() == parquet.Repetitions.Required {
		return nil
	}
	return e.levels
}

func (e *exporter) collectWords(c *column, rows []message) {
	e.texts = e.texts[:0]
	for i := range rows {
		word := c.word(e, &rows[i])
		level := int16(0)
		if word != nil {
			e.texts = append(e.texts, word)
			level = 1
		}
		e.levels = append(e.levels, level)
	}
}

func (e *exporter) collectTexts(c *column, rows []message) {
	e.texts, e.ends, e.arena = e.texts[:0], e.ends[:0], e.arena[:0]
	required := c.node.RepetitionType() == parquet.Repetitions.Required
	for i := range rows {
		before := len(e.arena)
		if c.text != nil {
			e.arena = c.text(e, e.arena, &rows[i])
		}
		if required || len(e.arena) > before {
			e.ends = append(e.ends, len(e.arena))
			e.levels = append(e.levels, 1)
		} else {
			e.levels = append(e.levels, 0)
		}
	}
	from := 0
	for _, end := range e.ends {
		e.texts = append(e.texts, e.arena[from:end])
		from = end
	}
}

func (e *exporter) collectTimes(c *column, rows []message) {
	e.ints = e.ints[:0]
	for i := range rows {
		level := int16(0)
		if c.time != nil {
			if t, ok := c.time(&rows[i]); ok {
				e.ints = append(e.ints, t)
				level = 1
			}
		}
		e.levels = append(e.levels, level)
	}
}

func (e *exporter) collectFlags(c *column, rows []message) {
	e.bools = e.bools[:0]
	for i := range rows {
		level := int16(0)
		if c.flag != nil {
			if v, ok := c.flag(&rows[i]); ok {
				e.bools = append(e.bools, v)
				level = 1
			}
		}
		e.levels = append(e.levels, level)
	}
}

// appendID appends a message's id: 16 bytes that follow from its number, of
// which the first eight are a bijection, so that no two are the same.
func (e *exporter) appendID(b []byte, m *message) []byte {
	var id [16]byte
	h := scatter(m.number ^ e.seed)
	binary.BigEndian.PutUint64(id[:8], h)
	binary.BigEndian.PutUint64(id[8:], scatter(h))
	return base64.RawURLEncoding.AppendEncode(append(b, "wamid."...), id[:])
}
