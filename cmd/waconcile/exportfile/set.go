package exportfile

import (
	"context"
	"sync"
)

// Set is the files of one export. It lends writers to goroutines and adds up
// what they wrote.
type Set[R any] struct {
	idle sync.Pool

	mu    sync.Mutex
	files int
	bytes int64
}

// NewSet makes a set of files. Each writer has columns of its own, since the
// fields of a schema belong to one; what their functions read is shared.
func NewSet[R any](columns func() []Column[R]) *Set[R] {
	return &Set[R]{idle: sync.Pool{New: func() any { return &writer[R]{columns: columns()} }}}
}

// Write makes one file.
func (s *Set[R]) Write(ctx context.Context, path string, rows []R) error {
	w := s.idle.Get().(*writer[R])
	defer s.idle.Put(w)
	size, err := w.write(ctx, path, rows)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files++
	s.bytes += size
	return err
}

// Written is how many files there are, and their size.
func (s *Set[R]) Written() (files int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files, s.bytes
}
