//go:build unix

package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A named pipe would keep a reader waiting for ever, and is left where it is.
func TestFileIsPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "waconcile.prom")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "waconcile.prom")
	if err := os.Symlink(pipe, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link} {
		for _, r := range []*Report{published(5), failed(7, 5)} {
			if err := WriteFile(path, r, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the pipe is now %v, %v", info, err)
	}
}
