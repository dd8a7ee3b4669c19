package reader

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
	"github.com/shopspring/decimal"

	"waconcile/reconcile"
)

const (
	tableRowsMax = 1 << 20 // of one Parquet file, which may claim any number in a few bytes
	tableBatch   = 1 << 10 // rows that are text at a time
)

// tableColumn is one wanted column of a Parquet table. Its values become the
// text that a CSV file would hold, so that both are checked alike.
type tableColumn struct {
	boundColumn
	reader columnReader
	texts  func(c *columnReader, s span, out []string) error // the values of s as text
	values []string                                          // what texts gave last
	cells  []string                                          // of the current batch, nulls included
}

// readParquetTable hands every row of a Parquet file to each, as readCSV does
// for a CSV file; where an error is about a row, that is its number from 1.
// Columns are texts, dates, decimals or whole numbers: a binary fraction is
// refused, since it is no amount of money.
func readParquetTable(key string, data []byte, columns []column, each func(*record)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
		if _, placed := errors.AsType[*InputError](err); err == nil || placed {
			return
		}
		if c, ok := errors.AsType[*columnError](err); ok {
			err = &InputError{Where: key, Column: c.column, Err: c.err}
			return
		}
		err = &InputError{Where: key, Err: err}
	}()
	in := bytes.NewReader(data)
	raw, dataEnd, err := footerBytes(in, int64(len(data)))
	if err != nil {
		return err
	}
	md, err := metadata.NewFileMetaData(raw, nil)
	if err != nil {
		return fmt.Errorf("%w: footer: %w", errDamaged, err)
	}
	if md.NumRows > tableRowsMax {
		return fmt.Errorf("%d rows are more than the %d that an input may have", md.NumRows, tableRowsMax)
	}
	t := parquetTable{key: key, in: in, dataEnd: dataEnd}
	if err := t.bind(md.Schema, columns); err != nil {
		return err
	}
	for i := range md.RowGroups {
		if err := t.readGroup(md, i, each); err != nil {
			return err
		}
	}
	if t.row != md.NumRows {
		return fmt.Errorf("%w: row groups hold %d of the %d rows of the file", errDamaged, t.row, md.NumRows)
	}
	return nil
}

// parquetTable is a file that is being read.
type parquetTable struct {
	key     string
	in      io.ReaderAt
	dataEnd int64
	columns []*tableColumn
	row     int64 // rows handed out
	rec     record
	fields  []string
}

// bind finds the wanted columns and how to read them.
func (t *parquetTable) bind(sc *schema.Schema, columns []column) error {
	names := make([]string, sc.NumColumns())
	for i := range names {
		names[i] = sc.Column(i).Path()
	}
	leaves, err := header(names, columns)
	if err != nil {
		return err
	}
	t.rec.cells = make(map[string]int, len(leaves))
	undo := newDecompressor()
	for _, want := range columns {
		leaf, ok := leaves[want.name]
		if !ok {
			if err := notNested(sc, want.name); err != nil {
				return err
			}
			continue
		}
		c, err := newTableColumn(sc.Column(leaf), leaf)
		if err != nil {
			return &columnError{want.name, err}
		}
		c.reader.pages.undo = undo
		t.rec.cells[want.name] = len(t.columns)
		t.columns = append(t.columns, c)
	}
	t.fields = make([]string, len(t.columns))
	return nil
}

// notNested refuses a column that is there, but in parts: a file that lacks
// an optional column is another matter.
func notNested(sc *schema.Schema, name string) error {
	for i := range sc.NumColumns() {
		if path := sc.Column(i).ColumnPath(); len(path) > 1 && path[0] == name {
			return &columnError{name, errNested}
		}
	}
	return nil
}

func newTableColumn(described *schema.Column, leaf int) (*tableColumn, error) {
	if described.MaxRepetitionLevel() > 0 || described.MaxDefinitionLevel() > 1 {
		return nil, errNested
	}
	c := &tableColumn{values: make([]string, tableBatch), cells: make([]string, tableBatch)}
	c.leaf, c.name, c.physical = leaf, described.Name(), described.PhysicalType()
	c.optional = described.MaxDefinitionLevel() > 0
	if !c.setForm(described) {
		return nil, fmt.Errorf("type %s is no text, date, decimal or whole number", describeType(described))
	}
	node, err := schema.NewPrimitiveNode("values", parquet.Repetitions.Required, c.physical, -1, int32(described.TypeLength()))
	if err != nil {
		return nil, err
	}
	c.schema = schema.NewColumn(node, 0, 0)
	return c, nil
}

