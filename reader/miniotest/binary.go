package miniotest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// version is the server that the tests are written against.
const version = "v0.0.0-20260212201848-7aac2a2c5b7c"

// Binary returns the path of the minio program, which is built if need be.
func Binary(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs minio; skipped under -short")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("WACONCILE_TEST_MINIO"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("WACONCILE_TEST_MINIO: %w", err)
		}
		return path, nil
	}
	if path, err := exec.LookPath("minio"); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place to build minio in: %w", err)
	}
	return build(filepath.Join(cache, "waconcile", "minio", version))
})

// build builds minio into dir unless it lies there. Test binaries of several
// packages come here at once: the first holds a lock while it builds, the
// others wait for it. A build that was killed leaves a file of another name.
func build(dir string) (path string, err error) {
	path = filepath.Join(dir, "minio")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", err
	}
	defer lock.Close() // ends the lock
	if err := flock(lock); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	tell("building minio " + version + " for the tests, once; this takes about 3 minutes")
	bin := filepath.Join(dir, "build")
	cmd := exec.Command("go", "install", "github.com/minio/minio@"+version)
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=0")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build minio %s (name one in WACONCILE_TEST_MINIO, or a store in WACONCILE_TEST_S3_ENDPOINT, or use -short): %w\n%s", version, err, out)
	}
	if err := os.Rename(filepath.Join(bin, "minio"), path); err != nil {
		return "", err
	}
	_ = os.Remove(bin) // empty now, and in nobody's way if it stays
	return path, nil
}

// flock waits for an exclusive lock that ends with the file or the process.
func flock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			return err
		}
	}
}

// tell prints to the person at the terminal: what a test prints itself is held
// back by go test until the package is done.
func tell(line string) {
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		defer tty.Close()
		fmt.Fprintln(tty, line)
		return
	}
	fmt.Fprintln(os.Stderr, line)
}
