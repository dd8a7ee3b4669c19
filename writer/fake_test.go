package writer

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync"
)

// fakeStore is the Target of this package's own tests: a map whose fault hook
// is asked before every operation.
type fakeStore struct {
	mu      sync.Mutex
	objects map[string][]byte
	version map[string]int
	trace   []string
	// fault, where set, says whether the operation takes effect, and its
	// error.
	fault func(op, key string) (apply bool, err error)
}

func newFakeStore() *fakeStore {
	return &fakeStore{objects: map[string][]byte{}, version: map[string]int{}}
}

func (s *fakeStore) ask(op, key string) (bool, error) {
	s.trace = append(s.trace, op+" "+key)
	if s.fault == nil {
		return true, nil
	}
	return s.fault(op, key)
}

func (s *fakeStore) set(key string, data []byte) {
	s.objects[key] = bytes.Clone(data)
	s.version[key]++
}

func (s *fakeStore) Create(_ context.Context, key string) (Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.ask("create", key); err != nil {
		return nil, err
	}
	return &fakeUpload{store: s, key: key}, nil
}

func (s *fakeStore) Put(_ context.Context, key string, data []byte, cond Condition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	apply, err := s.ask("put", key)
	if apply {
		have := ""
		if _, ok := s.objects[key]; ok {
			have = strconv.Itoa(s.version[key])
		}
		if have != cond.Version {
			return ErrConflict
		}
		s.set(key, data)
	}
	return err
}

func (s *fakeStore) Get(_ context.Context, key string) ([]byte, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.ask("get", key); err != nil {
		return nil, "", err
	}
	data, ok := s.objects[key]
	if !ok {
		return nil, "", &fs.PathError{Op: "get", Path: key, Err: fs.ErrNotExist}
	}
	return bytes.Clone(data), strconv.Itoa(s.version[key]), nil
}

func (s *fakeStore) Open(_ context.Context, key string) (Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.ask("open", key); err != nil {
		return nil, err
	}
	data, ok := s.objects[key]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: key, Err: fs.ErrNotExist}
	}
	return fakeStored{bytes.NewReader(bytes.Clone(data))}, nil
}

func (s *fakeStore) List(_ context.Context, prefix string) ([]Listed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.ask("list", prefix); err != nil {
		return nil, err
	}
	var objects []Listed
	for key, data := range s.objects {
		if strings.HasPrefix(key, prefix) {
			objects = append(objects, Listed{Key: key, Size: int64(len(data))})
		}
	}
	return sortListed(objects), nil
}

type fakeStored struct{ *bytes.Reader }

func (fakeStored) Close() error { return nil }

type fakeUpload struct {
	store  *fakeStore
	key    string
	data   bytes.Buffer
	sealed bool
	done   bool
}

func (u *fakeUpload) Write(p []byte) (int, error) {
	if u.done || u.sealed {
		return 0, io.ErrClosedPipe
	}
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	if _, err := u.store.ask("write", u.key); err != nil {
		return 0, err
	}
	return u.data.Write(p)
}

func (u *fakeUpload) Seal() error {
	if u.done || u.sealed {
		return nil
	}
	u.sealed = true
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	_, err := u.store.ask("seal", u.key)
	return err
}

func (u *fakeUpload) Commit(context.Context) error {
	if err := u.Seal(); err != nil {
		return err
	}
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	u.done = true
	apply, err := u.store.ask("commit", u.key)
	if apply {
		u.store.set(u.key, u.data.Bytes())
	}
	return err
}

func (u *fakeUpload) Abort() { u.done = true }
