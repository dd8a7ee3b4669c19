package reader

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow/go/v17/parquet"
)

// textBytesMax is the longest text that a column may hold.
const textBytesMax = 64 << 10

// indexBitsMax is the greatest width of a dictionary's indexes.
const indexBitsMax = 32

var errShort = errors.New("fewer values than declared")

// checkPlain makes sure that data holds n values in plain encoding, which are
// no texts.
func checkPlain(physical parquet.Type, data []byte, n int) error {
	if n < 0 {
		return errShort
	}
	width := 8
	switch physical {
	case parquet.Types.Int32:
		width = 4
	case parquet.Types.Int96:
		width = parquet.Int96SizeBytes
	case parquet.Types.FixedLenByteArray:
		return nil // its decoder alone knows the length, and counts
	}
	if len(data)/width < n {
		return errShort
	}
	return nil
}

// plainTextHead is the length of a text's length in plain encoding.
const plainTextHead = 4

// plainTextEnd is where the first text of data ends; it begins after
// plainTextHead bytes. It is negative where data does not hold it.
func plainTextEnd(data []byte) int {
	if len(data) < plainTextHead {
		return -1
	}
	length := binary.LittleEndian.Uint32(data)
	if length > textBytesMax || int(length) > len(data)-plainTextHead {
		return -1
	}
	return plainTextHead + int(length)
}

// plainTextError says why plainTextEnd of data is negative.
func plainTextError(data []byte) error {
	if len(data) >= plainTextHead {
		if length := binary.LittleEndian.Uint32(data); length > textBytesMax {
			return fmt.Errorf("text of %d bytes", length)
		}
	}
	return errShort
}

// runs walks through the runs of the hybrid encoding of levels and indexes
// (RLE and bit-packed).
type runs struct {
	data  []byte
	width int // bits of a value
	left  int // values still wanted

	count  int    // values of the current run that are wanted
	packed []byte // begins with a bit-packed run's values; nil for a repeated one
	value  uint32 // that a repeated run repeats
}

// next moves to the next run. It returns false at the end of what is wanted.
func (r *runs) next() (bool, error) {
	if r.left == 0 {
		return false, nil
	}
	header, n := binary.Uvarint(r.data)
	if n <= 0 || header>>1 == 0 || header>>1 > math.MaxInt32 {
		return false, errShort
	}
	r.data = r.data[n:]
	if header&1 == 0 {
		return true, r.repeated(int(header >> 1))
	}
	if header>>1 > math.MaxInt32/8 {
		return false, errShort
	}
	r.count = min(r.left, int(header>>1)*8)
	r.left -= r.count
	size := int(header>>1) * r.width
	if size > len(r.data) {
		// Some writers leave out the padding of the last run.
		size = len(r.data)
		if (r.count*r.width+7)/8 > size {
			return false, errShort
		}
	}
	r.packed, r.data = r.data, r.data[size:]
	return true, nil
}

func (r *runs) repeated(count int) error {
	size := (r.width + 7) / 8
	if len(r.data) < size {
		return errShort
	}
	r.value = 0
	for i := range size {
		r.value |= uint32(r.data[i]) << (8 * i)
	}
	r.data = r.data[size:]
	r.packed = nil
	r.count = min(r.left, count)
	r.left -= r.count
	return nil
}

// checkIndexes makes sure that data holds n indexes, all of them below limit:
// the decoder neither stops at one that is not nor goes on.
func checkIndexes(data []byte, n, limit int) error {
	if len(data) == 0 {
		return errShort
	}
	width := int(data[0])
	if width > indexBitsMax {
		return fmt.Errorf("indexes of %d bits", width)
	}
	r := runs{data: data[1:], width: width, left: n}
	sure := width < 31 && 1<<width <= limit // no index of this width can be too large
	for {
		more, err := r.next()
		if err != nil || !more {
			return err
		}
		largest := r.value
		if r.packed != nil {
			largest = 0
			if !sure {
				largest = largestPacked(r.packed, width, r.count)
			}
		}
		if int64(largest) >= int64(limit) {
			return fmt.Errorf("index %d of a dictionary of %d values", largest, limit)
		}
	}
}

