package writer_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/reader/miniotest"
	"waconcile/writer"
)

// partHook is a client that asks before it sends a part.
type partHook struct {
	*s3.Client
	before func(part int32) error
}

func (c partHook) UploadPart(ctx context.Context, in *s3.UploadPartInput, opts ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	if err := c.before(*in.PartNumber); err != nil {
		return nil, err
	}
	return c.Client.UploadPart(ctx, in, opts...)
}

// Whatever goes wrong while a large object is sent, no part of it stays.
func TestS3BrokenCommit(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	refused := errors.New("refused by the test")
	for name, c := range map[string]struct {
		before func(ctx context.CancelFunc, part int32, file *os.File) error
		want   error
	}{
		"cancelled": {func(cancel context.CancelFunc, part int32, _ *os.File) error {
			if part == 2 {
				cancel()
			}
			return nil
		}, context.Canceled},
		"refused": {func(_ context.CancelFunc, part int32, _ *os.File) error {
			if part == 3 {
				return refused
			}
			return nil
		}, refused},
		"changed": {func(_ context.CancelFunc, part int32, file *os.File) error {
			if part == 1 {
				_, err := file.WriteAt([]byte("not what was written"), largeBytes-20)
				return err
			}
			return nil
		}, writer.ErrStore},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, bucket, temp := server.Client(t), server.Bucket(t), t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var file *os.File
			var parts atomic.Int32
			// One part at a time: the last is read when the first is sent.
			opts := writer.S3Options{TempDir: temp, PartBytes: partBytes, InFlight: 1}
			target, err := writer.NewS3(partHook{client, func(part int32) error {
				parts.Add(1)
				return c.before(cancel, part, file)
			}}, bucket, "out", opts)
			if err != nil {
				t.Fatal(err)
			}
			u := stage(t, target, "runs/large", randomBytes(2, largeBytes))
			file = onlyFile(t, temp)
			if err := u.Commit(ctx); !errors.Is(err, c.want) {
				t.Errorf("commit: %v", err)
			}
			if parts.Load() == 0 {
				t.Error("a large upload is not sent in parts")
			}
			wantNoUploads(t, client, bucket, "out/runs/large")
			wantEmptyDir(t, temp)
			wantAbsent(t, target, "runs/large")
		})
	}
}

// onlyFile opens the one file of a directory for writing.
func onlyFile(t *testing.T, dir string) *os.File {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Fatalf("%s holds %v, %v", dir, names, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, names[0].Name()), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// wantNoUploads asserts that no parts of key wait in the bucket. MinIO lists
// uploads only under their full key.
func wantNoUploads(t *testing.T, client *s3.Client, bucket, key string) {
	t.Helper()
	out, err := client.ListMultipartUploads(t.Context(), &s3.ListMultipartUploadsInput{Bucket: &bucket, Prefix: &key})
	if err != nil || len(out.Uploads) != 0 {
		t.Errorf("uploads of %s left: %v, %v", key, out, err)
	}
}

// A small object whose file was changed is not sent at all, nor one whose file
// is gone; and what holds the results is for nobody else to read.
func TestS3SpoolIsChecked(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	temp := t.TempDir()
	target := newS3In(t, temp, server.Client(t), server.Bucket(t), "")
	for name, change := range map[string]func(f *os.File) error{
		"other bytes": func(f *os.File) error { _, err := f.WriteAt([]byte("X"), 3); return err },
		"shorter":     func(f *os.File) error { return f.Truncate(3) },
		"longer":      func(f *os.File) error { _, err := f.WriteAt([]byte("X"), 100); return err },
		"gone":        func(f *os.File) error { return os.Remove(f.Name()) },
	} {
		u := stage(t, target, "k", []byte("the bytes of a table"))
		file := onlyFile(t, temp)
		if info, err := file.Stat(); err != nil || info.Mode() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if err := change(file); err != nil {
			t.Fatal(err)
		}
		if err := u.Commit(t.Context()); !errors.Is(err, writer.ErrStore) || !strings.Contains(err.Error(), file.Name()) {
			t.Errorf("%s: %v", name, err)
		}
		wantAbsent(t, target, "k")
		wantEmptyDir(t, temp)
	}
}

// Without a place for temporary files a run ends before its work.
func TestS3NoTempDir(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	temp := filepath.Join(t.TempDir(), "missing")
	target := newS3In(t, temp, server.Client(t), server.Bucket(t), "")
	_, err := target.Create(t.Context(), "k")
	for name, err := range map[string]error{"create": err, "probe": target.Probe(t.Context())} {
		if !errors.Is(err, writer.ErrStore) || !strings.Contains(err.Error(), temp) {
			t.Errorf("%s: %v", name, err)
		}
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
