package writer

import (
	"fmt"
	"slices"
	"unicode/utf8"
	"unsafe"

	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/shopspring/decimal"
)

// columnBuffer holds rows of one column on their way into a row group. A
// batch is batchRows rows but for the last of a file.
type columnBuffer interface {
	append(c *Column, from, to int)
	endBatch(file.ColumnChunkWriter) error
	endGroup(file.ColumnChunkWriter) error
}

// hasDictionary says whether a column's values are written once for each row
// group, with a number for each row.
func hasDictionary(spec ColumnSpec) bool { return !spec.Unique && spec.Type != WideMoney }

func newColumnBuffer(spec ColumnSpec) columnBuffer {
	if !hasDictionary(spec) {
		return &plainColumn{spec: spec}
	}
	if spec.Type == Text {
		return newDictColumn(spec, textSlot, writeTextDictionary)
	}
	return newDictColumn(spec, intSlot, writeIntDictionary)
}

// levels are the definition levels of a nullable column: 1 for a value, 0 for
// a null.
type levels []int16

func (l levels) append(null []bool, rows int) levels {
	l, added := extend(l, rows)
	for i := range added {
		added[i] = 1
	}
	for i, isNull := range null {
		if isNull {
			added[i] = 0
		}
	}
	return l
}

// extend gives s with n more elements, and these alone, to be overwritten.
func extend[S ~[]E, E any](s S, n int) (longer, added S) {
	start := len(s)
	longer = slices.Grow(s, n)[:start+n]
	return longer, longer[start:]
}

// nullsOf is the part of a column's null marks, or nil where none is null.
func nullsOf(c *Column, from, to int) []bool {
	if c.Null == nil {
		return nil
	}
	return c.Null[from:to]
}

// plainColumn holds a batch in the form that the encoder takes: only the
// values that are there.
type plainColumn struct {
	spec   ColumnSpec
	levels levels
	text   []parquet.ByteArray
	int32s []int32
	int64s []int64
	fixed  []parquet.FixedLenByteArray
}

func (b *plainColumn) append(c *Column, from, to int) {
	null := nullsOf(c, from, to)
	if b.spec.Nullable {
		b.levels = b.levels.append(null, to-from)
	}
	switch b.spec.Type {
	case Text:
		b.text = appendPresent(b.text, c.Text[from:to], null, textBytes)
	case Int32, Day:
		b.int32s = appendPresent(b.int32s, c.Int[from:to], null, func(v int64) int32 { return int32(v) })
	case Int64, Instant:
		b.int64s = appendPresent(b.int64s, c.Int[from:to], null, func(v int64) int64 { return v })
	case Money:
		b.int64s = appendPresent(b.int64s, c.Micros[from:to], null, func(v reconcile.Micros) int64 { return int64(v) })
	case WideMoney:
		b.fixed = appendPresent(b.fixed, c.Wide[from:to], null, wideFixed)
	}
}

// appendPresent converts the values that are not null.
func appendPresent[From, To any](to []To, from []From, null []bool, convert func(From) To) []To {
	to = slices.Grow(to, len(from))
	for i, v := range from {
		if null == nil || !null[i] {
			to = append(to, convert(v))
		}
	}
	return to
}

