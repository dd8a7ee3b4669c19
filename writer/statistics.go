package writer

import (
	"encoding/binary"
	"unsafe"

	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// What follows gives the values of a page, or of its dictionary, to the
// statistics of its type.

func updateTexts(s metadata.TypedStatistics, values []string, nulls int64) {
	texts := make([]parquet.ByteArray, len(values))
	for i, v := range values {
		texts[i] = parquet.ByteArray(v)
	}
	s.(*metadata.ByteArrayStatistics).Update(texts, nulls)
}

func updateInt64s(s metadata.TypedStatistics, values []int64, nulls int64) {
	s.(*metadata.Int64Statistics).Update(values, nulls)
}

func updateInt32s(s metadata.TypedStatistics, values []int64, nulls int64) {
	narrow := make([]int32, len(values))
	for i, v := range values {
		narrow[i] = int32(v)
	}
	s.(*metadata.Int32Statistics).Update(narrow, nulls)
}

func updatePlainInt64s(s metadata.TypedStatistics, page []byte, nulls int64) {
	values := make([]int64, len(page)/8)
	for i := range values {
		values[i] = int64(binary.LittleEndian.Uint64(page[8*i:]))
	}
	updateInt64s(s, values, nulls)
}

func updatePlainInt32s(s metadata.TypedStatistics, page []byte, nulls int64) {
	values := make([]int32, len(page)/4)
	for i := range values {
		values[i] = int32(binary.LittleEndian.Uint32(page[4*i:]))
	}
	s.(*metadata.Int32Statistics).Update(values, nulls)
}

func updatePlainWide(s metadata.TypedStatistics, page []byte, nulls int64) {
	values := make([]parquet.FixedLenByteArray, 0, len(page)/wideBytes)
	for ; len(page) > 0; page = page[wideBytes:] {
		values = append(values, page[:wideBytes:wideBytes])
	}
	s.(*metadata.FixedLenByteArrayStatistics).Update(values, nulls)
}

// microsInts is the same memory as plain integers.
func microsInts(m []reconcile.Micros) []int64 {
	return unsafe.Slice((*int64)(unsafe.SliceData(m)), len(m))
}
