package writer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/shopspring/decimal"
)

// columnReader decodes the pages of one column, row group by row group. The
// pages are decoded here and not by the library, whose decoders go round for
// ever where a damaged page has fewer values than it says.
type columnReader interface {
	open(pages file.PageReader)
	// read gives the column n rows, over those that it had.
	read(c *Column, n int) error
}

func newColumnReader(spec ColumnSpec) columnReader {
	switch spec.Type {
	case Text:
		return &tableColumn[string]{nullable: spec.Nullable, plain: plainTexts, least: 4, slots: func(c *Column) *[]string { return &c.Text }}
	case Int32, Day:
		return &tableColumn[int64]{nullable: spec.Nullable, plain: plainInt32s, least: 4, slots: func(c *Column) *[]int64 { return &c.Int }}
	case Int64, Instant:
		return &tableColumn[int64]{nullable: spec.Nullable, plain: plainInt64s[int64], least: 8, slots: func(c *Column) *[]int64 { return &c.Int }}
	case Money:
		return &tableColumn[reconcile.Micros]{nullable: spec.Nullable, plain: plainInt64s[reconcile.Micros], least: 8, slots: func(c *Column) *[]reconcile.Micros { return &c.Micros }}
	case WideMoney:
		return &tableColumn[decimal.Decimal]{nullable: spec.Nullable, plain: plainWides, least: wideBytes, slots: func(c *Column) *[]decimal.Decimal { return &c.Wide }}
	}
	panic("unknown column type")
}

// tableColumn is a columnReader of values of one type.
type tableColumn[T any] struct {
	nullable bool
	slots    func(*Column) *[]T
	// plain decodes values in plain encoding, and returns what follows them.
	plain func(to []T, data []byte) (rest []byte, err error)
	least int // bytes of a value in plain encoding

	pages      file.PageReader
	dictionary []T // of the row group

	// Of the current page.
	rows    int        // not yet given
	levels  hybridRuns // of a nullable column
	byIndex bool       // values are numbers into the dictionary
	indexes hybridRuns
	rest    []byte // else: what is not yet decoded

	numbers []uint32 // memory for levels and indexes
}

func (c *tableColumn[T]) open(pages file.PageReader) {
	c.pages, c.dictionary, c.rows, c.rest = pages, nil, 0, nil
}

func (c *tableColumn[T]) read(out *Column, n int) error {
	slots := c.slots(out)
	*slots = slices.Grow((*slots)[:0], n)[:n]
	if c.nullable {
		out.Null = slices.Grow(out.Null[:0], n)[:n]
	}
	for from := 0; from < n; {
		for c.rows == 0 {
			if err := c.nextPage(); err != nil {
				return err
			}
		}
		to := min(n, from+c.rows)
		var null []bool
		if c.nullable {
			null = out.Null[from:to]
		}
		if err := c.decode((*slots)[from:to], null); err != nil {
			return err
		}
		c.rows -= to - from
		from = to
	}
	return nil
}

// nextPage reads on to the next data page.
func (c *tableColumn[T]) nextPage() error {
	for c.pages.Next() {
		switch p := c.pages.Page().(type) {
		case *file.DictionaryPage:
			if err := c.setDictionary(p); err != nil {
				return fmt.Errorf("dictionary: %w", err)
			}
		case *file.DataPageV1:
			return c.setPage(p)
		default:
			return fmt.Errorf("page %T cannot be read", p)
		}
	}
	if err := c.pages.Err(); err != nil {
		return err
	}
	return errors.New("fewer values than the footer promises")
}

var errShortPage = errors.New("page holds fewer values than it says")

func (c *tableColumn[T]) setDictionary(p *file.DictionaryPage) error {
	n, data := int(p.NumValues()), p.Data()
	if n < 0 || n > len(data)/c.least {
		return errShortPage
	}
	c.dictionary = make([]T, n)
	_, err := c.plain(c.dictionary, data)
	return err
}

