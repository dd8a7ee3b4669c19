package readertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"waconcile/reader"
)

// Mem is a reader.Source in memory, used by any number of goroutines. The
// zero value is empty and ready.
type Mem struct {
	// OnRead, where set before the first Open, is asked before every read;
	// an error it returns is the error of that read. It may be called by
	// several goroutines at once.
	OnRead func(key string, off int64, length int) error
	// OnList, where set before the first List, is asked before every listing.
	OnList func(prefix string) error

	mu      sync.Mutex
	objects map[string]memObject
	puts    int
}

type memObject struct {
	data    []byte
	version string
}

// Put makes or replaces an object. An object that was open before is changed
// from then on. data belongs to the Mem.
func (m *Mem) Put(key string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = make(map[string]memObject)
	}
	m.puts++
	m.objects[key] = memObject{data, strconv.Itoa(m.puts)}
}

// Remove takes an object away.
func (m *Mem) Remove(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
}

// List implements reader.Source.
func (m *Mem) List(ctx context.Context, prefix string) ([]reader.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if m.OnList != nil {
		if err := m.OnList(prefix); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var listed []reader.Object
	for key, o := range m.objects {
		if strings.HasPrefix(key, prefix) && !strings.HasSuffix(key, "/") {
			listed = append(listed, reader.Object{Key: key, Size: int64(len(o.data)), Version: o.version})
		}
	}
	slices.SortFunc(listed, func(a, b reader.Object) int { return strings.Compare(a.Key, b.Key) })
	return listed, nil
}

// Stat is the object of a key as List would give it, or an error that
// matches fs.ErrNotExist.
func (m *Mem) Stat(key string) (reader.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.objects[key]
	if !ok {
		return reader.Object{}, fmt.Errorf("stat %s: %w", key, fs.ErrNotExist)
	}
	return reader.Object{Key: key, Size: int64(len(o.data)), Version: o.version}, nil
}

// Identify implements reader.Source: the sha256 in hex, as a directory gives.
func (m *Mem) Identify(ctx context.Context, o reader.Object) (string, error) {
	data, err := m.pinned(ctx, o)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Open implements reader.Source.
func (m *Mem) Open(ctx context.Context, o reader.Object) (reader.File, error) {
	data, err := m.pinned(ctx, o)
	if err != nil {
		return nil, err
	}
	return &memFile{mem: m, ctx: ctx, object: o, data: data}, nil
}

func (m *Mem) String() string { return "memory" }

// pinned is the data of o as it was listed.
func (m *Mem) pinned(ctx context.Context, o reader.Object) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now, ok := m.objects[o.Key]
	if !ok || now.version != o.Version {
		return nil, fmt.Errorf("open %s: %w", o.Key, reader.ErrChanged)
	}
	return now.data, nil
}

type memFile struct {
	mem    *Mem
	ctx    context.Context // of Open, which bounds the reads
	object reader.Object
	data   []byte
}

func (f *memFile) Size() int64 { return int64(len(f.data)) }

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	if f.mem.OnRead != nil {
		if err := f.mem.OnRead(f.object.Key, off, len(p)); err != nil {
			return 0, err
		}
	}
	if off < 0 || off > int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Close() error {
	_, err := f.mem.pinned(context.WithoutCancel(f.ctx), f.object)
	return err
}
