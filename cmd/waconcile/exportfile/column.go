package exportfile

import (
	"fmt"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// Column is a column of an export and how a row gives its value. One of the
// last four is set; a column without any of them is null in every row.
type Column[R any] struct {
	Node schema.Node
	// Plain columns hardly repeat a value and get no dictionary.
	Plain bool
	// Stats asks for the smallest and largest value of each row group.
	Stats bool
	// Text appends the value; nothing appended is null where the column is
	// optional.
	Text func(b []byte, row *R) []byte
	// Word gives a value that is shared by many rows; nil is null.
	Word func(row *R) []byte
	// Time gives milliseconds; ok is false for null.
	Time func(row *R) (millis int64, ok bool)
	Flag func(row *R) (value, ok bool)
}

// TextNode is the field of a column of text.
func TextNode(name string, r parquet.Repetition) schema.Node {
	return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, r, schema.StringLogicalType{}, parquet.Types.ByteArray, -1, -1))
}

// TimeNode is the field of a column of milliseconds in UTC.
func TimeNode(name string, r parquet.Repetition) schema.Node {
	return LongNode(name, r, schema.NewTimestampLogicalType(true, schema.TimeUnitMillis))
}

// LongNode is the field of a column of 64-bit numbers that mean something.
func LongNode(name string, r parquet.Repetition, meaning schema.LogicalType) schema.Node {
	return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, r, meaning, parquet.Types.Int64, -1, -1))
}

// layout is the schema of columns and how they are encoded.
func layout[R any](columns []Column[R]) (*schema.GroupNode, *parquet.WriterProperties, error) {
	options := []parquet.WriterProperty{parquet.WithCompression(compress.Codecs.Snappy), parquet.WithStats(false)}
	fields := make(schema.FieldList, len(columns))
	for i, c := range columns {
		fields[i] = c.Node
		if c.Plain {
			options = append(options, parquet.WithDictionaryFor(c.Node.Name(), false))
		}
		if c.Stats {
			options = append(options, parquet.WithStatsFor(c.Node.Name(), true))
		}
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, nil, fmt.Errorf("make schema of exports: %w", err)
	}
	return root, parquet.NewWriterProperties(options...), nil
}
