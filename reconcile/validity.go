package reconcile

import (
	"cmp"
	"fmt"
	"slices"
)

// RowError is a row of an input table that contradicts itself or a row before
// it.
type RowError struct {
	Where string // the row, as "rates.csv:7"
	Other string // the row that it clashes with; empty where it is alone at fault
	Err   error
}

func (e *RowError) Error() string { return e.Where + ": " + e.Err.Error() }

func (e *RowError) Unwrap() error { return e.Err }

// span is the validity of one row of a table, the dates [from, to), and the
// row's place among the rows that were given.
type span struct {
	from, to Date
	row      int
}

func (s span) covers(d Date) bool { return s.from <= d && d < s.to }

func (s span) String() string {
	from, to := "the beginning", "open"
	if s.from != MinDate {
		from = s.from.String()
	}
	if s.to != MaxDate {
		to = s.to.String()
	}
	return "[" + from + ", " + to + ")"
}

// ValidityText writes the dates [from, to) of a row.
func ValidityText(from, to Date) string { return span{from: from, to: to}.String() }

// timeline holds the rows of one key in order of their dates, which do not
// overlap.
type timeline []span

// on finds the row that is valid on d.
func (t timeline) on(d Date) (row int, ok bool) {
	for _, s := range t {
		if s.covers(d) {
			return s.row, true
		}
	}
	return 0, false
}

// timelines sorts rows by key into timelines, and fails on the first row, in
// the order given, that overlaps an earlier row of its key. describe names a
// row for that error, where says where it stands.
func timelines[K comparable, R any](rows []R, key func(R) K, dates func(R) (from, to Date), describe, where func(R) string) (map[K]timeline, error) {
	lines := make(map[K]timeline)
	for i, r := range rows {
		from, to := dates(r)
		lines[key(r)] = append(lines[key(r)], span{from, to, i})
	}
	var clash [2]int // the later and the earlier row of the first overlap
	found := false
	for _, line := range lines {
		slices.SortFunc(line, func(a, b span) int {
			return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.row, b.row))
		})
		for i := 1; i < len(line); i++ {
			if line[i].from >= line[i-1].to {
				continue
			}
			later, earlier := max(line[i].row, line[i-1].row), min(line[i].row, line[i-1].row)
			if !found || later < clash[0] {
				clash, found = [2]int{later, earlier}, true
			}
		}
	}
	if !found {
		return lines, nil
	}
	row, other := rows[clash[0]], rows[clash[1]]
	rowFrom, rowTo := dates(row)
	otherFrom, otherTo := dates(other)
	return nil, &RowError{
		Where: where(row),
		Other: where(other),
		Err: fmt.Errorf("overlaps %s: %s is valid %v here and %v there", where(other), describe(row),
			span{from: rowFrom, to: rowTo}, span{from: otherFrom, to: otherTo}),
	}
}
