package writer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/reader/miniotest"
)

// badAnswers is a network on which the first answers to a PUT of one key go
// wrong.
type badAnswers struct {
	key    string
	times  int
	stored bool  // the store has taken the request all the same
	status int   // what comes back; 0: nothing does, but
	err    error // this

	puts int // that the client has sent, one after another
}

func (b *badAnswers) Do(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "/"+b.key) {
		return http.DefaultClient.Do(r)
	}
	if b.puts++; b.puts > b.times {
		return http.DefaultClient.Do(r)
	}
	if b.stored {
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil, err
		}
		resp.Body.Close()
	}
	if b.status == 0 {
		return nil, b.err
	}
	code := map[int]string{
		http.StatusConflict: "ConditionalRequestConflict", http.StatusPreconditionFailed: "PreconditionFailed",
		http.StatusServiceUnavailable: "SlowDown", http.StatusInternalServerError: "InternalError",
	}[b.status]
	body := fmt.Sprintf("<Error><Code>%s</Code></Error>", code)
	return &http.Response{
		StatusCode: b.status, Header: http.Header{"Content-Type": {"application/xml"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// commitAnswers are the ways in which a write can seem to have failed.
func commitAnswers() map[string]badAnswers {
	return map[string]badAnswers{
		"409":         {status: http.StatusConflict},
		"412":         {status: http.StatusPreconditionFailed},
		"500":         {status: http.StatusInternalServerError},
		"504":         {status: http.StatusGatewayTimeout},
		"503":         {status: http.StatusServiceUnavailable},
		"lost answer": {err: io.ErrUnexpectedEOF},
		"time-out":    {err: os.ErrDeadlineExceeded},
	}
}

// A bucket whose answers to the last two steps are wrong or lost: what is
// there decides. The SDK sends no such request a second time by itself, since
// that would meet our own success and be told of a conflict.
func TestS3CommitAnswers(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	for name, answers := range commitAnswers() {
		for _, key := range []string{testRun + manifestName, PointerKey("2024-07")} {
			for _, stored := range []bool{false, true} {
				for _, again := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/stored=%v/again=%v", name, path.Base(key), stored, again), func(t *testing.T) {
						t.Parallel()
						net := &badAnswers{key: key, times: 1, stored: stored, status: answers.status, err: answers.err}
						testCommitAnswers(t, server, net, again)
					})
				}
			}
		}
	}
}

func testCommitAnswers(t *testing.T, server *miniotest.Server, net *badAnswers, again bool) {
	bucket := server.Bucket(t)
	good := newCommitTarget(t, server.Client(t), bucket)
	if again {
		commit(t, good, other(), nil)
	}
	bad := newCommitTarget(t, s3.New(server.Client(t).Options(), func(o *s3.Options) { o.HTTPClient = net }), bucket)
	commit(t, bad, testManifest(), nil)
	if want := map[bool]int{true: 1, false: 2}[net.stored]; net.puts != want {
		t.Errorf("%d requests, want %d", net.puts, want)
	}
	p, m, _, err := Current(t.Context(), good, "2024-07")
	if err != nil || m.RunID != testManifest().RunID || (p.Previous != nil) != again {
		t.Errorf("current is %+v, %v", p, err)
	}
}

// Where the bad answer does not end, the run does, and says what it knows.
func TestS3CommitNeverAnswers(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	for name, answers := range commitAnswers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := server.Bucket(t)
			net := &badAnswers{key: PointerKey("2024-07"), times: always, status: answers.status, err: answers.err}
			bad := newCommitTarget(t, s3.New(server.Client(t).Options(), func(o *s3.Options) { o.HTTPClient = net }), bucket)
			want := ErrStore
			if answers.status == 0 || answers.status == http.StatusGatewayTimeout { // it may still arrive
				want = ErrOutcomeUnknown
			}
			commit(t, bad, testManifest(), want)
			if net.puts != 1+len(pauses()) {
				t.Errorf("%d requests", net.puts)
			}
			good := newCommitTarget(t, server.Client(t), bucket)
			if _, _, _, err := Current(t.Context(), good, "2024-07"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("current: %v", err)
			}
			commit(t, good, testManifest(), nil) // the same command again
		})
	}
}

func newCommitTarget(t *testing.T, client S3Client, bucket string) *S3 {
	t.Helper()
	s, err := NewS3(client, bucket, "out", S3Options{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// commit writes files for a manifest and publishes it.
func commit(t *testing.T, target *S3, m *Manifest, want error) {
	t.Helper()
	seen := ""
	if _, _, version, err := Current(t.Context(), target, m.Period); err == nil {
		seen = version
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, f := range m.Files {
		if _, err := WriteFile(t.Context(), target, m.RunKey()+f.Name, bytes.Repeat([]byte("x"), int(f.Bytes))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Publish(t.Context(), target, m, seen); !errors.Is(err, want) || errors.Is(err, ErrConflict) {
		t.Errorf("publish: %v, want %v", err, want)
	}
}
