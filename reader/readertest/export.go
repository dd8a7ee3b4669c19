package readertest

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
)

// ExportRow is one row of a message export. An empty text and a zero time are
// null.
type ExportRow struct {
	MessageID, Account, Business, Contact, Direction, Type, Category, Status, Country string
	SentAt, DeliveredAt, ReadAt                                                       int64 // ms
}

// Export writes rows as a Parquet export with row groups of at most groupRows
// rows.
func Export(rows []ExportRow, groupRows int64) ([]byte, error) {
	schema := exportSchema()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range rows {
		r := &rows[i]
		for c, text := range []string{r.MessageID, r.Account, r.Business, r.Contact, r.Direction, r.Type, r.Category, r.Status, r.Country} {
			appendText(b.Field(c).(*array.StringBuilder), text)
		}
		for c, at := range []int64{r.SentAt, r.DeliveredAt, r.ReadAt} {
			appendTime(b.Field(textColumns+c).(*array.TimestampBuilder), at)
		}
	}
	record := b.NewRecord()
	defer record.Release()
	var out bytes.Buffer
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithMaxRowGroupLength(groupRows))
	w, err := pqarrow.NewFileWriter(schema, &out, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	if err := w.Write(record); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("write export: %w", err)
	}
	return out.Bytes(), nil
}

const textColumns = 9

func exportSchema() *arrow.Schema {
	var fields []arrow.Field
	for _, name := range []string{"message_id", "account_id", "business_number", "contact", "direction", "type", "category", "status", "contact_country"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true})
	}
	for _, name := range []string{"sent_at", "delivered_at", "read_at"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Timestamp_ms, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func appendText(b *array.StringBuilder, text string) {
	if text == "" {
		b.AppendNull()
		return
	}
	b.Append(text)
}

func appendTime(b *array.TimestampBuilder, at int64) {
	if at == 0 {
		b.AppendNull()
		return
	}
	b.Append(arrow.Timestamp(at))
}