func (c *tableColumn[T]) setPage(p *file.DataPageV1) error {
	data := p.Data()
	c.rows = int(p.NumValues())
	if c.nullable {
		if len(data) < 4 {
			return errShortPage
		}
		size := int64(binary.LittleEndian.Uint32(data))
		if data = data[4:]; size > int64(len(data)) || parquet.Encoding(p.DefinitionLevelEncoding()) != parquet.Encodings.RLE {
			return errors.New("levels cannot be read")
		}
		c.levels = hybridRuns{data: data[:size], width: 1}
		data = data[size:]
	}
	switch e := parquet.Encoding(p.Encoding()); e {
	case parquet.Encodings.Plain:
		c.byIndex, c.rest = false, data
	case parquet.Encodings.RLEDict, parquet.Encodings.PlainDict:
		c.byIndex, c.indexes = true, hybridRuns{}
		if len(data) > 0 { // else all values are null
			c.indexes = hybridRuns{data: data[1:], width: int(data[0])}
		}
		if c.indexes.width > hybridWidthMax {
			return fmt.Errorf("indexes of %d bits", c.indexes.width)
		}
	default:
		return fmt.Errorf("encoding %s cannot be read", e)
	}
	return nil
}

// decode gives the next rows of the page. null is nil in a column that is not
// nullable.
func (c *tableColumn[T]) decode(to []T, null []bool) error {
	present := len(to)
	if null != nil {
		var err error
		if present, err = c.decodeLevels(null); err != nil {
			return err
		}
	}
	if err := c.decodeValues(to[:present]); err != nil {
		return err
	}
	if present == len(to) {
		return nil
	}
	// The values stand at the front. From the back each goes to its row.
	var zero T
	for row := len(to) - 1; row >= 0; row-- {
		if null[row] {
			to[row] = zero
		} else {
			present--
			to[row] = to[present]
		}
	}
	return nil
}

func (c *tableColumn[T]) decodeLevels(null []bool) (present int, err error) {
	c.numbers = slices.Grow(c.numbers[:0], len(null))[:len(null)]
	if err := c.levels.read(c.numbers); err != nil {
		return 0, err
	}
	for i, level := range c.numbers {
		if level > 1 {
			return 0, fmt.Errorf("level %d", level)
		}
		null[i] = level == 0
		present += int(level)
	}
	return present, nil
}

func (c *tableColumn[T]) decodeValues(to []T) (err error) {
	if !c.byIndex {
		c.rest, err = c.plain(to, c.rest)
		return err
	}
	c.numbers = slices.Grow(c.numbers[:0], len(to))[:len(to)]
	if err := c.indexes.read(c.numbers); err != nil {
		return err
	}
	for i, number := range c.numbers {
		if int64(number) >= int64(len(c.dictionary)) {
			return fmt.Errorf("number %d of a dictionary of %d values", number, len(c.dictionary))
		}
		to[i] = c.dictionary[number]
	}
	return nil
}

// plainTexts refers to data, which nobody writes to.
func plainTexts(to []string, data []byte) ([]byte, error) {
	for i := range to {
		if len(data) < 4 {
			return nil, errShortPage
		}
		size := int64(binary.LittleEndian.Uint32(data))
		if data = data[4:]; size > int64(len(data)) {
			return nil, errShortPage
		}
		to[i], data = unsafe.String(unsafe.SliceData(data), size), data[size:]
	}
	return data, nil
}

func plainInt32s(to []int64, data []byte) ([]byte, error) {
	if len(data)/4 < len(to) {
		return nil, errShortPage
	}
	for i := range to {
		to[i] = int64(int32(binary.LittleEndian.Uint32(data[4*i:])))
	}
	return data[4*len(to):], nil
}

func plainInt64s[T ~int64](to []T, data []byte) ([]byte, error) {
	if len(data)/8 < len(to) {
		return nil, errShortPage
	}
	for i := range to {
		to[i] = T(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return data[8*len(to):], nil
}

func plainWides(to []decimal.Decimal, data []byte) ([]byte, error) {
	if len(data)/wideBytes < len(to) {
		return nil, errShortPage
	}
	for i := range to {
		v, err := parseWide(string(data[wideBytes*i : wideBytes*(i+1)]))
		if err != nil {
			return nil, err
		}
		to[i] = v
	}
	return data[wideBytes*len(to):], nil
}