// largestPacked is the largest of the first n values of width bits.
func largestPacked(data []byte, width, n int) uint32 {
	var largest uint32
	mask := uint64(1)<<width - 1
	i := 0
	for ; i < n && i*width/8+8 <= len(data); i++ {
		word := binary.LittleEndian.Uint64(data[i*width/8:])
		largest = max(largest, uint32(word>>(i*width%8)&mask))
	}
	for ; i < n; i++ {
		var last [8]byte
		copy(last[:], data[i*width/8:])
		largest = max(largest, uint32(binary.LittleEndian.Uint64(last[:])>>(i*width%8)&mask))
	}
	return largest
}

// setPresence decodes the definition levels of a page: one bit for each row.
func (s *pageSource) setPresence(levels []byte, rows int) error {
	r := runs{data: levels, width: 1, left: rows}
	present := s.presence[:0]
	s.page.values = 0
	for {
		more, err := r.next()
		if err != nil {
			return fmt.Errorf("%w: levels: %w", errDamaged, err)
		}
		if !more {
			break
		}
		switch {
		case r.packed == nil && r.value > 1:
			return fmt.Errorf("%w: level %d", errDamaged, r.value)
		case r.packed == nil && r.count == rows && r.value == 1:
			s.page.values = rows
			return nil
		case r.packed == nil:
			present = appendRepeated(present, byte(r.value), r.count)
			s.page.values += int(r.value) * r.count
		default:
			var ones int
			present, ones = appendBits(present, r.packed, r.count)
			s.page.values += ones
		}
	}
	s.presence = present
	if s.page.values < rows {
		s.page.present = present
	}
	return nil
}

func appendRepeated(b []byte, v byte, n int) []byte {
	for range n {
		b = append(b, v)
	}
	return b
}

// appendBits appends the first n bits of packed, each as a byte, and counts
// those that are set.
func appendBits(b, packed []byte, n int) (out []byte, ones int) {
	for i := range n / 8 {
		v := packed[i]
		ones += bits.OnesCount8(v)
		b = append(b, v&1, v>>1&1, v>>2&1, v>>3&1, v>>4&1, v>>5&1, v>>6&1, v>>7)
	}
	for i := n &^ 7; i < n; i++ {
		v := packed[i/8] >> (i % 8) & 1
		ones += int(v)
		b = append(b, v)
	}
	return b, ones
}

// The limits of a DELTA_BINARY_PACKED header. Writers use blocks of 128
// values in 4 parts.
const (
	deltaBlockMax = 1 << 16
	deltaWidthMax = 64
)

// checkDelta makes sure that data begins with n values in the encoding
// DELTA_BINARY_PACKED, and returns what follows them.
func checkDelta(data []byte, n int) (rest []byte, err error) {
	var head [4]uint64 // values of a block, its parts, values in all, the first value
	for i := range head {
		var size int
		if head[i], size = binary.Uvarint(data); size <= 0 {
			return nil, errShort
		}
		data = data[size:]
	}
	block, parts, total := head[0], head[1], head[2]
	if block == 0 || block > deltaBlockMax || parts == 0 || block%(8*parts) != 0 || total != uint64(n) {
		return nil, fmt.Errorf("%d values in blocks of %d in %d parts where %d are wanted", total, block, parts, n)
	}
	perPart := int(block / parts)
	for left := n - 1; left > 0; {
		_, size := binary.Uvarint(data)
		if size <= 0 || len(data)-size < int(parts) {
			return nil, errShort
		}
		widths := data[size : size+int(parts)]
		data = data[size+int(parts):]
		for _, width := range widths {
			if left <= 0 {
				break
			}
			length := (perPart*int(width) + 7) / 8
			if width > deltaWidthMax || length > len(data) {
				return nil, errShort
			}
			data = data[length:]
			left -= perPart
		}
	}
	return data, nil
}
