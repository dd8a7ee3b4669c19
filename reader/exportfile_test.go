package reader_test

import (
	"bytes"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// testColumn is a column of a Parquet file that a test writes.
type testColumn struct {
	name     string
	typ      arrow.DataType
	required bool
	values   []any // string, int64, bool, or nil for null
}

// layout says how a file is written.
type layout struct {
	codec         compress.Compression
	dictionary    bool
	encodings     map[string]parquet.Encoding // by column; plain where there is no dictionary
	v2            bool
	pageBytes     int64
	groupRows     int64
	int96         bool
	noStats       bool
	dictionaryMax int64
}

func (l layout) writerProperties() *parquet.WriterProperties {
	props := []parquet.WriterProperty{
		parquet.WithCompression(l.codec),
		parquet.WithDictionaryDefault(l.dictionary),
		parquet.WithStats(!l.noStats),
		parquet.WithBatchSize(16),
	}
	for column, e := range l.encodings {
		props = append(props, parquet.WithEncodingFor(column, e))
	}
	if l.v2 {
		props = append(props, parquet.WithDataPageVersion(parquet.DataPageV2))
	}
	if l.pageBytes > 0 {
		props = append(props, parquet.WithDataPageSize(l.pageBytes))
	}
	if l.dictionaryMax > 0 {
		props = append(props, parquet.WithDictionaryPageSizeLimit(l.dictionaryMax))
	}
	return parquet.NewWriterProperties(props...)
}

// exportFile writes columns to a file.
func exportFile(tb testing.TB, l layout, columns ...testColumn) []byte {
	tb.Helper()
	var fields []arrow.Field
	var arrays []arrow.Array
	rows := int64(0)
	for _, c := range columns {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.typ, Nullable: !c.required})
		a := buildArray(tb, c)
		defer a.Release()
		arrays = append(arrays, a)
		rows = int64(a.Len())
	}
	schema := arrow.NewSchema(fields, nil)
	record := array.NewRecord(schema, arrays, rows)
	defer record.Release()
	table := array.NewTableFromRecords(schema, []arrow.Record{record})
	defer table.Release()
	var out bytes.Buffer
	arrowProps := pqarrow.NewArrowWriterProperties(pqarrow.WithDeprecatedInt96Timestamps(l.int96))
	groupRows := l.groupRows
	if groupRows == 0 {
		groupRows = max(rows, 1)
	}
	if err := pqarrow.WriteTable(table, &out, groupRows, l.writerProperties(), arrowProps); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func buildArray(tb testing.TB, c testColumn) arrow.Array {
	tb.Helper()
	b := array.NewBuilder(memory.DefaultAllocator, c.typ)
	defer b.Release()
	for _, v := range c.values {
		if v == nil {
			b.AppendNull()
			continue
		}
		switch b := b.(type) {
		case *array.StringBuilder:
			b.Append(v.(string))
		case *array.LargeStringBuilder:
			b.Append(v.(string))
		case *array.BinaryBuilder:
			b.Append([]byte(v.(string)))
		case *array.BinaryDictionaryBuilder:
			if err := b.AppendString(v.(string)); err != nil {
				tb.Fatal(err)
			}
		case *array.TimestampBuilder:
			b.Append(arrow.Timestamp(v.(int64)))
		case *array.Int64Builder:
			b.Append(v.(int64))
		case *array.BooleanBuilder:
			b.Append(v.(bool))
		case *array.ListBuilder:
			b.Append(true)
			b.ValueBuilder().(*array.StringBuilder).Append(v.(string))
		case *array.StructBuilder:
			b.Append(true)
			b.FieldBuilder(0).(*array.StringBuilder).Append(v.(string))
		default:
			tb.Fatalf("no way to build %s", c.typ)
		}
	}
	return b.NewArray()
}
