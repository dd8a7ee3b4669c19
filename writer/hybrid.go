package writer

import (
	"encoding/binary"
	"math"
)

// hybridWidthMax is the most bits of a number in hybridRuns.
const hybridWidthMax = 32

// hybridRuns reads the encoding of levels and of dictionary indexes: runs of
// one number that repeats, and runs of numbers packed to width bits each, in
// groups of eight. A run begins with a varint: its lowest bit tells the kind,
// the rest counts repetitions or groups.
type hybridRuns struct {
	data  []byte // what follows the current run
	width int    // bits of a number, at most hybridWidthMax

	count  int    // numbers left in the current run
	packed []byte // they, if they are packed
	bit    int    // where in packed the next begins
	value  uint32 // else: what repeats
}

// read fills to.
func (r *hybridRuns) read(to []uint32) error {
	for len(to) > 0 {
		if r.count == 0 {
			if err := r.nextRun(); err != nil {
				return err
			}
			continue
		}
		n := min(len(to), r.count)
		if r.packed == nil {
			for i := range to[:n] {
				to[i] = r.value
			}
		} else {
			r.unpack(to[:n])
		}
		r.count -= n
		to = to[n:]
	}
	return nil
}

func (r *hybridRuns) nextRun() error {
	header, n := binary.Uvarint(r.data)
	if n <= 0 || header>>1 == 0 || header>>1 > math.MaxInt32/8 {
		return errShortPage
	}
	r.data = r.data[n:]
	if header&1 == 1 {
		size := int(header>>1) * r.width
		if size > len(r.data) {
			return errShortPage
		}
		r.packed, r.data = r.data[:size:size], r.data[size:]
		r.bit, r.count = 0, int(header>>1)*8
		if r.width == 0 {
			r.packed, r.value = nil, 0
		}
		return nil
	}
	size := (r.width + 7) / 8
	if size > len(r.data) {
		return errShortPage
	}
	r.packed, r.value, r.count = nil, 0, int(header>>1)
	for i, b := range r.data[:size] {
		r.value |= uint32(b) << (8 * i)
	}
	r.data = r.data[size:]
	return nil
}

// unpack gives numbers of the current run, which has them.
func (r *hybridRuns) unpack(to []uint32) {
	mask := uint64(1)<<r.width - 1
	for i := range to {
		at := r.packed[r.bit/8:]
		var word uint64
		if len(at) >= 8 {
			word = binary.LittleEndian.Uint64(at)
		} else {
			var last [8]byte
			copy(last[:], at)
			word = binary.LittleEndian.Uint64(last[:])
		}
		to[i] = uint32(word >> (r.bit % 8) & mask)
		r.bit += r.width
	}
}
