package writer_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/reader/miniotest"
	"waconcile/writer"
)

func TestS3Probe(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	target := newS3(t, server.Client(t), server.Bucket(t), "out")
	for range 2 { // the second finds the object of the first
		if err := target.Probe(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wantListed(t, target, "", ".probe/kept 61")
}

// Stores that ignore exactly one of the conditions, from the first probe on or
// only later.
func TestS3ProbeFindsLies(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	for name, c := range map[string]struct {
		lie  lie
		want string
	}{
		"put if absent":           {lie{absent: true}, "a second object under a key that must be new (.probe/kept)"},
		"if-match, wrong tag":     {lie{wrong: true}, "to replace another version (.probe/kept)"},
		"if-match on missing key": {lie{missing: true}, "to replace an object that is not there"},
	} {
		for when, honestFirst := range map[string]bool{"at once": false, "later": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				liar := &liar{Client: server.Client(t), lie: c.lie}
				target := newS3(t, liar, server.Bucket(t), "p")
				if honestFirst {
					if err := target.Probe(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				liar.lying.Store(true)
				for range 2 {
					err := target.Probe(t.Context())
					if !errors.Is(err, writer.ErrUnsafeStore) || !strings.Contains(err.Error(), c.want) {
						t.Errorf("%v; want one of %q", err, c.want)
					}
				}
				// Only a write to a missing key leaves a trace by which a store
				// that has lied is known.
				liar.lying.Store(false)
				if err := target.Probe(t.Context()); errors.Is(err, writer.ErrUnsafeStore) != c.lie.missing {
					t.Errorf("honest again: %v", err)
				}
			})
		}
	}
}

// lie says which conditions are ignored.
type lie struct{ absent, wrong, missing bool }

// liar is a client of a store that ignores conditions while it is lying.
type liar struct {
	*s3.Client
	lie   lie
	lying atomic.Bool
}

func (l *liar) PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	if l.lying.Load() {
		_, err := l.HeadObject(ctx, &s3.HeadObjectInput{Bucket: in.Bucket, Key: in.Key})
		if l.lie.absent {
			in.IfNoneMatch = nil
		}
		if l.lie.wrong && err == nil || l.lie.missing && err != nil {
			in.IfMatch = nil
		}
	}
	return l.Client.PutObject(ctx, in, opts...)
}

// A store that does not know conditional writes says so; what fails for
// another reason does not make it unsafe.
func TestS3ProbeFailures(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	for name, c := range map[string]struct {
		status int
		unsafe bool
	}{"not implemented": {http.StatusNotImplemented, true}, "forbidden": {http.StatusForbidden, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := s3.New(server.Client(t).Options(), func(o *s3.Options) { o.HTTPClient = refusing(c.status) })
			err := newS3(t, client, server.Bucket(t), "p").Probe(t.Context())
			if errors.Is(err, writer.ErrUnsafeStore) != c.unsafe || !errors.Is(err, writer.ErrStore) {
				t.Errorf("probe: %v", err)
			}
		})
	}
}

// refusing answers every PUT with a status.
type refusing int

func (status refusing) Do(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPut {
		return http.DefaultClient.Do(r)
	}
	return &http.Response{StatusCode: int(status), Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}
