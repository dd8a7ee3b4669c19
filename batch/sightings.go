package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
)

// sightings is a log of the hashes of all messages of a shard, in which those
// that occur twice are looked for at the end: rows of one message that claim
// to have been sent on different days escape the merging of a day. Eight
// bytes a message would follow the period, so beyond a bound they go to a
// temporary file, which has no name and vanishes with the process.
type sightings struct {
	parts [sightingParts]sightingPart
	file  *os.File // nil until something is spilled
	filed int64    // bytes in file
}

// sightingParts is the number of parts, by the upper bits of the hash: one is
// searched at a time.
const (
	sightingParts    = 64
	sightingPartBits = 6
	sightingBuffer   = 16 << 10 // hashes of a part that are held in memory
)

// sightingPart is the hashes of one part. What is spilled lies in the log's
// file in blocks of sightingBuffer hashes.
type sightingPart struct {
	held   []uint64
	blocks []int64 // where each block begins
}

// sightingBlockBytes is the size of a block.
const sightingBlockBytes = 8 * sightingBuffer

func (s *sightings) add(hash uint64) error {
	p := &s.parts[hash>>(64-sightingPartBits)]
	if len(p.held) == sightingBuffer {
		if err := s.spill(p); err != nil {
			return fmt.Errorf("spill message hashes: %w", err)
		}
	}
	p.held = append(p.held, hash)
	return nil
}

// spill moves what a part holds to the file.
func (s *sightings) spill(p *sightingPart) error {
	if s.file == nil {
		f, err := os.CreateTemp("", "waconcile-hashes-*")
		if err != nil {
			return err
		}
		if err := os.Remove(f.Name()); err != nil {
			return errors.Join(err, f.Close())
		}
		s.file = f
	}
	block := make([]byte, 0, sightingBlockBytes)
	for _, h := range p.held {
		block = binary.LittleEndian.AppendUint64(block, h)
	}
	if _, err := s.file.WriteAt(block, s.filed); err != nil {
		return err
	}
	p.blocks = append(p.blocks, s.filed)
	s.filed += sightingBlockBytes
	p.held = p.held[:0]
	return nil
}

// repeated adds to out the hashes that were added more than once.
func (s *sightings) repeated(out map[uint64]bool) error {
	for i := range s.parts {
		hashes, err := s.all(&s.parts[i])
		if err != nil {
			return fmt.Errorf("read message hashes back: %w", err)
		}
		findRepeated(hashes, out)
	}
	return nil
}

// all is every hash of a part.
func (s *sightings) all(p *sightingPart) ([]uint64, error) {
	if len(p.blocks) == 0 {
		return p.held, nil
	}
	hashes := make([]uint64, 0, len(p.blocks)*sightingBuffer+len(p.held))
	block := make([]byte, sightingBlockBytes)
	for _, at := range p.blocks {
		if _, err := io.ReadFull(io.NewSectionReader(s.file, at, sightingBlockBytes), block); err != nil {
			return nil, err
		}
		for i := 0; i < len(block); i += 8 {
			hashes = append(hashes, binary.LittleEndian.Uint64(block[i:]))
		}
	}
	return append(hashes, p.held...), nil
}

// findRepeated looks hashes up in an open-addressing table. The hash 0 marks
// a free slot; it is counted apart.
func findRepeated(hashes []uint64, out map[uint64]bool) {
	size := 1 << bits.Len(uint(2*len(hashes)))
	table, mask, zeros := make([]uint64, size), uint64(size-1), 0
	for _, h := range hashes {
		if h == 0 {
			zeros++
			continue
		}
		i := h & mask
		for table[i] != 0 && table[i] != h {
			i = (i + 1) & mask
		}
		if table[i] == h {
			out[h] = true
		}
		table[i] = h
	}
	if zeros > 1 {
		out[0] = true
	}
}

// close gives the temporary file back.
func (s *sightings) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
