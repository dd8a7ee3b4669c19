package reader

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"

	"waconcile/reconcile"
)

// pageFeed is the file.PageReader of a column. It hands the decoder the
// dictionary and then one data page at a time, and no page before the one
// before it has been used up: the values of a page lie in memory that the
// next page takes.
type pageFeed struct {
	dictionary *file.DictionaryPage // to be handed out first, or nil
	data       *file.DataPageV1     // to be handed out next, or nil
	current    file.Page
}

// Next implements file.PageReader.
func (f *pageFeed) Next() bool {
	switch {
	case f.dictionary != nil:
		f.current, f.dictionary = f.dictionary, nil
	case f.data != nil:
		f.current, f.data = f.data, nil
	default:
		f.current = nil
		return false
	}
	return true
}

// Page implements file.PageReader.
func (f *pageFeed) Page() file.Page { return f.current }

// Err implements file.PageReader: pages that cannot be read do not get here.
func (f *pageFeed) Err() error { return nil }

// SetMaxPageHeaderSize implements file.PageReader.
func (f *pageFeed) SetMaxPageHeaderSize(int) {}

// Reset implements file.PageReader.
func (f *pageFeed) Reset(parquet.BufferedReader, int64, compress.Compression, *file.CryptoContext) {}

// columnReader decodes one column of one file, row group by row group. What
// one step gives never crosses a page and is valid until the next step.
type columnReader struct {
	pages   pageSource
	feed    pageFeed
	decoder file.ColumnChunkReader
	scratch sync.Pool // asked for by the library, used by it only to skip

	// Of the current page. Texts and INT64 in plain encoding and texts by
	// dictionary, as exports mostly have them, do not go through the library.
	row     int         // next to be given
	rest    []byte      // plain values not yet decoded
	indexes indexReader // of the dictionary's texts
	entries []uint32    // memory for such indexes

	dictionaryKnown bool // what is remembered of the dictionary's entries is of this row group
}

// span is what one step of a columnReader gives: rows of one page. Its values
// are those of the rows that are not null, in order.
type span struct {
	rows    int
	values  int
	present []byte // for each row 1, or 0 for a null; nil where all are present
	byDict  bool   // the values are entries of the row group's dictionary
	plain   bool   // the values are in plain encoding
}

// open begins a row group.
func (c *columnReader) open(r io.ReaderAt, bound *boundColumn, chunk chunkMeta, rows int64) {
	c.pages.reset(r, bound, chunk, rows)
	c.pages.page = dataPage{}
	c.row, c.rest, c.dictionaryKnown = 0, nil, false
	c.feed = pageFeed{}
	c.decoder = file.NewColumnReader(bound.schema, &c.feed, memory.DefaultAllocator, &c.scratch)
}

// close lets go of the file and of its values, not of the memory.
func (c *columnReader) close() {
	c.pages.stream.r, c.pages.column = nil, nil
	c.feed, c.decoder = pageFeed{}, nil
	c.rest, c.indexes = nil, indexReader{}
}

// step moves on by at least one row and at most limit, which must be left in
// the row group. The caller must decode the span's values before the next
// step.
func (c *columnReader) step(limit int) (span, error) {
	for c.row == c.pages.page.rows {
		if err := c.nextPage(); err != nil {
			return span{}, err
		}
	}
	p := &c.pages.page
	s := span{
		rows:   min(limit, p.rows-c.row),
		byDict: p.encoding == parquet.Encodings.RLEDict,
		plain:  p.encoding == parquet.Encodings.Plain,
	}
	s.values = s.rows
	if p.present != nil {
		s.present = p.present[c.row : c.row+s.rows]
		s.values = countPresent(s.present)
	}
	c.row += s.rows
	return s, nil
}

// nextPage reads a page and gets its values ready to be decoded.
func (c *columnReader) nextPage() error {
	if c.pages.rowsLeft == 0 {
		return fmt.Errorf("%w: column ends early", errDamaged)
	}
	first := c.pages.dict.data == nil
	if err := c.pages.next(); err != nil {
		return err
	}
	c.row = 0
	p, d := &c.pages.page, &c.pages.dict
	text := c.pages.column.physical == parquet.Types.ByteArray
	if first && d.data != nil && !text {
		c.feed.dictionary = file.NewDictionaryPage(memory.NewBufferBytes(d.data), int32(d.values), parquet.Encodings.Plain)
	}
	switch {
	case p.values == 0:
	case decodedHere(c.pages.column.physical, p.encoding):
		c.rest = p.data
		if p.encoding == parquet.Encodings.RLEDict {
			var err error
			c.indexes, err = newIndexReader(p.data, p.values)
			return damaged(err)
		}
	default:
		c.feed.data = file.NewDataPageV1(memory.NewBufferBytes(p.data), int32(p.values), p.encoding,
			parquet.Encodings.RLE, parquet.Encodings.RLE, int32(len(p.data)))
	}
	return nil
}

