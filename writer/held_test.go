package writer_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"waconcile/writer"
)

// What waits for its commit holds nothing, and a commit holds little. These
// tests look at the whole process, so none of them runs beside another.

// waitingFiles is more than most limits of open files allow.
const waitingFiles = 2000

func TestDirSealedHoldsNoDescriptors(t *testing.T) {
	path := t.TempDir()
	testManySealed(t, newDir(t, path))
	wantEmptyDir(t, filepath.Join(path, ".tmp"))
}

func TestS3SealedHoldsNoDescriptors(t *testing.T) {
	testManySealed(t, newS3(t, &swallow{}, "bucket", ""))
}

func testManySealed(t *testing.T, target writer.Target) {
	create(t, target, "runs/first", []byte("opens what a target keeps open"))
	before, goroutines := descriptors(t), runtime.NumGoroutine()
	waiting := make([]writer.Upload, waitingFiles)
	for i := range waiting {
		waiting[i] = stage(t, target, fmt.Sprintf("runs/%d", i), []byte("x"))
	}
	if after := descriptors(t); after > before+8 {
		t.Errorf("%d files wait: %d descriptors, %d before", waitingFiles, after, before)
	}
	if after := runtime.NumGoroutine(); after > goroutines+8 {
		t.Errorf("%d files wait: %d goroutines, %d before", waitingFiles, after, goroutines)
	}
	for i, u := range waiting {
		if i%100 != 0 {
			u.Abort()
		} else if err := u.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if after := descriptors(t); after > before+8 {
		t.Errorf("all ended: %d descriptors, %d before", after, before)
	}
}

// descriptors counts those that this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("/proc/self/fd is of Linux")
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// swallow is a client of a bucket that keeps nothing but counts.
type swallow struct {
	writer.S3Client // nil: what is not below must not be called
}

func (swallow) PutObject(_ context.Context, in *s3.PutObjectInput, _ ...func(*s3.Options)) (*s3.PutObjectOutput, error) {
	_, err := io.Copy(io.Discard, in.Body)
	return &s3.PutObjectOutput{}, err
}

func (swallow) CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	return &s3.CreateMultipartUploadOutput{UploadId: new("id")}, nil
}

func (swallow) UploadPart(_ context.Context, in *s3.UploadPartInput, _ ...func(*s3.Options)) (*s3.UploadPartOutput, error) {
	_, err := io.Copy(io.Discard, in.Body)
	return &s3.UploadPartOutput{ETag: new("etag")}, err
}

func (swallow) CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	return &s3.CompleteMultipartUploadOutput{}, nil
}

// All that writing, waiting and sending ever allocate is less than the object.
func TestS3MemoryDoesNotFollowTheObject(t *testing.T) {
	target := newS3(t, &swallow{}, "bucket", "")
	const size = 128 << 20
	u, err := target.Create(t.Context(), "runs/large")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	piece := randomBytes(1, 1<<20)
	var before, sealed, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range size / len(piece) {
		if _, err := u.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.Seal(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&sealed)
	if got := sealed.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("writing and sealing took %d bytes", got)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	got := after.TotalAlloc - sealed.TotalAlloc
	t.Logf("commit of %d bytes took %d", size, got)
	if got > 12*partBytes {
		t.Errorf("commit of %d bytes took %d", size, got)
	}
}
