package writer

import (
	"errors"
	"strings"
	"testing"

	"waconcile/reconcile"
)

// Values that stand apart from their rows, and texts in one piece, are held to
// their schema before anything is written.
func TestCodedFrames(t *testing.T) {
	t.Parallel()
	packed := func(texts ...string) Column { return Column{Packed: textsOf(texts)} }
	id, word := ColumnSpec{Name: "c", Type: Text, Unique: true}, ColumnSpec{Name: "c", Type: Text}
	maybe := ColumnSpec{Name: "c", Type: Money, Nullable: true}
	two := &Column{Text: []string{"a", "b"}}
	price := &Column{Micros: []reconcile.Micros{5, 1e18, 7}, Null: []bool{false, true, false}}
	tests := map[string]struct {
		spec ColumnSpec
		c    Column
		rows int
		want string // in the error; empty: none
	}{
		"codes":                   {word, Column{Of: two, Code: []uint32{1, 0, 1}}, 3, ""},
		"a null by code":          {maybe, Column{Of: price, Code: []uint32{0, 1, 2, 1}}, 4, ""},
		"texts in one piece":      {id, packed("\u00e9", "b"), 2, ""},
		"too few codes":           {word, Column{Of: two, Code: []uint32{1}}, 2, "1 codes, want 2"},
		"a code of no value":      {word, Column{Of: two, Code: []uint32{2}}, 1, "code 2 of 2 values"},
		"values in the rows, too": {word, Column{Of: two, Code: []uint32{1}, Text: []string{"a"}}, 1, "both apart and in the rows"},
		"no dictionary":           {id, Column{Of: two, Code: []uint32{1}}, 1, "no dictionary"},
		"a null that may not be":  {word, Column{Of: &Column{Text: []string{""}, Null: []bool{true}}, Code: []uint32{0}}, 1, "is null"},
		"a value too large":       {maybe, Column{Of: &Column{Micros: []reconcile.Micros{1e18}}, Code: []uint32{0}}, 1, "more than 18 digits"},
		"codes of codes":          {word, Column{Of: &Column{Of: two, Code: []uint32{0}}, Code: []uint32{0}}, 1, "no dictionary"},
		"pieces of a character":   {id, packed("\xc3", strings.Repeat("\xa9", 169)), 2, "not UTF-8"},
		"a piece of bytes":        {id, packed("a", "\xff"), 2, "row 1: a text is not UTF-8"},
		"one piece too few":       {id, packed("a"), 2, "want [2 0 0 0]"},
		"one piece of many":       {word, packed("a"), 1, "not unique"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := EncodeParquet(t.Context(), "t.parquet", Schema{test.spec}, func(yield func(Frame, error) bool) {
				yield(Frame{Rows: test.rows, Columns: []Column{test.c}}, nil)
			})
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.Is(err, errFrame) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// textsOf adds texts in either way.
func textsOf(texts []string) *Texts {
	var t Texts
	for i, text := range texts {
		if i%2 == 0 {
			t.Append([]byte(text))
		} else {
			t.End(append(t.Begin(), text...))
		}
	}
	return &t
}

// TestCodedText: the CSV of such columns is that of the values.
func TestCodedText(t *testing.T) {
	t.Parallel()
	f := Frame{Rows: 2, Columns: []Column{
		{Packed: textsOf([]string{"a", "bc"})},
		{Of: &Column{Micros: []reconcile.Micros{1_500_000, 0}, Null: []bool{false, true}}, Code: []uint32{1, 0}},
	}}
	s := Schema{{Name: "id", Type: Text, Unique: true}, {Name: "price", Type: Money, Nullable: true}}
	var out strings.Builder
	rows, totals, err := encodeCSV(&out, s, cut(f, 2), func() error { return nil })
	if want := "id,price\na,\nbc,1.500000\n"; err != nil || out.String() != want || rows != 2 || totals[1].text() != "1.500000" {
		t.Errorf("%q, %d rows, %v, want %q", out.String(), rows, err, want)
	}
}
