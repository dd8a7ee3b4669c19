package batch

import (
	"encoding/binary"
	"fmt"
	"slices"

	"waconcile/batch/spill"
)

// sightings is a log of the hashes of all messages of a shard, in which those
// that occur twice are looked for at the end: rows of one message that claim
// to have been sent on different days escape the merging of a day. Eight
// bytes a message would follow the period, so beyond a bound they go to a
// temporary file, which has no name and vanishes with the process.
type sightings struct {
	parts [sightingParts]sightingPart
	file  *spill.File
	block []byte // memory for what is written and read back
}

func newSightings() *sightings { return &sightings{file: spill.NewFile("waconcile-hashes-*")} }

// sightingParts is the number of parts, by the upper bits of the hash: one is
// searched at a time. An engine that folds its messages part by part (see
// reconcile.PairKey.Part) fills them one after the other.
const (
	sightingParts    = 64
	sightingPartBits = 6
	sightingBuffer   = 4 << 10 // hashes of a part that are held in memory
)

// sightingPart is the hashes of one part. What is spilled lies in the log's
// file in blocks of sightingBuffer hashes.
type sightingPart struct {
	held   []uint64
	blocks []spill.Piece
}

// add takes hashes, of which those of one part best come together.
func (s *sightings) add(hashes []uint64) error {
	for len(hashes) > 0 {
		part, n := sightingPartOf(hashes[0]), 1
		for n < len(hashes) && sightingPartOf(hashes[n]) == part {
			n++
		}
		if err := s.addTo(&s.parts[part], hashes[:n]); err != nil {
			return fmt.Errorf("message hashes: %w", err)
		}
		hashes = hashes[n:]
	}
	return nil
}

func sightingPartOf(hash uint64) int { return int(hash >> (64 - sightingPartBits)) }

func (s *sightings) addTo(p *sightingPart, hashes []uint64) error {
	for len(hashes) > 0 {
		if len(p.held) == sightingBuffer {
			if err := s.spill(p); err != nil {
				return err
			}
		}
		n := min(len(hashes), sightingBuffer-len(p.held))
		p.held = append(p.held, hashes[:n]...)
		hashes = hashes[n:]
	}
	return nil
}

// spill moves what a part holds to the file.
func (s *sightings) spill(p *sightingPart) error {
	s.block = s.block[:0]
	for _, h := range p.held {
		s.block = binary.LittleEndian.AppendUint64(s.block, h)
	}
	block, err := s.file.Write(s.block)
	if err != nil {
		return err
	}
	p.blocks = append(p.blocks, block)
	p.held = p.held[:0]
	return nil
}

// repeated adds to out the hashes that were added more than once.
func (s *sightings) repeated(out map[uint64]bool) error {
	var hashes []uint64
	var search repeatSearch
	for i := range s.parts {
		var err error
		if hashes, err = s.all(hashes[:0], &s.parts[i]); err != nil {
			return fmt.Errorf("message hashes: %w", err)
		}
		search.find(hashes, out)
	}
	return nil
}

// all appends every hash of a part to hashes.
func (s *sightings) all(hashes []uint64, p *sightingPart) ([]uint64, error) {
	hashes = slices.Grow(hashes, len(p.blocks)*sightingBuffer+len(p.held))
	for _, block := range p.blocks {
		var err error
		if s.block, err = s.file.Read(block, s.block); err != nil {
			return nil, err
		}
		for i := 0; i < len(s.block); i += 8 {
			hashes = append(hashes, binary.LittleEndian.Uint64(s.block[i:]))
		}
	}
	return append(hashes, p.held...), nil
}

// close gives the temporary file back.
func (s *sightings) close() error { return s.file.Close() }
