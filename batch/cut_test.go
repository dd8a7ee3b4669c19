package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/reader/miniotest"
	"waconcile/writer"
)

// cutStore cancels a run at one of the operations of its store: before it, so
// that it meets a context that has ended, or when it took place.
type cutStore struct {
	writer.Store
	at     int // from 1; 0 is never
	took   bool
	cancel context.CancelFunc

	mu   sync.Mutex
	seen int
	what string // the operation at which the run was cancelled
}

// operation counts one and is called as defer operation("put", key)().
func (c *cutStore) operation(op, key string) (ended func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reads := op == "get" || op == "open" || op == "list"
	if c.took && reads { // before the next operation is the same
		return func() {}
	}
	if c.seen++; c.seen != c.at {
		return func() {}
	}
	c.what = op + " " + key
	if c.took {
		return c.cancel
	}
	c.cancel()
	return func() {}
}

func (c *cutStore) Probe(ctx context.Context) error {
	defer c.operation("probe", "")()
	return c.Store.(prober).Probe(ctx)
}

func (c *cutStore) Create(ctx context.Context, key string) (writer.Upload, error) {
	defer c.operation("create", key)()
	u, err := c.Store.Create(ctx, key)
	return &cutUpload{u, c, key}, err
}

func (c *cutStore) Put(ctx context.Context, key string, data []byte, cond writer.Condition) error {
	defer c.operation("put", key)()
	return c.Store.Put(ctx, key, data, cond)
}

func (c *cutStore) Get(ctx context.Context, key string) ([]byte, string, error) {
	defer c.operation("get", key)()
	return c.Store.Get(ctx, key)
}

func (c *cutStore) Open(ctx context.Context, key string) (writer.Stored, error) {
	defer c.operation("open", key)()
	return c.Store.Open(ctx, key)
}

func (c *cutStore) List(ctx context.Context, prefix string) ([]writer.Listed, error) {
	defer c.operation("list", prefix)()
	return c.Store.List(ctx, prefix)
}

type cutUpload struct {
	writer.Upload
	store *cutStore
	key   string
}

func (u *cutUpload) Write(p []byte) (int, error) {
	defer u.store.operation("write", u.key)()
	return u.Upload.Write(p)
}

func (u *cutUpload) Seal() error {
	defer u.store.operation("seal", u.key)()
	return u.Upload.Seal()
}

func (u *cutUpload) Commit(ctx context.Context) error {
	defer u.store.operation("commit", u.key)()
	return u.Upload.Commit(ctx)
}

// places makes places by name that are there for one test.
type places func(name string) writer.Store

func directories(t *testing.T) places {
	root := t.TempDir()
	return func(name string) writer.Store {
		d, err := writer.NewDir(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		return d
	}
}

func prefixes(t *testing.T) places {
	server := miniotest.Start(t)
	client, bucket, temp := server.Client(t), server.Bucket(t), t.TempDir()
	return func(name string) writer.Store {
		s, err := writer.NewS3(client, bucket, name, writer.S3Options{TempDir: temp})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// contents are the objects of a place by key, but for the probe's. A server may
// still be at a write whose request was cancelled: where an object is listed
// and then not there, all are listed again.
func contents(t *testing.T, s writer.Store) map[string]string {
	t.Helper()
	for tries := 1; ; tries++ {
		all, err := readAll(t, s)
		if err == nil {
			return all
		}
		if !errors.Is(err, fs.ErrNotExist) || tries == 100 {
			t.Fatal(err)
		}
	}
}

func readAll(t *testing.T, s writer.Store) (map[string]string, error) {
	t.Helper()
	listed, err := s.List(t.Context(), "")
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, l := range listed {
		if strings.HasPrefix(l.Key, ".probe") {
			continue
		}
		data, _, err := s.Get(t.Context(), l.Key)
		if err != nil {
			return nil, err
		}
		all[l.Key] = string(data)
	}
	return all, nil
}

// A run that is cancelled at any operation of a directory or of a bucket,
// before it or after it took place, publishes all or nothing and says which.
// What it leaves is whole, and the same run again writes what an undisturbed
// one does.
func TestCutEverywhere(t *testing.T) {
	t.Parallel()
	for name, placesOf := range map[string]func(*testing.T) places{"directory": directories, "bucket": prefixes} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := placesOf(t)
			job, _, _ := brokenJob(t)
			whole := place("whole")
			count := &cutStore{Store: whole}
			job.Out = count
			if _, err := Run(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d operations", count.seen)
			want := contents(t, whole)
			for _, took := range []bool{false, true} {
				t.Run(fmt.Sprintf("took=%v", took), func(t *testing.T) {
					t.Parallel()
					cutAll(t, took, want, place)
				})
			}
		})
	}
}

func cutAll(t *testing.T, took bool, want map[string]string, place places) {
	retried := map[string]bool{}
	for at := 1; ; at++ {
		job, _, _ := brokenJob(t)
		out := place(fmt.Sprintf("%v-%d", took, at))
		ctx, cancel := context.WithCancel(t.Context())
		cut := &cutStore{Store: out, at: at, took: took, cancel: cancel}
		job.Out = cut
		_, err := Run(ctx, job)
		cancel()
		if cut.what == "" {
			if err != nil || at < 30 {
				t.Fatalf("%d operations, %v", at-1, err)
			}
			return
		}
		left := contents(t, out)
		told := fmt.Sprintf("cancelled at operation %d, %s", at, cut.what)
		for _, problem := range leftWrong(want, left, err) {
			t.Errorf("%s: %s", told, problem)
		}
		state := fmt.Sprint(slices.Sorted(maps.Keys(left)))
		if retried[state] { // the same objects, of which each can have one content
			continue
		}
		retried[state] = true
		job.Out = out
		if _, err := Run(t.Context(), job); err != nil {
			t.Fatalf("%s, and run again: %v", told, err)
		}
		if got := contents(t, out); !maps.Equal(got, want) {
			t.Errorf("%s, and run again: %d objects, which are not the %d of an undisturbed run", told, len(got), len(want))
		}
	}
}

// leftWrong compares what a run that ended in err has left with what an
// undisturbed one leaves.
func leftWrong(want, left map[string]string, err error) (problems []string) {
	for key, data := range left {
		if want[key] != data {
			problems = append(problems, key+" has other bytes")
		}
	}
	const pointer = "current/2024-07-02.json"
	_, published := left[pointer]
	if published && len(left) < len(want) {
		problems = append(problems, fmt.Sprintf("published with %d of %d objects", len(left), len(want)))
	}
	switch {
	case err == nil && published:
	case errors.Is(err, context.Canceled) && !published:
	default:
		problems = append(problems, fmt.Sprintf("published is %v, and the error %v", published, err))
	}
	slices.Sort(problems)
	return problems
}
