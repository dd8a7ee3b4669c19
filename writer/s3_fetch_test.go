package writer_test

import (
	"errors"
	"io"
	"iter"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/reader/miniotest"
	"waconcile/writer"
)

// counted is a network that counts requests, and may cut bodies.
type counted struct {
	mu       sync.Mutex
	requests []string                      // method and key
	body     func(n int, r *http.Response) // n counts the answers to GET from 0
}

func (c *counted) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	n := 0
	for _, line := range c.requests {
		if strings.HasPrefix(line, http.MethodGet) {
			n++
		}
	}
	c.requests = append(c.requests, r.Method+" "+r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	c.mu.Unlock()
	resp, err := http.DefaultClient.Do(r)
	if err == nil && r.Method == http.MethodGet && c.body != nil {
		c.body(n, resp)
	}
	return resp, err
}

// largeTable is one of more bytes than are kept in memory.
func largeTable() (writer.Schema, iter.Seq2[writer.Frame, error]) {
	const pieces, rows = 300, 1000
	return writer.Schema{{Name: "file", Type: writer.Text, Unique: true}, {Name: "row", Type: writer.Int64}, {Name: "reason", Type: writer.Text}, {Name: "detail", Type: writer.Text, Nullable: true}},
		func(yield func(writer.Frame, error) bool) {
			for i := range pieces {
				f := writer.Frame{Rows: rows, Columns: make([]writer.Column, 4)}
				noise := randomBytes(uint64(i), 64*rows)
				for j := range rows {
					for k := range noise[64*j : 64*j+64] {
						noise[64*j+k] = 'A' + noise[64*j+k]%50
					}
					f.Columns[0].Text = append(f.Columns[0].Text, "file")
					f.Columns[1].Int = append(f.Columns[1].Int, int64(i*rows+j))
					f.Columns[2].Text = append(f.Columns[2].Text, "bad_status")
					f.Columns[3].Text = append(f.Columns[3].Text, string(noise[64*j:64*j+64]))
				}
				f.Columns[3].Null = make([]bool, rows)
				if !yield(f, nil) {
					return
				}
			}
		}
}

// Each byte is asked for once, large or small, also where its body breaks
// off; what does not fit into memory leaves no temporary file.
func TestS3ReadBack(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	const run = "runs/2024-07/0123456789abcdef/"
	target := newS3(t, server.Client(t), server.Bucket(t), "out")
	schema, frames := largeTable()
	large, err := writer.WriteParquet(t.Context(), target, run+"rejects.parquet", schema, frames)
	if err != nil || large.Bytes <= 8<<20 {
		t.Fatalf("%d bytes, %v", large.Bytes, err)
	}
	small, err := writer.WriteFile(t.Context(), target, run+"report.html", []byte("<!doctype html>"))
	if err != nil {
		t.Fatal(err)
	}
	empty, err := writer.WriteFile(t.Context(), target, run+"empty.html", nil)
	if err != nil {
		t.Fatal(err)
	}
	files := []writer.FileEntry{large, small, empty}
	broken := errors.New("connection reset")
	half := func(n int, r *http.Response) {
		if n < 2 {
			r.Body = &cutBody{r.Body, r.ContentLength / 2, broken}
		}
	}
	never := func(_ int, r *http.Response) { r.Body = &cutBody{r.Body, 0, broken} }
	for name, c := range map[string]struct {
		files []writer.FileEntry
		body  func(int, *http.Response)
		gets  int
		want  error
	}{
		"large":         {files[:1], nil, 2, nil}, // the first range, the rest
		"small":         {files[1:2], nil, 1, nil},
		"empty":         {files[2:], nil, 1, nil}, // and a HEAD
		"broken, large": {files[:1], half, 3, nil},
		"broken, small": {files[1:2], half, 3, nil},
		"never a byte":  {files[:1], never, 5, broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net := &counted{body: c.body}
			client := s3.New(server.Client(t).Options(), func(o *s3.Options) { o.HTTPClient = net })
			watched := newS3(t, client, strings.TrimPrefix(strings.TrimSuffix(target.String(), "/out"), "s3://"), "out")
			err := writer.ReadBack(t.Context(), watched, run, c.files)
			if !errors.Is(err, c.want) || errors.Is(err, writer.ErrVerify) || err != nil && !errors.Is(err, writer.ErrStore) {
				t.Errorf("%v, want %v", err, c.want)
			}
			gets := 0
			for _, line := range net.requests {
				if strings.HasPrefix(line, http.MethodGet) {
					gets++
				}
			}
			if gets != c.gets || len(net.requests) > c.gets+1 {
				t.Errorf("%d GETs in %v, want %d", gets, net.requests, c.gets)
			}
		})
	}
}

// cutBody fails after so many bytes.
type cutBody struct {
	io.ReadCloser
	left int64
	err  error
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
