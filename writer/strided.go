package writer

import (
	"encoding/binary"
	"math/bits"

	"github.com/klauspost/compress/huff0"
)

// A page of ids is texts of one length, with the same beginning and nothing
// else in common; a page of instants is numbers of which the upper bytes are
// the same. A zstd encoder looks for matches at every byte of them, finds what
// is the same again and again, and that takes most of the time of writing
// charges. The frames that are made here say outright what there is to find, in
// the form of RFC 8878: sequences of so many literals and a match with the
// value before, which are the same for every value. What is left is coded by
// frequency alone.

// stride is the form of a page: some bytes, and then, again and again, others
// and match bytes that are those of length bytes before.
type stride struct{ prefix, length, match int }

// The values that a frame can say in this way.
const (
	strideValues    = 64 // fewer are not worth it
	strideMatchMin  = 3  // the least that a match has
	strideTailMin   = 8  // of a text: where less is left the usual encoder says it shorter
	strideLengthMax = 64 << 10
	strideSameMin   = 4 // bytes of a number
)

// strideOfTexts is the form of texts in plain encoding; ok is false where they
// have none.
func strideOfTexts(page []byte) (s stride, ok bool) {
	if len(page) < textHead {
		return s, false
	}
	s.length = textHead + int(binary.LittleEndian.Uint32(page))
	if s.length < strideMatchMin+strideTailMin || s.length > strideLengthMax || len(page)%s.length != 0 || len(page)/s.length < strideValues {
		return s, false
	}
	first, same := page[:s.length], s.length
	for value := page[s.length:]; len(value) > 0; value = value[s.length:] {
		if binary.LittleEndian.Uint32(value) != binary.LittleEndian.Uint32(first) {
			return s, false
		}
		for value[same-1] != first[same-1] || string(value[:same]) != string(first[:same]) {
			same--
		}
	}
	s.prefix, s.match = same, same
	return s, s.length-same >= strideTailMin
}

// strideOfNumbers is the form of a page of numbers of eight bytes behind
// levels.
func strideOfNumbers(page []byte, levels int) (s stride, ok bool) {
	const width = 8
	values := page[levels:]
	if len(values)/width < strideValues {
		return s, false
	}
	first, differs := binary.LittleEndian.Uint64(values), uint64(0)
	for at := width; at < len(values); at += width {
		differs |= binary.LittleEndian.Uint64(values[at:]) ^ first
	}
	same := bits.LeadingZeros64(differs) / 8 // the upper bytes are the last
	return stride{prefix: levels + width, length: width, match: same}, same >= strideSameMin && same < width
}

// strideEncoder makes frames. It belongs to one goroutine.
type strideEncoder struct {
	huffman  huff0.Scratch
	hex      hexCoder
	literals []byte
	block    []byte
}

// The parts of a frame, by RFC 8878.
const (
	frameMagic      = 0xFD2FB528
	frameHeader     = 0xA0 // one segment, its size in four bytes, no checksum
	blockMax        = 128 << 10
	rawBlock        = 0
	compressedBlock = 2
	blockHeaderSize = 3
)

// appendFrame appends a frame with a page of such a form.
func (e *strideEncoder) appendFrame(b, page []byte, s stride) []byte {
	b = binary.LittleEndian.AppendUint32(b, frameMagic)
	b = append(b, frameHeader)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(page)))
	b = appendRaw(b, page[:s.prefix], false)
	perBlock := max(1, blockMax/s.length) * s.length
	for rest := page[s.prefix:]; len(rest) > 0; {
		content := rest[:min(perBlock, len(rest))]
		rest = rest[len(content):]
		last := len(rest) == 0
		e.encode(content, s)
		if len(e.block) < len(content) {
			b = appendBlock(b, e.block, compressedBlock, len(e.block), last)
		} else {
			b = appendRaw(b, content, last)
		}
	}
	return b
}

func appendBlock(b, content []byte, kind, size int, last bool) []byte {
	header := uint32(size)<<3 | uint32(kind)<<1
	if last {
		header |= 1
	}
	b = append(b, byte(header), byte(header>>8), byte(header>>16))
	return append(b, content...)
}

// appendRaw appends content as it is.
func appendRaw(b, content []byte, last bool) []byte {
	for len(content) > blockMax {
		b = appendBlock(b, content[:blockMax], rawBlock, blockMax, false)
		content = content[blockMax:]
	}
	return appendBlock(b, content, rawBlock, len(content), last)
}

// encode fills e.block with a compressed block: of each value what is its own
// as literals, and a match. The last may end without one.
func (e *strideEncoder) encode(content []byte, s stride) {
	e.literals = e.literals[:0]
	sequences, own := len(content)/s.length, s.length-s.match
	for i := range sequences {
		at := i * s.length
		e.literals = append(e.literals, content[at:at+own]...)
	}
	e.literals = append(e.literals, content[sequences*s.length:]...)
	e.block = e.appendLiterals(e.block[:0])
	e.block = appendSequences(e.block, s, sequences)
}

