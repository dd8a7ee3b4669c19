package reader_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

// testDay is the day of the partition of the tests' files.
const (
	testDay    reconcile.Date = 19_907 // 2024-07-03
	testDayKey                = "dt=2024-07-03/a.parquet"
)

var dayStart = testDay.Start()

// message is one row of an export in the words of the contract; nil is null.
type message struct {
	ID, Account, Business, Contact, Direction, Type  any
	Category, Sent, Status, Delivered, Read, Country any
}

// exportColumns makes the contract's columns of rows. Times are milliseconds
// in the messages and unit in the file.
func exportColumns(rows []message, text arrow.DataType, unit arrow.TimeUnit) []testColumn {
	stamp := &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}
	column := func(name string, typ arrow.DataType, of func(*message) any) testColumn {
		c := testColumn{name: name, typ: typ}
		for i := range rows {
			v := of(&rows[i])
			if ms, ok := v.(int64); ok {
				v = ms * int64(time.Millisecond/unit.Multiplier())
			}
			c.values = append(c.values, v)
		}
		return c
	}
	return []testColumn{
		column("message_id", text, func(m *message) any { return m.ID }),
		column("account_id", text, func(m *message) any { return m.Account }),
		column("business_number", text, func(m *message) any { return m.Business }),
		column("contact", text, func(m *message) any { return m.Contact }),
		column("direction", text, func(m *message) any { return m.Direction }),
		column("type", text, func(m *message) any { return m.Type }),
		column("category", text, func(m *message) any { return m.Category }),
		column("sent_at", stamp, func(m *message) any { return m.Sent }),
		column("status", text, func(m *message) any { return m.Status }),
		column("delivered_at", stamp, func(m *message) any { return m.Delivered }),
		column("read_at", stamp, func(m *message) any { return m.Read }),
		column("contact_country", text, func(m *message) any { return m.Country }),
	}
}

// result is what a scan gave, in words.
type result struct {
	Rows      []string
	Rejects   []string
	Read      int64
	Misplaced int64
}

func scan(tb testing.TB, data []byte, opts reader.ExportOptions) (result, error) {
	tb.Helper()
	return scanBefore(tb, data, opts, reconcile.NoTime)
}

func scanBefore(tb testing.TB, data []byte, opts reader.ExportOptions, before int64) (result, error) {
	tb.Helper()
	src := &readertest.Mem{}
	src.Put(testDayKey, data)
	return scanFrom(tb, src, opts, before)
}

func scanFrom(tb testing.TB, src *readertest.Mem, opts reader.ExportOptions, before int64) (result, error) {
	tb.Helper()
	names := reader.NewNames()
	e, err := reader.NewExports(src, names, opts)
	if err != nil {
		tb.Fatal(err)
	}
	o, err := src.Stat(testDayKey)
	if err != nil {
		tb.Fatal(err)
	}
	var got result
	err = e.Scan(tb.Context(), o, testDay, before, func(b *reader.Block) error {
		if b.Read != int64(b.Rows.Len()+len(b.Rejects)) {
			tb.Errorf("block of %d rows: %d used, %d rejected", b.Read, b.Rows.Len(), len(b.Rejects))
		}
		for i := range b.Rows.Len() {
			got.Rows = append(got.Rows, rowText(names, &b.Rows, i))
		}
		for _, r := range b.Rejects {
			got.Rejects = append(got.Rejects, fmt.Sprintf("%s %d %s: %s", r.File, r.Row, r.Reason, r.Detail))
		}
		got.Read += b.Read
		got.Misplaced += b.Misplaced
		return nil
	})
	return got, err
}

func rowText(names *reader.Names, r *reconcile.Rows, i int) string {
	contact := string(r.Contact[i].AppendDigits(nil))
	if opaque, ok := r.Contact[i].Opaque(); ok {
		contact = "@" + names.Text(opaque)
	}
	return fmt.Sprintf("%s|%s|%s|%s|%d|%s|%s|%s|%s|%s|%s|%s", r.ID.At(i), names.Text(r.Account[i]),
		names.Text(r.Business[i]), contact, r.Kind[i], names.Text(r.Type[i]), r.Category[i], sinceDay(r.SentAt[i]),
		r.Status[i], sinceDay(r.DeliveredAt[i]), sinceDay(r.ReadAt[i]), names.Text(r.Country[i]))
}

// sinceDay is a time as milliseconds since the beginning of testDay.
func sinceDay(ms int64) string {
	if ms == reconcile.NoTime {
		return "-"
	}
	return fmt.Sprint(ms - dayStart)
}

