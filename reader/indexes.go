package reader

import (
	"encoding/binary"
	"fmt"
)

// indexReader decodes the indexes of one page: a byte with their width, then
// runs.
type indexReader struct {
	runs
	taken int // values of the current run already decoded
}

func newIndexReader(data []byte, values int) (indexReader, error) {
	if len(data) == 0 {
		return indexReader{}, errShort
	}
	width := int(data[0])
	if width > indexBitsMax {
		return indexReader{}, fmt.Errorf("indexes of %d bits", width)
	}
	return indexReader{runs: runs{data: data[1:], width: width, left: values}}, nil
}

// decode fills out with the next indexes, however large they are.
func (x *indexReader) decode(out []uint32) error {
	for len(out) > 0 {
		if x.taken == x.count {
			more, err := x.next()
			if err != nil {
				return err
			}
			if !more {
				return errShort
			}
			x.taken = 0
		}
		n := min(len(out), x.count-x.taken)
		if x.packed != nil {
			unpack(out[:n], x.packed, x.width, x.taken)
		} else {
			for i := range n {
				out[i] = x.value
			}
		}
		x.taken += n
		out = out[n:]
	}
	return nil
}

// unpack fills out with values of width bits, beginning with number from of
// those in data, which must hold them all.
func unpack(out []uint32, data []byte, width, from int) {
	mask := uint64(1)<<width - 1
	i, bit := 0, from*width
	if width <= 8 { // a word holds eight values, wherever they begin: at 8 bits, they begin with a byte
		w := uint(width) & 63
		for ; i+8 <= len(out) && bit/8+8 <= len(data); i += 8 {
			word, eight := binary.LittleEndian.Uint64(data[bit/8:])>>(bit%8), out[i:i+8:i+8]
			eight[0] = uint32(word & mask)
			eight[1] = uint32(word >> w & mask)
			eight[2] = uint32(word >> (2 * w & 63) & mask)
			eight[3] = uint32(word >> (3 * w & 63) & mask)
			eight[4] = uint32(word >> (4 * w & 63) & mask)
			eight[5] = uint32(word >> (5 * w & 63) & mask)
			eight[6] = uint32(word >> (6 * w & 63) & mask)
			eight[7] = uint32(word >> (7 * w & 63) & mask)
			bit += 8 * width
		}
	}
	for ; i < len(out) && bit/8+8 <= len(data); i++ {
		out[i] = uint32(binary.LittleEndian.Uint64(data[bit/8:]) >> (bit % 8) & mask)
		bit += width
	}
	for ; i < len(out); i++ {
		var last [8]byte
		copy(last[:], data[bit/8:])
		out[i] = uint32(binary.LittleEndian.Uint64(last[:]) >> (bit % 8) & mask)
		bit += width
	}
}

// lookUp writes to out what known has for each index. Where that is 0, it asks
// resolve and remembers the answer.
func lookUp[K, T ~uint32 | ~uint64](out []T, indexes []uint32, known []K, resolve func(index int) (K, error)) error {
	out = out[:len(indexes)]
	for i, x := range indexes {
		if int(x) >= len(known) {
			return fmt.Errorf("%w: index %d of a dictionary of %d values", errDamaged, x, len(known))
		}
		v := known[x]
		if v == 0 {
			var err error
			if v, err = resolve(int(x)); err != nil {
				return err
			}
			known[x] = v
		}
		out[i] = T(v)
	}
	return nil
}

// spread moves the values of a span, with which out begins, to the rows that
// they belong to, and gives the rows between them none.
func spread[T ~uint32 | ~uint64 | ~int64](out []T, s span, none T) {
	if s.present == nil {
		return
	}
	next := s.values
	for i := s.rows - 1; i >= 0; i-- {
		p := s.present[i]
		next -= int(p)
		v := none
		if p != 0 {
			v = out[next]
		}
		out[i] = v
	}
}
