package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/reader"
)

// slowStore is one object behind a network on which each GET takes a second
// of the test's own time.
type slowStore struct {
	data []byte
	// answer, where set, stands in for the object.
	answer func(ctx context.Context, in *s3.GetObjectInput, out *s3.GetObjectOutput) error

	mu       sync.Mutex
	gets     int
	bytes    int64
	inFlight int
	most     int
}

func (s *slowStore) ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	return nil, errors.ErrUnsupported
}

func (s *slowStore) GetObject(ctx context.Context, in *s3.GetObjectInput, _ ...func(*s3.Options)) (*s3.GetObjectOutput, error) {
	var from, to int64
	if _, err := fmt.Sscanf(aws.ToString(in.Range), "bytes=%d-%d", &from, &to); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.gets++
	s.bytes += to - from + 1
	s.inFlight++
	s.most = max(s.most, s.inFlight)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inFlight--
		s.mu.Unlock()
	}()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	out := &s3.GetObjectOutput{
		ETag:         in.IfMatch,
		ContentRange: aws.String(fmt.Sprintf("bytes %d-%d/%d", from, to, len(s.data))),
		Body:         io.NopCloser(bytes.NewReader(s.data[from : to+1])),
	}
	if s.answer != nil {
		if err := s.answer(ctx, in, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// openSlow opens the object of the store with ranges of 1,000 bytes.
func openSlow(t *testing.T, s *slowStore, opts reader.S3Options) reader.File {
	t.Helper()
	opts.RangeBytes, opts.TailBytes = 1000, 100
	source := newS3(t, s, "bucket", "", opts)
	return open(t, source, reader.Object{Key: "f", Size: int64(len(s.data)), Version: "v"})
}

// columns reads k equal column chunks of data in turns of step bytes.
func columns(t *testing.T, f reader.File, data []byte, k, step int) {
	t.Helper()
	width := len(data) / k
	buf := make([]byte, step)
	for at := 0; at < width; at += step {
		for c := range k {
			off := c*width + at
			n := min(step, width-at)
			if _, err := f.ReadAt(buf[:n], int64(off)); err != nil || !bytes.Equal(buf[:n], data[off:off+n]) {
				t.Fatalf("read %d at %d: %v", n, off, err)
			}
		}
	}
}

func TestS3ReadAhead(t *testing.T) {
	t.Parallel()
	const blocks = 40
	for name, c := range map[string]struct {
		columns, inFlight int
		cache             int64
		most              time.Duration // for all of it, where one by one takes 40 s
	}{
		"one stream":                   {1, 4, 20_000, 12 * time.Second},
		"one stream, one at a time":    {1, 1, 20_000, 42 * time.Second},
		"four columns":                 {4, 4, 20_000, 15 * time.Second},
		"ten columns":                  {10, 4, 24_000, 20 * time.Second},
		"ten columns, small cache":     {10, 4, 12_000, 42 * time.Second},
		"eight columns, eight at once": {8, 8, 32_000, 14 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &slowStore{data: randomBytes(1, blocks*1000)}
				f := openSlow(t, store, reader.S3Options{InFlight: c.inFlight, CacheBytes: c.cache})
				start := time.Now()
				columns(t, f, store.data, c.columns, 250)
				took := time.Since(start)
				if err := f.Close(); err != nil {
					t.Error(err)
				}
				t.Logf("%d GETs, %v", store.gets, took)
				if took > c.most {
					t.Errorf("took %v, want at most %v", took, c.most)
				}
				if store.gets > blocks+blocks/10 {
					t.Errorf("%d GETs for %d ranges", store.gets, blocks)
				}
				if store.most > c.inFlight {
					t.Errorf("%d GETs at a time, want at most %d", store.most, c.inFlight)
				}
			})
		})
	}
}

