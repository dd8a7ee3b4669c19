package s3test_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"waconcile/writer/s3test"
)

const bucket = "bucket"

// client is one of a test: what it asks for in few words.
type client struct {
	t *testing.T
	*s3.Client
}

func (c client) put(key, data string, change func(*s3.PutObjectInput)) (etag string, err error) {
	in := &s3.PutObjectInput{Bucket: aws.String(bucket), Key: &key, Body: strings.NewReader(data)}
	if change != nil {
		change(in)
	}
	out, err := c.PutObject(c.t.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.ETag, nil
}

func (c client) get(key string, change func(*s3.GetObjectInput)) (string, error) {
	in := &s3.GetObjectInput{Bucket: aws.String(bucket), Key: &key}
	if change != nil {
		change(in)
	}
	out, err := c.GetObject(c.t.Context(), in)
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	return string(data), err
}

func (c client) keys(prefix string) []string {
	c.t.Helper()
	var keys []string
	pages := s3.NewListObjectsV2Paginator(c.Client, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, o := range page.Contents {
			keys = append(keys, *o.Key)
		}
	}
	return keys
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	r, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok || r.HTTPStatusCode() != status {
		t.Errorf("error is %v, want status %d", err, status)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	c := client{t, (&s3test.Network{Store: &s3test.Store{}}).S3()}
	absent := func(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }
	is := func(etag string) func(*s3.PutObjectInput) {
		return func(in *s3.PutObjectInput) { in.IfMatch = &etag }
	}
	_, err := c.put("k", "x", is(`"00000000000000000000000000000000"`))
	wantStatus(t, err, http.StatusNotFound)
	one, err := c.put("k", "one", absent)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.put("k", "two", absent)
	wantStatus(t, err, http.StatusPreconditionFailed)
	two, err := c.put("k", "two", is(one))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.put("k", "three", is(one))
	wantStatus(t, err, http.StatusPreconditionFailed)
	_, err = c.get("k", func(in *s3.GetObjectInput) { in.IfMatch = &one })
	wantStatus(t, err, http.StatusPreconditionFailed)
	if got, err := c.get("k", func(in *s3.GetObjectInput) { in.IfMatch = &two }); got != "two" || err != nil {
		t.Errorf("reads %q, %v", got, err)
	}
	_, err = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("k"), IfMatch: &one})
	wantStatus(t, err, http.StatusPreconditionFailed)
	if _, err = c.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")}); err != nil {
		t.Error(err)
	}
	_, err = c.get("k", nil)
	if _, missing := errors.AsType[*types.NoSuchKey](err); !missing {
		t.Errorf("removed key: %v", err)
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	c := client{t, (&s3test.Network{Store: &s3test.Store{}}).S3()}
	if _, err := c.put("k", "0123456789", nil); err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{"bytes=0-9": "0123456789", "bytes=3-4": "34", "bytes=8-100": "89"} {
		if got, err := c.get("k", func(in *s3.GetObjectInput) { in.Range = &asked }); got != want || err != nil {
			t.Errorf("%s reads %q, %v", asked, got, err)
		}
	}
	_, err := c.get("k", func(in *s3.GetObjectInput) { in.Range = aws.String("bytes=10-11") })
	wantStatus(t, err, http.StatusRequestedRangeNotSatisfiable)
	head, err := c.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("k")})
	if err != nil || *head.ContentLength != 10 {
		t.Errorf("head: %+v, %v", head, err)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	c := client{t, (&s3test.Network{Store: &s3test.Store{PageKeys: 2}}).S3()}
	var want []string
	for i := range 7 {
		want = append(want, fmt.Sprintf("a/x+y %d", i))
	}
	for _, key := range append(slices.Clone(want), "a", "b/1") {
		if _, err := c.put(key, "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, c.keys("a/")); diff != "" {
		t.Error(diff)
	}
}

// A listing that does not know the last changes neither forgets nor invents
// what was there before the store had settled.
func TestStalePages(t *testing.T) {
	t.Parallel()
	store := &s3test.Store{}
	store.Put("a/old", []byte("1"))
	store.Settle()
	store.Put("a/old", []byte("2"))
	store.Put("a/new", []byte("1"))
	store.Put("b/other", []byte("1"))
	all := func(s3test.Call) int { return 1000 }
	seen := map[string]bool{}
	for seed := range uint64(20) {
		n := &s3test.Network{Store: store, Plan: &s3test.Plan{Seed: seed, Rate: all, Faults: []s3test.Fault{s3test.Stale}}}
		synctest.Test(t, func(t *testing.T) {
			seen[strings.Join(client{t, n.S3()}.keys("a/"), " ")] = true
		})
	}
	if diff := cmp.Diff(map[string]bool{"a/old": true}, seen); diff != "" {
		t.Errorf("listings (-want +got):\n%s", diff)
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	store := &s3test.Store{}
	c := client{t, (&s3test.Network{Store: store}).S3()}
	key, parts := aws.String("k"), [][]byte{bytes.Repeat([]byte("a"), 5<<20), []byte("b")}
	begin := func() *string {
		out, err := c.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return out.UploadId
	}
	id, idle := begin(), begin()
	var sent []types.CompletedPart
	for i, part := range parts {
		out, err := c.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: aws.String(bucket), Key: key, UploadId: id, PartNumber: aws.Int32(int32(i + 1)), Body: bytes.NewReader(part),
		})
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, types.CompletedPart{ETag: out.ETag, PartNumber: aws.Int32(int32(i + 1))})
	}
	finish := &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(bucket), Key: key, UploadId: id, MultipartUpload: &types.CompletedMultipartUpload{Parts: sent},
	}
	if _, err := c.CompleteMultipartUpload(t.Context(), finish); err != nil {
		t.Fatal(err)
	}
	if want := bytes.Join(parts, nil); !bytes.Equal(store.Objects()["k"], want) {
		t.Errorf("holds %d bytes, want %d", len(store.Objects()["k"]), len(want))
	}
	_, err := c.CompleteMultipartUpload(t.Context(), finish)
	wantStatus(t, err, http.StatusNotFound)
	if left := store.Uploads(); len(left) != 1 {
		t.Errorf("unfinished uploads: %q", left)
	}
	if _, err := c.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String(bucket), Key: key, UploadId: idle}); err != nil {
		t.Error(err)
	}
	if left := store.Uploads(); len(left) != 0 {
		t.Errorf("unfinished uploads: %q", left)
	}
}
