package writer

import (
	"bytes"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// chunkWriter writes the pages of one column of a row group after the other:
// the library's page writer compresses them and makes their headers, its
// statistics and its metadata are those of the footer. What the pages hold is
// encoded by the column buffers, since the library's own column writers take
// each value by itself, which was half of the time of writing charges.
type chunkWriter struct {
	props *parquet.WriterProperties
	sink  *offsetWriter

	page       []byte       // memory for whoever makes a page
	compressed bytes.Buffer // memory for its compressed form
	strides    strideEncoder
	strided    []byte // memory for what it makes

	// Of the column chunk.
	meta       *metadata.ColumnChunkMetaDataBuilder
	pager      file.PageWriter
	pageStats  metadata.TypedStatistics // of the next page, filled before it is written
	chunkStats metadata.TypedStatistics
	dictionary bool
	written    int64
}

// begin starts a column chunk.
func (w *chunkWriter) begin(meta *metadata.ColumnChunkMetaDataBuilder, group, column int) (err error) {
	path, mem := meta.Descr().Path(), w.props.Allocator()
	w.meta, w.dictionary, w.written = meta, false, 0
	w.pageStats, w.chunkStats = metadata.NewStatistics(meta.Descr(), mem), metadata.NewStatistics(meta.Descr(), mem)
	if w.pager != nil {
		return w.pager.Reset(w.sink, w.props.CompressionFor(path), w.props.CompressionLevelFor(path), meta, int16(group), int16(column), nil, nil)
	}
	w.pager, err = file.NewPageWriter(w.sink, w.props.CompressionFor(path), w.props.CompressionLevelFor(path), meta, int16(group), int16(column), mem, false, nil, nil)
	return err
}

func (w *chunkWriter) dictionaryPage(data []byte, values int) error {
	w.dictionary = true
	page := file.NewDictionaryPage(memory.NewBufferBytes(data), int32(values), w.props.DictionaryPageEncoding())
	defer page.Release()
	n, err := w.pager.WriteDictionaryPage(page)
	w.written += n
	return err
}

// dataPage writes a page of rows: so many bytes of levels, and values.
func (w *chunkWriter) dataPage(data []byte, levels, rows int, encoding parquet.Encoding) error {
	stats, err := w.encoded(w.pageStats)
	if err != nil {
		return err
	}
	w.chunkStats.Merge(w.pageStats)
	w.pageStats.Reset()
	small := w.compress(data, levels, encoding)
	rle := parquet.Encodings.RLE
	page := file.NewDataPageV1WithStats(memory.NewBufferBytes(small), int32(rows), encoding, rle, rle, int32(len(data)), stats)
	defer page.Release()
	n, err := w.pager.WriteDataPage(page)
	w.written += n
	return err
}

// compress makes the compressed form of a page, which is valid until the next.
func (w *chunkWriter) compress(data []byte, levels int, encoding parquet.Encoding) []byte {
	if s, ok := w.strideOf(data, levels, encoding); ok {
		w.strided = w.strides.appendFrame(w.strided[:0], data, s)
		return w.strided
	}
	w.compressed.Reset()
	return w.pager.Compress(&w.compressed, data)
}

func (w *chunkWriter) strideOf(data []byte, levels int, encoding parquet.Encoding) (s stride, ok bool) {
	switch physical := w.meta.Descr().PhysicalType(); {
	case encoding != parquet.Encodings.Plain:
	case physical == parquet.Types.ByteArray && levels == 0:
		return strideOfTexts(data)
	case physical == parquet.Types.Int64:
		return strideOfNumbers(data, levels)
	}
	return s, false
}

func (w *chunkWriter) encoded(s metadata.TypedStatistics) (metadata.EncodedStatistics, error) {
	e, err := s.Encode()
	e.ApplyStatSizeLimits(int(w.props.MaxStatsSizeFor(w.meta.Descr().Path())))
	e.Signed = w.meta.Descr().SortOrder() == schema.SortSIGNED
	return e, err
}

// end closes the column chunk, and returns the bytes of its pages.
func (w *chunkWriter) end() (int64, error) {
	stats, err := w.encoded(w.chunkStats)
	if err != nil {
		return 0, err
	}
	if stats.IsSet() {
		w.meta.SetStats(stats)
	}
	return w.written, w.pager.Close(w.dictionary, false)
}
