package reconcile

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func phone(t testing.TB, digits string) Contact {
	t.Helper()
	c, ok := PhoneContact([]byte(digits))
	if !ok {
		t.Fatalf("%q is no phone number", digits)
	}
	return c
}

func loadZone(t testing.TB, name string) *Zone {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return NewZone(loc)
}

// wantRowError holds an error against the places and the text it must name.
func wantRowError(t *testing.T, err error, where, other, text string) {
	t.Helper()
	row, ok := errors.AsType[*RowError](err)
	if !ok {
		t.Fatalf("error is %v, want a RowError", err)
	}
	if row.Where != where || row.Other != other || row.Error() != text {
		t.Errorf("error is %q at %q and %q\nwant     %q at %q and %q", row, row.Where, row.Other, text, where, other)
	}
}

// The property of every table with validity: a set of rows is taken if and
// only if no date has two rows of one key, and then every date finds its row.
func TestTimelinesAgreeWithEachDate(t *testing.T) {
	t.Parallel()
	type row struct {
		key      int
		from, to Date
	}
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			from := rapid.Int32Range(0, 20).Draw(t, "from")
			return row{rapid.IntRange(0, 2).Draw(t, "key"), Date(from), Date(from + rapid.Int32Range(1, 8).Draw(t, "days"))}
		}), 0, 8).Draw(t, "rows")
		lines, err := timelines(rows,
			func(r row) int { return r.key },
			func(r row) (Date, Date) { return r.from, r.to },
			func(row) string { return "row" }, func(row) string { return "here" })
		overlap := false
		for key := range 3 {
			for d := range Date(30) {
				want := -1
				for i, r := range rows {
					if r.key == key && r.from <= d && d < r.to {
						overlap = overlap || want >= 0
						want = i
					}
				}
				if overlap || err != nil {
					continue
				}
				if got, ok := lines[key].on(d); ok != (want >= 0) || ok && got != want {
					t.Fatalf("key %d on %v: row %d, %v; want %d", key, d, got, ok, want)
				}
			}
		}
		if overlap != (err != nil) {
			t.Fatalf("overlap %v, error %v", overlap, err)
		}
	})
}
