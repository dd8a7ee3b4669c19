package writer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"waconcile/writer"

	"github.com/google/go-cmp/cmp"
)

// listed is what a place holds, as "key size".
func listed(t *testing.T, target writer.Lister, prefix string) []string {
	t.Helper()
	objects, err := target.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, o := range objects {
		lines = append(lines, fmt.Sprint(o.Key, " ", o.Size))
	}
	return lines
}

func wantListed(t *testing.T, target writer.Lister, prefix string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), listed(t, target, prefix)); diff != "" {
		t.Errorf("list %q: (-want +got)\n%s", prefix, diff)
	}
}

func testList(t *testing.T, target place) {
	wantListed(t, target, "")
	wantListed(t, target, "runs/none/")
	create(t, target, "runs/a/x", []byte("1"))
	create(t, target, "runs/a-b/x", []byte("22"))
	create(t, target, "runs/a/b/x", nil)
	create(t, target, "runs/ab", []byte("333"))
	create(t, target, "top", []byte("4444"))
	if err := target.Put(t.Context(), "current/p", []byte("one"), writer.Condition{}); err != nil {
		t.Fatal(err)
	}
	_, version, err := target.Get(t.Context(), "current/p")
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Put(t.Context(), "current/p", []byte("three"), writer.Condition{Version: version}); err != nil {
		t.Fatal(err)
	}
	// What is only staged is not there, nor is what writing leaves behind.
	u := stage(t, target, "runs/a/staged", []byte("x"))
	defer u.Abort()
	// '-' is before '/' in the order of bytes, and in no directory's.
	runs := []string{"runs/a-b/x 2", "runs/a/b/x 0", "runs/a/x 1", "runs/ab 3"}
	wantListed(t, target, "", slices.Concat([]string{"current/p 5"}, runs, []string{"top 4"})...)
	wantListed(t, target, "runs/", runs...)
	wantListed(t, target, "runs/a/", runs[1:3]...)
	wantListed(t, target, "runs/ab/")
	wantListed(t, target, "current/", "current/p 5")
	for _, prefix := range []string{"runs", "/", "/runs/", "../", "runs//", "runs/../", "./", "bad\xff/"} {
		if got, err := target.List(t.Context(), prefix); err == nil {
			t.Errorf("list %q: %v", prefix, got)
		}
	}
}

func testListKeys(t *testing.T, target place) {
	keys := []string{
		"a b", "a%2Fb", "a+b", "per%cent/&=?#", "quote'\"", "dt=2024-07-01/x.parquet", ".hidden", "ünï/cödé", "中文", "back\\slash",
	}
	var want []string
	for _, key := range keys {
		create(t, target, key, []byte("x"))
		want = append(want, key+" 1")
	}
	slices.Sort(want)
	wantListed(t, target, "", want...)
}

// More than S3 lists at once.
func testListPages(t *testing.T, target place) {
	const n = 1005
	want := make([]string, n)
	var wg sync.WaitGroup
	for first := range 8 {
		wg.Go(func() {
			for i := first; i < n; i += 8 {
				key := fmt.Sprintf("runs/%04d", i)
				if err := target.Put(t.Context(), key, nil, writer.Condition{}); err != nil {
					t.Error(err)
				}
				want[i] = key + " 0"
			}
		})
	}
	wg.Wait()
	wantListed(t, target, "runs/", want...)
}

func testRemove(t *testing.T, target place) {
	if err := target.Remove(t.Context(), "runs/a/x"); err != nil {
		t.Errorf("remove where there is nothing: %v", err)
	}
	create(t, target, "runs/a/x", []byte("1"))
	create(t, target, "runs/a/y", []byte("2"))
	for _, key := range []string{"runs/a/x", "runs/a/x", "runs/a/none", "runs/a/x/below", "none/x"} {
		if err := target.Remove(t.Context(), key); err != nil {
			t.Errorf("remove %s: %v", key, err)
		}
	}
	wantAbsent(t, target, "runs/a/x")
	wantListed(t, target, "", "runs/a/y 1")
	create(t, target, "runs/a/x", []byte("other bytes"))
	wantContent(t, target, "runs/a/x", []byte("other bytes"))
	for _, key := range []string{"", ".", "../x", "a/", "/a"} {
		if err := target.Remove(t.Context(), key); err == nil {
			t.Errorf("remove %q succeeded", key)
		}
	}
}

// A directory holds more than objects, of which neither List nor Remove knows.
func TestDirListForeign(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	target := newDir(t, path)
	create(t, target, "runs/x", []byte("1"))
	if err := target.Put(t.Context(), "current/p", nil, writer.Condition{}); err != nil {
		t.Fatal(err)
	}
	_, v, err := target.Get(t.Context(), "current/p")
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Put(t.Context(), "current/p", nil, writer.Condition{Version: v}); err != nil { // makes current/.lock
		t.Fatal(err)
	}
	for _, name := range []string{".tmp/left", "runs/empty/deeper", "runs/bad\xff/x"} {
		name = filepath.Join(path, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("x", filepath.Join(path, "runs", "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(path, "runs", "empty", "deeper")); err != nil {
		t.Fatal(err)
	}
	wantListed(t, target, "", "current/p 0", "runs/x 1")
	wantListed(t, target, "runs/x/")
	if err := target.Remove(t.Context(), "runs/empty"); err == nil {
		t.Error("a directory was removed")
	}
	for _, key := range []string{".tmp/left", "current/.lock"} {
		if err := target.Remove(t.Context(), key); err == nil {
			t.Errorf("%s was removed", key)
		}
	}
}

// The time of a listing is that of the writing.
func TestDirListModified(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	target := newDir(t, path)
	create(t, target, "runs/x", []byte("1"))
	then := time.Date(2024, 7, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(path, "runs", "x"), then, then); err != nil {
		t.Fatal(err)
	}
	objects, err := target.List(t.Context(), "runs/")
	if err != nil || len(objects) != 1 || !objects[0].Modified.Equal(then) {
		t.Errorf("%v, %v", objects, err)
	}
}
