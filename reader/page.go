package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/thrift/lib/go/thrift"
	format "github.com/xitongsys/parquet-go/parquet"
)

const (
	pageHeaderGuess = 1 << 10   // bytes first given to the header's decoder
	pageHeaderMax   = 1 << 20   // the statistics in it may be long
	pageBytesMax    = 256 << 20 // of one page, compressed or not
)

// dataPage is a page of a column with its levels taken off.
type dataPage struct {
	rows     int // nulls included
	values   int // nulls not included
	encoding parquet.Encoding
	data     []byte // the values only; valid until the next page is read
	present  []byte // for each row 1, or 0 for a null; nil where all are present
}

// dictionaryPage holds the values that later data pages refer to.
type dictionaryPage struct {
	values int
	data   []byte // in plain encoding; valid until the column's next row group

	// Of texts: where in data each begins, with its length, and the last ends.
	bounds []uint32
}

// text is one of the texts.
func (d *dictionaryPage) text(i int) []byte {
	return d.data[d.bounds[i]+plainTextHead : d.bounds[i+1]]
}

// bound finds the texts in the data.
func (d *dictionaryPage) bound() error {
	if d.values < 0 || d.values > len(d.data)/plainTextHead {
		return errShort
	}
	d.bounds = append(resized(d.bounds, d.values+1)[:0], 0)
	for rest := d.data; len(d.bounds) <= d.values; {
		end := plainTextEnd(rest)
		if end < 0 {
			return plainTextError(rest)
		}
		rest = rest[end:]
		d.bounds = append(d.bounds, uint32(len(d.data)-len(rest)))
	}
	return nil
}

// pageSource reads the pages of one column, row group by row group. It checks
// whatever the decoders rely on, since they loop or die on damaged pages.
type pageSource struct {
	stream   byteStream
	codec    compress.Compression
	undo     *decompressor
	column   *boundColumn
	rowsLeft int64 // rows of the row group in pages not yet read
	first    bool  // no page has been read: only here may a dictionary stand

	plain      []byte // memory of the current page, where it was compressed
	dictionary []byte // memory of the dictionary
	presence   []byte // memory of the current page's levels
	dict       dictionaryPage
	page       dataPage
}

func (s *pageSource) reset(r io.ReaderAt, c *boundColumn, chunk chunkMeta, rows int64) {
	s.stream.reset(r, chunk.start, chunk.end)
	s.column, s.codec, s.rowsLeft, s.first = c, chunk.codec, rows, true
	s.dict = dictionaryPage{bounds: s.dict.bounds[:0]}
}

// next reads on to the next data page. It must not be called when all rows
// have been read.
func (s *pageSource) next() error {
	for {
		header, err := s.header()
		if err != nil {
			return err
		}
		if header.Type == format.PageType_INDEX_PAGE {
			if _, err := s.stream.take(int(header.CompressedPageSize)); err != nil {
				return err
			}
			continue
		}
		raw, err := s.stream.take(int(header.CompressedPageSize))
		if err != nil {
			return err
		}
		if header.Crc != nil && crc32.ChecksumIEEE(raw) != uint32(*header.Crc) {
			return fmt.Errorf("%w: page has another checksum than its header", errDamaged)
		}
		first := s.first
		s.first = false
		switch {
		case header.Type == format.PageType_DICTIONARY_PAGE && header.DictionaryPageHeader != nil && first:
			if err := s.setDictionary(header, raw); err != nil {
				return err
			}
		case header.Type == format.PageType_DATA_PAGE && header.DataPageHeader != nil:
			return s.setDataPage(header, raw)
		case header.Type == format.PageType_DATA_PAGE_V2 && header.DataPageHeaderV2 != nil:
			return s.setDataPageV2(header, raw)
		default:
			return fmt.Errorf("%w: page of type %d where none may be", errDamaged, header.Type)
		}
	}
}

// header reads one page header.
func (s *pageSource) header() (*format.PageHeader, error) {
	for guess := pageHeaderGuess; ; guess *= 4 {
		view, err := s.stream.peek(guess)
		if err != nil {
			return nil, err
		}
		if len(view) == 0 {
			return nil, fmt.Errorf("%w: column ends %d rows early", errDamaged, s.rowsLeft)
		}
		header := format.NewPageHeader()
		rest, err := parseHeader(header, view)
		if err == nil {
			s.stream.skip(len(view) - rest)
			return header, checkSizes(header)
		}
		if len(view) < guess || guess >= pageHeaderMax {
			return nil, fmt.Errorf("%w: page header: %w", errDamaged, err)
		}
	}
}

// parseHeader decodes the header at the beginning of view and says how many
// bytes of view follow it.
func parseHeader(header *format.PageHeader, view []byte) (rest int, err error) {
	conf := &thrift.TConfiguration{MaxMessageSize: pageHeaderMax}
	in := &thrift.TMemoryBuffer{Buffer: bytes.NewBuffer(view)}
	err = header.Read(context.Background(), thrift.NewTCompactProtocolConf(in, conf))
	return in.Len(), err
}

func checkSizes(h *format.PageHeader) error {
	for _, n := range []int32{h.CompressedPageSize, h.UncompressedPageSize} {
		if n < 0 || n > pageBytesMax {
			return fmt.Errorf("%w: page of %d bytes", errDamaged, n)
		}
	}
	return nil
}

// plainPage undoes the compression of raw, the values of a data page, in the
// page's memory. What is not compressed stays where it is: the stream is not
// read on before the page has been used up.
func (s *pageSource) plainPage(raw []byte, size int, compressed bool) ([]byte, error) {
	if compressed && s.codec != compress.Codecs.Uncompressed {
		return s.plainBytes(&s.plain, raw, size)
	}
	if len(raw) != size {
		return nil, fmt.Errorf("%w: page of %d bytes is %d bytes long", errDamaged, size, len(raw))
	}
	return raw, nil
}

