package writer

import (
	"encoding/binary"
)

// The numbers of a packed run come in groups of eight, of which a run has at
// most packedGroupsMax: the header then fits the one byte that is kept for it.
const (
	packedGroup     = 8
	packedGroupsMax = 63
)

// appendHybrid appends numbers of width bits in the encoding that hybridRuns
// reads. Eight equal numbers or more from the beginning of a group on are a
// repetition, everything else is packed, and the last group is filled up with
// zeros: the choices that arrow makes, so that the bytes do not tell who wrote
// them.
func appendHybrid(b []byte, numbers []uint32, width int) []byte {
	p := hybridPacker{out: b, width: width, header: noHeader}
	for len(numbers) >= packedGroup {
		if n := repeats(numbers); n >= packedGroup {
			p.repeat(numbers[0], n)
			numbers = numbers[n:]
			continue
		}
		p.pack((*[packedGroup]uint32)(numbers))
		numbers = numbers[packedGroup:]
	}
	switch n := len(numbers); {
	case n == 0:
		p.end()
	case p.header == noHeader && repeats(numbers) == n:
		p.repeat(numbers[0], n)
	default:
		var last [packedGroup]uint32
		copy(last[:], numbers)
		p.pack(&last)
		p.end()
	}
	return p.out
}

// repeats is how many numbers at the beginning are equal.
func repeats(numbers []uint32) int {
	first, n := numbers[0], 1
	for n < len(numbers) && numbers[n] == first {
		n++
	}
	return n
}

type hybridPacker struct {
	out    []byte
	width  int
	header int // where the header of the packed run that is open stands, or noHeader
	groups int // in that run
}

const noHeader = -1

func (p *hybridPacker) repeat(number uint32, count int) {
	p.end()
	p.out = binary.AppendUvarint(p.out, uint64(count)<<1)
	for bit := 0; bit < p.width; bit += 8 {
		p.out = append(p.out, byte(number>>bit))
	}
}

func (p *hybridPacker) pack(group *[packedGroup]uint32) {
	if p.header == noHeader {
		p.header = len(p.out)
		p.out = append(p.out, 0)
	}
	var word uint64
	bits := 0
	for _, number := range group {
		word |= uint64(number) << bits
		if bits += p.width; bits >= 32 {
			p.out = binary.LittleEndian.AppendUint32(p.out, uint32(word))
			word >>= 32
			bits -= 32
		}
	}
	for ; bits > 0; bits -= 8 {
		p.out = append(p.out, byte(word))
		word >>= 8
	}
	if p.groups++; p.groups == packedGroupsMax {
		p.end()
	}
}

// end closes a packed run.
func (p *hybridPacker) end() {
	if p.header != noHeader {
		p.out[p.header] = byte(p.groups<<1 | 1)
	}
	p.header, p.groups = noHeader, 0
}
