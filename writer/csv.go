package writer

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// instantLayout is RFC 3339 in UTC with milliseconds.
const instantLayout = "2006-01-02T15:04:05.000Z"

// WriteCSV writes a table of schema s as RFC 4180 text under key: a header,
// lines that end in "\n", nothing for a null, instants as
// 2024-07-03T10:00:00.000Z, dates as 2024-07-03, amounts plain with six
// decimals or, where the schema says so, those of their currency's minor unit.
// It is a file for programs: a text that a spreadsheet would take for a formula
// stays as it is. Frames are checked as in WriteParquet.
func WriteCSV(ctx context.Context, t Target, key string, s Schema, frames iter.Seq2[Frame, error]) (FileEntry, error) {
	u, err := newUpload(ctx, t, key)
	if err != nil {
		return FileEntry{}, err
	}
	defer u.up.Abort()
	rows, totals, err := encodeCSV(u, s, frames, func() error { return errors.Join(ctx.Err(), u.err) })
	if err != nil {
		return FileEntry{}, fmt.Errorf("write %s: %w", key, err)
	}
	return u.commit(ctx, rows, totals)
}

// encodeCSV asks stop before each frame.
func encodeCSV(w io.Writer, s Schema, frames iter.Seq2[Frame, error], stop func() error) (rows int64, totals []total, err error) {
	e := newCSVEncoder(w, s)
	for f, err := range frames {
		if err == nil {
			err = stop()
		}
		if err == nil {
			err = e.add(&f)
		}
		if err != nil {
			return 0, nil, err
		}
	}
	return e.rows, e.totals, e.flush()
}

// csvEncoder writes a table frame by frame, and counts and adds up what it
// writes.
type csvEncoder struct {
	schema Schema
	out    *csv.Writer
	record []string
	rows   int64
	totals []total
}

// newCSVEncoder writes the header; the error of that comes with the first
// frame, or with flush.
func newCSVEncoder(w io.Writer, s Schema) *csvEncoder {
	e := &csvEncoder{schema: s, out: csv.NewWriter(w), record: make([]string, len(s)), totals: newTotals(s)}
	for i := range s {
		e.record[i] = s[i].Name
	}
	_ = e.out.Write(e.record)
	return e
}

func (e *csvEncoder) add(f *Frame) error {
	if err := errors.Join(e.out.Error(), checkFrame(e.schema, f, e.rows)); err != nil {
		return err
	}
	for i := range e.totals {
		e.totals[i].addColumn(&f.Columns[i])
	}
	for row := range f.Rows {
		for i := range e.schema {
			e.record[i] = e.schema.csvText(f, i, row)
		}
		if err := e.out.Write(e.record); err != nil {
			return err
		}
	}
	e.rows += int64(f.Rows)
	return nil
}

func (e *csvEncoder) flush() error {
	e.out.Flush()
	return e.out.Error()
}

// csvText is the value of a column in a row.
func (s Schema) csvText(f *Frame, column, row int) string {
	c, spec := &f.Columns[column], &s[column]
	if spec.MinorOf == "" {
		return c.csvText(spec.Type, row)
	}
	currency := f.Columns[s.index(spec.MinorOf)].csvText(Text, row)
	if c, row = c.resolve(row); c.isNull(row) {
		return ""
	}
	return minorText(c.Wide[row], currency)
}

// minorText is an amount with the decimals of its currency's minor unit; one
// without a currency has none. An amount that needs more has six: no text says
// another number than the value.
func minorText(d decimal.Decimal, currency string) string {
	minor, _ := reconcile.MinorUnits(currency)
	if !d.Equal(d.Truncate(minor)) {
		minor = scale
	}
	return d.StringFixed(minor)
}

func (c *Column) csvText(t Type, row int) string {
	c, row = c.resolve(row)
	if c.Null != nil && c.Null[row] {
		return ""
	}
	switch t {
	case Text:
		if c.Packed != nil {
			return string(c.Packed.At(row))
		}
		return c.Text[row]
	case Int32, Int64:
		return strconv.FormatInt(c.Int[row], 10)
	case Day:
		return reconcile.Date(c.Int[row]).String()
	case Instant:
		return time.UnixMilli(c.Int[row]).UTC().Format(instantLayout)
	case Money:
		return c.Micros[row].Decimal().StringFixed(scale)
	case WideMoney:
		return c.Wide[row].StringFixed(scale)
	}
	panic("unknown column type")
}
