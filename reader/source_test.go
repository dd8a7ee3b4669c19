package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
	"waconcile/reader/miniotest"
	"waconcile/reader/readertest"
)

// The contract of reader.Source, held to by all of them.

// place is a Source and the means to change what lies in it.
type place struct {
	reader.Source
	put    func(key string, data []byte)
	remove func(key string)
}

func TestDirSource(t *testing.T) {
	t.Parallel()
	testSource(t, func(t *testing.T) place {
		root := t.TempDir()
		return place{
			Source: newDir(t, root),
			put:    func(key string, data []byte) { writeFile(t, filepath.Join(root, key), data) },
			remove: func(key string) {
				if err := os.Remove(filepath.Join(root, key)); err != nil {
					t.Fatal(err)
				}
			},
		}
	})
}

func TestS3Source(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	client := server.Client(t)
	testSource(t, func(t *testing.T) place {
		b := bucket{t, client, server.Bucket(t)}
		b.put("a/prefixed", nil) // of another prefix
		// Ranges so small that the objects below have many.
		opts := reader.S3Options{RangeBytes: 1000, CacheBytes: 8000, TailBytes: 300}
		return place{
			Source: newS3(t, client, b.name, "a/prefix", opts),
			put:    func(key string, data []byte) { b.put("a/prefix/"+key, data) },
			remove: func(key string) { b.remove("a/prefix/" + key) },
		}
	})
}

func TestMemSource(t *testing.T) {
	t.Parallel()
	testSource(t, func(t *testing.T) place {
		m := &readertest.Mem{}
		return place{m, m.Put, m.Remove}
	})
}

func newDir(t testing.TB, path string) *reader.Dir {
	t.Helper()
	d, err := reader.NewDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newS3(t testing.TB, client reader.S3Client, bucket, prefix string, opts reader.S3Options) *reader.S3 {
	t.Helper()
	s, err := reader.NewS3(client, bucket, prefix, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// writeFile replaces a file by one of another inode, as most writers do.
func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// bucket fills a bucket of the test store.
type bucket struct {
	t      testing.TB
	client *s3.Client
	name   string
}

func (b bucket) put(key string, data []byte) {
	b.t.Helper()
	if _, err := b.client.PutObject(b.t.Context(), &s3.PutObjectInput{Bucket: &b.name, Key: aws.String(key), Body: bytes.NewReader(data)}); err != nil {
		b.t.Fatal(err)
	}
}

func (b bucket) remove(key string) {
	b.t.Helper()
	if _, err := b.client.DeleteObject(b.t.Context(), &s3.DeleteObjectInput{Bucket: &b.name, Key: aws.String(key)}); err != nil {
		b.t.Fatal(err)
	}
}

func testSource(t *testing.T, make func(t *testing.T) place) {
	for name, test := range map[string]func(*testing.T, place){
		"list":       testList,
		"empty list": testEmptyList,
		"keys":       testKeys,
		"read at":    testReadAt,
		"concurrent": testConcurrent,
		"empty":      testEmptyObject,
		"identify":   testIdentify,
		"changed":    testChanged,
		"changing":   testChanging,
		"removed":    testRemoved,
		"cancel":     testCancel,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, make(t))
		})
	}
}

