package writertest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"waconcile/writer"
)

// ErrRewritten is matched where an object that may never change was given
// other bytes. That is a mistake of the program under test.
var ErrRewritten = errors.New("immutable object rewritten")

// isPointer says whether an object may change (contract).
func isPointer(key string) bool {
	return strings.HasPrefix(key, "current/") || strings.HasPrefix(key, "adjusted/")
}

// isTombstone says whether an object only marks what gc is removing; another
// gc may take it over.
func isTombstone(data []byte) bool { return bytes.HasPrefix(data, []byte(`{"removed": true`)) }

// Mem is a writer.Store and a writer.Remover in memory, used by any number of
// goroutines. The zero value is empty and ready.
//
// It holds the program under test to the contract: whatever is no pointer, in
// current/ or adjusted/, nor a tombstone of gc, may be written again only with
// the same bytes, unless it was removed before.
type Mem struct {
	// Hook, where set before the first use, is asked before every operation:
	// create, write, seal, commit, abort, put, get, open, remove, and list
	// with a prefix for its key. If it returns an error the operation returns that, and apply says whether it took place all the
	// same, as one does whose answer is lost. Without an error it always takes
	// place. It may be called by several goroutines at once.
	Hook func(op, key string) (apply bool, err error)

	// Now, where set before the first use, is the clock by which objects are
	// written; otherwise all are of the zero time.
	Now func() time.Time

	mu      sync.Mutex
	objects map[string][]byte
	written map[string]time.Time // of each object
	trace   []string
	faults  []error
}

// String names the place in messages.
func (m *Mem) String() string { return "memory" }

// Trace returns the operations so far, as "put current/2024-07.json", in
// their order. Those that the hook stopped are among them, writes are not.
func (m *Mem) Trace() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.trace)
}

// Faults returns every attempt at an immutable object, for the end of a test:
// the program may have taken the error for one of the store.
func (m *Mem) Faults() []error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.faults)
}

// Objects returns a copy of what is there, by key.
func (m *Mem) Objects() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.objects)
}

// do runs one operation under the hook. A nil apply is an operation without an
// effect.
func (m *Mem) do(ctx context.Context, op, key string, apply func() error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s %s: %w", op, key, context.Cause(ctx))
	}
	if !validKey(key) && (op != "list" || key != "" && !validKey(strings.TrimSuffix(key, "/"))) {
		return fmt.Errorf("invalid key %q", key)
	}
	take, hookErr := true, error(nil)
	if m.Hook != nil {
		if take, hookErr = m.Hook(op, key); hookErr == nil {
			take = true
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if op != "write" {
		m.trace = append(m.trace, op+" "+key)
	}
	if take && apply != nil {
		if err := apply(); err != nil {
			return fmt.Errorf("%s %s: %w", op, key, err)
		}
	}
	if hookErr != nil {
		return fmt.Errorf("%s %s: %w", op, key, hookErr)
	}
	return nil
}

func validKey(key string) bool { return fs.ValidPath(key) && key != "." }

// set stores data. m.mu is held.
func (m *Mem) set(key string, data []byte) error {
	old, ok := m.objects[key]
	if ok && !isPointer(key) && !isTombstone(old) && !bytes.Equal(old, data) {
		m.faults = append(m.faults, fmt.Errorf("%s: %w", key, ErrRewritten))
		return ErrRewritten
	}
	if m.objects == nil {
		m.objects, m.written = map[string][]byte{}, map[string]time.Time{}
	}
	m.objects[key] = data
	if m.Now != nil {
		m.written[key] = m.Now()
	}
	return nil
}

// Create implements writer.Target.
func (m *Mem) Create(ctx context.Context, key string) (writer.Upload, error) {
	if err := m.do(ctx, "create", key, nil); err != nil {
		return nil, err
	}
	return &upload{mem: m, ctx: ctx, key: key}, nil
}

// Put implements writer.Target. The version is the sha256 of the bytes.
func (m *Mem) Put(ctx context.Context, key string, data []byte, cond writer.Condition) error {
	data = bytes.Clone(data)
	return m.do(ctx, "put", key, func() error {
		old, ok := m.objects[key]
		if ok != (cond.Version != "") || ok && version(old) != cond.Version {
			return writer.ErrConflict
		}
		return m.set(key, data)
	})
}

// Get implements writer.Target.
func (m *Mem) Get(ctx context.Context, key string) (data []byte, v string, err error) {
	err = m.do(ctx, "get", key, func() error {
		old, ok := m.objects[key]
		if !ok {
			return fs.ErrNotExist
		}
		data, v = bytes.Clone(old), version(old)
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return data, v, nil
}

// Open implements writer.Target.
func (m *Mem) Open(ctx context.Context, key string) (writer.Stored, error) {
	var s *stored
	err := m.do(ctx, "open", key, func() error {
		data, ok := m.objects[key]
		if !ok {
			return fs.ErrNotExist
		}
		s = &stored{Reader: bytes.NewReader(data), ctx: ctx}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// List implements writer.Lister.
func (m *Mem) List(ctx context.Context, prefix string) (objects []writer.Listed, err error) {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		return nil, fmt.Errorf("invalid prefix %q", prefix)
	}
	err = m.do(ctx, "list", prefix, func() error {
		for _, key := range slices.Sorted(maps.Keys(m.objects)) {
			if strings.HasPrefix(key, prefix) {
				objects = append(objects, writer.Listed{Key: key, Size: int64(len(m.objects[key])), Modified: m.written[key]})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return objects, nil
}

// Remove implements writer.Remover.
func (m *Mem) Remove(ctx context.Context, key string) error {
	return m.do(ctx, "remove", key, func() error {
		delete(m.objects, key)
		delete(m.written, key)
		return nil
	})
}

func version(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// upload is an object in the making, used by one goroutine.
type upload struct {
	mem    *Mem
	ctx    context.Context
	key    string
	data   []byte
	failed error // of Seal
	sealed bool
	ended  bool
}

func (u *upload) Write(p []byte) (int, error) {
	if u.ctx.Err() == nil && (u.sealed || u.ended) {
		return 0, fmt.Errorf("write %s: already sealed", u.key)
	}
	err := u.mem.do(u.ctx, "write", u.key, func() error {
		u.data = append(u.data, p...)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (u *upload) Seal() error {
	if u.ended {
		return fmt.Errorf("seal %s: already ended", u.key)
	}
	if !u.sealed {
		u.sealed = true
		u.failed = u.mem.do(u.ctx, "seal", u.key, nil)
	}
	return u.failed
}

func (u *upload) Commit(ctx context.Context) error {
	if u.ended {
		return fmt.Errorf("commit %s: already ended", u.key)
	}
	err := u.Seal()
	u.ended = true
	if err != nil {
		return err
	}
	if u.ctx.Err() != nil {
		ctx = u.ctx
	}
	return u.mem.do(ctx, "commit", u.key, func() error { return u.mem.set(u.key, u.data) })
}

func (u *upload) Abort() {
	if !u.ended {
		u.ended = true
		_ = u.mem.do(context.WithoutCancel(u.ctx), "abort", u.key, nil)
	}
}

// stored is an object as it was when it was opened.
type stored struct {
	*bytes.Reader
	ctx context.Context
}

func (s *stored) ReadAt(p []byte, off int64) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	if len(p) == 0 && off >= 0 {
		return 0, nil
	}
	return s.Reader.ReadAt(p, off)
}

func (s *stored) Close() error { return nil }

var _ io.ReaderAt = (*stored)(nil)