// textBytes shares the memory of s, which nobody writes to.
func textBytes(s string) parquet.ByteArray {
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// wideFixed is d, which checkFrame has seen, in two's complement, most
// significant byte first. The memory is new: the statistics of a column keep
// the values that they are shown.
func wideFixed(d decimal.Decimal) parquet.FixedLenByteArray {
	v, err := unscaled(d)
	if err != nil {
		panic(err)
	}
	return appendWide(make([]byte, 0, wideBytes), v)
}

func (b *plainColumn) endBatch(column file.ColumnChunkWriter) error {
	var err error
	switch c := column.(type) {
	case *file.ByteArrayColumnChunkWriter:
		_, err = c.WriteBatch(b.text, b.levels, nil)
		b.text = b.text[:0]
	case *file.Int32ColumnChunkWriter:
		_, err = c.WriteBatch(b.int32s, b.levels, nil)
		b.int32s = b.int32s[:0]
	case *file.Int64ColumnChunkWriter:
		_, err = c.WriteBatch(b.int64s, b.levels, nil)
		b.int64s = b.int64s[:0]
	case *file.FixedLenByteArrayColumnChunkWriter:
		_, err = c.WriteBatch(b.fixed, b.levels, nil)
		b.fixed = b.fixed[:0]
	default:
		err = unexpectedWriter(column)
	}
	b.levels = b.levels[:0]
	return err
}

func (b *plainColumn) endGroup(file.ColumnChunkWriter) error { return nil }

func unexpectedWriter(column file.ColumnChunkWriter) error {
	return fmt.Errorf("unexpected column writer %T", column)
}

// dictColumn holds a row group as numbers into its dictionary. The encoder of
// the library would box and hash every value; here a value that was seen
// lately costs a comparison.
type dictColumn[K string | int64] struct {
	spec    ColumnSpec
	levels  levels
	indices []int32 // a null has a slot of any number
	present []bool  // of a nullable column
	values  []K     // the dictionary
	invalid error   // of the last value that may not be written
	number  map[K]int32
	recent  [dictRecent]dictEntry[K]
	slot    func(K) uint8
	write   func(spec ColumnSpec, values []K, column file.ColumnChunkWriter, nulls int64) error
}

// dictRecent is the number of values that are looked up without the map.
const dictRecent = 256

type dictEntry[K any] struct {
	value  K
	number int32 // plus 1; 0 where the entry is empty
}

func newDictColumn[K string | int64](spec ColumnSpec, slot func(K) uint8, write func(ColumnSpec, []K, file.ColumnChunkWriter, int64) error) *dictColumn[K] {
	return &dictColumn[K]{spec: spec, number: map[K]int32{}, slot: slot, write: write}
}

// textSlot goes by the address of a text, which is the same for the texts of
// an interner; texts of different addresses are still compared by content.
func textSlot(s string) uint8 {
	a := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	return uint8(a>>4 ^ a>>12)
}

func intSlot(v int64) uint8 { return uint8(uint64(v) * 0x9e3779b97f4a7c15 >> 56) }

func (d *dictColumn[K]) append(c *Column, from, to int) {
	null := nullsOf(c, from, to)
	if d.spec.Nullable {
		d.levels = d.levels.append(null, to-from)
		var added []bool
		d.present, added = extend(d.present, to-from)
		for i := range added {
			added[i] = null == nil || !null[i]
		}
	}
	switch values := any(d).(type) {
	case *dictColumn[string]:
		appendNumbers(values, c.Text[from:to], null)
	case *dictColumn[int64]:
		if d.spec.Type == Money {
			appendNumbers(values, microsInts(c.Micros[from:to]), null)
			return
		}
		appendNumbers(values, c.Int[from:to], null)
	}
}

// microsInts is the same memory as plain integers.
func microsInts(m []reconcile.Micros) []int64 {
	return unsafe.Slice((*int64)(unsafe.SliceData(m)), len(m))
}

func appendNumbers[K string | int64](d *dictColumn[K], values []K, null []bool) {
	var added []int32
	d.indices, added = extend(d.indices, len(values))
	for i, v := range values {
		if null != nil && null[i] {
			added[i] = 0
			continue
		}
		e := &d.recent[d.slot(v)]
		if e.number == 0 || e.value != v {
			*e = dictEntry[K]{v, d.lookup(v) + 1}
		}
		added[i] = e.number - 1
	}
}

func (d *dictColumn[K]) lookup(v K) int32 {
	n, ok := d.number[v]
	if !ok {
		if text, ok := any(v).(string); ok && !utf8.ValidString(text) {
			d.invalid = errNotUTF8
		}
		n = int32(len(d.values))
		d.number[v] = n
		d.values = append(d.values, v)
	}
	return n
}

func (d *dictColumn[K]) endBatch(file.ColumnChunkWriter) error { return nil }

func (d *dictColumn[K]) endGroup(column file.ColumnChunkWriter) error {
	if err := d.flush(column); err != nil {
		return err
	}
	d.levels, d.indices, d.present = d.levels[:0], d.indices[:0], d.present[:0]
	d.values = d.values[:0]
	clear(d.number)
	clear(d.recent[:])
	return nil
}

// dictionaryMax is the most values that a dictionary holds. A column of more
// is written as it is.
const dictionaryMax = 16 << 10

// flush writes the row group: the dictionary, then its numbers.
func (d *dictColumn[K]) flush(column file.ColumnChunkWriter) error {
	if d.invalid != nil {
		return d.invalid
	}
	if len(d.values) == 0 {
		plain := plainColumn{spec: d.spec, levels: d.levels}
		return plain.endBatch(column)
	}
	if len(d.values) > dictionaryMax {
		return d.flushPlain(column)
	}
	nulls := int64(0)
	for _, p := range d.present {
		if !p {
			nulls++
		}
	}
	if err := d.write(d.spec, d.values, column, nulls); err != nil {
		return err
	}
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	if d.spec.Nullable {
		b.AppendValues(d.indices, d.present)
	} else {
		b.AppendValues(d.indices, nil)
	}
	indices := b.NewInt32Array()
	defer indices.Release()
	return column.WriteDictIndices(indices, d.levels, nil)
}

// flushPlain gives the values themselves to the encoder, which gives up its
// own dictionary where they are many.
func (d *dictColumn[K]) flushPlain(column file.ColumnChunkWriter) error {
	whole := Column{}
	if d.spec.Nullable {
		whole.Null = make([]bool, len(d.present))
		for i, p := range d.present {
			whole.Null[i] = !p
		}
	}
	for i, n := range d.indices {
		var v K
		if whole.Null == nil || !whole.Null[i] {
			v = d.values[n]
		}
		switch v := any(v).(type) {
		case string:
			whole.Text = append(whole.Text, v)
		case int64:
			whole.Int = append(whole.Int, v)
			whole.Micros = append(whole.Micros, reconcile.Micros(v))
		}
	}
	plain := plainColumn{spec: d.spec}
	plain.append(&whole, 0, len(d.indices))
	return plain.endBatch(column)
}

// putDictionary starts the dictionary of a column chunk.
func putDictionary(column file.ColumnChunkWriter, values arrow.Array) error {
	defer values.Release()
	encoder, ok := column.CurrentEncoder().(interface{ PutDictionary(arrow.Array) error })
	if !ok {
		return unexpectedWriter(column)
	}
	return encoder.PutDictionary(values)
}

// writeTextDictionary writes the dictionary, and the statistics that would
// come from the values: a row group's indices are always one page.
func writeTextDictionary(_ ColumnSpec, values []string, column file.ColumnChunkWriter, nulls int64) error {
	stats, ok := column.PageStatistics().(*metadata.ByteArrayStatistics)
	if !ok {
		return unexpectedWriter(column)
	}
	stats.Update(appendPresent(nil, values, nil, textBytes), nulls)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	return putDictionary(column, b.NewStringArray())
}

func writeIntDictionary(_ ColumnSpec, values []int64, column file.ColumnChunkWriter, nulls int64) error {
	switch stats := column.PageStatistics().(type) {
	case *metadata.Int32Statistics:
		narrow := appendPresent(nil, values, nil, func(v int64) int32 { return int32(v) })
		stats.Update(narrow, nulls)
		b := array.NewInt32Builder(memory.DefaultAllocator)
		defer b.Release()
		b.AppendValues(narrow, nil)
		return putDictionary(column, b.NewInt32Array())
	case *metadata.Int64Statistics:
		stats.Update(values, nulls)
		b := array.NewInt64Builder(memory.DefaultAllocator)
		defer b.Release()
		b.AppendValues(values, nil)
		return putDictionary(column, b.NewInt64Array())
	}
	return unexpectedWriter(column)
}
