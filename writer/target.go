package writer

import (
	"context"
	"errors"
	"io"
	"time"
)

// Target is a place that results go to: a directory or a prefix of a bucket.
// Keys are relative to it, with forward slashes. A Target may be used by many
// goroutines. Nothing is ever deleted through it but what a writer of its own
// abandoned before it became visible; see Remover.
type Target interface {
	// Create starts an immutable object. Nothing is visible under key before
	// Commit has returned nil. An object of that key that exists already is
	// replaced by the new bytes in one step: two runs that write one key write
	// the same bytes.
	Create(ctx context.Context, key string) (Upload, error)

	// Put writes a small object in one step if cond holds, and otherwise
	// returns an error matching ErrConflict and leaves what is there.
	Put(ctx context.Context, key string, data []byte, cond Condition) error

	// Get reads a small object and its version, for Put. It matches
	// fs.ErrNotExist where there is none.
	Get(ctx context.Context, key string) (data []byte, version string, err error)

	// Open opens an object for reading back. It matches fs.ErrNotExist where
	// there is none.
	Open(ctx context.Context, key string) (Stored, error)
}

// Listed is one object of a listing.
type Listed struct {
	Key      string
	Size     int64     // bytes
	Modified time.Time // when it was last written, by the clock of the place
}

// Lister tells what a place holds.
type Lister interface {
	// List gives all objects whose key begins with prefix, which is empty or
	// ends in "/", in the byte order of their keys. Keys that Target would not
	// take are left out: temporary files, the lock of a directory, what others
	// left there under odd names. Where there is nothing the list is empty.
	List(ctx context.Context, prefix string) ([]Listed, error)
}

// Remover takes objects away, for the collection of what no reader takes for
// a run. No run removes anything.
type Remover interface {
	// Remove makes that there is no object of that key, for good. It returns
	// nil where there was none.
	Remove(ctx context.Context, key string) error
}

// Store is what a run publishes to and finds earlier results in.
type Store interface {
	Target
	Lister
}

// Upload is an object being written, by one goroutine at a time. It ends in
// Commit or Abort; Abort after Commit does nothing, so it may be deferred. The
// end of the context of Create ends all of it.
type Upload interface {
	io.Writer
	// Seal ends the writing: afterwards nothing of the upload is held open or
	// in memory, and only Commit or Abort may follow. Commit seals what is not
	// sealed.
	Seal() error
	// Commit makes the object visible and durable. After an error the object
	// may or may not be there; it is never there in part.
	Commit(ctx context.Context) error
	// Abort gives up what was written.
	Abort()
}

// Stored is an object opened for reading back.
type Stored interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Condition says when a Put may take place. The zero value is "only if there
// is no such object".
type Condition struct {
	// Version is what Get returned: the object must still be that one.
	Version string
}

// ErrConflict is matched by the error of a Put whose condition did not hold.
var ErrConflict = errors.New("another writer was first")
