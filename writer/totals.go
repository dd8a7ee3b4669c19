package writer

import (
	"math/big"
	"math/bits"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// scale is the number of decimals of Money and WideMoney.
const scale = 6

// total is the exact sum of one column.
type total struct {
	spec ColumnSpec
	hi   int64 // with lo, the sum of a column of integers in 128 bits
	lo   uint64
	wide decimal.Decimal
}

func newTotals(s Schema) []total {
	totals := make([]total, len(s))
	for i := range s {
		totals[i].spec = s[i]
	}
	return totals
}

// summed says whether the column is a count or an amount.
func (t *total) summed() bool {
	switch t.spec.Type {
	case Int32, Int64, Money, WideMoney:
		return true
	case Text, Day, Instant:
	}
	return false
}

func (t *total) add(v int64) {
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, uint64(v), 0)
	t.hi += v>>63 + int64(carry)
}

// merge adds another sum of the same type.
func (t *total) merge(other *total) {
	var carry uint64
	t.lo, carry = bits.Add64(t.lo, other.lo, 0)
	t.hi += other.hi + int64(carry)
	t.wide = t.wide.Add(other.wide)
}

// addColumn adds the rows of a column that are not null.
func (t *total) addColumn(c *Column) {
	t.addRows(c, 0, len(c.Int)+len(c.Micros)+len(c.Wide)+len(c.Code)) // three of which are empty
}

// addRows adds the rows [from, to) of a column that are not null.
func (t *total) addRows(c *Column, from, to int) {
	if c.Of != nil {
		t.addCoded(c.Of, c.Code[from:to])
		return
	}
	null := nullsOf(c, from, to)
	switch t.spec.Type {
	case Int32, Int64:
		for i, v := range c.Int[from:to] {
			if null == nil || !null[i] {
				t.add(v)
			}
		}
	case Money:
		for i, v := range c.Micros[from:to] {
			if null == nil || !null[i] {
				t.add(int64(v))
			}
		}
	case WideMoney:
		for i, v := range c.Wide[from:to] {
			if null == nil || !null[i] {
				t.wide = t.wide.Add(v)
			}
		}
	case Text, Day, Instant:
	}
}

// addCoded adds the values of rows that have them by code.
func (t *total) addCoded(of *Column, codes []uint32) {
	var values []int64
	switch t.spec.Type {
	case Int32, Int64:
		values = of.Int
	case Money:
		values = microsInts(of.Micros)
	case Text, Day, Instant, WideMoney:
		return // have no sum, or no codes
	}
	for _, code := range codes {
		if of.Null == nil || !of.Null[code] {
			t.add(values[code])
		}
	}
}

// sum is the total as a number: of a Money column an amount.
func (t *total) sum() decimal.Decimal {
	if t.spec.Type == WideMoney {
		return t.wide
	}
	v := new(big.Int).Lsh(big.NewInt(t.hi), 64)
	v.Add(v, new(big.Int).SetUint64(t.lo))
	if t.spec.Type == Money {
		return decimal.NewFromBigInt(v, -scale)
	}
	return decimal.NewFromBigInt(v, 0)
}

func (t *total) text() string {
	if t.spec.Type == Money || t.spec.Type == WideMoney {
		return t.sum().StringFixed(scale)
	}
	return t.sum().String()
}

// totalsText is never nil, so that a file without sums shows as {}.
func totalsText(totals []total) map[string]string {
	text := make(map[string]string, len(totals))
	for i := range totals {
		if totals[i].summed() {
			text[totals[i].spec.Name] = totals[i].text()
		}
	}
	return text
}

// moneyLimit is the first amount that no longer fits decimal(18,6).
const moneyLimit reconcile.Micros = 1e18
