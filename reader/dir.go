package reader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// hashBytes is how much of a file Identify reads at a time: what is hashed then
// still lies in the processor's cache.
const hashBytes = 128 << 10

// Dir is a Source over a directory, or over one file. Symbolic links are
// followed as long as they stay inside the directory; one that leads out of
// it, or nowhere, is an error and never left out in silence.
type Dir struct {
	root *os.Root
	name string // as the caller wrote it
	file string // name under root, where the Source is one file
	key  string // its key
}

// NewDir opens a directory, or one file whose key is its base name.
func NewDir(name string) (*Dir, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, &storeError{verb: "open", where: name, err: pathCause(err)}
	}
	d := &Dir{name: name}
	place := name
	if !info.IsDir() {
		// A file that is named outright may be a link to anywhere.
		if place, err = filepath.EvalSymlinks(name); err != nil {
			return nil, &storeError{verb: "open", where: name, err: pathCause(err)}
		}
		d.key = filepath.Base(name)
		d.file = filepath.Base(place)
		place = filepath.Dir(place)
	}
	if d.root, err = os.OpenRoot(place); err != nil {
		return nil, &storeError{verb: "open", where: name, err: pathCause(err)}
	}
	return d, nil
}

// String is the path as it was given.
func (d *Dir) String() string { return d.name }

// Close gives the directory back. Files that are open stay open, but cannot
// be compared with their listing any more.
func (d *Dir) Close() error { return d.root.Close() }

// List implements Source. A prefix is compared as text: "dt=2024" has
// "dt=2024-07-01/a" below it.
func (d *Dir) List(ctx context.Context, prefix string) ([]Object, error) {
	var objects []Object
	var err error
	if d.file != "" {
		objects, err = d.listFile(prefix)
	} else {
		start := "."
		if i := strings.LastIndexByte(prefix, '/'); i > 0 {
			start = path.Clean(prefix[:i])
		}
		w := dirWalk{ctx: ctx, root: d.root, prefix: prefix}
		err = w.start(start)
		objects = w.objects
	}
	if err != nil {
		where := d.name
		if p, ok := errors.AsType[*fs.PathError](err); ok && p.Path != "." && d.file == "" {
			where = filepath.Join(d.name, p.Path)
		}
		return nil, storeFailure(ctx, "list", where, pathCause(err))
	}
	slices.SortFunc(objects, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	return objects, nil
}

func (d *Dir) listFile(prefix string) ([]Object, error) {
	info, err := d.root.Stat(d.file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if !strings.HasPrefix(d.key, prefix) {
		return nil, nil
	}
	return []Object{{Key: d.key, Size: info.Size(), Version: fileVersion(info)}}, nil
}

// Identify implements Source: the sha256 of the file's bytes. The file is
// compared with its listing before and after.
func (d *Dir) Identify(ctx context.Context, o Object) (string, error) {
	f, err := d.open(ctx, o)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{hash}, io.NewSectionReader(f, 0, o.Size), make([]byte, hashBytes))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Open implements Source.
func (d *Dir) Open(ctx context.Context, o Object) (File, error) { return d.open(ctx, o) }

func (d *Dir) open(ctx context.Context, o Object) (*dirFile, error) {
	f := &dirFile{ctx: ctx, dir: d, object: o, name: filepath.FromSlash(o.Key), where: filepath.Join(d.name, filepath.FromSlash(o.Key))}
	if d.file != "" {
		f.name, f.where = d.file, d.name
	}
	file, err := d.root.Open(f.name)
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrChanged
	}
	if err != nil {
		return nil, storeFailure(ctx, "open", f.where, pathCause(err))
	}
	f.file = file
	info, err := file.Stat()
	if err == nil && fileVersion(info) != o.Version {
		err = ErrChanged
	}
	if err != nil {
		file.Close()
		return nil, storeFailure(ctx, "open", f.where, pathCause(err))
	}
	return f, nil
}

// dirFile is a file that was as listed when it was opened.
type dirFile struct {
	ctx    context.Context
	dir    *Dir
	file   *os.File
	object Object
	name   string // under the root
	where  string // for messages
}

func (f *dirFile) Size() int64 { return f.object.Size }

// ReadAt gives bytes of the listed size only: what was appended since is not
// there, what was cut off is a change.
func (f *dirFile) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s: negative offset %d", f.where, off)
	}
	if f.ctx.Err() != nil {
		return 0, storeFailure(f.ctx, "read", f.where, nil)
	}
	left := max(f.object.Size-off, 0)
	if int64(len(p)) <= left {
		return f.readFull(p, off)
	}
	n, err := f.readFull(p[:left], off)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

func (f *dirFile) readFull(p []byte, off int64) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := f.file.ReadAt(p, off)
	switch {
	case n == len(p):
		return n, nil
	case errors.Is(err, io.EOF):
		err = ErrChanged
	}
	return n, storeFailure(f.ctx, "read", f.where, pathCause(err))
}

// Close looks at the name again, not at the open file: a file that was
// replaced by another of the same name has changed too.
func (f *dirFile) Close() error {
	info, err := f.dir.root.Stat(f.name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && fileVersion(info) != f.object.Version {
		err = ErrChanged
	}
	closeErr := f.file.Close()
	if err == nil {
		err = closeErr
	}
	if err != nil {
		return &storeError{verb: "read", where: f.where, err: pathCause(err)}
	}
	return nil
}

// fileVersion is what tells one state of a file from another as far as a Stat
// can: a copy that keeps size and modification time still differs in the time
// of its inode's change.
func fileVersion(info fs.FileInfo) string {
	return fmt.Sprintf("%d-%d-%s", info.Size(), info.ModTime().UnixNano(), inodeVersion(info))
}

// pathCause leaves out the name that the message around it gives in full.
func pathCause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
