package writer_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/reader/miniotest"
	"waconcile/writer"
)

func TestS3Probe(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	target := newS3(t, server.Client(t), server.Bucket(t), "")
	for range 2 { // the second finds the object of the first
		if err := target.Probe(t.Context()); err != nil {
			t.Error(err)
		}
	}
	unsafe, err := writer.NewS3(careless{server.Client(t)}, server.Bucket(t), "p", writer.S3Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := unsafe.Probe(t.Context()); !errors.Is(err, writer.ErrUnsafeStore) {
		t.Errorf("store that takes every write: %v", err)
	}
}

// careless is a client of a store that does not know conditional writes.
type careless struct{ *s3.Client }

func (c careless) PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	in.IfMatch, in.IfNoneMatch = nil, nil
	return c.Client.PutObject(ctx, in, opts...)
}

func TestS3Abort(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	client, bucket := server.Client(t), server.Bucket(t)
	target := newS3(t, client, bucket, "out")
	ctx, cancel := context.WithCancel(t.Context())
	testLargeAbort(t, target)
	u, err := target.Create(ctx, "runs/cancelled")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(randomBytes(2, largeBytes)); err != nil {
		t.Fatal(err)
	}
	// MinIO lists uploads only under their full key.
	uploads := func(key string) int {
		t.Helper()
		out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket, Prefix: &key})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Uploads)
	}
	if uploads("out/runs/cancelled") != 1 {
		t.Error("a large upload is not sent in parts")
	}
	cancel() // a run that is stopped still gives its parts up
	if err := u.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	for _, key := range []string{"out/runs/large", "out/runs/cancelled"} {
		if n := uploads(key); n != 0 {
			t.Errorf("%d uploads of %s left", n, key)
		}
	}
	objects, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil || len(objects.Contents) != 0 {
		t.Errorf("objects left: %v, %v", objects.Contents, err)
	}
}

func TestS3Failures(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	bucket := server.Bucket(t)
	nowhere := *server
	nowhere.Endpoint = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		client       *s3.Client
		bucket, want string
	}{
		"wrong bucket": {server.Client(t), "waconcile-no-such-bucket", "NoSuchBucket"},
		"wrong key":    {server.ClientWith(t, "somebody", "secret-of-nobody"), bucket, "InvalidAccessKeyId"},
		"wrong secret": {server.ClientWith(t, server.AccessKey, "secret-of-nobody"), bucket, "SignatureDoesNotMatch"},
		"unreachable":  {nowhere.Client(t), bucket, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			noRetry := s3.New(c.client.Options(), func(o *s3.Options) { o.Retryer = aws.NopRetryer{} })
			target := newS3(t, noRetry, c.bucket, "out")
			check := func(op string, err error, detail string) {
				t.Helper()
				if !errors.Is(err, writer.ErrStore) || errors.Is(err, writer.ErrConflict) {
					t.Errorf("%s: %v", op, err)
				} else if s := err.Error(); !strings.Contains(s, "s3://"+c.bucket+"/out") || !strings.Contains(s, detail) {
					t.Errorf("%s: %q lacks the place or %q", op, s, detail)
				}
			}
			_, _, err := target.Get(t.Context(), "k")
			check("get", err, c.want)
			_, err = target.Open(t.Context(), "k")
			check("open", err, "")
			check("put", target.Put(t.Context(), "k", nil, writer.Condition{}), c.want)
			check("replace", target.Put(t.Context(), "k", nil, writer.Condition{Version: "0"}), c.want)
			check("probe", target.Probe(t.Context()), c.want)
			for size, op := range map[int]string{10: "small upload", largeBytes: "large upload"} {
				u, err := target.Create(t.Context(), "k")
				if err != nil {
					t.Fatal(err)
				}
				_, _ = u.Write(make([]byte, size)) // Commit says it too
				check(op, u.Commit(t.Context()), c.want)
			}
		})
	}
}

// A Put whose answer is lost is not sent again: the second would meet the
// first and be told of a conflict.
func TestS3PutSendsOnce(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	bucket := server.Bucket(t)
	lossy := &lostAnswers{}
	client := s3.New(server.Client(t).Options(), func(o *s3.Options) { o.HTTPClient = lossy })
	target := newS3(t, client, bucket, "")
	err := target.Put(t.Context(), "current/p", []byte("mine"), writer.Condition{})
	if !errors.Is(err, writer.ErrStore) || errors.Is(err, writer.ErrConflict) {
		t.Errorf("put: %v", err)
	}
	if n := lossy.puts.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
	wantContent(t, newS3(t, server.Client(t), bucket, ""), "current/p", []byte("mine"))
}

// lostAnswers is a network that loses the answer to every PUT.
type lostAnswers struct{ puts atomic.Int32 }

func (l *lostAnswers) Do(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultClient.Do(r)
	if err == nil && r.Method == http.MethodPut {
		l.puts.Add(1)
		resp.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return resp, err
}

// What is read back is one object, even if another takes its key meanwhile.
func TestS3StoredIsPinned(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	target := newS3(t, server.Client(t), server.Bucket(t), "")
	create(t, target, "k", randomBytes(5, 3<<20))
	f, err := target.Open(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 10), 0); err != nil {
		t.Fatal(err)
	}
	create(t, target, "k", randomBytes(6, 3<<20))
	if n, err := f.ReadAt(make([]byte, 10), 2<<20); !errors.Is(err, writer.ErrStore) {
		t.Errorf("read of a replaced object: %d, %v", n, err)
	}
}

func TestS3Options(t *testing.T) {
	t.Parallel()
	for _, o := range []writer.S3Options{{PartBytes: 1 << 20}, {InFlight: -1}, {RangeBytes: -1}, {AbortTimeout: -1}} {
		if _, err := writer.NewS3(nil, "bucket", "", o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if _, err := writer.NewS3(nil, "", "", writer.S3Options{}); err == nil {
		t.Error("no bucket was taken")
	}
}
