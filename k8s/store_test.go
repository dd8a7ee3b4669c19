package k8s_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"waconcile/reader/miniotest"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// bucketName is the bucket of the overlay local-minio.
const bucketName = "waconcile"

// demoNow is the morning after the month of the demo, so that the month so far
// and the last month are both July.
const demoNow = "2024-08-01T04:30:00Z"

// store is a MinIO with the month of the demo in it.
type store struct {
	server *miniotest.Own
	client *s3.Client
	demo   string // directory with the same inputs, and results in out
}

func startStore(t *testing.T, c *cluster) *store {
	t.Helper()
	server := miniotest.StartOwn(t)
	s := &store{server: server, client: server.Client(t), demo: filepath.Join(t.TempDir(), "demo")}
	cmd := exec.CommandContext(t.Context(), c.program, "demo", "--dir", s.demo, "--messages", "3000")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("demo: %v\n%s", err, out)
	}
	bucket := bucketName
	if _, err := s.client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	inputs := os.DirFS(s.demo)
	err := fs.WalkDir(inputs, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == "out":
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		data, err := fs.ReadFile(inputs, name)
		if err == nil {
			s.put(t, name, data)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *store) put(t *testing.T, key string, data []byte) {
	t.Helper()
	bucket := bucketName
	if _, err := s.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(data)}); err != nil {
		t.Fatal(err)
	}
}

func (s *store) get(ctx context.Context, key string) ([]byte, error) {
	bucket := bucketName
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	defer out.Body.Close()
	return io.ReadAll(out.Body)
}

// network is what the names of the overlay lead to, and the time that it is.
func (s *store) network() map[string]string {
	return map[string]string{"WACONCILE_S3_ENDPOINT": s.server.Endpoint, "WACONCILE_NOW": demoNow}
}

// grant puts the store's keys where the job takes its own from, as the runbook
// rotates them.
func (s *store) grant(t *testing.T, c *cluster, namespace string) {
	t.Helper()
	cronJob, err := c.client.BatchV1().CronJobs(namespace).Get(t.Context(), "waconcile-daily", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secret := cronJob.Spec.JobTemplate.Spec.Template.Spec.Containers[0].EnvFrom[0].SecretRef.Name
	patch, err := json.Marshal(corev1.Secret{StringData: map[string]string{
		"AWS_ACCESS_KEY_ID": s.server.AccessKey, "AWS_SECRET_ACCESS_KEY": s.server.SecretKey,
	}})
	if err != nil {
		t.Fatal(err)
	}
	c.kubectl(t, nil, "patch", "secret", "-n", namespace, secret, "--type=merge", "-p", string(patch))
}

// checkTables wants the current run of July to have the tables that the demo
// has made of the same inputs in a directory.
func (s *store) checkTables(t *testing.T) {
	t.Helper()
	mine, err := s.get(t.Context(), "reconciled/current/2024-07.json")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(s.demo, "out", "current", "2024-07.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"statements.csv", "summary.csv", "differences.csv", "findings.csv"} {
		got, err := s.get(t.Context(), path.Join("reconciled", runOf(t, mine), table))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(s.demo, "out", runOf(t, theirs), table))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) || bytes.Count(want, []byte("\n")) < 2 {
			t.Errorf("%s is\n%s\nwant\n%s", table, got, want)
		}
	}
}

func runOf(t *testing.T, pointer []byte) string {
	t.Helper()
	var p struct{ Run string }
	decodeJSON(t, pointer, &p)
	if p.Run == "" {
		t.Fatal(fmt.Errorf("no run in %s", pointer))
	}
	return p.Run
}
