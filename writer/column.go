package writer

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/shopspring/decimal"
)

// columnBuffer holds a row group of one column. It is filled in batches of
// batchRows rows, but for the last of a file, and emptied by write.
type columnBuffer interface {
	append(c *Column, from, to int)
	endBatch()
	write(w *chunkWriter) error
}

// hasDictionary says whether a column's values are written once for each row
// group, with a number for each row.
func hasDictionary(spec ColumnSpec) bool { return !spec.Unique && spec.Type != WideMoney }

func newColumnBuffer(spec ColumnSpec) columnBuffer {
	switch {
	case spec.Type == Text && hasDictionary(spec):
		return newDictColumn(spec, textSlot, plainText, updateTexts)
	case spec.Type == Text:
		return &uniqueTexts{presence: presence{nullable: spec.Nullable}}
	case isNarrow(spec.Type) && hasDictionary(spec):
		return newDictColumn(spec, intSlot, plainInt32, updateInt32s)
	case hasDictionary(spec):
		return newDictColumn(spec, intSlot, plainInt64, updateInt64s)
	case isNarrow(spec.Type):
		return &fixedColumn{presence: presence{nullable: spec.Nullable}, spec: spec, width: 4, update: updatePlainInt32s}
	case spec.Type == WideMoney:
		return &fixedColumn{presence: presence{nullable: spec.Nullable}, spec: spec, width: wideBytes, update: updatePlainWide}
	}
	return &fixedColumn{presence: presence{nullable: spec.Nullable}, spec: spec, width: 8, update: updatePlainInt64s}
}

// isNarrow says whether a type is INT32 in a file.
func isNarrow(t Type) bool { return t == Int32 || t == Day }

// presence is which rows of a column have a value.
type presence struct {
	nullable bool
	rows     int
	nulls    int
	levels   numberList // 1 for a value, 0 for a null
}

// add notes rows; null is nil where all have a value.
func (p *presence) add(null []bool, rows int) {
	nulls := countTrue(null)
	if nulls == 0 || nulls == rows {
		p.addAlike(nulls > 0, rows)
		return
	}
	p.rows, p.nulls = p.rows+rows, p.nulls+nulls
	levels := p.levels.add(rows)
	for i, isNull := range null {
		levels[i] = 1
		if isNull {
			levels[i] = 0
		}
	}
}

// addAlike notes rows that are all null, or none.
func (p *presence) addAlike(null bool, rows int) {
	p.rows += rows
	if null {
		p.nulls += rows
		p.levels.addAlike(0, rows)
		return
	}
	p.levels.addAlike(1, rows)
}

func (p *presence) reset() {
	p.rows, p.nulls = 0, 0
	p.levels.reset()
}

// appendLevels appends the definition levels of rows, as they begin a page:
// nothing where the column has none.
func (p *presence) appendLevels(b []byte, from, to int) []byte {
	if !p.nullable {
		return b
	}
	head := len(b)
	b = p.levels.appendHybrid(append(b, 0, 0, 0, 0), from, to, 1)
	binary.LittleEndian.PutUint32(b[head:], uint32(len(b)-head-4))
	return b
}

// nullsIn counts the nulls of rows.
func (p *presence) nullsIn(from, to int) int64 {
	switch p.nulls {
	case 0:
		return 0
	case p.rows:
		return int64(to - from)
	}
	n := int64(to - from)
	for _, level := range p.levels.each[from:to] {
		n -= int64(level)
	}
	return n
}

// grownTo is s with n elements, the new ones whatever they are.
func grownTo[E any](s []E, n int) []E { return slices.Grow(s, n-len(s))[:n] }

func countTrue(marks []bool) int {
	n := 0
	for _, m := range marks {
		if m {
			n++
		}
	}
	return n
}

// nullsOf is the part of a column's null marks, or nil where there are none.
func nullsOf(c *Column, from, to int) []bool {
	if c.Null == nil {
		return nil
	}
	return c.Null[from:to]
}

// pageCut is where a page of a column ends that is written as it is.
type pageCut struct{ row, bytes int }

// pageBytes is the size from which on a page is not added to.
const pageBytes = int(parquet.DefaultDataPageSize)

// cutPage ends a page behind a batch where it is long enough.
func cutPage(cuts []pageCut, row, bytes int) []pageCut {
	start := 0
	if n := len(cuts); n > 0 {
		start = cuts[n-1].bytes
	}
	if bytes-start < pageBytes {
		return cuts
	}
	return append(cuts, pageCut{row, bytes})
}

// writePages writes the pages of a row group whose values are data in plain
// encoding, cut at cuts and at its end.
func (p *presence) writePages(w *chunkWriter, data []byte, cuts []pageCut, update func(s metadata.TypedStatistics, page []byte, nulls int64)) error {
	if end := (pageCut{p.rows, len(data)}); len(cuts) == 0 || cuts[len(cuts)-1] != end {
		cuts = append(cuts, end)
	}
	var from pageCut
	for _, to := range cuts {
		values := data[from.bytes:to.bytes]
		update(w.pageStats, values, p.nullsIn(from.row, to.row))
		page, levels := values, 0
		if p.nullable {
			w.page = p.appendLevels(w.page[:0], from.row, to.row)
			levels = len(w.page)
			w.page = append(w.page, values...)
			page = w.page
		}
		if err := w.dataPage(page, levels, to.row-from.row, parquet.Encodings.Plain); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// fixedColumn is a column of numbers or amounts without a dictionary, in plain
// encoding: width bytes each.
type fixedColumn struct {
	presence
	spec   ColumnSpec
	width  int
	data   []byte
	cuts   []pageCut
	update func(s metadata.TypedStatistics, page []byte, nulls int64)
}

func (f *fixedColumn) append(c *Column, from, to int) {
	null := nullsOf(c, from, to)
	f.add(null, to-from)
	switch f.spec.Type {
	case WideMoney:
		f.data = appendPresent(f.data, c.Wide[from:to], null, appendDecimal)
	case Money:
		f.data = appendPresent(f.data, microsInts(c.Micros[from:to]), null, plainInt64)
	case Int32, Day:
		f.data = appendPresent(f.data, c.Int[from:to], null, plainInt32)
	case Int64, Instant:
		f.data = appendPresent(f.data, c.Int[from:to], null, plainInt64)
	case Text:
	}
}

func (f *fixedColumn) endBatch() { f.cuts = cutPage(f.cuts, f.rows, len(f.data)) }

func (f *fixedColumn) write(w *chunkWriter) error {
	err := f.writePages(w, f.data, f.cuts, f.update)
	f.data, f.cuts = f.data[:0], f.cuts[:0]
	f.reset()
	return err
}

// appendPresent appends the values that are not null.
func appendPresent[V any](b []byte, values []V, null []bool, plain func([]byte, V) []byte) []byte {
	for i, v := range values {
		if null == nil || !null[i] {
			b = plain(b, v)
		}
	}
	return b
}

// The plain encoding of a value.

func plainInt32(b []byte, v int64) []byte { return binary.LittleEndian.AppendUint32(b, uint32(v)) }

func plainInt64(b []byte, v int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(v)) }

func plainText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// appendDecimal appends d, which checkFrame has seen, in two's complement,
// most significant byte first.
func appendDecimal(b []byte, d decimal.Decimal) []byte {
	v, err := unscaled(d)
	if err != nil {
		panic(err)
	}
	return appendWide(b, v)
}
