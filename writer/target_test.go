package writer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/reader/miniotest"
	"waconcile/writer"
	"waconcile/writer/writertest"
)

// The contract of writer.Store and writer.Remover, held to by all of them.

// place is what all of them are.
type place interface {
	writer.Store
	writer.Remover
}

func TestDirTarget(t *testing.T) {
	t.Parallel()
	testTarget(t, func(t *testing.T) place {
		path := filepath.Join(t.TempDir(), "new", "out")
		t.Cleanup(func() { wantEmptyDir(t, filepath.Join(path, ".tmp")) })
		return newDir(t, path)
	})
}

func TestS3Target(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	client := server.Client(t)
	testTarget(t, func(t *testing.T) place { return newS3(t, client, server.Bucket(t), "a/prefix") })
}

func TestMemTarget(t *testing.T) {
	t.Parallel()
	testTarget(t, func(t *testing.T) place { return &writertest.Mem{} })
}

func newDir(t *testing.T, path string) *writer.Dir {
	t.Helper()
	d, err := writer.NewDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// newS3 makes a target that must have left no temporary file when t ends.
func newS3(t *testing.T, client writer.S3Client, bucket, prefix string) *writer.S3 {
	t.Helper()
	temp := t.TempDir()
	t.Cleanup(func() { wantEmptyDir(t, temp) })
	return newS3In(t, temp, client, bucket, prefix)
}

func newS3In(t *testing.T, temp string, client writer.S3Client, bucket, prefix string) *writer.S3 {
	t.Helper()
	opts := writer.S3Options{TempDir: temp, PartBytes: partBytes, RangeBytes: 1 << 20}
	s, err := writer.NewS3(client, bucket, prefix, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantEmptyDir asserts that a directory of temporary files has none, or is
// not there at all.
func wantEmptyDir(t *testing.T, path string) {
	t.Helper()
	left, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(left) != 0 {
		t.Errorf("%s holds %v, %v", path, left, err)
	}
}

func testTarget(t *testing.T, make func(t *testing.T) place) {
	for name, test := range map[string]func(*testing.T, place){
		"missing":      testMissing,
		"create":       testCreate,
		"create again": testCreateAgain,
		"abort":        testAbort,
		"large":        testLarge,
		"large abort":  testLargeAbort,
		"seal":         testSeal,
		"seal abort":   testSealAbort,
		"seal cancel":  testSealCancel,
		"seal many":    testSealMany,
		"put":          testPut,
		"put race":     testPutRace,
		"replace race": testReplaceRace,
		"keys":         testKeys,
		"read at":      testReadAt,
		"cancel":       testCancel,
		"list":         testList,
		"list keys":    testListKeys,
		"list pages":   testListPages,
		"remove":       testRemove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

func create(t *testing.T, target writer.Target, key string, data []byte) {
	t.Helper()
	u, err := target.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if n, err := u.Write(data); n != len(data) || err != nil {
		t.Fatalf("write %s: %d, %v", key, n, err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// wantAbsent asserts that neither Get nor Open finds key.
func wantAbsent(t *testing.T, target writer.Target, key string) {
	t.Helper()
	_, _, err := target.Get(t.Context(), key)
	_, openErr := target.Open(t.Context(), key)
	for _, err := range []error{err, openErr} {
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, writer.ErrStore) {
			t.Errorf("%s should not be there: %v", key, err)
		}
	}
}

func wantContent(t *testing.T, target writer.Target, key string, want []byte) {
	t.Helper()
	got, version, err := target.Get(t.Context(), key)
	if err != nil || !bytes.Equal(got, want) || version == "" {
		t.Errorf("get %s: %d bytes, version %q, %v; want %d bytes", key, len(got), version, err, len(want))
	}
	f, err := target.Open(t.Context(), key)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	got, err = io.ReadAll(io.NewSectionReader(f, 0, f.Size()+1))
	if err != nil || !bytes.Equal(got, want) || f.Size() != int64(len(want)) {
		t.Errorf("read %s back: %d bytes, size %d, %v; want %d bytes", key, len(got), f.Size(), err, len(want))
	}
}

func testMissing(t *testing.T, target place) {
	wantAbsent(t, target, "nothing")
	wantAbsent(t, target, "runs/2024-07/none/manifest.json")
	create(t, target, "runs/a", []byte("x"))
	wantAbsent(t, target, "runs/b")
}

func testCreate(t *testing.T, target place) {
	for _, size := range []int{0, 1, 100_000} {
		key := fmt.Sprintf("runs/2024-07/id/charges/2024-07-01/%d.parquet", size)
		u, err := target.Create(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		data := randomBytes(uint64(size), size)
		for piece := range slices.Chunk(data, 777) {
			if _, err := u.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		wantAbsent(t, target, key)
		if err := u.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.Abort() // does nothing
		wantContent(t, target, key, data)
		if err := u.Commit(t.Context()); err == nil {
			t.Error("a second commit succeeded")
		}
	}
}

func testCreateAgain(t *testing.T, target place) {
	data := []byte("the same bytes")
	create(t, target, "runs/x/t.csv", data)
	create(t, target, "runs/x/t.csv", data)
	wantContent(t, target, "runs/x/t.csv", data)
}

func testAbort(t *testing.T, target place) {
	u, err := target.Create(t.Context(), "runs/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("part of it")); err != nil {
		t.Fatal(err)
	}
	u.Abort()
	u.Abort()
	wantAbsent(t, target, "runs/x")
	if err := u.Commit(t.Context()); err == nil {
		t.Error("commit after abort succeeded")
	}
	wantAbsent(t, target, "runs/x")
	// One that was there before stays.
	create(t, target, "runs/y", []byte("first"))
	if u, err = target.Create(t.Context(), "runs/y"); err != nil {
		t.Fatal(err)
	}
	u.Abort()
	wantContent(t, target, "runs/y", []byte("first"))
}

// largeBytes is more than three parts of the S3 target under test.
const (
	partBytes  = 5 << 20
	largeBytes = 17<<20 + 12345
)

func testLarge(t *testing.T, target place) {
	data := randomBytes(1, largeBytes)
	u, err := target.Create(t.Context(), "runs/large")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	for piece := range slices.Chunk(data, 1_000_003) {
		if _, err := u.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	wantAbsent(t, target, "runs/large")
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantContent(t, target, "runs/large", data)
}

func testLargeAbort(t *testing.T, target place) {
	u, err := target.Create(t.Context(), "runs/large")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(randomBytes(2, largeBytes)); err != nil {
		t.Fatal(err)
	}
	u.Abort()
	wantAbsent(t, target, "runs/large")
}

// stage writes and seals an object.
func stage(t *testing.T, target writer.Target, key string, data []byte) writer.Upload {
	t.Helper()
	u, err := target.Create(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := u.Write(data); n != len(data) || err != nil {
		t.Fatalf("write %s: %d, %v", key, n, err)
	}
	if err := u.Seal(); err != nil {
		t.Fatal(err)
	}
	return u
}

func testSeal(t *testing.T, target place) {
	for _, size := range []int{0, 1000, partBytes - 1, partBytes, 2 * partBytes, largeBytes} {
		key := fmt.Sprintf("runs/%d", size)
		data := randomBytes(uint64(size), size)
		u := stage(t, target, key, data)
		wantAbsent(t, target, key)
		if n, err := u.Write([]byte("more")); n != 0 || err == nil {
			t.Errorf("write after seal: %d, %v", n, err)
		}
		if err := u.Seal(); err != nil {
			t.Errorf("second seal: %v", err)
		}
		if err := u.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantContent(t, target, key, data)
		if err := u.Seal(); err == nil {
			t.Error("seal after commit succeeded")
		}
		if n, err := u.Write([]byte("more")); n != 0 || err == nil {
			t.Errorf("write after commit: %d, %v", n, err)
		}
	}
}

func testSealAbort(t *testing.T, target place) {
	for _, size := range []int{0, 1000, largeBytes} {
		key := fmt.Sprintf("runs/%d", size)
		u := stage(t, target, key, randomBytes(4, size))
		u.Abort()
		u.Abort()
		wantAbsent(t, target, key)
		if err := u.Seal(); err == nil {
			t.Error("seal after abort succeeded")
		}
		if err := u.Commit(t.Context()); err == nil {
			t.Error("commit after abort succeeded")
		}
		wantAbsent(t, target, key)
	}
}

func testSealCancel(t *testing.T, target place) {
	cause := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	var waiting [3]writer.Upload
	for i := range waiting {
		u, err := target.Create(ctx, fmt.Sprintf("runs/%d", i))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("before")); err != nil {
			t.Fatal(err)
		}
		waiting[i] = u
	}
	if err := errors.Join(waiting[0].Seal(), waiting[1].Seal()); err != nil {
		t.Fatal(err)
	}
	cancel(cause)
	for name, err := range map[string]error{
		"commit":                waiting[0].Commit(ctx),
		"commit of another ctx": waiting[1].Commit(t.Context()),
		"seal":                  waiting[2].Seal(),
		"commit after that":     waiting[2].Commit(t.Context()),
	} {
		if !errors.Is(err, cause) || errors.Is(err, writer.ErrStore) {
			t.Errorf("%s after the end of its context: %v", name, err)
		}
	}
	for i := range waiting {
		wantAbsent(t, target, fmt.Sprintf("runs/%d", i))
	}
}

// Uploads of one goroutine and of many wait at the same time and do not mix.
func testSealMany(t *testing.T, target place) {
	const n = 20
	waiting := make([]writer.Upload, n)
	for i := range waiting {
		waiting[i] = stage(t, target, fmt.Sprintf("runs/%d", i), racer(i))
	}
	var wg sync.WaitGroup
	for i, u := range waiting {
		if i%5 == 0 {
			u.Abort()
			continue
		}
		wg.Go(func() {
			if err := u.Commit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range n {
		if key := fmt.Sprintf("runs/%d", i); i%5 == 0 {
			wantAbsent(t, target, key)
		} else {
			wantContent(t, target, key, racer(i))
		}
	}
}

func testPut(t *testing.T, target place) {
	const key = "current/2024-07.json"
	put := func(data, version string) error {
		return target.Put(t.Context(), key, []byte(data), writer.Condition{Version: version})
	}
	if err := put("x", strings.Repeat("0", 64)); !errors.Is(err, writer.ErrConflict) {
		t.Errorf("replacing what is not there: %v", err)
	}
	wantAbsent(t, target, key)
	if err := put("one", ""); err != nil {
		t.Fatal(err)
	}
	if err := put("two", ""); !errors.Is(err, writer.ErrConflict) || errors.Is(err, writer.ErrStore) {
		t.Errorf("creating what is there: %v", err)
	}
	_, first, err := target.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := put("two", first); err != nil {
		t.Fatal(err)
	}
	if err := put("three", first); !errors.Is(err, writer.ErrConflict) {
		t.Errorf("replacing an older version: %v", err)
	}
	wantContent(t, target, key, []byte("two"))
	_, second, err := target.Get(t.Context(), key)
	if err != nil || second == first {
		t.Errorf("version %q after %q, %v", second, first, err)
	}
	// An empty object is an object.
	if err := target.Put(t.Context(), "current/empty", nil, writer.Condition{}); err != nil {
		t.Fatal(err)
	}
	wantContent(t, target, "current/empty", nil)
}

// race runs n puts at once and returns the numbers of those that won.
func race(t *testing.T, n int, put func(i int) error) (won []int) {
	t.Helper()
	var wg sync.WaitGroup
	errs := make([]error, n)
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = put(i)
		})
	}
	close(start)
	wg.Wait()
	for i, err := range errs {
		switch {
		case err == nil:
			won = append(won, i)
		case !errors.Is(err, writer.ErrConflict):
			t.Errorf("put %d: %v", i, err)
		}
	}
	return won
}

func racer(i int) []byte { return fmt.Appendf(nil, `{"run": "runs/2024-07/%d/"}`, i) }

func testPutRace(t *testing.T, target place) {
	won := race(t, 16, func(i int) error {
		return target.Put(t.Context(), "current/p", racer(i), writer.Condition{})
	})
	if len(won) != 1 {
		t.Fatalf("%v won, want one", won)
	}
	wantContent(t, target, "current/p", racer(won[0]))
}

func testReplaceRace(t *testing.T, target place) {
	if err := target.Put(t.Context(), "current/p", []byte("start"), writer.Condition{}); err != nil {
		t.Fatal(err)
	}
	for round := range 5 {
		_, version, err := target.Get(t.Context(), "current/p")
		if err != nil {
			t.Fatal(err)
		}
		won := race(t, 16, func(i int) error {
			return target.Put(t.Context(), "current/p", racer(100*round+i), writer.Condition{Version: version})
		})
		if len(won) != 1 {
			t.Fatalf("round %d: %v won, want one", round, won)
		}
		wantContent(t, target, "current/p", racer(100*round+won[0]))
	}
}

func testKeys(t *testing.T, target place) {
	for _, key := range []string{
		"plain", "a b", "a+b", "a%2Fb", "ünï/cödé", "per%cent/&=?#", "quote'\"", "dt=2024-07-01/x.parquet",
		".hidden", "_under", "deep/er/than/most/keys", "中文", "back\\slash",
	} {
		create(t, target, key, []byte(key))
		wantContent(t, target, key, []byte(key))
	}
	for _, key := range []string{"", ".", "..", "/abs", "a//b", "a/", "../up", "a/../b", "./a", "bad\xff"} {
		if _, err := target.Create(t.Context(), key); err == nil {
			t.Errorf("create %q succeeded", key)
		}
		if err := target.Put(t.Context(), key, nil, writer.Condition{}); err == nil {
			t.Errorf("put %q succeeded", key)
		}
		if _, _, err := target.Get(t.Context(), key); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("get %q: %v", key, err)
		}
		if _, err := target.Open(t.Context(), key); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %q: %v", key, err)
		}
	}
}

func testReadAt(t *testing.T, target place) {
	data := randomBytes(3, 2<<20+17)
	create(t, target, "runs/f", data)
	f, err := target.Open(t.Context(), "runs/f")
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(data))
	for _, c := range []struct{ off, n int64 }{
		{0, 0}, {0, 1}, {size - 1, 1}, {size - 1, 2}, {size, 1}, {size + 5, 1}, {0, size}, {0, size + 1},
		{1 << 20, 1}, {1<<20 - 1, 2}, {5, 2 << 20}, {size - 8, 8}, {size - 8, 9},
	} {
		p := make([]byte, c.n)
		n, err := f.ReadAt(p, c.off)
		want := data[min(c.off, size):min(c.off+c.n, size)]
		if !bytes.Equal(p[:n], want) || (err != nil) != (int64(n) < c.n) || err != nil && err != io.EOF {
			t.Errorf("read %d at %d: %d, %v", c.n, c.off, n, err)
		}
	}
	if _, err := f.ReadAt(make([]byte, 1), -1); err == nil || err == io.EOF {
		t.Errorf("read before the start: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func testCancel(t *testing.T, target place) {
	cause := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	u, err := target.Create(ctx, "runs/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("before")); err != nil {
		t.Fatal(err)
	}
	cancel(cause)
	_, writeErr := u.Write([]byte("after"))
	_, createErr := target.Create(ctx, "runs/y")
	_, _, getErr := target.Get(ctx, "runs/x")
	_, openErr := target.Open(ctx, "runs/x")
	_, listErr := target.List(ctx, "runs/")
	for name, err := range map[string]error{
		"write": writeErr, "create": createErr, "get": getErr, "open": openErr, "list": listErr,
		"remove": target.Remove(ctx, "runs/x"),
		"commit": u.Commit(ctx),
		"put":    target.Put(ctx, "current/p", []byte("x"), writer.Condition{}),
	} {
		if !errors.Is(err, cause) || errors.Is(err, writer.ErrStore) {
			t.Errorf("%s after the end of its context: %v", name, err)
		}
	}
	for _, key := range []string{"runs/x", "runs/y", "current/p"} {
		wantAbsent(t, target, key)
	}
	// The context of the commit alone is enough.
	if u, err = target.Create(t.Context(), "runs/z"); err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(ctx); !errors.Is(err, cause) {
		t.Errorf("commit: %v", err)
	}
	wantAbsent(t, target, "runs/z")
}

func randomBytes(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	data := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(data)
	return data
}
