package writer

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

// spool is a temporary file of this machine in which the bytes of an upload
// wait for their Commit, or those that were read back are looked at. It belongs
// to one of them. While it is written it holds a descriptor, afterwards nothing
// but its name. It is not synced: after a crash of the machine nobody asks for
// it.
type spool struct {
	file *os.File // nil once sealed
	name string
	size int64
	hash hash.Hash // of what was written
}

// newSpool makes one in dir, or in the system's directory for temporary files
// if dir is empty. Only the owner of the process may read it: it holds what
// the results hold.
func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "waconcile-upload-*")
	if err != nil {
		return nil, fmt.Errorf("temporary file in %s: %w", cmp.Or(dir, os.TempDir()), pathCause(err))
	}
	return &spool{file: f, name: f.Name(), hash: sha256.New()}, nil
}

func (s *spool) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.hash.Write(p[:n])
	s.size += int64(n)
	return n, s.failure(err)
}

// seal gives the descriptor back.
func (s *spool) seal() error {
	f := s.file
	s.file = nil
	return s.failure(f.Close())
}

// remove takes the file away. One that stays behind does no harm but to the
// disk, so that its error is nobody's concern.
func (s *spool) remove() {
	if s.file != nil {
		_ = s.file.Close()
	}
	_ = os.Remove(s.name)
}

func (s *spool) failure(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("temporary file %s: %w", s.name, pathCause(err))
}

// open reads a sealed spool from its beginning.
func (s *spool) open() (*spoolReader, error) {
	f, err := os.Open(s.name)
	if err != nil {
		return nil, s.failure(err)
	}
	return &spoolReader{spool: s, file: f, hash: sha256.New()}, nil
}

// spoolReader reads a spool once and ends in io.EOF only if it gave exactly
// the bytes that were written. So an object whose sending needs the end of its
// body does not come to be if somebody changed the file meanwhile.
type spoolReader struct {
	spool *spool
	file  *os.File
	hash  hash.Hash
}

func (r *spoolReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.hash.Write(p[:n])
	if err == io.EOF && !bytes.Equal(r.hash.Sum(nil), r.spool.hash.Sum(nil)) {
		err = errors.New("not the bytes that were written")
	}
	if err == io.EOF {
		return n, io.EOF
	}
	return n, r.spool.failure(err)
}

func (r *spoolReader) Close() error { return r.file.Close() }
