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
// bytes a message would follow the period, so beyond a bound they go to
// temporary files, which have no name and vanish with the process.
type sightings struct {
	parts [sightingParts]sightingPart
}

// sightingParts is the number of parts, by the upper bits of the hash: one is
// searched at a time.
const (
	sightingParts    = 64
	sightingPartBits = 6
	sightingBuffer   = 16 << 10 // hashes of a part that are held in memory
)

type sightingPart struct {
	held  []uint64
	file  *os.File
	filed int
}

func (s *sightings) add(hash uint64) error {
	p := &s.parts[hash>>(64-sightingPartBits)]
	if len(p.held) == sightingBuffer {
		if err := p.spill(); err != nil {
			return fmt.Errorf("spill message hashes: %w", err)
		}
	}
	p.held = append(p.held, hash)
	return nil
}

func (p *sightingPart) spill() error {
	if p.file == nil {
		f, err := os.CreateTemp("", "waconcile-hashes-*")
		if err != nil {
			return err
		}
		if err := os.Remove(f.Name()); err != nil {
			return errors.Join(err, f.Close())
		}
		p.file = f
	}
	text := make([]byte, 0, 8*len(p.held))
	for _, h := range p.held {
		text = binary.LittleEndian.AppendUint64(text, h)
	}
	if _, err := p.file.Write(text); err != nil {
		return err
	}
	p.filed += len(p.held)
	p.held = p.held[:0]
	return nil
}

// repeated adds to out the hashes that were added more than once.
func (s *sightings) repeated(out map[uint64]bool) error {
	for i := range s.parts {
		hashes, err := s.parts[i].all()
		if err != nil {
			return fmt.Errorf("read message hashes back: %w", err)
		}
		findRepeated(hashes, out)
	}
	return nil
}

// all is every hash of the part.
func (p *sightingPart) all() ([]uint64, error) {
	if p.file == nil {
		return p.held, nil
	}
	text := make([]byte, 8*p.filed)
	if _, err := io.ReadFull(io.NewSectionReader(p.file, 0, int64(len(text))), text); err != nil {
		return nil, err
	}
	hashes := make([]uint64, 0, p.filed+len(p.held))
	for ; len(text) > 0; text = text[8:] {
		hashes = append(hashes, binary.LittleEndian.Uint64(text))
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

// close gives the temporary files back.
func (s *sightings) close() error {
	var errs []error
	for i := range s.parts {
		if f := s.parts[i].file; f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
