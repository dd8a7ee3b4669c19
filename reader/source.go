package reader

import (
	"context"
	"errors"
	"io"
)

// Source is a place that objects are read from: a directory, one file, or a
// prefix of a bucket. Keys are relative to it, with forward slashes. A Source
// may be used by many goroutines.
type Source interface {
	// List returns the objects below prefix in byte order of their keys. It
	// returns all of them or an error; a prefix under which nothing lies gives
	// none and no error, but a place that does not exist or may not be read is
	// an error. Keys that end in "/" are not objects.
	List(ctx context.Context, prefix string) ([]Object, error)

	// Identify returns what the bytes of an object are known by: the ETag in
	// S3, the sha256 in hex of what lies in a directory. It matches ErrChanged
	// where the object is no longer the one that was listed.
	Identify(ctx context.Context, o Object) (string, error)

	// Open pins an object: every read gives bytes of the object as it was
	// listed, or fails with an error that matches ErrChanged.
	Open(ctx context.Context, o Object) (File, error)

	// String is the place as a person would write it, for messages.
	String() string
}

// Object is one listed object.
type Object struct {
	Key     string // relative to the Source
	Size    int64
	Version string // what Open pins: an ETag, or size and times of a file; never published
}

// File is an open object. ReadAt may be called by several goroutines at once
// and obeys io.ReaderAt: fewer bytes than asked come with an error. The
// context of Open bounds every read.
type File interface {
	io.ReaderAt
	Size() int64
	// Close ends the reading. It matches ErrChanged where the object changed
	// since it was listed, so that its caller must not use what it read.
	Close() error
}

// ErrChanged is matched by errors about an object that changed while it was
// being read.
var ErrChanged = errors.New("object changed while it was read")
