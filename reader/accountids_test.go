package reader_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
	"waconcile/reader/readertest"
)

// AccountIDs gives the accounts of whole row groups, up to the first that has
// enough, and reads nothing but one column of them.
func TestAccountIDs(t *testing.T) {
	t.Parallel()
	var rows []readertest.ExportRow
	for i := range 30 {
		rows = append(rows, readertest.ExportRow{MessageID: fmt.Sprint(i), Account: fmt.Sprintf("account-%d", 29-i), SentAt: 1_720_000_000_000})
	}
	rows[3].Account = "" // null
	data, err := readertest.Export(rows, 10)
	if err != nil {
		t.Fatal(err)
	}
	src := &readertest.Mem{}
	src.Put("a.parquet", data)
	src.Put("b.parquet", data[:len(data)/2])
	exports, err := reader.NewExports(src, reader.NewNames(), reader.ExportOptions{BlockRows: 4})
	if err != nil {
		t.Fatal(err)
	}
	a, err := src.Stat("a.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ max, rows int64 }{{0, 10}, {1, 10}, {10, 10}, {11, 20}, {1000, 30}} {
		ids, n, err := exports.AccountIDs(t.Context(), a, c.max)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, r := range rows[:c.rows] {
			seen[r.Account] = r.Account != ""
		}
		var want []string
		for _, id := range ids {
			if seen[id] {
				want = append(want, id)
			}
		}
		if diff := cmp.Diff(want, ids); diff != "" || len(ids) != int(c.rows)-1 || n != c.rows || !slices.IsSorted(ids) {
			t.Errorf("up to %d rows: %d ids of %d rows, want those of %d (-want +got):\n%s", c.max, len(ids), n, c.rows, diff)
		}
	}
	b, err := src.Stat("b.parquet")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = exports.AccountIDs(t.Context(), b, 1)
	if !errors.Is(err, reader.ErrData) || !strings.Contains(err.Error(), "b.parquet") {
		t.Errorf("cut short: %v", err)
	}
}
