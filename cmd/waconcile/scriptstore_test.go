package main

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"waconcile/reader/miniotest"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"
)

// testKey is where a script keeps its testing.TB.
type testKey struct{}

func testOf(ts *testscript.TestScript) testing.TB {
	t, ok := ts.Value(testKey{}).(testing.TB)
	if !ok {
		ts.Fatalf("the script has no test")
	}
	return t
}

func minio(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 0, "minio")
	t := testOf(ts)
	server := miniotest.Start(t)
	ts.Setenv("AWS_ACCESS_KEY_ID", server.AccessKey)
	ts.Setenv("AWS_SECRET_ACCESS_KEY", server.SecretKey)
	ts.Setenv("AWS_REGION", server.Region)
	ts.Setenv("WACONCILE_S3_ENDPOINT", server.Endpoint)
	ts.Setenv("WACONCILE_S3_PATH_STYLE", "true")
	ts.Setenv("BUCKET", "s3://"+server.Bucket(t))
}

func upload(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "upload DIR s3://bucket/prefix")
	t := testOf(ts)
	client := miniotest.Start(t).Client(t)
	bucket, prefix, _, err := splitPlace(args[1])
	ts.Check(err)
	root := os.DirFS(ts.MkAbs(args[0]))
	ts.Check(fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		key := path.Join(prefix, name)
		_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data)})
		return err
	}))
}

func download(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "download s3://bucket/prefix DIR")
	t := testOf(ts)
	client := miniotest.Start(t).Client(t)
	bucket, prefix, _, err := splitPlace(args[0])
	ts.Check(err)
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		ts.Check(err)
		for _, o := range page.Contents {
			answer, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
			ts.Check(err)
			var data bytes.Buffer
			_, err = data.ReadFrom(answer.Body)
			ts.Check(err)
			ts.Check(answer.Body.Close())
			name := filepath.Join(ts.MkAbs(args[1]), filepath.FromSlash(strings.TrimPrefix(*o.Key, prefix)))
			ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
			ts.Check(os.WriteFile(name, data.Bytes(), 0o644))
		}
	}
}
