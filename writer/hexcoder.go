package writer

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/huff0"
)

// hexCoder codes literals that are hex digits, each about as frequent as any
// other: ids that are hashes. The Huffman code of such a digit is its value, in
// four bits. A coder for any literals finds that out by counting them, and then
// writes one after the other; here eight are written at once. The bytes are the
// same.
type hexCoder struct {
	table []byte // the tree description of RFC 8878 that says these codes
	coded []byte // memory for what is coded

	// Of the literals being coded.
	pairs  [2][256]uint32   // how often two digits stand beside each other, in two counts
	counts [hexDigits]int64 // how often each digit occurs elsewhere
}

const (
	hexDigits  = 16
	hexSample  = 2 << 10 // literals that are looked at first; fewer are not worth it
	hexStreams = 4
	jumpTable  = 6 // sizes of the first three streams, in two bytes each
)

// code gives at most blockMax literals in four streams behind the table; it is
// valid until the next call. ok is false where they are not such.
func (h *hexCoder) code(literals []byte) (coded []byte, ok bool) {
	if len(literals) < hexSample || len(literals) > blockMax || !uniformSample(literals[:hexSample]) {
		return nil, false
	}
	if h.table == nil {
		h.table = hexTable()
	}
	h.pairs, h.counts = [2][256]uint32{}, [hexDigits]int64{}
	b := append(h.coded[:0], h.table...)
	sizes := len(b)
	b = append(b, make([]byte, jumpTable)...)
	perStream := (len(literals) + hexStreams - 1) / hexStreams
	for stream := range slices.Chunk(literals, perStream) {
		start := len(b)
		if b, ok = h.appendStream(b, stream); !ok {
			break
		}
		if sizes < len(h.table)+jumpTable {
			binary.LittleEndian.PutUint16(b[sizes:], uint16(len(b)-start))
			sizes += 2
		}
	}
	h.coded = b
	return b, ok && uniform(h.digits())
}

// hexTable is the table as the library writes it.
func hexTable() []byte {
	var s huff0.Scratch
	if _, _, err := huff0.Compress4X(bytes.Repeat([]byte("0123456789abcdef"), hexSample/hexDigits), &s); err != nil {
		panic("hex digits have no code: " + err.Error())
	}
	return slices.Clone(s.OutTable)
}

// appendStream appends the values of digits from the last to the first, and the
// mark behind them. ok is false where something else is among them.
func (h *hexCoder) appendStream(b, digits []byte) (_ []byte, ok bool) {
	start := len(b)
	b = slices.Grow(b, len(digits)/2+1)[:start+len(digits)/8*4]
	strange := uint64(0)
	for out := b[start:]; len(out) > 0; out = out[4:] {
		rest := len(digits) - 8
		values, other := packDigits(binary.LittleEndian.Uint64(digits[rest:]))
		binary.LittleEndian.PutUint32(out, values)
		h.pairs[0][byte(values)]++
		h.pairs[1][byte(values>>8)]++
		h.pairs[0][byte(values>>16)]++
		h.pairs[1][byte(values>>24)]++
		digits, strange = digits[:rest], strange|other
	}
	first := [8]byte{'0', '0', '0', '0', '0', '0', '0', '0'}
	copy(first[8-len(digits):], digits)
	values, other := packDigits(binary.LittleEndian.Uint64(first[:]))
	for i := range digits {
		h.counts[values>>(4*i)%hexDigits]++
	}
	for mark := values | 1<<(4*len(digits)); mark > 0; mark >>= 8 {
		b = append(b, byte(mark))
	}
	return b, strange|other == 0
}

// digits is how often each digit occurs in all streams.
func (h *hexCoder) digits() [hexDigits]int64 {
	counts := h.counts
	for pair := range 256 {
		n := int64(h.pairs[0][pair]) + int64(h.pairs[1][pair])
		counts[pair%hexDigits] += n
		counts[pair/hexDigits] += n
	}
	return counts
}

// uniform tells whether any two digits together are more than any other: then
// all codes are equally long.
func uniform(counts [hexDigits]int64) bool {
	return 2*slices.Min(counts[:]) > slices.Max(counts[:])
}

// uniformSample tells that of literals, and that they are digits.
func uniformSample(literals []byte) bool {
	var all [256]int64
	for _, c := range literals {
		all[c]++
	}
	counts := [hexDigits]int64(slices.Concat(all['0':'9'+1], all['a':'f'+1]))
	digits := int64(0)
	for _, n := range counts {
		digits += n
	}
	return digits == int64(len(literals)) && uniform(counts)
}

// lowBits is the lowest bit of every byte.
const lowBits = 0x0101010101010101

// packDigits packs the values of eight digits, the last lowest. strange is not 0
// where one is no digit.
func packDigits(word uint64) (values uint32, strange uint64) {
	v := digitValues(word)
	strange = v&(0xf0*lowBits) | (digitsOf(v) ^ word)
	v = bits.ReverseBytes64(v)
	v = (v | v>>4) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16), strange
}

// digitValues are the values of eight digits, one in each byte. For a byte that
// is no digit it is more than 15, or the value of a digit that is another byte.
func digitValues(word uint64) uint64 {
	return word&(0x0f*lowBits) + word>>6&lowBits*9
}

// digitsOf are the digits that have such values.
func digitsOf(values uint64) uint64 {
	letters := (values + 6*lowBits) >> 4 & lowBits
	return values + '0'*lowBits + letters*('a'-'0'-10)
}
