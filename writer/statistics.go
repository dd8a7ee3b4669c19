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

// updatePlainInt64s and updatePlainInt32s give the smallest and the largest
// alone, which is all that statistics keep.
func updatePlainInt64s(s metadata.TypedStatistics, page []byte, nulls int64) {
	const width = 8
	updateInt64s(s, bounds(len(page)/width, func(i int) int64 { return int64(binary.LittleEndian.Uint64(page[width*i:])) }), nulls)
}

func updatePlainInt32s(s metadata.TypedStatistics, page []byte, nulls int64) {
	const width = 4
	updateInt32s(s, bounds(len(page)/width, func(i int) int64 { return int64(int32(binary.LittleEndian.Uint32(page[width*i:]))) }), nulls)
}

// bounds is the smallest and the largest of n values, or nothing of none.
func bounds(n int, value func(i int) int64) []int64 {
	if n == 0 {
		return nil
	}
	least, most := value(0), value(0)
	for i := 1; i < n; i++ {
		v := value(i)
		least, most = min(least, v), max(most, v)
	}
	return []int64{least, most}
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
