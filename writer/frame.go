package writer

import (
	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// Type is the type of a column of a published table.
type Type uint8

// The column types, with their Parquet form.
const (
	Text      Type = iota // string: BYTE_ARRAY, STRING
	Int32                 // INT32
	Int64                 // INT64
	Day                   // date: INT32, DATE
	Instant               // timestamp(ms, UTC): INT64, TIMESTAMP(MILLIS, adjusted to UTC)
	Money                 // decimal(18,6): INT64, DECIMAL(18,6)
	WideMoney             // decimal(38,6): FIXED_LEN_BYTE_ARRAY(16), DECIMAL(38,6)
)

// ColumnSpec is a column of a table.
type ColumnSpec struct {
	Name     string
	Type     Type
	Nullable bool
	// Unique says that values hardly repeat, so that a dictionary would only
	// cost time: ids, contacts.
	Unique bool
	// MinorOf, of a WideMoney column, names the column of its currency: in CSV
	// files it then has the decimals of that currency's minor unit instead of six.
	MinorOf string
}

// Schema is a table: its columns in order.
type Schema []ColumnSpec

// Column is a piece of one column. The slice that its type names is used, the
// others are empty: Text for Text; Int for Int32, Int64, Day (days since
// 1970-01-01) and Instant (ms); Micros for Money; Wide for WideMoney.
type Column struct {
	Text   []string
	Int    []int64
	Micros []reconcile.Micros
	Wide   []decimal.Decimal
	// Null, where not nil, is true for the rows that have no value; the
	// slot in the values is then present and ignored.
	Null []bool

	// Packed holds the texts of a Text column that is Unique instead of Text,
	// without a string for each.
	Packed *Texts
	// Of, where not nil, holds the values that occur, and Code has for each row
	// which of them it has: of columns in which few values stand again and
	// again. All else is then empty. What Of points to must not change while
	// the table is written.
	Of   *Column
	Code []uint32
}

// resolve is the column and the row in it that hold the value of a row.
func (c *Column) resolve(row int) (*Column, int) {
	if c.Of != nil {
		return c.Of, int(c.Code[row])
	}
	return c, row
}

// Frame is a piece of a table, column by column in the order of its Schema,
// all columns of Rows values.
type Frame struct {
	Rows    int
	Columns []Column
}
