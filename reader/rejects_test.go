package reader_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

// plainMessage is a good outbound message, changed.
func plainMessage(change func(*message)) message {
	m := message{
		ID: "m", Account: "a", Business: "390200000", Contact: "393331234567", Direction: "outbound", Type: "text",
		Sent: dayStart, Status: "sent",
	}
	if change != nil {
		change(&m)
	}
	return m
}

func scanMessages(t *testing.T, opts reader.ExportOptions, rows ...message) result {
	t.Helper()
	data := exportFile(t, layout{dictionary: true}, exportColumns(rows, arrow.BinaryTypes.String, arrow.Millisecond)...)
	got, err := scan(t, data, opts)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestRejects(t *testing.T) {
	t.Parallel()
	day := reconcile.DayMillis
	for _, c := range []struct {
		change func(*message)
		want   string
	}{
		{func(m *message) { m.ID = nil }, "missing_value: message_id"},
		{func(m *message) { m.ID = "" }, "missing_value: message_id"},
		{func(m *message) { m.Account = nil }, "missing_value: account_id"},
		{func(m *message) { m.Business = nil }, "missing_value: business_number"},
		{func(m *message) { m.Business = "  " }, "missing_value: business_number"},
		{func(m *message) { m.Contact = nil }, "missing_value: contact"},
		{func(m *message) { m.Contact = " \t" }, "missing_value: contact"},
		{func(m *message) { m.Direction = nil }, "missing_value: direction"},
		{func(m *message) { m.Type = nil }, "missing_value: type"},
		{func(m *message) { m.Sent = nil }, "missing_value: sent_at"},
		{func(m *message) { m.Direction, m.Sent = "up", nil }, "missing_value: sent_at"},
		{func(m *message) { m.Direction = "up" }, `bad_direction: direction "up"`},
		{func(m *message) { m.Direction, m.Status, m.Sent = "up", "odd", int64(0) }, `bad_direction: direction "up"`},
		{func(m *message) { m.Status = "odd\xff" }, "bad_status: status \"odd\uFFFD\""},
		{func(m *message) { m.Status = strings.Repeat("x", 99) }, `bad_status: status "` + strings.Repeat("x", 40) + `"`},
		{func(m *message) { m.Type = "Template" }, "bad_category: category is missing"},
		{func(m *message) { m.Type, m.Category = "template", "service" }, `bad_category: category "service"`},
		{func(m *message) { m.Type, m.Category = "template", "ads" }, `bad_category: category "ads"`},
		{func(m *message) { m.Sent = int64(0) }, "bad_timestamp: sent_at 1970-01-01T00:00:00.000Z"},
		{func(m *message) { m.Sent = int64(1_230_767_999_999) }, "bad_timestamp: sent_at 2008-12-31T23:59:59.999Z"},
		{func(m *message) { m.Sent = dayStart + 3*day }, "bad_timestamp: sent_at 2024-07-06T00:00:00.000Z"},
	} {
		good := plainMessage(nil)
		got := scanMessages(t, reader.ExportOptions{}, good, plainMessage(c.change), good)
		one := "m|a|390200000|393331234567|2|text||0|sent|-|-|"
		want := result{Rows: []string{one, one}, Rejects: []string{testDayKey + " 1 " + c.want}, Read: 3}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.want, diff)
		}
	}
}

