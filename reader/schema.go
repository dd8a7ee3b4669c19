package reader

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// field is one of the contract's columns that are decoded.
type field int

// The fields. sent_at comes first: it decides whether a row group is needed.
const (
	fieldSentAt field = iota
	fieldMessageID
	fieldAccountID
	fieldBusinessNumber
	fieldContact
	fieldDirection
	fieldType
	fieldCategory
	fieldStatus
	fieldDeliveredAt
	fieldReadAt
	fieldContactCountry
	fieldCount
)

// String is the contract's name of the column.
func (f field) String() string {
	return [fieldCount]string{
		"sent_at", "message_id", "account_id", "business_number", "contact",
		"direction", "type", "category", "status", "delivered_at", "read_at",
		"contact_country",
	}[f]
}

// required says whether a file without the column is refused. A category and
// a status are required of some rows, and a file may lack them all the same.
func (f field) required() bool { return f <= fieldType }

func (f field) isTimestamp() bool {
	return f == fieldSentAt || f == fieldDeliveredAt || f == fieldReadAt
}

// boundColumn says where a field lies in one file and how it is read.
type boundColumn struct {
	name     string // in the file
	leaf     int    // index of the column, or -1 where the file has none
	optional bool   // the file may hold nulls
	physical parquet.Type
	unit     timeUnit // of a timestamp
	schema   *schema.Column
}

var (
	errMissingColumn = errors.New("column is missing")
	errNested        = errors.New("column is nested or repeated")
	errTwice         = errors.New("column occurs twice")
)

// bindColumn finds the column called name and checks that f can be read from
// it.
func bindColumn(sc *schema.Schema, f field, name string) (boundColumn, error) {
	c := boundColumn{name: name, leaf: -1}
	for i := range sc.NumColumns() {
		path := sc.Column(i).ColumnPath()
		if len(path) == 0 || path[0] != name {
			continue
		}
		if len(path) > 1 || sc.Column(i).MaxRepetitionLevel() > 0 || sc.Column(i).MaxDefinitionLevel() > 1 {
			return c, errNested
		}
		if c.leaf >= 0 {
			return c, errTwice
		}
		c.leaf = i
	}
	if c.leaf < 0 {
		if f.required() {
			return c, errMissingColumn
		}
		return c, nil
	}
	described := sc.Column(c.leaf)
	c.physical = described.PhysicalType()
	c.optional = described.MaxDefinitionLevel() > 0
	if err := c.checkType(f, described); err != nil {
		return c, err
	}
	var err error
	c.schema, err = valueColumn(c.physical)
	return c, err
}

func (c *boundColumn) checkType(f field, described *schema.Column) error {
	if f.isTimestamp() {
		unit, ok := timestampUnit(described)
		if !ok {
			return fmt.Errorf("type %s is no timestamp in ms, µs, ns or INT96", describeType(described))
		}
		c.unit = unit
		return nil
	}
	if !isText(described) {
		return fmt.Errorf("type %s is no string", describeType(described))
	}
	return nil
}

func describeType(c *schema.Column) string {
	if l := c.LogicalType(); l != nil && !l.IsNone() {
		return fmt.Sprintf("%s (%s)", c.PhysicalType(), l)
	}
	return c.PhysicalType().String()
}

func isText(c *schema.Column) bool {
	if c.PhysicalType() != parquet.Types.ByteArray {
		return false
	}
	l := c.LogicalType()
	return l == nil || l.IsNone() || l.Equals(schema.StringLogicalType{}) || l.Equals(schema.EnumLogicalType{})
}

// valueColumn describes a column of the physical type without levels: the
// pages reach the decoders with their levels already taken off.
func valueColumn(physical parquet.Type) (*schema.Column, error) {
	node, err := schema.NewPrimitiveNode("values", parquet.Repetitions.Required, physical, -1, -1)
	if err != nil {
		return nil, err
	}
	return schema.NewColumn(node, 0, 0), nil
}