// plainBytes undoes the compression of raw into memory of size bytes.
func (s *pageSource) plainBytes(memory *[]byte, raw []byte, size int) ([]byte, error) {
	if cap(*memory) < size {
		*memory = make([]byte, size)
	}
	plain := (*memory)[:size:size]
	if size == 0 {
		return plain, nil // some codecs make a few bytes of nothing, some make none
	}
	if s.codec == compress.Codecs.Uncompressed {
		if len(raw) != size {
			return nil, fmt.Errorf("%w: page of %d bytes is %d bytes long", errDamaged, size, len(raw))
		}
		copy(plain, raw)
		return plain, nil
	}
	if err := s.undo.decompress(s.codec, plain, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return plain, nil
}

func (s *pageSource) setDictionary(h *format.PageHeader, raw []byte) error {
	d := h.DictionaryPageHeader
	if e := parquet.Encoding(d.Encoding); e != parquet.Encodings.Plain && e != parquet.Encodings.PlainDict {
		return fmt.Errorf("dictionary in encoding %s cannot be read", e)
	}
	data, err := s.plainBytes(&s.dictionary, raw, int(h.UncompressedPageSize))
	if err != nil {
		return err
	}
	s.dict.values, s.dict.data = int(d.NumValues), data
	if s.column.physical == parquet.Types.ByteArray {
		err = s.dict.bound()
	} else {
		err = checkPlain(s.column.physical, data, s.dict.values)
	}
	if err != nil {
		return fmt.Errorf("%w: dictionary: %w", errDamaged, err)
	}
	return nil
}

func (s *pageSource) setDataPage(h *format.PageHeader, raw []byte) error {
	d := h.DataPageHeader
	data, err := s.plainPage(raw, int(h.UncompressedPageSize), true)
	if err != nil {
		return err
	}
	var levels []byte
	if s.column.optional {
		if e := parquet.Encoding(d.DefinitionLevelEncoding); e != parquet.Encodings.RLE {
			return fmt.Errorf("levels in encoding %s cannot be read", e)
		}
		if levels, data, err = cutPrefixed(data); err != nil {
			return err
		}
	}
	return s.finishPage(int(d.NumValues), parquet.Encoding(d.Encoding), levels, data)
}

func (s *pageSource) setDataPageV2(h *format.PageHeader, raw []byte) error {
	d := h.DataPageHeaderV2
	repetition, definition := int64(d.RepetitionLevelsByteLength), int64(d.DefinitionLevelsByteLength)
	sum := repetition + definition
	if repetition < 0 || definition < 0 || sum > int64(len(raw)) || sum > int64(h.UncompressedPageSize) {
		return fmt.Errorf("%w: levels of %d bytes in a page of %d", errDamaged, sum, len(raw))
	}
	values, err := s.plainPage(raw[sum:], int(int64(h.UncompressedPageSize)-sum), d.IsCompressed)
	if err != nil {
		return err
	}
	return s.finishPage(int(d.NumValues), parquet.Encoding(d.Encoding), raw[repetition:sum], values)
}

// cutPrefixed cuts levels off that stand behind their length.
func cutPrefixed(data []byte) (levels, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, fmt.Errorf("%w: page too short for its levels", errDamaged)
	}
	n := int64(uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24)
	if n > int64(len(data)-4) {
		return nil, nil, fmt.Errorf("%w: levels of %d bytes in a page of %d", errDamaged, n, len(data))
	}
	return data[4 : 4+n], data[4+n:], nil
}

// finishPage decodes the levels and checks the values.
func (s *pageSource) finishPage(rows int, encoding parquet.Encoding, levels, data []byte) error {
	if rows < 0 || int64(rows) > s.rowsLeft || rows > math.MaxInt32 {
		return fmt.Errorf("%w: page of %d rows where %d are left", errDamaged, rows, s.rowsLeft)
	}
	s.rowsLeft -= int64(rows)
	s.page = dataPage{rows: rows, values: rows, encoding: encoding, data: data}
	if s.column.optional {
		if err := s.setPresence(levels, rows); err != nil {
			return err
		}
	}
	if err := s.checkValues(data); err != nil {
		return fmt.Errorf("%w: %s: %w", errDamaged, encoding, err)
	}
	return nil
}

// checkValues makes sure that the library's decoder of the page's encoding
// will find the number of values it is told of.
func (s *pageSource) checkValues(data []byte) error {
	n := s.page.values
	if n == 0 {
		return nil
	}
	text := s.column.physical == parquet.Types.ByteArray
	switch s.page.encoding {
	case parquet.Encodings.Plain:
		if text {
			return nil // the texts are checked as they are decoded
		}
		return checkPlain(s.column.physical, data, n)
	case parquet.Encodings.PlainDict, parquet.Encodings.RLEDict:
		s.page.encoding = parquet.Encodings.RLEDict
		if s.dict.data == nil {
			return errors.New("page refers to a dictionary that is not there")
		}
		if text {
			return nil // likewise
		}
		return checkIndexes(data, n, s.dict.values)
	case parquet.Encodings.DeltaBinaryPacked:
		if s.column.physical == parquet.Types.Int64 {
			_, err := checkDelta(data, n)
			return err
		}
	case parquet.Encodings.DeltaLengthByteArray:
		if text {
			_, err := checkDelta(data, n)
			return err
		}
	case parquet.Encodings.DeltaByteArray:
		if text {
			rest, err := checkDelta(data, n)
			if err == nil {
				_, err = checkDelta(rest, n)
			}
			return err
		}
	}
	return errors.New("encoding cannot be read")
}
