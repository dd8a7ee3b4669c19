package reader

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"waconcile/reconcile"
)

// column is a column of an input table. Columns of a file that are not asked
// for are ignored.
type column struct {
	name     string
	optional bool // the header may lack it; its cells are then empty
}

// record is one row of an input table. Its methods return the cell of a
// column in the form that is wanted; the first that cannot leaves its error
// in err, and what is returned then means nothing.
type record struct {
	where string // "rates.csv:7"
	cells map[string]int
	texts []string // cells without white space around them
	err   error
}

// fail notes what is wrong with a column.
func (r *record) fail(column string, err error) {
	if r.err == nil {
		r.err = &InputError{Where: r.where, Column: column, Err: err}
	}
}

// text is a cell; empty where the table lacks the column.
func (r *record) text(column string) string {
	if i, ok := r.cells[column]; ok {
		return r.texts[i]
	}
	return ""
}

// required is a cell that may not be empty.
func (r *record) required(column string) string {
	s := r.text(column)
	if s == "" {
		r.fail(column, errors.New("value is missing"))
	}
	return s
}

// validity is the dates [valid_from, valid_to), each open where empty.
func (r *record) validity() (from, to reconcile.Date) {
	from, to = r.dateOr("valid_from", reconcile.MinDate), r.dateOr("valid_to", reconcile.MaxDate)
	if r.err == nil && to <= from {
		r.fail("valid_to", fmt.Errorf("%s is not after valid_from %s", r.text("valid_to"), r.text("valid_from")))
	}
	return from, to
}

// dateOr is a date, or empty where the cell is.
func (r *record) dateOr(column string, empty reconcile.Date) reconcile.Date {
	s := r.text(column)
	if s == "" {
		return empty
	}
	d, err := reconcile.ParseDate(s)
	if err != nil {
		r.fail(column, err)
	}
	return d
}

// category is a category; empty is all of them.
func (r *record) category() reconcile.Category {
	s := r.text("category")
	c, ok := reconcile.ParseCategory(s)
	if !ok && s != "" {
		r.fail("category", fmt.Errorf("%q is no category", s))
	}
	return c
}

// currency is an ISO 4217 code in upper case.
func (r *record) currency() string { return r.currencyIn("currency") }

// readCSV hands every row of a CSV file with a header to each. A byte order
// mark, CRLF and blank lines are taken; what is wrong with the file is an
// InputError with the line at which the row begins.
func readCSV(key string, data []byte, columns []column, each func(*record)) error {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	in.FieldsPerRecord = -1 // checked here, so that the error is ours
	in.ReuseRecord = true
	var rec record
	width := 0
	for {
		fields, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return csvError(key, err)
		}
		line, _ := in.FieldPos(0)
		if len(fields) == 1 && strings.TrimSpace(fields[0]) == "" && width != 1 {
			continue
		}
		rec.where, rec.err = key+":"+strconv.Itoa(line), nil
		if width == 0 {
			width = len(fields)
			if rec.cells, err = header(fields, columns); err != nil {
				return &InputError{Where: rec.where, Err: err}
			}
			continue
		}
		if err := rec.set(fields, width); err != nil {
			return err
		}
		if each(&rec); rec.err != nil {
			return rec.err
		}
	}
	if width == 0 {
		return &InputError{Where: key + ":1", Err: errors.New("header is missing")}
	}
	return nil
}

// set takes the fields of one line.
func (r *record) set(fields []string, width int) error {
	if len(fields) != width {
		return &InputError{Where: r.where, Err: fmt.Errorf("%d fields where the header has %d", len(fields), width)}
	}
	r.texts = r.texts[:0]
	for _, f := range fields {
		r.texts = append(r.texts, strings.TrimSpace(f))
	}
	for name, i := range r.cells {
		if !utf8.ValidString(r.texts[i]) {
			return &InputError{Where: r.where, Column: name, Err: errors.New("text is not UTF-8")}
		}
	}
	return nil
}

// header finds the columns in the names of a header; names are matched
// exactly.
func header(names []string, columns []column) (map[string]int, error) {
	at := make(map[string]int, len(names))
	for i, name := range names {
		name = strings.TrimSpace(name)
		if _, twice := at[name]; twice && name != "" {
			return nil, fmt.Errorf("column %q is there twice", name)
		}
		at[name] = i
	}
	cells := make(map[string]int, len(columns))
	var missing []string
	for _, c := range columns {
		if i, ok := at[c.name]; ok {
			cells[c.name] = i
		} else if !c.optional {
			missing = append(missing, c.name)
		}
	}
	if len(missing) == 0 {
		return cells, nil
	}
	hint := ""
	if len(names) == 1 && strings.ContainsAny(names[0], ";\t") {
		hint = "; fields are separated by commas"
	}
	return nil, fmt.Errorf("header lacks column %s%s", strings.Join(missing, ", "), hint)
}

// csvError places an error of encoding/csv.
func csvError(key string, err error) error {
	where := key
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		where, err = key+":"+strconv.Itoa(parse.StartLine), parse.Err
	}
	return &InputError{Where: where, Err: err}
}