// More streams than the cache has room for cost more GETs, never wrong bytes
// and never more memory.
func TestS3ReadAheadOverrun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{data: randomBytes(1, 40_000)}
		f := openSlow(t, store, reader.S3Options{InFlight: 2, CacheBytes: 3000})
		columns(t, f, store.data, 10, 250)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		t.Logf("%d GETs", store.gets)
	})
}

func TestS3SmallObjectIsFetchedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{data: randomBytes(1, 900)}
		f := openSlow(t, store, reader.S3Options{})
		for _, off := range []int64{892, 600, 0, 300} {
			checkRead(t, f, store.data, off, 100)
		}
		if err := f.Close(); err != nil || store.gets != 1 {
			t.Errorf("%d GETs, %v", store.gets, err)
		}
	})
}

func TestS3TailIsFetchedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{data: randomBytes(1, 50_010)}
		f := openSlow(t, store, reader.S3Options{})
		for _, n := range []int64{8, 100, 50, 8} {
			checkRead(t, f, store.data, 50_010-n, n)
		}
		if err := f.Close(); err != nil || store.gets != 1 || store.bytes != 100 {
			t.Errorf("%d GETs of %d bytes, %v", store.gets, store.bytes, err)
		}
	})
}

// Close ends what is in flight, and synctest sees that nothing is left.
func TestS3CloseEndsReadAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{data: randomBytes(1, 50_000)}
		f := openSlow(t, store, reader.S3Options{})
		done := make(chan error)
		go func() {
			_, err := f.ReadAt(make([]byte, 10), 0)
			done <- err
		}()
		synctest.Wait()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, os.ErrClosed) {
			t.Errorf("read: %v", err)
		}
		if _, err := f.ReadAt(make([]byte, 10), 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("read after close: %v", err)
		}
		if store.inFlight != 0 {
			t.Errorf("%d GETs left", store.inFlight)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A store that does not know the headers is not believed.
func TestS3AnswersAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(ctx context.Context, in *s3.GetObjectInput, out *s3.GetObjectOutput) error
		want   error
	}{
		"another object": {func(_ context.Context, _ *s3.GetObjectInput, out *s3.GetObjectOutput) error {
			out.ETag = aws.String(`"other"`)
			return nil
		}, reader.ErrChanged},
		"all of it": {func(_ context.Context, _ *s3.GetObjectInput, out *s3.GetObjectOutput) error {
			out.ContentRange = nil
			return nil
		}, reader.ErrStore},
		"of another size": {func(_ context.Context, _ *s3.GetObjectInput, out *s3.GetObjectOutput) error {
			out.ContentRange = aws.String("bytes 0-999/6000")
			return nil
		}, reader.ErrStore},
		"short": {func(_ context.Context, _ *s3.GetObjectInput, out *s3.GetObjectOutput) error {
			out.Body = io.NopCloser(bytes.NewReader(nil))
			return nil
		}, reader.ErrStore},
		"no end of waiting": {func(ctx context.Context, _ *s3.GetObjectInput, _ *s3.GetObjectOutput) error {
			<-ctx.Done()
			return ctx.Err()
		}, reader.ErrStore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &slowStore{data: randomBytes(1, 5000), answer: c.answer}
				f := openSlow(t, store, reader.S3Options{})
				if n, err := f.ReadAt(make([]byte, 500), 0); n != 0 || !errors.Is(err, c.want) {
					t.Errorf("read %d, %v", n, err)
				}
				if err := f.Close(); c.want == reader.ErrChanged {
					wantChanged(t, err)
				} else if err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A range that failed is tried again by the next read that wants it.
func TestS3ReadAfterFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		store := &slowStore{data: randomBytes(1, 900)}
		store.answer = func(context.Context, *s3.GetObjectInput, *s3.GetObjectOutput) error {
			if refuse {
				return errors.New("slow down")
			}
			return nil
		}
		f := openSlow(t, store, reader.S3Options{})
		_, err := f.ReadAt(make([]byte, 10), 0)
		wantStore(t, err, "s3://bucket/f: slow down")
		refuse = false
		checkRead(t, f, store.data, 0, 900)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
}