// setForm chooses how the values of a column become text. It returns false
// for a type that is refused.
func (c *tableColumn) setForm(described *schema.Column) (ok bool) {
	var whole func(int64) string
	var scaled func(*big.Int) string
	switch c.physical {
	case parquet.Types.ByteArray:
		if isText(described) {
			c.texts = textsOf((*columnReader).texts, func(v parquet.ByteArray) string { return string(v) })
			return true
		}
		scaled, ok = decimalText(described)
		c.texts = textsOf((*columnReader).texts, func(v parquet.ByteArray) string { return scaled(signedBig(v)) })
	case parquet.Types.FixedLenByteArray:
		scaled, ok = decimalText(described)
		c.texts = textsOf(readBatch[parquet.FixedLenByteArray], func(v parquet.FixedLenByteArray) string { return scaled(signedBig(v)) })
	case parquet.Types.Int32:
		whole, ok = wholeText(described)
		c.texts = textsOf(readBatch[int32], func(v int32) string { return whole(int64(v)) })
	case parquet.Types.Int64:
		whole, ok = wholeText(described)
		c.texts = textsOf((*columnReader).int64s, whole)
	}
	return ok
}

// textsOf makes the texts of a column from the decoder of its type and the
// text of one value.
func textsOf[T any](decode func(*columnReader, span, []T) error, text func(T) string) func(*columnReader, span, []string) error {
	scratch := make([]T, tableBatch)
	return func(c *columnReader, s span, out []string) error {
		if err := decode(c, s, scratch); err != nil {
			return err
		}
		for i, v := range scratch[:s.values] {
			out[i] = text(v)
		}
		return nil
	}
}

// wholeText says how the integers of a column become text: as a date, as the
// digits of a decimal, or as they are.
func wholeText(c *schema.Column) (text func(int64) string, ok bool) {
	switch l := c.LogicalType().(type) {
	case schema.DateLogicalType:
		return func(v int64) string { return reconcile.Date(v).String() }, true
	case *schema.DecimalLogicalType:
		return func(v int64) string { return decimal.New(v, -l.Scale()).String() }, true
	case *schema.IntLogicalType:
		if !l.IsSigned() && l.BitWidth() == 64 {
			return func(v int64) string { return strconv.FormatUint(uint64(v), 10) }, true
		}
		if !l.IsSigned() && l.BitWidth() == 32 {
			return func(v int64) string { return strconv.FormatUint(uint64(uint32(v)), 10) }, true
		}
	case nil, schema.NoLogicalType:
	default:
		return nil, false
	}
	return func(v int64) string { return strconv.FormatInt(v, 10) }, true
}

// decimalText says how the unscaled values of a decimal column become text.
func decimalText(c *schema.Column) (text func(*big.Int) string, ok bool) {
	l, ok := c.LogicalType().(*schema.DecimalLogicalType)
	if !ok {
		return nil, false
	}
	return func(v *big.Int) string { return decimal.NewFromBigInt(v, -l.Scale()).String() }, true
}

// signedBig reads a number in big-endian two's complement.
func signedBig(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return v
}

// readGroup hands out the rows of row group i.
func (t *parquetTable) readGroup(md *metadata.FileMetaData, i int, each func(*record)) error {
	group := md.RowGroup(i)
	rows := group.NumRows()
	if rows < 0 || rows > md.NumRows-t.row || group.NumColumns() != md.Schema.NumColumns() {
		return fmt.Errorf("%w: row group %d has %d rows and %d columns", errDamaged, i, rows, group.NumColumns())
	}
	for _, c := range t.columns {
		chunk, err := group.ColumnChunk(c.leaf)
		if err != nil {
			return &columnError{c.name, err}
		}
		meta, err := bindChunk(&c.boundColumn, chunk, rows, t.dataEnd)
		if err != nil {
			return &columnError{c.name, err}
		}
		c.reader.open(t.in, &c.boundColumn, meta, rows)
	}
	for rows > 0 {
		n := int(min(rows, tableBatch))
		for _, c := range t.columns {
			if err := c.fill(n); err != nil {
				return &columnError{c.name, err}
			}
		}
		if err := t.handOut(n, each); err != nil {
			return err
		}
		rows -= int64(n)
	}
	return nil
}

// handOut hands out the n rows of a batch.
func (t *parquetTable) handOut(n int, each func(*record)) error {
	for i := range n {
		t.row++
		t.rec.where, t.rec.err = fmt.Sprintf("%s row %d", t.key, t.row), nil
		for j, c := range t.columns {
			t.fields[j] = c.cells[i]
		}
		if err := t.rec.set(t.fields, len(t.fields)); err != nil {
			return err
		}
		if each(&t.rec); t.rec.err != nil {
			return t.rec.err
		}
	}
	return nil
}

// fill decodes the next n rows into cells.
func (c *tableColumn) fill(n int) error {
	for done := 0; done < n; {
		s, err := c.reader.step(n - done)
		if err != nil {
			return err
		}
		if err := c.texts(&c.reader, s, c.values); err != nil {
			return err
		}
		value := 0
		for i := range s.rows {
			if s.present != nil && s.present[i] == 0 {
				c.cells[done+i] = ""
				continue
			}
			c.cells[done+i] = c.values[value]
			value++
		}
		done += s.rows
	}
	return nil
}
