package writer_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"waconcile/writer"
)

func TestDirLeavesNoTemporaryFiles(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := newDir(t, path)
	create(t, d, "runs/a", []byte("a"))
	u, err := d.Create(t.Context(), "runs/b")
	if err != nil {
		t.Fatal(err)
	}
	u.Abort()
	for range 2 { // the second meets a conflict
		_ = d.Put(t.Context(), "current/p", []byte("x"), writer.Condition{})
	}
	if err := d.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	wantEmptyDir(t, filepath.Join(path, ".tmp"))
}

// A file of which somebody took the temporary name does not become an object.
func TestDirSealedFileIsGone(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := newDir(t, path)
	u := stage(t, d, "runs/a", []byte("a"))
	if err := os.RemoveAll(filepath.Join(path, ".tmp")); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(t.Context()); !errors.Is(err, writer.ErrStore) {
		t.Errorf("commit: %v", err)
	}
	wantAbsent(t, d, "runs/a")
}

func TestDirReadingTouchesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	wantAbsent(t, newDir(t, path), "current/2024-07.json")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading made the directory: %v", err)
	}
}

func TestDirLeftoversDoNoHarm(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	for _, dir := range []string{".tmp", "current"} {
		if err := os.Mkdir(filepath.Join(path, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{".tmp/half", "current/.lock"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("left by a crash"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	testPut(t, newDir(t, path))
	if _, err := os.Stat(filepath.Join(path, ".tmp/half")); err != nil {
		t.Errorf("file of another run: %v", err)
	}
}

// A pointer is replaced only under the lock that the contract names.
func TestDirWaitsForLock(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := newDir(t, path)
	if err := d.Put(t.Context(), "current/p", []byte("one"), writer.Condition{}); err != nil {
		t.Fatal(err)
	}
	_, version, err := d.Get(t.Context(), "current/p")
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(path, "current", ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.Put(t.Context(), "current/p", []byte("two"), writer.Condition{Version: version}) }()
	for range 20 { // it may not take place, however often one looks
		wantContent(t, d, "current/p", []byte("one"))
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wantContent(t, d, "current/p", []byte("two"))
}

func TestDirRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := writer.NewDir(file)
	if !errors.Is(err, writer.ErrStore) || !strings.Contains(err.Error(), file) {
		t.Errorf("a file as directory: %v", err)
	}
	d := newDir(t, dir)
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]string{"below a file": "file/x", "out of the directory": "out/x"} {
		u, err := d.Create(t.Context(), key)
		if err == nil {
			err = u.Commit(t.Context())
		}
		if !errors.Is(err, writer.ErrStore) || !strings.Contains(err.Error(), filepath.Join(dir, key)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, key := range []string{".tmp/x", "current/.lock"} {
		if err := d.Put(t.Context(), key, nil, writer.Condition{}); err == nil {
			t.Errorf("put %s succeeded", key)
		}
	}
	if _, _, err := d.Get(t.Context(), "out"); !errors.Is(err, writer.ErrStore) {
		t.Errorf("get a directory: %v", err)
	}
}
