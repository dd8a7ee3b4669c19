package spill

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"waconcile/writer"

	"github.com/cespare/xxhash/v2"
)

// ErrDamaged is matched where the temporary file does not have what was
// written to it. All errors of a File match writer.ErrStore.
var ErrDamaged = errors.New("temporary file damaged")

// File is a temporary file without a name. Many goroutines may use it at once.
type File struct {
	pattern string

	mu   sync.Mutex
	file *os.File // nil until something is written
	size int64
}

// Piece is something that was written to a File.
type Piece struct {
	at   int64
	size int64
	sum  uint64
}

// NewFile makes a file, which appears once something is written to it, in the
// directory for temporary files; pattern is that of os.CreateTemp.
func NewFile(pattern string) *File { return &File{pattern: pattern} }

// Write appends data.
func (f *File) Write(data []byte) (Piece, error) {
	file, at, err := f.reserve(int64(len(data)))
	if err == nil {
		_, err = file.WriteAt(data, at)
	}
	if err != nil {
		return Piece{}, fmt.Errorf("spill: %w: %w", writer.ErrStore, err)
	}
	return Piece{at: at, size: int64(len(data)), sum: xxhash.Sum64(data)}, nil
}

// reserve finds the place of a new piece.
func (f *File) reserve(size int64) (file *os.File, at int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		if f.file, err = nameless(f.pattern); err != nil {
			return nil, 0, err
		}
	}
	at = f.size
	f.size += size
	return f.file, at, nil
}

func nameless(pattern string) (*os.File, error) {
	file, err := os.CreateTemp("", pattern)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// Read reads a piece into buf, if that has room for it, or else into memory of
// its own.
func (f *File) Read(p Piece, buf []byte) ([]byte, error) {
	if int64(cap(buf)) < p.size {
		buf = make([]byte, p.size)
	}
	buf = buf[:p.size]
	_, err := io.ReadFull(io.NewSectionReader(f.opened(), p.at, p.size), buf)
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("%w: it is cut short", ErrDamaged)
	case err == nil && xxhash.Sum64(buf) != p.sum:
		err = fmt.Errorf("%w: %d bytes at %d are not those that were written", ErrDamaged, p.size, p.at)
	}
	if err != nil {
		return nil, fmt.Errorf("read back what was spilled: %w: %w", writer.ErrStore, err)
	}
	return buf, nil
}

func (f *File) opened() *os.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file
}

// Size is how many bytes were written.
func (f *File) Size() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// Close gives the file back.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}
