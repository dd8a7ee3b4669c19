package reader_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/decimal128"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

// tableField is a column of a Parquet file made for a test: values by row,
// nil for null.
type tableField struct {
	name   string
	typ    arrow.DataType
	values []any
}

// parquetFile writes fields as they are.
func parquetFile(t testing.TB, fields []tableField, props ...parquet.WriterProperty) []byte {
	t.Helper()
	var schemaFields []arrow.Field
	var columns []arrow.Array
	for _, f := range fields {
		b := array.NewBuilder(memory.DefaultAllocator, f.typ)
		for _, v := range f.values {
			appendValue(t, b, v)
		}
		schemaFields = append(schemaFields, arrow.Field{Name: f.name, Type: f.typ, Nullable: true})
		columns = append(columns, b.NewArray())
	}
	sc := arrow.NewSchema(schemaFields, nil)
	rec := array.NewRecord(sc, columns, int64(len(fields[0].values)))
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(sc, &out, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(rec), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func appendValue(t testing.TB, b array.Builder, v any) {
	t.Helper()
	switch b := b.(type) {
	case *array.StringBuilder:
		if s, ok := v.(string); ok {
			b.Append(s)
			return
		}
	case *array.Date32Builder:
		if d, ok := v.(reconcile.Date); ok {
			b.Append(arrow.Date32(d))
			return
		}
	case *array.Decimal128Builder:
		if n, ok := v.(int); ok {
			b.Append(decimal128.FromI64(int64(n)))
			return
		}
	case *array.Int64Builder:
		if n, ok := v.(int); ok {
			b.Append(int64(n))
			return
		}
	case *array.Int32Builder:
		if n, ok := v.(int); ok {
			b.Append(int32(n))
			return
		}
	case *array.Uint32Builder:
		if n, ok := v.(int); ok {
			b.Append(uint32(n))
			return
		}
	case *array.Float64Builder:
		b.Append(0.5)
		return
	case *array.TimestampBuilder:
		b.Append(0)
		return
	case *array.ListBuilder:
		b.Append(true)
		return
	}
	if v != nil {
		t.Fatalf("no %T in a column of %s", v, b.Type())
	}
	b.AppendNull()
}

// parquetLines is an invoice of a few lines in the types that writers choose.
func parquetLines(t testing.TB) []tableField {
	july, end := mustDate(t, "2024-07-01"), mustDate(t, "2024-07-31")
	text, date := arrow.BinaryTypes.String, arrow.FixedWidthTypes.Date32
	return []tableField{
		{"note", arrow.PrimitiveTypes.Float64, []any{nil, nil, nil}},
		{"invoice_id", text, []any{"I1", "I1", "I1"}},
		{"line_id", arrow.PrimitiveTypes.Uint32, []any{1, 2, 4_000_000_000}},
		{"account_id", text, []any{"acme", "acme", "acme"}},
		{"business_number", text, []any{"+39 06 123456", nil, ""}},
		{"date_from", date, []any{july, july, end}},
		{"date_to", text, []any{"2024-07-31", "2024-07-31", "2024-07-31"}},
		{"category", text, []any{"utility", nil, nil}},
		{"kind", text, []any{nil, "credit", "fee"}},
		{"quantity", arrow.PrimitiveTypes.Int32, []any{100, -5, nil}},
		{"unit_price", &arrow.Decimal128Type{Precision: 18, Scale: 6}, []any{69_100, 20_000, nil}},
		{"amount", &arrow.Decimal128Type{Precision: 38, Scale: 6}, []any{nil, -100_000, 12_345_678_901_234}},
		{"currency", text, []any{"EUR", "EUR", "USD"}},
	}
}

func readParquetInvoice(t testing.TB, data []byte) ([]reconcile.InvoiceLine, error) {
	t.Helper()
	var m readertest.Mem
	m.Put("i.parquet", data)
	lines, _, err := reader.ReadInvoices(t.Context(), &m)
	return lines, err
}

func TestReadParquetInvoices(t *testing.T) {
	t.Parallel()
	july, end := mustDate(t, "2024-07-01"), mustDate(t, "2024-07-31")
	want := []reconcile.InvoiceLine{
		{
			Where: "i.parquet row 1", InvoiceID: "I1", LineID: "1", Account: "acme", Business: "3906123456", From: july, To: end,
			Category: reconcile.Utility, Quantity: dec("100"), UnitPrice: dec("0.0691"), Amount: dec("6.91"), Currency: "EUR",
		},
		{
			Where: "i.parquet row 2", InvoiceID: "I1", LineID: "2", Account: "acme", From: july, To: end, Kind: reconcile.CreditLine,
			Quantity: dec("-5"), UnitPrice: dec("0.02"), Amount: dec("-0.1"), AmountGiven: true, Currency: "EUR",
		},
		{
			Where: "i.parquet row 3", InvoiceID: "I1", LineID: "4000000000", Account: "acme", From: end, To: end, Kind: reconcile.FeeLine,
			Amount: dec("12345678.901234"), AmountGiven: true, Currency: "USD",
		},
	}
	for name, props := range map[string][]parquet.WriterProperty{
		"plain":               {parquet.WithDictionaryDefault(false), parquet.WithDataPageVersion(parquet.DataPageV1)},
		"dictionary":          {parquet.WithDictionaryDefault(true), parquet.WithCompression(compress.Codecs.Snappy)},
		"v2 pages":            {parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithCompression(compress.Codecs.Zstd)},
		"decimals as integer": {parquet.WithStoreDecimalAsInteger(true)},
		"small row groups":    {parquet.WithMaxRowGroupLength(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, err := readParquetInvoice(t, parquetFile(t, parquetLines(t), props...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, lines, sameDecimal()); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// Rows beyond one batch, with nulls, over several pages.
func TestReadLongParquetInvoice(t *testing.T) {
	t.Parallel()
	const rows = 5000
	fields := parquetLines(t)
	for i := range fields {
		short := fields[i].values
		fields[i].values = nil
		for n := range rows {
			fields[i].values = append(fields[i].values, short[n%len(short)])
		}
	}
	lines, err := readParquetInvoice(t, parquetFile(t, fields, parquet.WithDataPageSize(1000), parquet.WithMaxRowGroupLength(1999)))
	if err != nil || len(lines) != rows {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, l := range lines {
		line := []string{"1", "2", "4000000000"}[i%3]
		if l.LineID != line || l.Where != fmt.Sprintf("i.parquet row %d", i+1) || (l.Quantity == nil) != (i%3 == 2) {
			t.Fatalf("line %d is %+v", i, l)
		}
	}
}

func TestParquetInvoicesRefused(t *testing.T) {
	t.Parallel()
	replace := func(name string, typ arrow.DataType, values ...any) []byte {
		fields := parquetLines(t)
		for i := range fields {
			if fields[i].name == name {
				fields[i] = tableField{name, typ, values}
			}
		}
		return parquetFile(t, fields)
	}
	text := arrow.BinaryTypes.String
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"not Parquet", []byte("invoice_id,amount\nand so on\n"), "i.parquet: not a Parquet file or cut short"},
		{"empty", nil, "i.parquet: not a Parquet file or cut short"},
		{"double", replace("amount", arrow.PrimitiveTypes.Float64, nil, nil, nil), "i.parquet column amount: type DOUBLE is no text, date, decimal or whole number"},
		{"timestamp", replace("date_from", arrow.FixedWidthTypes.Timestamp_ms, nil, nil, nil),
			"i.parquet column date_from: type INT64 (Timestamp(isAdjustedToUTC=true, timeUnit=milliseconds, is_from_converted_type=false, force_set_converted_type=false)) is no text, date, decimal or whole number"},
		{"list", replace("kind", arrow.ListOf(text), nil, nil, nil), "i.parquet column kind: column is nested or repeated"},
		{"column missing", parquetFile(t, parquetLines(t)[:5]), "i.parquet: header lacks column date_from, date_to, amount, currency"},
		{"column twice", parquetFile(t, append(parquetLines(t), parquetLines(t)[1])), `i.parquet: column "invoice_id" is there twice`},
		{"null", replace("account_id", text, "acme", nil, "acme"), "i.parquet row 2 column account_id: value is missing"},
		{"bad currency", replace("currency", text, "EUR", "EUR", "Euro"), `i.parquet row 3 column currency: "EURO" is no currency of ISO 4217`},
		{"date as number", replace("date_to", arrow.PrimitiveTypes.Int64, 19935, 19935, 19935), `i.parquet row 1 column date_to: "19935" is no date of the form YYYY-MM-DD`},
		{"seven decimals", replace("amount", &arrow.Decimal128Type{Precision: 20, Scale: 7}, 10, 1, 1), "i.parquet row 2 column amount: 0.0000001 has more than 6 decimals"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readParquetInvoice(t, c.data)
			wantRefused(t, err, c.want)
		})
	}
}

// Damage anywhere is refused or does not matter; nothing hangs or panics.
func TestDamagedParquetInvoices(t *testing.T) {
	t.Parallel()
	const seed = 7
	whole := parquetFile(t, parquetLines(t), parquet.WithCompression(compress.Codecs.Snappy))
	for cut := range len(whole) {
		if _, err := readParquetInvoice(t, whole[:cut]); !errors.Is(err, reader.ErrInput) {
			t.Fatalf("cut to %d bytes: %v", cut, err)
		}
	}
	random := rand.New(rand.NewPCG(seed, seed))
	for range 3000 {
		data := bytes.Clone(whole)
		for range 1 + random.IntN(3) {
			data[random.IntN(len(data))] = byte(random.Uint32())
		}
		if _, err := readParquetInvoice(t, data); err != nil && !errors.Is(err, reader.ErrInput) {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
