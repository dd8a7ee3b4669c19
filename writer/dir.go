package writer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
)

const (
	tempDir = ".tmp"          // of files that are not finished (contract)
	lockKey = "current/.lock" // held by the conditional write of a pointer (contract)
)

// Dir is a Target in a local directory, for one or more processes on one
// machine. What follows is the order of its system calls and what a crash
// after each leaves. A crash may be that of the process or of the machine.
//
// Create and Write, Seal, Commit:
//
//	mkdir .tmp                     an empty directory
//	open .tmp/x (O_EXCL), write    a temporary file, of no name that is ever read
//
//	fsync .tmp/x, close            the same, complete; it waits without a descriptor
//
//	mkdir each parent of the key,
//	fsync the directory it is in   empty directories
//	rename .tmp/x to the key       the object; a crash of the machine may still undo the rename
//	fsync the key's directory      the object, for good
//
// Put without a version is the same with link in place of rename, which
// refuses a name that exists, and an unlink of .tmp/x at the end; a crash
// before that leaves a second name of the finished file.
//
// Put with a version:
//
//	open current/.lock, flock      an empty lock file; the lock ends with the process
//	read the key, compare          nothing
//	write .tmp/x, fsync, rename,
//	fsync as above                 as above: the old pointer or the new one, never a part
//	close current/.lock            nothing
//
// Temporary files that a crash left are never read, reused or waited for, and
// no run removes those of another. An error of fsync is an error of Commit or
// Put, after which the object may be there.
type Dir struct {
	name string

	mu      sync.Mutex
	root    *os.Root        // nil until something is written or found
	durable map[string]bool // directories whose own entry this process has synced
}

// NewDir makes a Target of a directory, which need not exist: the first write
// makes it, and reading does not.
func NewDir(name string) (*Dir, error) {
	info, err := os.Stat(name)
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &storeError{verb: "open", where: name, err: pathCause(err)}
	}
	return &Dir{name: name, durable: map[string]bool{}}, nil
}

// String is the path as it was given.
func (d *Dir) String() string { return d.name }

// Close gives the directory back, after the last use of the Target.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root == nil {
		return nil
	}
	return d.root.Close()
}

func (d *Dir) path(key string) string { return filepath.Join(d.name, filepath.FromSlash(key)) }

// open returns the root, which it makes if asked to.
func (d *Dir) open(make bool) (*os.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.root != nil {
		return d.root, nil
	}
	if make {
		if err := mkdirAllDurable(d.name); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(d.name)
	if err != nil {
		return nil, err
	}
	d.root = root
	return root, nil
}

// Probe writes and removes a temporary file, so that a directory that cannot
// be written to is known before the work is done.
func (d *Dir) Probe(ctx context.Context) error {
	t, err := d.temp()
	if err != nil {
		return storeFailure(ctx, "write to", d.name, pathCause(err))
	}
	defer t.remove()
	if err := errors.Join(t.file.Sync(), t.file.Close()); err != nil {
		return storeFailure(ctx, "write to", d.name, pathCause(err))
	}
	return nil
}

// Create implements Target.
func (d *Dir) Create(ctx context.Context, key string) (Upload, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, storeFailure(ctx, "create", d.path(key), nil)
	}
	t, err := d.temp()
	if err != nil {
		return nil, storeFailure(ctx, "create", d.path(key), pathCause(err))
	}
	return &dirUpload{ctx: ctx, dir: d, key: key, temp: t}, nil
}

// Put implements Target.
func (d *Dir) Put(ctx context.Context, key string, data []byte, cond Condition) error {
	if err := checkKey(key); err != nil {
		return err
	}
	var err error
	if cond.Version == "" {
		err = d.putNew(ctx, key, data)
	} else {
		err = d.replace(ctx, key, data, cond.Version)
	}
	if err != nil {
		return storeFailure(ctx, "put", d.path(key), pathCause(err))
	}
	return nil
}

func (d *Dir) putNew(ctx context.Context, key string, data []byte) error {
	return d.place(ctx, key, data, func(root *os.Root, temp string) error {
		err := root.Link(temp, filepath.FromSlash(key))
		if errors.Is(err, fs.ErrExist) {
			return ErrConflict
		}
		return err
	})
}

func (d *Dir) replace(ctx context.Context, key string, data []byte, version string) error {
	unlock, err := d.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	_, now, err := d.Get(ctx, key)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now != version {
		return ErrConflict
	}
	if err != nil {
		return err
	}
	return d.place(ctx, key, data, func(root *os.Root, temp string) error {
		return root.Rename(temp, filepath.FromSlash(key))
	})
}

// place makes a durable temporary file of data, gives it its name by put, and
// makes that durable.
func (d *Dir) place(ctx context.Context, key string, data []byte, put func(root *os.Root, temp string) error) error {
	t, err := d.temp()
	if err != nil {
		return err
	}
	defer t.remove() // gone already after a rename
	if _, err := t.file.Write(data); err != nil {
		t.file.Close()
		return err
	}
	if err := errors.Join(t.file.Sync(), t.file.Close()); err != nil {
		return err
	}
	parent := path.Dir(key)
	if err := d.mkdirDurable(t.root, parent); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := put(t.root, t.name); err != nil {
		return err
	}
	return syncDir(t.root, parent)
}

// Get implements Target. The version is the sha256 of the bytes.
func (d *Dir) Get(ctx context.Context, key string) ([]byte, string, error) {
	if err := checkKey(key); err != nil {
		return nil, "", err
	}
	f, err := d.openKey(ctx, "get", key)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	data, err := io.ReadAll(f.File)
	if err != nil {
		return nil, "", storeFailure(ctx, "get", d.path(key), pathCause(err))
	}
	sum := sha256.Sum256(data)
	return data, hex.EncodeToString(sum[:]), nil
}

// Open implements Target.
func (d *Dir) Open(ctx context.Context, key string) (Stored, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return d.openKey(ctx, "open", key)
}

func (d *Dir) openKey(ctx context.Context, verb, key string) (*dirStored, error) {
	if ctx.Err() != nil {
		return nil, storeFailure(ctx, verb, d.path(key), nil)
	}
	f, info, err := d.openFile(key)
	if errors.Is(err, fs.ErrNotExist) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, storeFailure(ctx, verb, d.path(key), pathCause(err))
	}
	return &dirStored{File: f, size: info.Size()}, nil
}

func (d *Dir) openFile(key string) (*os.File, fs.FileInfo, error) {
	root, err := d.open(false)
	if err != nil {
		return nil, nil, err
	}
	f, err := root.Open(filepath.FromSlash(key))
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// dirStored stays the file that it was when it was opened, whatever is renamed
// over its name.
type dirStored struct {
	*os.File
	size int64
}

func (f *dirStored) Size() int64 { return f.size }

// tempFile is a file under .tmp that belongs to one writer.
type tempFile struct {
	root *os.Root
	file *os.File // nil once its upload is sealed
	name string
}

func (d *Dir) temp() (*tempFile, error) {
	root, err := d.open(true)
	if err != nil {
		return nil, err
	}
	if err := root.Mkdir(tempDir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	name := filepath.Join(tempDir, rand.Text())
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return &tempFile{root: root, file: f, name: name}, nil
}

// remove takes away a temporary file of one's own. One that stays behind does
// no harm, so that its error is nobody's concern.
func (t *tempFile) remove() { _ = t.root.Remove(t.name) }

// pathCause leaves out the names that the message around it gives in full.
func pathCause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return fmt.Errorf("%s: %w", l.Op, l.Err)
	}
	return err
}
