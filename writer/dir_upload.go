package writer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// dirUpload is a temporary file on its way to a key.
type dirUpload struct {
	ctx     context.Context // of Create, which bounds all of it
	dir     *Dir
	key     string
	temp    *tempFile
	written int64
	failed  error // of the first Write that failed, or of Seal
	sealed  bool
	ended   bool
}

func (u *dirUpload) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, storeFailure(u.ctx, "write", u.dir.path(u.key), nil)
	}
	if u.sealed || u.ended {
		return 0, fmt.Errorf("write %s: already sealed", u.dir.path(u.key))
	}
	n, err := u.temp.file.Write(p)
	u.written += int64(n)
	if err != nil {
		err = storeFailure(u.ctx, "write", u.dir.path(u.key), pathCause(err))
		u.failed = err
	}
	return n, err
}

// Seal implements Upload. What is left is the name of a durable file.
func (u *dirUpload) Seal() error {
	if u.ended {
		return fmt.Errorf("seal %s: already ended", u.dir.path(u.key))
	}
	if u.sealed {
		return u.failed
	}
	u.sealed = true
	if err := u.seal(); err != nil && u.failed == nil {
		u.failed = storeFailure(u.ctx, "seal", u.dir.path(u.key), pathCause(err))
	}
	return u.failed
}

func (u *dirUpload) seal() error {
	f := u.temp.file
	u.temp.file = nil
	if err := errors.Join(u.failed, u.ctx.Err()); err != nil {
		return errors.Join(err, f.Close())
	}
	info, err := f.Stat()
	if err == nil && info.Size() != u.written {
		err = fmt.Errorf("temporary file has %d of %d bytes", info.Size(), u.written)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// Commit implements Upload; see Dir for its steps.
func (u *dirUpload) Commit(ctx context.Context) error {
	if u.ended {
		return fmt.Errorf("commit %s: already ended", u.dir.path(u.key))
	}
	err := u.Seal()
	u.ended = true
	if err != nil {
		u.temp.remove()
		return err
	}
	if err := u.rename(ctx); err != nil {
		u.temp.remove()
		if u.ctx.Err() != nil {
			ctx = u.ctx
		}
		return storeFailure(ctx, "commit", u.dir.path(u.key), pathCause(err))
	}
	return nil
}

// rename gives a sealed file its name, for good.
func (u *dirUpload) rename(ctx context.Context) error {
	parent := path.Dir(u.key)
	if err := u.dir.mkdirDurable(u.temp.root, parent); err != nil {
		return err
	}
	if err := errors.Join(u.ctx.Err(), ctx.Err()); err != nil {
		return err
	}
	if err := u.temp.root.Rename(u.temp.name, filepath.FromSlash(u.key)); err != nil {
		return err
	}
	return syncDir(u.temp.root, parent)
}

// Abort implements Upload.
func (u *dirUpload) Abort() {
	if u.ended {
		return
	}
	u.ended = true
	if !u.sealed {
		_ = u.temp.file.Close()
	}
	u.temp.remove()
}

// mkdirDurable makes a directory and those above it, and sees that the entry
// of each lasts. One that was there already may have been made by a process
// that has not synced it yet, so that each is synced once by everyone.
func (d *Dir) mkdirDurable(root *os.Root, key string) error {
	if key == "." {
		return nil
	}
	d.mu.Lock()
	done := d.durable[key]
	d.mu.Unlock()
	if done {
		return nil
	}
	parent := path.Dir(key)
	if err := d.mkdirDurable(root, parent); err != nil {
		return err
	}
	if err := root.MkdirAll(filepath.FromSlash(key), 0o755); err != nil {
		return err
	}
	if err := syncDir(root, parent); err != nil {
		return err
	}
	d.mu.Lock()
	d.durable[key] = true
	d.mu.Unlock()
	return nil
}

// mkdirAllDurable makes the directory of the Target itself.
func mkdirAllDurable(name string) error {
	name = filepath.Clean(name)
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(name)
	if parent != name {
		if err := mkdirAllDurable(parent); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(name, 0o755); err != nil {
		return err
	}
	d, err := os.Open(parent)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func syncDir(root *os.Root, key string) error {
	d, err := root.Open(filepath.FromSlash(key))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
