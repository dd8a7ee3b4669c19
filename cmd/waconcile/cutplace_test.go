package main

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/reader/miniotest"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// objects are what a place shows, by key.
type objects map[string]string

// A place that results go to, looked at from outside: with the tools of the
// system and of the SDK, not with those of package writer.
type place interface {
	String() string          // as --out names it
	list(*testing.T) objects // what a reader sees: no temporary files, no lock, no probe
	fill(*testing.T, objects)
}

type dirPlace string

func (d dirPlace) String() string { return string(d) }

func (d dirPlace) list(t *testing.T) objects {
	t.Helper()
	found := objects{}
	root := os.DirFS(string(d))
	err := fs.WalkDir(root, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".tmp":
			return fs.SkipDir
		case e.IsDir() || name == "current/.lock":
			return nil
		}
		data, err := fs.ReadFile(root, name)
		found[name] = string(data)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return found
}

func (d dirPlace) fill(t *testing.T, all objects) {
	t.Helper()
	for key, data := range all {
		name := filepath.Join(string(d), filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// bucketPlace is a prefix of a bucket.
type bucketPlace struct {
	*testBucket
	prefix string // ends in a slash
}

// testBucket is a bucket of one test. What has been read from it once is not
// read again: another object of the same ETag has the same bytes.
type testBucket struct {
	client *s3.Client
	name   string

	mu    sync.Mutex
	known map[string]string // bytes by ETag
}

func newTestBucket(t *testing.T, server *miniotest.Server) *testBucket {
	t.Helper()
	return &testBucket{client: server.Client(t), name: server.Bucket(t), known: map[string]string{}}
}

func (b *testBucket) place(name string) *bucketPlace { return &bucketPlace{b, name + "/"} }

func (b *bucketPlace) String() string { return bucketScheme + b.name + "/" + b.prefix }

func (b *bucketPlace) list(t *testing.T) objects {
	t.Helper()
	found := objects{}
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &b.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			key := strings.TrimPrefix(*o.Key, b.prefix)
			if strings.HasPrefix(key, ".probe") {
				continue
			}
			found[key] = b.read(t, *o.Key, *o.ETag)
		}
	}
	return found
}

func (b *testBucket) read(t *testing.T, key, etag string) string {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if data, ok := b.known[etag]; ok {
		return data
	}
	answer, err := b.client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	b.known[etag] = string(data)
	return string(data)
}

func (b *bucketPlace) fill(t *testing.T, all objects) {
	t.Helper()
	for key, data := range all {
		full := b.prefix + key
		if _, err := b.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b.name, Key: &full, Body: strings.NewReader(data)}); err != nil {
			t.Fatal(err)
		}
	}
}

// isPointer tells the objects that may change, each in one step.
func isPointer(key string) bool {
	return strings.HasPrefix(key, "current/") || strings.HasPrefix(key, "adjusted/")
}

// consistent finds what a reader must never see of a command that was cut
// somewhere between before and after: bytes that are of neither, something
// lost that stays, or something that names what is not there yet.
func consistent(before, after, now objects) (problems []string) {
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if now[key] != after[key] && now[key] != before[key] {
			problems = append(problems, key+" is there with bytes that no whole command wrote")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		_, was := before[key]
		_, is := now[key]
		if was && !is {
			problems = append(problems, key+" is lost")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if !isPointer(key) || now[key] == before[key] {
			continue
		}
		for _, other := range slices.Sorted(maps.Keys(after)) {
			if _, is := now[other]; !is && strings.HasPrefix(other, "runs/") {
				problems = append(problems, key+" has moved and "+other+" is not there")
			}
		}
	}
	for key := range now {
		// A seal is made when all else of a closing is done.
		if strings.HasPrefix(key, "sealed/") && before[key] == "" {
			problems = append(problems, differences(after, now)...)
		}
	}
	return problems
}

// differences tells how what a place shows differs from what it should.
func differences(want, got objects) (problems []string) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if data, ok := got[key]; !ok {
			problems = append(problems, key+" is missing")
		} else if data != want[key] {
			problems = append(problems, key+" has other bytes")
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			problems = append(problems, key+" should not be there")
		}
	}
	return problems
}

// retried remembers from which states a command was run again. What it does
// follows from its inputs and from what its place shows, so that one try of
// each state is enough.
type retried struct {
	mu   sync.Mutex
	seen map[string]bool
}

// first tells whether a state was not there yet.
func (r *retried) first(state objects) bool {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(state)) {
		fmt.Fprintf(&text, "%q %q\n", key, state[key])
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	was := r.seen[text.String()]
	r.seen[text.String()] = true
	return !was
}
