package reader

import (
	"fmt"
	"io"
)

// streamBytes is the most that a byteStream reads ahead of what it is asked for.
// Every column that is decoded has one, and all of them should stay in the
// processor's cache.
const streamBytes = 256 << 10

// byteStream reads a range of a file from beginning to end. Its memory is kept
// from one range to the next.
type byteStream struct {
	r          io.ReaderAt
	next, end  int64  // of the file: not yet in buf, and beyond the range
	buf        []byte // memory
	begin, lim int    // of buf: read but not yet taken
}

func (s *byteStream) reset(r io.ReaderAt, start, end int64) {
	s.r, s.next, s.end = r, start, end
	s.begin, s.lim = 0, 0
}

// left is the number of bytes of the range not yet taken.
func (s *byteStream) left() int64 { return int64(s.lim-s.begin) + s.end - s.next }

// peek is the next n bytes, or all that are left where there are fewer. They
// are valid until the next peek.
func (s *byteStream) peek(n int) ([]byte, error) {
	n = int(min(int64(n), s.left()))
	if s.lim-s.begin < n {
		if err := s.fill(n); err != nil {
			return nil, err
		}
	}
	return s.buf[s.begin : s.begin+n : s.begin+n], nil
}

// take is the next n bytes, which must be left, and moves beyond them.
func (s *byteStream) take(n int) ([]byte, error) {
	if int64(n) > s.left() {
		return nil, fmt.Errorf("%w: %d bytes wanted where %d are left of the column", errDamaged, n, s.left())
	}
	p, err := s.peek(n)
	s.begin += len(p)
	return p, err
}

// fill reads on until n bytes, which are left, lie in buf.
func (s *byteStream) fill(n int) error {
	have := s.lim - s.begin
	want := int(min(max(int64(n), streamBytes), int64(have)+s.end-s.next))
	if len(s.buf) < want {
		grown := make([]byte, want)
		copy(grown, s.buf[s.begin:s.lim])
		s.buf = grown
	} else {
		copy(s.buf, s.buf[s.begin:s.lim])
	}
	s.begin, s.lim = 0, have
	p := s.buf[have:want]
	if err := readFull(s.r, p, s.next); err != nil {
		return err
	}
	s.lim = want
	s.next += int64(len(p))
	return nil
}

// skip moves beyond n bytes that were peeked.
func (s *byteStream) skip(n int) { s.begin += n }
