package reader_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"waconcile/reader"
)

func TestDirOfOneFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	writeFile(t, filepath.Join(root, "real", "r1.csv"), []byte("plan,market"))
	writeFile(t, filepath.Join(root, "rates", "other.csv"), nil)
	// As a ConfigMap is mounted: a link that leads out of its directory.
	link := filepath.Join(root, "rates", "rates.csv")
	if err := os.Symlink(filepath.Join(root, "real", "r1.csv"), link); err != nil {
		t.Fatal(err)
	}
	d := newDir(t, link)
	objects := list(t, d, "")
	if len(objects) != 1 || objects[0].Key != "rates.csv" || objects[0].Size != 11 {
		t.Fatalf("lists %v", objects)
	}
	if err := readAll(t.Context(), d, objects[0]); err != nil {
		t.Error(err)
	}
	if got := list(t, d, "dt="); len(got) != 0 {
		t.Errorf("lists %v below another prefix", got)
	}
	const sum = "fa3cc3f37ce0dbc4c015f06fc764c1490275af4c49a70035a7fc396476c4635f"
	if id := identify(t, d, objects[0]); id != sum {
		t.Errorf("identity %q", id)
	}
	writeFile(t, filepath.Join(root, "real", "r1.csv"), []byte("plan,Market"))
	wantChanged(t, readAll(t.Context(), d, objects[0]))
}

func TestDirSymlinks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		link, to string
		want     []string // keys, or
		err      string
	}{
		"to a file":       {"z", "day/a", []string{"day/a", "z"}, ""},
		"to a directory":  {"z", "day", []string{"day/a", "z/a"}, ""},
		"to nowhere":      {"z", "nothing", nil, "z: no such file"},
		"to the parent":   {"day/z", "..", nil, "day/z: symbolic link to a directory above"},
		"to itself":       {"z", "z", nil, "z: "},
		"out of the root": {"z", "../elsewhere", nil, "z: path escapes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			root := filepath.Join(parent, "exports")
			writeFile(t, filepath.Join(root, "day", "a"), []byte("a"))
			writeFile(t, filepath.Join(parent, "elsewhere"), []byte("b"))
			if err := os.Symlink(c.to, filepath.Join(root, c.link)); err != nil {
				t.Fatal(err)
			}
			objects, err := newDir(t, root).List(t.Context(), "")
			if c.err != "" {
				if !errors.Is(err, reader.ErrStore) || !strings.Contains(err.Error(), filepath.Join(root, c.err[:1])) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("lists %v, %v", objects, err)
				}
				return
			}
			var keys []string
			for _, o := range objects {
				keys = append(keys, o.Key)
			}
			if err != nil || strings.Join(keys, " ") != strings.Join(c.want, " ") {
				t.Errorf("lists %v, %v", keys, err)
			}
		})
	}
}

func TestDirRefuses(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	missing := filepath.Join(root, "missing")
	_, err := reader.NewDir(missing)
	wantStore(t, err, missing)

	gone := filepath.Join(root, "gone")
	if err := os.Mkdir(gone, 0o755); err != nil {
		t.Fatal(err)
	}
	d := newDir(t, gone)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = d.List(t.Context(), "")
	wantStore(t, err, gone)

	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = newDir(t, root).List(t.Context(), "")
	wantStore(t, err, filepath.Join(root, "pipe"))

	if os.Getuid() != 0 { // nothing is unreadable to root
		closed := filepath.Join(root, "closed")
		if err := os.MkdirAll(filepath.Join(closed, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		d := newDir(t, closed)
		if err := os.Chmod(filepath.Join(closed, "sub"), 0); err != nil {
			t.Fatal(err)
		}
		_, err := d.List(t.Context(), "")
		wantStore(t, err, filepath.Join(closed, "sub"))
	}
}

func wantStore(t *testing.T, err error, where string) {
	t.Helper()
	if !errors.Is(err, reader.ErrStore) || errors.Is(err, reader.ErrChanged) || !strings.Contains(err.Error(), where) {
		t.Errorf("%v: want an error of the store about %s", err, where)
	}
}

// A file that is written to where it lies, as a copy that keeps size and time
// does, shows at Close even if all reads came before.
func TestDirFileChangedInPlace(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(f *os.File) error{
		"same size and time": func(f *os.File) error {
			info, err := f.Stat()
			_, writeErr := f.WriteAt([]byte("B"), 0)
			return errors.Join(err, writeErr, os.Chtimes(f.Name(), info.ModTime(), info.ModTime()))
		},
		"appended":   func(f *os.File) error { _, err := f.WriteAt([]byte("more"), 10); return err },
		"cut short":  func(f *os.File) error { return f.Truncate(5) },
		"cut to all": func(f *os.File) error { return f.Truncate(0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "f")
			writeFile(t, path, []byte("AAAAAAAAAA"))
			d := newDir(t, filepath.Dir(path))
			o := list(t, d, "")[0]
			f := open(t, d, o)
			w, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := change(w); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 20)
			if n, err := f.ReadAt(buf, 0); n > 10 || err == nil {
				t.Errorf("read %d bytes of 10, %v", n, err)
			} else if err != io.EOF {
				wantChanged(t, err)
			}
			wantChanged(t, f.Close())
			_, err = d.Identify(t.Context(), o)
			wantChanged(t, err)
		})
	}
}
