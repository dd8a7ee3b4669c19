package writer

import (
	"math"
	"math/bits"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// dictColumn holds a row group as numbers into its dictionary, which are given
// out in the order in which values come.
type dictColumn[K string | int64] struct {
	presence
	spec    ColumnSpec
	numbers numberList // of each row; a null has none
	values  []K        // the dictionary
	bytes   int        // of it in plain encoding
	invalid error      // of the last value that may not be written
	number  map[K]uint32
	recent  [dictRecent]dictEntry[K]
	coded   codedNumbers

	slot   func(K) uint8
	plain  func(b []byte, v K) []byte
	update func(s metadata.TypedStatistics, values []K, nulls int64)

	scratch []byte // a dictionary in plain encoding
}

// dictRecent is the number of values that are looked up without the map.
const dictRecent = 256

type dictEntry[K any] struct {
	value  K
	number uint32 // plus 1; 0 where the entry is empty
}

func newDictColumn[K string | int64](spec ColumnSpec, slot func(K) uint8, plain func([]byte, K) []byte, update func(metadata.TypedStatistics, []K, int64)) *dictColumn[K] {
	return &dictColumn[K]{
		presence: presence{nullable: spec.Nullable}, spec: spec, number: map[K]uint32{},
		slot: slot, plain: plain, update: update,
	}
}

// textSlot goes by the address of a text, which is the same for the texts of
// an interner; texts of different addresses are still compared by content.
func textSlot(s string) uint8 {
	a := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	return uint8(a>>4 ^ a>>12)
}

func intSlot(v int64) uint8 { return uint8(uint64(v) * 0x9e3779b97f4a7c15 >> 56) }

func (d *dictColumn[K]) append(c *Column, from, to int) {
	if c.Of != nil {
		d.appendCoded(c, from, to)
		return
	}
	null := nullsOf(c, from, to)
	d.add(null, to-from)
	out, n := d.room(to-from), 0
	for i, v := range d.valuesOf(c)[from:to] {
		if null == nil || !null[i] {
			out[n] = d.numberOf(v)
			n++
		}
	}
	d.numbers.drop(len(out) - n)
}

// room makes room for the numbers of a batch, at first for those of a row group.
func (d *dictColumn[K]) room(rows int) []uint32 {
	if d.numbers.each == nil && rows == batchRows {
		d.numbers.reserve(rowGroupRows)
	}
	return d.numbers.add(rows)
}

// valuesOf are the values of a column, as K has them.
func (d *dictColumn[K]) valuesOf(c *Column) []K {
	var values any = c.Int
	switch d.spec.Type {
	case Text:
		values = c.Text
	case Money:
		values = microsInts(c.Micros)
	case Int32, Int64, Day, Instant, WideMoney:
	}
	return values.([]K)
}

func (d *dictColumn[K]) numberOf(v K) uint32 {
	e := &d.recent[d.slot(v)]
	if e.number == 0 || e.value != v {
		*e = dictEntry[K]{v, d.lookUp(v) + 1}
	}
	return e.number - 1
}

func (d *dictColumn[K]) lookUp(v K) uint32 {
	n, ok := d.number[v]
	if !ok {
		if text, ok := any(v).(string); ok {
			d.bytes += textHead + len(text)
			if !utf8.ValidString(text) {
				d.invalid = errNotUTF8
			}
		}
		n = uint32(len(d.values))
		d.number[v] = n
		d.values = append(d.values, v)
	}
	return n
}

// codedNumbers is what the dictionary of the row group has made of the codes
// of a column whose values stand apart.
type codedNumbers struct {
	of      *Column
	alike   bool     // all values are, or all are null
	numbers []uint32 // by code; noNumber where not met yet, nullNumber for a null
}

const (
	noNumber   = math.MaxUint32
	nullNumber = math.MaxUint32 - 1
)

// appendCoded looks each code up once for as long as the values stay the same,
// and one for all where these are alike.
func (d *dictColumn[K]) appendCoded(c *Column, from, to int) {
	values := d.valuesOf(c.Of)
	if d.coded.of != c.Of {
		d.coded.of = c.Of
		d.coded.alike = alike(values, c.Of.Null)
		d.coded.forget(len(values))
	}
	if d.coded.alike {
		d.appendAlike(c.Of, values, to-from)
		return
	}
	numbers := d.coded.numbers
	out, n := d.room(to-from), 0
	for _, code := range c.Code[from:to] {
		number := numbers[code]
		if number == noNumber {
			number = d.numberOfCode(c.Of, values, code)
		}
		if number != nullNumber {
			out[n] = number
			n++
		}
	}
	d.numbers.drop(len(out) - n)
	d.addCoded(c, from, to, n)
}

// appendAlike appends rows, whichever of the values they have.
func (d *dictColumn[K]) appendAlike(of *Column, values []K, rows int) {
	number := d.coded.numbers[0]
	if number == noNumber {
		number = d.numberOfCode(of, values, 0)
	}
	null := number == nullNumber
	if !null {
		d.numbers.addAlike(number, rows)
	}
	d.addAlike(null, rows)
}

// alike says whether all values are one, or all are null.
func alike[K comparable](values []K, null []bool) bool {
	isNull := func(i int) bool { return null != nil && null[i] }
	for i := range values {
		if isNull(i) != isNull(0) || !isNull(i) && values[i] != values[0] {
			return false
		}
	}
	return true
}

func (d *dictColumn[K]) numberOfCode(of *Column, values []K, code uint32) uint32 {
	number := uint32(nullNumber)
	if of.Null == nil || !of.Null[code] {
		number = d.numberOf(values[code])
	}
	d.coded.numbers[code] = number
	return number
}

// addCoded notes rows of which n have a value.
func (d *dictColumn[K]) addCoded(c *Column, from, to, n int) {
	if n == to-from {
		d.add(nil, n)
		return
	}
	null := make([]bool, to-from)
	for i, code := range c.Code[from:to] {
		null[i] = c.Of.Null[code]
	}
	d.add(null, to-from)
}

func (c *codedNumbers) forget(codes int) {
	c.numbers = grownTo(c.numbers[:0], codes)
	for i := range c.numbers {
		c.numbers[i] = noNumber
	}
}

func (d *dictColumn[K]) endBatch() {}

// A row group of more than dictionaryMax values has a dictionary only where
// it is shorter than dictionaryBytes.
const (
	dictionaryMax   = 16 << 10
	dictionaryBytes = 1 << 20
)

func (d *dictColumn[K]) write(w *chunkWriter) error {
	err := d.invalid
	switch {
	case err != nil:
	case len(d.values) > dictionaryMax && d.size() >= dictionaryBytes:
		err = d.writePlain(w)
	default:
		err = d.writeNumbers(w)
	}
	d.clear()
	return err
}

// size is that of the dictionary in plain encoding.
func (d *dictColumn[K]) size() int {
	if d.spec.Type == Text {
		return d.bytes
	}
	return len(d.values) * len(d.plain(nil, d.values[0]))
}

func (d *dictColumn[K]) clear() {
	d.reset()
	d.numbers.reset()
	d.values, d.bytes = d.values[:0], 0
	clear(d.number)
	clear(d.recent[:])
	d.coded.of = nil
}

// writeNumbers writes the dictionary and one page of numbers: they are few
// bytes whatever the row group holds.
func (d *dictColumn[K]) writeNumbers(w *chunkWriter) error {
	d.scratch = d.scratch[:0]
	for _, v := range d.values {
		d.scratch = d.plain(d.scratch, v)
	}
	if err := w.dictionaryPage(d.scratch, len(d.values)); err != nil {
		return err
	}
	d.update(w.pageStats, d.values, int64(d.nulls))
	width := numberWidth(len(d.values))
	w.page = d.appendLevels(w.page[:0], 0, d.rows)
	levels := len(w.page)
	w.page = d.numbers.appendHybrid(append(w.page, byte(width)), 0, d.numbers.len(), width)
	return w.dataPage(w.page, levels, d.rows, w.props.DictionaryIndexEncoding())
}

// numberWidth is how many bits a number into a dictionary takes.
func numberWidth(values int) int {
	if values <= 1 {
		return values
	}
	return bits.Len(uint(values - 1))
}

// writePlain writes a row group of too many values without a dictionary.
func (d *dictColumn[K]) writePlain(w *chunkWriter) error {
	var cuts []pageCut
	d.scratch = d.scratch[:0]
	next := 0 // of numbers
	for row := range d.rows {
		if row > 0 && row%batchRows == 0 {
			cuts = cutPage(cuts, row, len(d.scratch))
		}
		if d.levels.at(row) == 1 {
			d.scratch = d.plain(d.scratch, d.values[d.numbers.at(next)])
			next++
		}
	}
	return d.writePages(w, d.scratch, cuts, d.updatePlain())
}

func (d *dictColumn[K]) updatePlain() func(metadata.TypedStatistics, []byte, int64) {
	switch {
	case d.spec.Type == Text:
		return updatePlainTexts
	case isNarrow(d.spec.Type):
		return updatePlainInt32s
	}
	return updatePlainInt64s
}