// decodedHere says that pages are decoded by this package, and not by the
// library.
func decodedHere(physical parquet.Type, encoding parquet.Encoding) bool {
	switch physical {
	case parquet.Types.ByteArray:
		return encoding == parquet.Encodings.Plain || encoding == parquet.Encodings.RLEDict
	case parquet.Types.Int64:
		return encoding == parquet.Encodings.Plain
	}
	return false
}

// damaged is err, where there is one, as an error of the file.
func damaged(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errDamaged, err)
}

// texts decodes the values of s into out.
func (c *columnReader) texts(s span, out []parquet.ByteArray) error {
	out = out[:s.values]
	switch {
	case s.plain:
		return damaged(c.plainTexts(out))
	case s.byDict:
		return damaged(c.dictionaryTexts(out))
	}
	if err := readBatch(c, s, out); err != nil {
		return err
	}
	for _, text := range out {
		if len(text) > textBytesMax {
			return fmt.Errorf("%w: text of %d bytes", errDamaged, len(text))
		}
	}
	return nil
}

func (c *columnReader) plainTexts(out []parquet.ByteArray) error {
	rest := c.rest
	for i := range out {
		end := plainTextEnd(rest)
		if end < 0 {
			return plainTextError(rest)
		}
		out[i], rest = rest[plainTextHead:end:end], rest[end:]
	}
	c.rest = rest
	return nil
}

// appendTexts adds the next n values, which are in plain encoding, to t.
func (c *columnReader) appendTexts(t *reconcile.Texts, n int) error {
	rest, bytes, ends := c.rest, t.Bytes, t.Ends
	for range n {
		end := plainTextEnd(rest)
		if end < 0 {
			return damaged(plainTextError(rest))
		}
		bytes = append(bytes, rest[plainTextHead:end]...)
		ends = append(ends, uint32(len(bytes)))
		rest = rest[end:]
	}
	c.rest, t.Bytes, t.Ends = rest, bytes, ends
	return nil
}

func (c *columnReader) dictionaryTexts(out []parquet.ByteArray) error {
	d := &c.pages.dict
	c.entries = resized(c.entries, len(out))
	if err := c.indexes.decode(c.entries); err != nil {
		return err
	}
	for i, entry := range c.entries {
		if int(entry) >= d.values {
			return fmt.Errorf("index %d of a dictionary of %d values", entry, d.values)
		}
		out[i] = d.text(int(entry))
	}
	return nil
}

// int64s decodes the values of s into out.
func (c *columnReader) int64s(s span, out []int64) error {
	if s.plain {
		out = out[:s.values]
		for i := range out {
			out[i] = int64(binary.LittleEndian.Uint64(c.rest[8*i:]))
		}
		c.rest = c.rest[8*len(out):]
		return nil
	}
	return readBatch(c, s, out)
}

// batchReader is what the library's column readers of one type have in common.
type batchReader[T any] interface {
	ReadBatch(batchSize int64, values []T, definitions, repetitions []int16) (total int64, read int, err error)
}

// readBatch has the library decode the values of s into out.
func readBatch[T any](c *columnReader, s span, out []T) error {
	d, ok := c.decoder.(batchReader[T])
	if !ok {
		return errDamaged
	}
	if s.values == 0 {
		return nil
	}
	total, n, err := d.ReadBatch(int64(s.values), out[:s.values], nil, nil)
	return c.progress(s, total, n, err)
}

// progress checks that a read gave what was asked for.
func (c *columnReader) progress(s span, total int64, n int, err error) error {
	if err == nil {
		err = c.decoder.Err()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	if total != int64(s.values) || n != s.values {
		return fmt.Errorf("%w: %d of %d values decoded", errDamaged, n, s.values)
	}
	return nil
}

func countPresent(present []byte) int {
	n := 0
	for _, p := range present {
		n += int(p)
	}
	return n
}