// The kinds of literals, and the forms in which their sizes stand.
const (
	rawLiterals     = 0
	huffmanLiterals = 2

	rawSmall, rawMiddle, rawLarge = 0, 1, 3 // sizes of 5, 12 and 20 bits
	huffmanMiddle, huffmanLarge   = 2, 3    // two sizes of 14 and of 18 bits
)

// appendLiterals codes the literals by their frequency, or takes them as they
// are where that is shorter.
func (e *strideEncoder) appendLiterals(b []byte) []byte {
	coded, err := e.compressLiterals()
	size := uint64(len(e.literals))
	if err != nil { // incompressible, or one byte again and again
		switch {
		case size < 1<<5:
			b = append(b, byte(rawLiterals|rawSmall<<2|size<<3))
		case size < 1<<12:
			b = binary.LittleEndian.AppendUint16(b, uint16(rawLiterals|rawMiddle<<2|size<<4))
		default:
			b = append(b, byte(rawLiterals|rawLarge<<2|size<<4), byte(size>>4), byte(size>>12))
		}
		return append(b, e.literals...)
	}
	if size < 1<<14 {
		b = binary.LittleEndian.AppendUint32(b, uint32(huffmanLiterals|huffmanMiddle<<2|size<<4|uint64(len(coded))<<18))
	} else {
		header := huffmanLiterals | huffmanLarge<<2 | size<<4 | uint64(len(coded))<<22
		b = binary.LittleEndian.AppendUint32(b, uint32(header))
		b = append(b, byte(header>>32))
	}
	return append(b, coded...)
}

// compressLiterals gives the literals in Huffman codes behind a table of these.
func (e *strideEncoder) compressLiterals() (coded []byte, err error) {
	if coded, ok := e.hex.code(e.literals); ok {
		return coded, nil
	}
	e.huffman.Reuse = huff0.ReusePolicyNone
	coded, _, err = huff0.Compress4X(e.literals, &e.huffman)
	return coded, err
}

// oneSymbol says that codes of literal lengths, offsets and match lengths are
// each the same in all sequences, and stand there once.
const oneSymbol = 1<<6 | 1<<4 | 1<<2

// appendSequences appends n sequences, which differ in nothing: so many
// literals, and a match so far back, of so many bytes.
func appendSequences(b []byte, s stride, n int) []byte {
	switch {
	case n == 0:
		return append(b, 0)
	case n < 128:
		b = append(b, byte(n))
	default: // never more than 16384, since a stride is eight bytes or more
		b = append(b, byte(n>>8)+128, byte(n))
	}
	literals, literalBits, literalRest := lengthCode(s.length-s.match, literalsDirect)
	match, matchBits, matchRest := lengthCode(s.match-strideMatchMin, matchDirect)
	const repeatOffsets = 3
	offset := uint64(s.length + repeatOffsets)
	offsetBits := bits.Len64(offset) - 1
	b = append(b, oneSymbol, literals, byte(offsetBits), match)
	// The bits are read from the end: of each sequence first those of the offset.
	one := literalRest | matchRest<<literalBits | (offset-1<<offsetBits)<<(literalBits+matchBits)
	width := literalBits + matchBits + offsetBits
	w, start := bitAppender{out: b}, len(b)
	const lot = 8 // sequences, of which the bits are whole bytes
	for range min(n, lot) {
		w.append(one, width)
	}
	if n >= lot {
		packed := w.out[start:]
		for range n/lot - 1 {
			w.out = append(w.out, packed...)
		}
		for range n % lot {
			w.append(one, width)
		}
	}
	return w.end()
}

// The numbers below these are their own codes.
const (
	literalsDirect = 16
	matchDirect    = 32
)

// lengthCode is how a length is said: by a code, and by the rest beyond what
// the code stands for, in so many bits.
func lengthCode(n, direct int) (code byte, width int, rest uint64) {
	if n < direct {
		return byte(n), 0, 0
	}
	widths := []int{1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	if direct == matchDirect {
		widths = []int{1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	}
	base := direct
	for i, width := range widths {
		if n < base+1<<width {
			return byte(direct + i), width, uint64(n - base)
		}
		base += 1 << width
	}
	panic("longer than a stride")
}

// bitAppender appends numbers of some bits each, from the lowest bit on.
type bitAppender struct {
	out  []byte
	word uint64
	bits int
}

func (w *bitAppender) append(number uint64, width int) {
	w.word |= number << w.bits
	for w.bits += width; w.bits >= 8; w.bits -= 8 {
		w.out = append(w.out, byte(w.word))
		w.word >>= 8
	}
}

// end puts the mark behind the last bit.
func (w *bitAppender) end() []byte {
	return append(w.out, byte(w.word|1<<w.bits))
}