func list(t *testing.T, s reader.Source, prefix string) []reader.Object {
	t.Helper()
	objects, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// put makes an object and lists it.
func put(t *testing.T, p place, key string, data []byte) reader.Object {
	t.Helper()
	p.put(key, data)
	for _, o := range list(t, p, key) {
		if o.Key == key {
			return o
		}
	}
	t.Fatalf("%s is not listed", key)
	return reader.Object{}
}

func open(t *testing.T, s reader.Source, o reader.Object) reader.File {
	t.Helper()
	f, err := s.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func testList(t *testing.T, p place) {
	keys := []string{"_SUCCESS", "b", "dt=2024-07-01/a.parquet", "dt=2024-07-01/b.parquet", "dt=2024-07-01-x", "dt=2024-07-010/c", ".hidden/f", "a/b/c"}
	for i, key := range keys {
		p.put(key, make([]byte, i))
	}
	type entry struct {
		Key  string
		Size int64
	}
	for prefix, want := range map[string][]entry{
		"": {
			{".hidden/f", 6}, {"_SUCCESS", 0}, {"a/b/c", 7}, {"b", 1}, {"dt=2024-07-01-x", 4},
			{"dt=2024-07-01/a.parquet", 2}, {"dt=2024-07-01/b.parquet", 3}, {"dt=2024-07-010/c", 5},
		},
		"dt=2024-07-01/":  {{"dt=2024-07-01/a.parquet", 2}, {"dt=2024-07-01/b.parquet", 3}},
		"dt=2024-07-01/b": {{"dt=2024-07-01/b.parquet", 3}},
		"dt=2024-07-01":   {{"dt=2024-07-01-x", 4}, {"dt=2024-07-01/a.parquet", 2}, {"dt=2024-07-01/b.parquet", 3}, {"dt=2024-07-010/c", 5}},
		"a/b/":            {{"a/b/c", 7}},
		"b/":              nil, // b is an object
		"dt=2024-07-02/":  nil,
		"no/such/place/x": nil,
	} {
		var got []entry
		for _, o := range list(t, p, prefix) {
			got = append(got, entry{o.Key, o.Size})
			if o.Version == "" {
				t.Errorf("%s has no version", o.Key)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("list %q (-want +got):\n%s", prefix, diff)
		}
	}
}

func testEmptyList(t *testing.T, p place) {
	if got := list(t, p, ""); len(got) != 0 {
		t.Errorf("an empty place lists %v", got)
	}
}

func testKeys(t *testing.T, p place) {
	for _, key := range []string{
		"plain", "a b", "a+b", "a%2Fb", "ünï/cödé", "per%cent", "amp&er=sand?#x", "quote'\"", "<xml>", "中文", "tab\there", "back\\slash", "line\nbreak",
	} {
		data := []byte(key)
		o := put(t, p, "dt=2024-07-01/"+key, data)
		f := open(t, p, o)
		got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("read %q: %q, %v", key, got, err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("close %q: %v", key, err)
		}
	}
}

func testReadAt(t *testing.T, p place) {
	for _, size := range []int64{1, 299, 300, 301, 999, 1000, 1001, 12_345, 13_000} {
		data := randomBytes(uint64(size), int(size))
		f := open(t, p, put(t, p, fmt.Sprintf("f%d", size), data))
		if f.Size() != size {
			t.Errorf("size %d, want %d", f.Size(), size)
		}
		offs := []int64{0, 1, 500, 999, 1000, 1001, size - 301, size - 300, size - 8, size - 1, size, size + 1, size + 5000}
		lens := []int64{0, 1, 8, 300, 999, 1000, 1001, 5000, size, size + 1}
		for _, off := range offs {
			for _, n := range lens {
				if off >= 0 {
					checkRead(t, f, data, off, n)
				}
			}
		}
		if n, err := f.ReadAt(make([]byte, 1), -1); n != 0 || err == nil || err == io.EOF && size > 0 {
			t.Logf("read before the start: %d, %v", n, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkRead asserts what io.ReaderAt promises.
func checkRead(t *testing.T, f io.ReaderAt, data []byte, off, n int64) {
	t.Helper()
	buf := make([]byte, n)
	got, err := f.ReadAt(buf, off)
	size := int64(len(data))
	want := data[min(off, size):min(off+n, size)]
	if !bytes.Equal(buf[:got], want) {
		t.Errorf("read %d at %d of %d: wrong bytes (%d of %d)", n, off, size, got, len(want))
	}
	switch {
	case int64(got) < n && err != io.EOF:
		t.Errorf("read %d at %d of %d: %d bytes and %v", n, off, size, got, err)
	case int64(got) == n && err != nil && (err != io.EOF || off+n < size):
		t.Errorf("read %d at %d of %d: all bytes and %v", n, off, size, err)
	}
}

func testConcurrent(t *testing.T, p place) {
	const seed = 7
	data := randomBytes(seed, 50_000)
	f := open(t, p, put(t, p, "f", data))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for range 50 {
				checkRead(t, f, data, r.Int64N(51_000), r.Int64N(4000))
			}
			got, err := io.ReadAll(io.NewSectionReader(f, int64(g)*1000, 20_000))
			if err != nil || !bytes.Equal(got, data[g*1000:g*1000+20_000]) {
				t.Errorf("sequential read: %d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func testEmptyObject(t *testing.T, p place) {
	f := open(t, p, put(t, p, "f", nil))
	if n, err := f.ReadAt(make([]byte, 8), 0); n != 0 || err != io.EOF {
		t.Errorf("read: %d, %v", n, err)
	}
	if f.Size() != 0 {
		t.Errorf("size %d", f.Size())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func testIdentify(t *testing.T, p place) {
	first := put(t, p, "f", []byte("one"))
	id := identify(t, p, first)
	if again := identify(t, p, first); id == "" || again != id {
		t.Errorf("identity %q, then %q", id, again)
	}
	second := put(t, p, "f", []byte("two"))
	if identify(t, p, second) == id {
		t.Error("other bytes have the same identity")
	}
	// The same bytes are the same, wherever and whenever.
	if identify(t, p, put(t, p, "g", []byte("one"))) != id {
		t.Error("the same bytes have another identity")
	}
}

func identify(t *testing.T, s reader.Source, o reader.Object) string {
	t.Helper()
	id, err := s.Identify(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// readAll opens and reads an object and returns the first error met.
func readAll(ctx context.Context, s reader.Source, o reader.Object) error {
	f, err := s.Open(ctx, o)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.NewSectionReader(f, 0, f.Size()))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func wantChanged(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, reader.ErrChanged) || errors.Is(err, reader.ErrStore) {
		t.Errorf("changed object: %v", err)
	}
}

// testChanged replaces an object between listing and reading.
func testChanged(t *testing.T, p place) {
	for _, now := range []string{"other bytes of that length", "shorter", "longer than it was, by some bytes and then some"} {
		o := put(t, p, "f", []byte("these bytes of that length"))
		p.put("f", []byte(now))
		wantChanged(t, readAll(t.Context(), p, o))
	}
}

// testChanging replaces an object in the middle of reading: every read gives
// the old bytes or fails, and one that fails is not the last word: so does
// Close.
func testChanging(t *testing.T, p place) {
	old := randomBytes(1, 50_000)
	f := open(t, p, put(t, p, "f", old))
	checkRead(t, f, old, 0, 100)
	p.put("f", randomBytes(2, 50_000))
	failed := false
	for off := 0; off < len(old); off += 100 {
		buf := make([]byte, 100)
		if _, err := f.ReadAt(buf, int64(off)); err != nil {
			wantChanged(t, err)
			failed = true
		} else if !bytes.Equal(buf, old[off:off+100]) {
			t.Fatalf("read at %d gave bytes of the new object", off)
		}
	}
	err := f.Close()
	if failed || err != nil {
		wantChanged(t, err)
	}
	if !failed && err == nil {
		t.Error("nobody noticed")
	}
}

func testRemoved(t *testing.T, p place) {
	o := put(t, p, "f", []byte("soon gone"))
	p.remove("f")
	wantChanged(t, readAll(t.Context(), p, o))
}

func testCancel(t *testing.T, p place) {
	cause := errors.New("stopped by the test")
	o := put(t, p, "f", randomBytes(1, 20_000))
	ctx, cancel := context.WithCancelCause(t.Context())
	f, err := p.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	cancel(cause)
	_, readErr := f.ReadAt(make([]byte, 10), 10_000)
	_, listErr := p.List(ctx, "")
	for name, err := range map[string]error{"read": readErr, "list": listErr} {
		if !errors.Is(err, context.Canceled) && !errors.Is(err, cause) || errors.Is(err, reader.ErrStore) {
			t.Errorf("%s after the end of its context: %v", name, err)
		}
	}
	if err := f.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func randomBytes(seed uint64, n int) []byte {
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	data := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(data)
	return data
}
