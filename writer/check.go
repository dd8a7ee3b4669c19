package writer

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// errFrame is matched by the error of a frame that is not of its schema. It is
// a defect of the caller.
var errFrame = errors.New("frame does not fit its schema")

var errNotUTF8 = errors.New("a text is not UTF-8")

// checkFrame holds a frame against its schema before anything of it is
// written: lengths, nulls, ranges, text in UTF-8. first is the number of its
// first row in the table, for the message.
//
// The texts of columns with a dictionary are left to the dictionary, which
// looks at each once.
func checkFrame(s Schema, f *Frame, first int64) error {
	if len(f.Columns) != len(s) {
		return fmt.Errorf("%w: %d columns, want %d", errFrame, len(f.Columns), len(s))
	}
	var codes codeRange
	for i := range s {
		if err := checkColumn(&s[i], &f.Columns[i], f.Rows, first, &codes); err != nil {
			return fmt.Errorf("%w: column %s: %w", errFrame, s[i].Name, err)
		}
	}
	return nil
}

// codeRange knows the largest of the codes that it saw last: many columns of a
// frame have the same.
type codeRange struct {
	codes []uint32
	most  uint32
}

func (r *codeRange) max(codes []uint32) uint32 {
	if len(codes) != len(r.codes) || &codes[0] != &r.codes[0] {
		r.codes, r.most = codes, slices.Max(codes)
	}
	return r.most
}

func checkColumn(spec *ColumnSpec, c *Column, rows int, first int64, codes *codeRange) error {
	if c.Of != nil {
		return checkCoded(spec, c, rows, codes)
	}
	if err := checkLengths(spec, c, rows); err != nil {
		return err
	}
	for row, null := range c.Null {
		if null && !spec.Nullable {
			return fmt.Errorf("row %d: is null", first+int64(row))
		}
	}
	row, err := checkValues(*spec, c)
	if err != nil {
		return fmt.Errorf("row %d: %w", first+int64(row), err)
	}
	return nil
}

// checkCoded looks at the values that occur, once each, and at the codes.
func checkCoded(spec *ColumnSpec, c *Column, rows int, codes *codeRange) error {
	of := c.Of
	values := max(len(of.Text), len(of.Int), len(of.Micros))
	switch {
	case !hasDictionary(*spec) || of.Of != nil || of.Packed != nil:
		return errors.New("values apart from their rows in a column that has no dictionary")
	case len(c.Text)+len(c.Int)+len(c.Micros)+len(c.Wide)+len(c.Null) > 0 || c.Packed != nil:
		return errors.New("values both apart and in the rows")
	case len(c.Code) != rows:
		return fmt.Errorf("%d codes, want %d", len(c.Code), rows)
	case rows > 0 && int(codes.max(c.Code)) >= values:
		return fmt.Errorf("code %d of %d values", codes.max(c.Code), values)
	}
	if err := checkColumn(spec, of, values, 0, nil); err != nil {
		return fmt.Errorf("value by code: %w", err)
	}
	return nil
}

func checkLengths(spec *ColumnSpec, c *Column, rows int) error {
	var want [4]int // text, int, micros, wide
	switch spec.Type {
	case Text:
		want[0] = rows
	case Int32, Int64, Day, Instant:
		want[1] = rows
	case Money:
		want[2] = rows
	case WideMoney:
		want[3] = rows
	}
	got := [4]int{len(c.Text), len(c.Int), len(c.Micros), len(c.Wide)}
	if c.Packed != nil {
		if hasDictionary(*spec) || spec.Nullable {
			return errors.New("texts in one piece in a column that is not unique, or has nulls")
		}
		got[0] += c.Packed.Len()
	}
	if got != want {
		return fmt.Errorf("%v values (text, int, micros, wide), want %v", got, want)
	}
	if c.Null != nil && len(c.Null) != rows {
		return fmt.Errorf("%d null marks, want %d", len(c.Null), rows)
	}
	return nil
}

// checkValues returns the first row whose value does not fit its type.
func checkValues(spec ColumnSpec, c *Column) (row int, err error) {
	null := func(i int) bool { return c.Null != nil && c.Null[i] }
	switch spec.Type {
	case Text:
		if hasDictionary(spec) {
			return 0, nil
		}
		if c.Packed != nil {
			if row := c.Packed.invalid(); row >= 0 {
				return row, errNotUTF8
			}
			return 0, nil
		}
		for i, v := range c.Text {
			if !utf8.ValidString(v) && !null(i) {
				return i, errNotUTF8
			}
		}
	case Int32, Day:
		for i, v := range c.Int {
			if (v < math.MinInt32 || v > math.MaxInt32) && !null(i) {
				return i, fmt.Errorf("%d is more than 32 bits", v)
			}
		}
	case Money:
		for i, v := range c.Micros {
			if (v <= -moneyLimit || v >= moneyLimit) && !null(i) {
				return i, fmt.Errorf("%d millionths are more than 18 digits", v)
			}
		}
	case WideMoney:
		for i, v := range c.Wide {
			if null(i) {
				continue
			}
			if _, err := unscaled(v); err != nil {
				return i, err
			}
		}
	case Int64, Instant:
	}
	return 0, nil
}

// wideDigits is the precision of WideMoney.
const wideDigits = 38

// unscaled is d in millionths. It refuses more than 6 decimals and more than
// 38 digits.
func unscaled(d decimal.Decimal) (*big.Int, error) {
	if d.IsZero() {
		return new(big.Int), nil
	}
	if d.Exponent() > wideDigits {
		return nil, fmt.Errorf("an amount has more than %d digits", wideDigits)
	}
	shifted := d.Shift(scale)
	if !shifted.IsInteger() {
		return nil, fmt.Errorf("%s has more than %d decimals", d, scale)
	}
	v := shifted.BigInt()
	if digits := len(new(big.Int).Abs(v).String()); digits > wideDigits {
		return nil, fmt.Errorf("%s has more than %d digits", d, wideDigits)
	}
	return v, nil
}
