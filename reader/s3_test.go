package reader_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/reader"
	"waconcile/reader/miniotest"
)

func TestS3ListsAllPages(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	b := bucket{t, server.Client(t), server.Bucket(t)}
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("dt=2024-07-0%d/x+y.parquet", i))
		b.put("in/"+want[i], nil)
	}
	b.put("in/dt=2024-07-03/", nil) // a directory, as a console makes it
	var keys []string
	for _, o := range list(t, newS3(t, smallPages{b.client}, b.name, "in/", reader.S3Options{}), "") {
		keys = append(keys, o.Key)
	}
	if !slices.Equal(keys, want) {
		t.Errorf("lists %v", keys)
	}
}

// smallPages asks for two keys at a time.
type smallPages struct{ *s3.Client }

func (c smallPages) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	in.MaxKeys = aws.Int32(2)
	return c.Client.ListObjectsV2(ctx, in, opts...)
}

func TestS3Prefixes(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	b := bucket{t, server.Client(t), server.Bucket(t)}
	for _, key := range []string{"rates.csv", "rates.csv.old", "in/rates/a.csv", "in/rates/b.csv", "in/rates-old/c.csv", "deep/er/one.csv"} {
		b.put(key, []byte(key))
	}
	for prefix, want := range map[string]string{
		"":                 "deep/er/one.csv in/rates-old/c.csv in/rates/a.csv in/rates/b.csv rates.csv rates.csv.old",
		"rates.csv":        "rates.csv",
		"rates.csv/":       "",
		"rates":            "",
		"in/rates":         "a.csv b.csv",
		"in/rates/":        "a.csv b.csv",
		"/in/rates/":       "a.csv b.csv",
		"deep/er/one.csv":  "one.csv",
		"deep/er/none.csv": "",
	} {
		s := newS3(t, b.client, b.name, prefix, reader.S3Options{})
		var keys []string
		for _, o := range list(t, s, "") {
			keys = append(keys, o.Key)
			f := open(t, s, o)
			got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
			if err := errors.Join(err, f.Close()); err != nil || !strings.HasSuffix(string(got), o.Key) {
				t.Errorf("%q below %q reads %q, %v", o.Key, prefix, got, err)
			}
		}
		if got := strings.Join(keys, " "); got != want {
			t.Errorf("%q lists %q, want %q", prefix, got, want)
		}
	}
}

func TestS3Failures(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	name := server.Bucket(t)
	nowhere := *server
	nowhere.Endpoint = "http://127.0.0.1:1"
	for label, c := range map[string]struct {
		client       *s3.Client
		bucket, want string
	}{
		"wrong bucket": {server.Client(t), "waconcile-no-such-bucket", "NoSuchBucket"},
		"wrong key":    {server.ClientWith(t, "somebody", "secret-of-nobody"), name, "InvalidAccessKeyId"},
		"wrong secret": {server.ClientWith(t, server.AccessKey, "secret-of-nobody"), name, "SignatureDoesNotMatch"},
		"unreachable":  {nowhere.Client(t), name, "connection refused"},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			client := s3.New(c.client.Options(), func(o *s3.Options) { o.Retryer = aws.NopRetryer{} })
			s := newS3(t, client, c.bucket, "in", reader.S3Options{})
			_, err := s.List(t.Context(), "dt=2024-07-01/")
			wantStore(t, err, "s3://"+c.bucket+"/in")
			wantStore(t, err, c.want)
			err = readAll(t.Context(), s, reader.Object{Key: "k", Size: 10, Version: "v"})
			wantStore(t, err, "s3://"+c.bucket+"/in/k")
			wantStore(t, err, c.want)
		})
	}
}

// A body that is cut short is asked for again from where it ended, and where
// that does not help the read fails: no byte is missing in silence.
func TestS3BodyCutShort(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	b := bucket{t, server.Client(t), server.Bucket(t)}
	data := randomBytes(1, 100_000)
	b.put("f", data)
	for name, c := range map[string]struct {
		cuts int // bodies that are cut
		ok   bool
	}{"three times": {3, true}, "again and again": {1000, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cut := &cutBodies{keep: 7000}
			cut.left.Store(int32(c.cuts))
			client := s3.New(b.client.Options(), func(o *s3.Options) { o.HTTPClient = cut })
			s := newS3(t, client, b.name, "", reader.S3Options{})
			f := open(t, s, list(t, s, "")[0])
			got := make([]byte, len(data))
			n, err := f.ReadAt(got, 0)
			if c.ok && (err != nil || !bytes.Equal(got, data)) {
				t.Errorf("read %d, %v", n, err)
			}
			if !c.ok {
				wantStore(t, err, "s3://"+b.name+"/f")
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// cutBodies is a network that breaks off the answers to ranged GETs.
type cutBodies struct {
	keep int64
	left atomic.Int32
}

func (c *cutBodies) Do(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultClient.Do(r)
	if err == nil && r.Header.Get("Range") != "" && c.left.Add(-1) >= 0 {
		body := resp.Body
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(io.LimitReader(body, c.keep), failing{}), body}
	}
	return resp, err
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("connection reset by the test") }

func TestS3Options(t *testing.T) {
	t.Parallel()
	for _, o := range []reader.S3Options{{RangeBytes: -1}, {InFlight: -1}, {CacheBytes: -1}, {TailBytes: -1}, {RangeTimeout: -1}} {
		if _, err := reader.NewS3(nil, "bucket", "", o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if _, err := reader.NewS3(nil, "", "", reader.S3Options{}); err == nil {
		t.Error("no bucket was taken")
	}
}
