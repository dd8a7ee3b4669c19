package writer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
)

// content is an object that was read whole, to be looked at in any order
// without asking its store a second time where that is a network. It belongs
// to one goroutine, which ends it by release.
type content struct {
	io.ReaderAt
	size   int64
	sha256 string
	watch  *watchedReader // where ReaderAt is the store's
	spool  *spool         // where it is a temporary file
	file   *os.File
}

// inMemoryMax is the size up to which an object is kept in memory.
const inMemoryMax = 8 << 20

// fetcher is a Stored for which each ReadAt is a question to another machine.
type fetcher interface {
	fetchTo(w io.Writer) error
	fetchToDisk() (*spool, error) // for what is too large for memory
}

// fetch reads an object once, and hashes it. A small one stays in memory; a
// large one is read again from its store if that is local, or else from a
// temporary file. f has to stay open until the content is released.
func fetch(f Stored) (*content, error) {
	remote, isRemote := f.(fetcher)
	switch {
	case f.Size() <= inMemoryMax:
		return fetchToMemory(f)
	case isRemote:
		return fetchToDisk(remote)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f, 0, f.Size())); err != nil {
		return nil, err
	}
	watch := &watchedReader{ReaderAt: f}
	return &content{ReaderAt: watch, watch: watch, size: f.Size(), sha256: hex.EncodeToString(hash.Sum(nil))}, nil
}

func fetchToMemory(f Stored) (*content, error) {
	var data bytes.Buffer
	data.Grow(int(f.Size()))
	var err error
	if remote, ok := f.(fetcher); ok {
		err = remote.fetchTo(&data)
	} else {
		_, err = io.Copy(&data, io.NewSectionReader(f, 0, f.Size()))
	}
	if err != nil {
		return nil, err
	}
	return &content{ReaderAt: bytes.NewReader(data.Bytes()), size: int64(data.Len()), sha256: sha256Hex(data.Bytes())}, nil
}

func fetchToDisk(remote fetcher) (*content, error) {
	s, err := remote.fetchToDisk()
	if err != nil {
		return nil, err
	}
	file, err := os.Open(s.name)
	if err != nil {
		s.remove()
		return nil, &storeError{verb: "open", where: s.name, err: pathCause(err)}
	}
	return &content{ReaderAt: file, size: s.size, sha256: hex.EncodeToString(s.hash.Sum(nil)), spool: s, file: file}, nil
}

// release gives back what the content holds, and the error that a store gave
// while it was looked at: the reader of tables hides those.
func (c *content) release() error {
	if c.spool != nil {
		_ = c.file.Close() // it was only read
		c.spool.remove()
	}
	if c.watch != nil {
		return c.watch.err
	}
	return nil
}

// watchedReader keeps the first error of a store.
type watchedReader struct {
	io.ReaderAt
	err error
}

func (w *watchedReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) && w.err == nil {
		w.err = err
	}
	return n, err
}