func TestWhatIsNoReject(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change    func(*message)
		want      string
		misplaced int64
	}{
		{func(m *message) { m.Status = nil }, "m|a|390200000|393331234567|2|text||0||-|-|", 0},
		{func(m *message) { m.Status = "" }, "m|a|390200000|393331234567|2|text||0||-|-|", 0},
		{func(m *message) { m.Status = "DELIVERED" }, "m|a|390200000|393331234567|2|text||0|delivered|-|-|", 0},
		{func(m *message) { m.Category = "nonsense" }, "m|a|390200000|393331234567|2|text||0|sent|-|-|", 0},
		{func(m *message) { m.Type = "Sticker" }, "m|a|390200000|393331234567|2|sticker||0|sent|-|-|", 0},
		{func(m *message) { m.Type = "REACTION" }, "m|a|390200000|393331234567|3|reaction||0|sent|-|-|", 0},
		{func(m *message) { m.Type, m.Direction = "reaction", "INBOUND" }, "m|a|390200000|393331234567|0|reaction||0||-|-|", 0},
		{func(m *message) { m.Type, m.Category = "TEMPLATE", "Authentication-International" },
			"m|a|390200000|393331234567|1|template|authentication_international|0|sent|-|-|", 0},
		{func(m *message) { m.Direction, m.Status, m.Category, m.Type = "inbound", "odd", "odd", "template" },
			"m|a|390200000|393331234567|0|template||0||-|-|", 0},
		{func(m *message) { m.Contact, m.Country = "WhatsApp:+39 (333) 12-34.567", " it " },
			"m|a|390200000|393331234567|2|text||0|sent|-|-|IT", 0},
		{func(m *message) { m.Contact = "00393331234567" }, "m|a|390200000|393331234567|2|text||0|sent|-|-|", 0},
		{func(m *message) { m.Contact = "0393331" }, "m|a|390200000|0393331|2|text||0|sent|-|-|", 0},
		{func(m *message) { m.Contact = "123456" }, "m|a|390200000|@123456|2|text||0|sent|-|-|", 0},
		{func(m *message) { m.Contact = " User:7 " }, "m|a|390200000|@User:7|2|text||0|sent|-|-|", 0},
		{func(m *message) { m.Business = "+39 0200000" }, "m|a|390200000|393331234567|2|text||0|sent|-|-|", 0},
		{func(m *message) { m.ID, m.Account = " i ", " A " }, " i | A |390200000|393331234567|2|text||0|sent|-|-|", 0},
		{func(m *message) { m.Sent = dayStart - 1 }, "m|a|390200000|393331234567|2|text||-1|sent|-|-|", 1},
		{func(m *message) { m.Sent = dayStart + 3*reconcile.DayMillis - 1 }, "m|a|390200000|393331234567|2|text||259199999|sent|-|-|", 1},
		{func(m *message) { m.Delivered, m.Read = dayStart+1, dayStart-5 }, "m|a|390200000|393331234567|2|text||0|sent|1|-5|", 0},
	} {
		opts := reader.ExportOptions{IgnoreTypes: []string{"Reaction"}}
		got := scanMessages(t, opts, plainMessage(c.change))
		if diff := cmp.Diff(result{Rows: []string{c.want}, Read: 1, Misplaced: c.misplaced}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestInboundHasNoTimes: an inbound message is neither delivered nor read, in
// files with one of the columns, both and none.
func TestInboundHasNoTimes(t *testing.T) {
	t.Parallel()
	row := plainMessage(func(m *message) {
		m.Direction, m.Delivered, m.Read = "inbound", dayStart+1, dayStart+2
	})
	for _, left := range []string{"", "delivered_at", "read_at", "delivered_at read_at"} {
		columns := slices.DeleteFunc(exportColumns([]message{row}, arrow.BinaryTypes.String, arrow.Millisecond), func(c testColumn) bool {
			return slices.Contains(strings.Fields(left), c.name)
		})
		got, err := scan(t, exportFile(t, layout{}, columns...), reader.ExportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := result{Rows: []string{"m|a|390200000|393331234567|0|text||0||-|-|"}, Read: 1}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("without %q: (-want +got)\n%s", left, diff)
		}
	}
}

// TestRejectsBetweenRows holds the closing of gaps against rows that were
// never there.
func TestRejectsBetweenRows(t *testing.T) {
	t.Parallel()
	rows, want := someMessages(11, 100)
	for i := range rows {
		if i%3 == 0 || i > 90 || i == 7 || i == 8 {
			rows[i].Direction, want[i] = "up", ""
		}
	}
	var kept []string
	for _, w := range want {
		if w != "" {
			kept = append(kept, w)
		}
	}
	for _, blockRows := range []int{1, 7, 100} {
		got := scanMessages(t, reader.ExportOptions{BlockRows: blockRows}, rows...)
		if diff := cmp.Diff(kept, got.Rows); diff != "" || len(got.Rejects) != len(rows)-len(kept) {
			t.Errorf("%d rejects (-want +got)\n%s", len(got.Rejects), diff)
		}
	}
}

func timesFile(t *testing.T, l layout, typ arrow.DataType, values ...any) []byte {
	t.Helper()
	var rows []message
	for range values {
		rows = append(rows, plainMessage(nil))
	}
	columns := exportColumns(rows, arrow.BinaryTypes.String, arrow.Millisecond)
	for i := range columns {
		if columns[i].name == "delivered_at" {
			columns[i].typ, columns[i].values = typ, values
		}
	}
	return exportFile(t, l, columns...)
}

func TestTimestampsAreFloored(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		typ    arrow.DataType
		l      layout
		values []any
		want   []int64
	}{
		{"ms", &arrow.TimestampType{Unit: arrow.Millisecond}, layout{}, []any{int64(5), int64(-1), int64(math.MinInt64)}, []int64{5, -1, math.MinInt64 + 1}},
		{"µs", &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "Europe/Rome"}, layout{dictionary: true}, []any{int64(1999), int64(-1), int64(-1000)}, []int64{1, -1, -1}},
		{"ns", &arrow.TimestampType{Unit: arrow.Nanosecond}, layout{}, []any{int64(1_999_999), int64(-1), int64(math.MinInt64)}, []int64{1, -1, -9_223_372_036_855}},
		{"INT96", &arrow.TimestampType{Unit: arrow.Nanosecond}, layout{int96: true}, []any{int64(86_400_000_000_000_000 + 1_999_999), int64(0)}, []int64{86_400_000_001, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := &readertest.Mem{}
			src.Put(testDayKey, timesFile(t, c.l, c.typ, c.values...))
			o, err := src.Stat(testDayKey)
			if err != nil {
				t.Fatal(err)
			}
			e, err := reader.NewExports(src, reader.NewNames(), reader.ExportOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			err = e.Scan(t.Context(), o, testDay, reconcile.NoTime, func(b *reader.Block) error {
				got = append(got, b.Rows.DeliveredAt...)
				return nil
			})
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestColumns(t *testing.T) {
	t.Parallel()
	text := arrow.BinaryTypes.String
	change := func(edit func([]testColumn) []testColumn) []byte {
		return exportFile(t, layout{}, edit(exportColumns([]message{plainMessage(nil)}, text, arrow.Millisecond))...)
	}
	rename := func(from, to string) func([]testColumn) []testColumn {
		return func(c []testColumn) []testColumn {
			for i := range c {
				if c[i].name == from {
					c[i].name = to
				}
			}
			return c
		}
	}
	retype := func(name string, typ arrow.DataType, v any) func([]testColumn) []testColumn {
		return func(c []testColumn) []testColumn {
			for i := range c {
				if c[i].name == name {
					c[i].typ, c[i].values = typ, []any{v}
				}
			}
			return c
		}
	}
	one := "m|a|390200000|393331234567|2|text||0|sent|-|-|"
	for _, c := range []struct {
		name   string
		data   []byte
		opts   reader.ExportOptions
		column string // of the error; empty where there is none
	}{
		{"as it is", change(func(c []testColumn) []testColumn { return c }), reader.ExportOptions{}, ""},
		{"turned round, more columns, required", change(func(c []testColumn) []testColumn {
			var out []testColumn
			for i := len(c) - 1; i >= 0; i-- {
				c[i].required = c[i].values[0] != nil
				out = append(out, c[i], testColumn{name: "x" + c[i].name, typ: text, values: []any{nil}})
			}
			return append(out, testColumn{name: "list", typ: arrow.ListOf(text), values: []any{"a"}})
		}), reader.ExportOptions{}, ""},
		{"without optional ones", change(func(c []testColumn) []testColumn { return append(c[:6:6], c[7], c[8]) }), reader.ExportOptions{}, ""},
		{"renamed", change(rename("contact", "wa_id")), reader.ExportOptions{Columns: map[string]string{"contact": "wa_id"}}, ""},
		{"other case", change(rename("contact", "Contact")), reader.ExportOptions{}, "contact"},
		{"renamed without being told", change(rename("contact", "wa_id")), reader.ExportOptions{}, "contact"},
		{"told a name that is not there", change(rename("x", "y")), reader.ExportOptions{Columns: map[string]string{"contact": "wa_id"}}, "wa_id"},
		{"number for a text", change(retype("account_id", arrow.PrimitiveTypes.Int64, int64(1))), reader.ExportOptions{}, "account_id"},
		{"text for a time", change(retype("sent_at", text, "2024-07-03")), reader.ExportOptions{}, "sent_at"},
		{"number for a time", change(retype("read_at", arrow.PrimitiveTypes.Int64, int64(1))), reader.ExportOptions{}, "read_at"},
		{"list", change(retype("status", arrow.ListOf(text), "sent")), reader.ExportOptions{}, "status"},
		{"struct", change(retype("type", arrow.StructOf(arrow.Field{Name: "f", Type: text}), "text")), reader.ExportOptions{}, "type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := scan(t, c.data, c.opts)
			if c.column == "" {
				if diff := cmp.Diff(result{Rows: []string{one}, Read: 1}, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got)\n%s", err, diff)
				}
				return
			}
			f, ok := errors.AsType[*reader.FileError](err)
			if !ok || !errors.Is(err, reader.ErrData) || f.Column != c.column || f.File != testDayKey {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestInfoAndRowGroupsLeftOut(t *testing.T) {
	t.Parallel()
	var rows []message
	for i := range 30 {
		rows = append(rows, plainMessage(func(m *message) { m.Sent = dayStart + int64(i)*1000 }))
	}
	columns := exportColumns(rows, arrow.BinaryTypes.String, arrow.Nanosecond)
	for _, c := range []struct {
		name   string
		l      layout
		oldest int64
	}{
		{"statistics", layout{groupRows: 10}, dayStart},
		{"none", layout{groupRows: 10, noStats: true}, reconcile.NoTime},
		{"INT96", layout{groupRows: 10, int96: true}, reconcile.NoTime},
	} {
		data := exportFile(t, c.l, columns...)
		src := &readertest.Mem{}
		src.Put(testDayKey, data)
		o, err := src.Stat(testDayKey)
		if err != nil {
			t.Fatal(err)
		}
		e, err := reader.NewExports(src, reader.NewNames(), reader.ExportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		info, err := e.Info(t.Context(), o)
		if want := (reader.FileInfo{Rows: 30, Oldest: c.oldest}); err != nil || info != want {
			t.Errorf("%s: %v, %v, want %v", c.name, info, err, want)
		}
		got, err := scanBefore(t, data, reader.ExportOptions{}, dayStart+10_000)
		if err != nil || got.Read != 10 {
			t.Errorf("%s: %d rows read, %v, want 10", c.name, got.Read, err)
		}
	}
	none := exportFile(t, layout{}, exportColumns(nil, arrow.BinaryTypes.String, arrow.Millisecond)...)
	if got, err := scan(t, none, reader.ExportOptions{}); err != nil || got.Read != 0 {
		t.Errorf("no rows: %v, %v", got, err)
	}
}

// TestRowGroupsWithoutLateRows has groups whose statistics leave open whether
// a late row is in them.
func TestRowGroupsWithoutLateRows(t *testing.T) {
	t.Parallel()
	const groupRows, groups = 3000, 4
	late := dayStart - reconcile.DayMillis
	for _, c := range []struct {
		name  string
		l     layout
		sent  map[int]any // of some rows; all others are of the day
		first []int64     // rows of the groups that are wanted
	}{
		{"1970", layout{}, map[int]any{3100: int64(0)}, nil},
		{"1970 and null", layout{}, map[int]any{3100: int64(0), 3101: nil}, nil},
		{"last of 2008", layout{}, map[int]any{3100: int64(1_230_767_999_999)}, nil},
		{"first of 2009", layout{}, map[int]any{3100: int64(1_230_768_000_000)}, []int64{3000}},
		{"late", layout{}, map[int]any{5999: late}, []int64{3000}},
		{"1970 and late", layout{}, map[int]any{3100: int64(0), 5999: late, 9000: int64(0)}, []int64{3000}},
		{"just not late", layout{}, map[int]any{3100: int64(0), 5999: dayStart}, nil},
		{"no statistics", layout{noStats: true}, map[int]any{3100: int64(0), 11_999: late}, []int64{9000}},
		{"INT96", layout{int96: true}, map[int]any{3100: int64(0), 6000: late}, []int64{6000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var rows []message
			for i := range groupRows * groups {
				rows = append(rows, plainMessage(func(m *message) {
					m.ID, m.Sent = fmt.Sprintf("wamid.%d", i), dayStart+int64(i)
					if i%groupRows == 7 {
						m.Direction = "sideways"
					}
					if sent, ok := c.sent[i]; ok {
						m.Sent = sent
					}
				}))
			}
			c.l.groupRows = groupRows
			data := exportFile(t, c.l, exportColumns(rows, arrow.BinaryTypes.String, arrow.Microsecond)...)
			all := bytesRead(t, data, reconcile.NoTime, nil)
			var rejects []int64
			some := bytesRead(t, data, dayStart, &rejects)
			if some >= all*3/4 {
				t.Errorf("%d bytes read where all rows take %d", some, all)
			}
			var want []int64
			for _, first := range c.first {
				want = append(want, first+7)
			}
			if diff := cmp.Diff(want, rejects); diff != "" {
				t.Errorf("rows with a direction that is none (-want +got)\n%s", diff)
			}
		})
	}
}

// bytesRead scans data and counts the bytes that its source gave. It adds the
// rows with a bad direction to rejects.
func bytesRead(t *testing.T, data []byte, before int64, rejects *[]int64) int {
	t.Helper()
	n := 0
	src := &readertest.Mem{OnRead: func(_ string, _ int64, length int) error {
		n += length
		return nil
	}}
	src.Put(testDayKey, data)
	e, err := reader.NewExports(src, reader.NewNames(), reader.ExportOptions{BlockRows: 1000})
	if err != nil {
		t.Fatal(err)
	}
	o, err := src.Stat(testDayKey)
	if err != nil {
		t.Fatal(err)
	}
	err = e.Scan(t.Context(), o, testDay, before, func(b *reader.Block) error {
		for _, r := range b.Rejects {
			if rejects != nil && r.Reason == reconcile.BadDirection {
				*rejects = append(*rejects, r.Row)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestExportOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []reader.ExportOptions{
		{BlockRows: -1},
		{BlockRows: 1 << 20},
		{Columns: map[string]string{"kontakt": "x"}},
		{Columns: map[string]string{"contact": ""}},
		{Columns: map[string]string{"contact": "type"}},
	} {
		if o.Validate() == nil {
			t.Errorf("%+v: no error", o)
		}
	}
	fine := reader.ExportOptions{Columns: map[string]string{"contact": "type", "type": "contact", "price": "p"}}
	if err := fine.Validate(); err != nil {
		t.Error(err)
	}
}

var errStop = errors.New("stop")

func TestScanStops(t *testing.T) {
	t.Parallel()
	src := &readertest.Mem{}
	rows, _ := someMessages(1, 10)
	src.Put(testDayKey, exportFile(t, layout{}, exportColumns(rows, arrow.BinaryTypes.String, arrow.Millisecond)...))
	o, err := src.Stat(testDayKey)
	if err != nil {
		t.Fatal(err)
	}
	e, err := reader.NewExports(src, reader.NewNames(), reader.ExportOptions{BlockRows: 2})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	err = e.Scan(t.Context(), o, testDay, reconcile.NoTime, func(*reader.Block) error { calls++; return errStop })
	if err != errStop || calls != 1 {
		t.Errorf("%d blocks, %v", calls, err)
	}
}

// Texts that are published must be UTF-8, as a Parquet string is; a file in
// which one is not is refused, naming the column.
func TestTextsAreUTF8(t *testing.T) {
	t.Parallel()
	for column, change := range map[string]func(*message){
		"message_id":      func(m *message) { m.ID = "wamid.\xff" },
		"account_id":      func(m *message) { m.Account = "caf\xe9" },
		"business_number": func(m *message) { m.Business = "\xc3\x28" },
		"contact":         func(m *message) { m.Contact = "user\x80" },
	} {
		for _, dictionary := range []bool{true, false} {
			rows := []message{plainMessage(nil), plainMessage(change)}
			data := exportFile(t, layout{dictionary: dictionary}, exportColumns(rows, arrow.BinaryTypes.String, arrow.Millisecond)...)
			_, err := scan(t, data, reader.ExportOptions{})
			if !errors.Is(err, reader.ErrData) || !strings.Contains(err.Error(), "column "+column) || !strings.Contains(err.Error(), "not UTF-8") {
				t.Errorf("%s, dictionary %v: %v", column, dictionary, err)
			}
		}
	}
	good := scanMessages(t, reader.ExportOptions{}, plainMessage(func(m *message) { m.ID, m.Contact = "m\u00e9", "usu\u00e1rio" }))
	if len(good.Rows) != 1 {
		t.Errorf("%d rows of UTF-8 beyond ASCII, want 1", len(good.Rows))
	}
}