// someMessages makes n rows with nulls where there may be nulls, and what a
// scan makes of them.
func someMessages(seed uint64, n int) (rows []message, want []string) {
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range n {
		sent := r.Int64N(reconcile.DayMillis)
		number := r.IntN(200)
		m := message{
			ID: fmt.Sprintf("wamid.%d", i), Account: fmt.Sprintf("acc-%d", r.IntN(5)), Business: fmt.Sprintf("39020000%d", r.IntN(9)),
			Contact: fmt.Sprintf("+39 333 %07d", number), Direction: "outbound", Type: "text", Sent: dayStart + sent,
		}
		contact := fmt.Sprintf("39333%07d", number)
		if r.IntN(4) == 0 {
			m.Contact = fmt.Sprintf("user-%d", r.IntN(50))
			m.Country = "it"
			contact = "@" + m.Contact.(string)
		}
		kind, category, status, delivered, country := reconcile.FreeForm, "", "", "-", ""
		if m.Country != nil {
			country = "IT"
		}
		switch r.IntN(3) {
		case 0:
			m.Direction, m.Status, m.Delivered = "Inbound", "nonsense", dayStart
			kind = reconcile.Inbound
		case 1:
			m.Type, m.Category, m.Status = "template", "marketing", "delivered"
			m.Delivered = dayStart + sent + 5
			kind, category, status, delivered = reconcile.Template, "marketing", "delivered", fmt.Sprint(sent+5)
		}
		rows = append(rows, m)
		want = append(want, fmt.Sprintf("%s|%s|%s|%s|%d|%s|%s|%d|%s|%s|-|%s", m.ID, m.Account, m.Business, contact,
			kind, m.Type, category, sent, status, delivered, country))
	}
	return rows, want
}

var textTypes = map[string]arrow.DataType{
	"string": arrow.BinaryTypes.String,
	"large":  arrow.BinaryTypes.LargeString,
	"binary": arrow.BinaryTypes.Binary,
	"dict":   &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String},
}

func TestScanReadsEveryLayout(t *testing.T) {
	t.Parallel()
	rows, want := someMessages(7, 3000)
	layouts := map[string]layout{
		"plain":          {},
		"dictionary":     {dictionary: true},
		"snappy":         {codec: compress.Codecs.Snappy, dictionary: true},
		"zstd":           {codec: compress.Codecs.Zstd},
		"gzip":           {codec: compress.Codecs.Gzip, dictionary: true},
		"brotli":         {codec: compress.Codecs.Brotli},
		"v2":             {v2: true},
		"v2 snappy dict": {v2: true, codec: compress.Codecs.Snappy, dictionary: true},
		"v2 zstd":        {v2: true, codec: compress.Codecs.Zstd},
		"tiny pages":     {pageBytes: 100, dictionary: true},
		"tiny pages v2":  {pageBytes: 100, v2: true, codec: compress.Codecs.Snappy},
		"tiny groups":    {groupRows: 7, dictionary: true},
		"falls back":     {dictionary: true, dictionaryMax: 400, pageBytes: 300},
		"no statistics":  {noStats: true},
		"int96":          {int96: true, dictionary: true},
		"int96 plain":    {int96: true, pageBytes: 64},
	}
	deltaText := map[string]parquet.Encoding{"sent_at": parquet.Encodings.DeltaBinaryPacked, "delivered_at": parquet.Encodings.DeltaBinaryPacked}
	deltaLength := maps.Clone(deltaText)
	for _, c := range []string{"message_id", "account_id", "business_number", "contact", "direction", "type", "category", "status"} {
		deltaText[c] = parquet.Encodings.DeltaByteArray
		deltaLength[c] = parquet.Encodings.DeltaLengthByteArray
	}
	layouts["delta"] = layout{encodings: deltaText, pageBytes: 2000}
	layouts["delta v2"] = layout{encodings: deltaText, v2: true, codec: compress.Codecs.Snappy}
	layouts["delta length"] = layout{encodings: deltaLength, pageBytes: 2000, v2: true}
	for name, l := range layouts {
		for text, typ := range textTypes {
			t.Run(name+"/"+text, func(t *testing.T) {
				t.Parallel()
				data := exportFile(t, l, exportColumns(rows, typ, arrow.Nanosecond)...)
				for _, blockRows := range []int{0, 1, 100} {
					if blockRows == 1 && text != "string" {
						continue
					}
					got, err := scan(t, data, reader.ExportOptions{BlockRows: blockRows})
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(result{Rows: want, Read: int64(len(rows))}, got); diff != "" {
						t.Fatalf("blocks of %d rows: (-want +got)\n%s", blockRows, diff)
					}
				}
			})
		}
	}
}
