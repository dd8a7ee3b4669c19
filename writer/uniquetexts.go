package writer

import (
	"bytes"
	"encoding/binary"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// uniqueTexts is a column of texts without a dictionary, in plain encoding: the
// length in four bytes, then the text.
type uniqueTexts struct {
	presence
	data []byte
	cuts []pageCut
}

func (t *uniqueTexts) append(c *Column, from, to int) {
	null := nullsOf(c, from, to)
	t.add(null, to-from)
	if c.Packed == nil {
		t.data = appendPresent(t.data, c.Text[from:to], null, plainText)
		return
	}
	texts := c.Packed.encoded(from, to)
	if t.data == nil && to-from == batchRows { // the other batches will be about as long
		t.data = make([]byte, 0, len(texts)*rowGroupRows/batchRows*9/8)
	}
	t.data = append(t.data, texts...)
}

func (t *uniqueTexts) endBatch() { t.cuts = cutPage(t.cuts, t.rows, len(t.data)) }

func (t *uniqueTexts) write(w *chunkWriter) error {
	err := t.writePages(w, t.data, t.cuts, updatePlainTexts)
	t.data, t.cuts = t.data[:0], t.cuts[:0]
	t.reset()
	return err
}

// updatePlainTexts gives the statistics the smallest and the largest text of a
// page. Most texts lie between the two already by their first eight bytes.
func updatePlainTexts(s metadata.TypedStatistics, page []byte, nulls int64) {
	var least, most []byte
	var leastHead, mostHead uint64
	for len(page) > 0 {
		end := textHead + int(binary.LittleEndian.Uint32(page))
		text := page[textHead:end:end]
		page = page[end:]
		head := headOf(text)
		switch {
		case least == nil:
			least, most, leastHead, mostHead = text, text, head, head
		case head > leastHead && head < mostHead:
		case bytes.Compare(text, least) < 0:
			least, leastHead = text, head
		case bytes.Compare(text, most) > 0:
			most, mostHead = text, head
		}
	}
	var bounds []parquet.ByteArray
	if least != nil {
		bounds = []parquet.ByteArray{least, most}
	}
	s.(*metadata.ByteArrayStatistics).Update(bounds, nulls)
}

// headOf is a number that is in the order of texts wherever it differs.
func headOf(text []byte) uint64 {
	if len(text) >= 8 {
		return binary.BigEndian.Uint64(text)
	}
	var head [8]byte
	copy(head[:], text)
	return binary.BigEndian.Uint64(head[:])
}
