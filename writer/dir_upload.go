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
	ctx     context.Context // of Create, which bounds the writing
	dir     *Dir
	key     string
	temp    *tempFile
	written int64
	ended   bool
}

func (u *dirUpload) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, storeFailure(u.ctx, "write", u.dir.path(u.key), nil)
	}
	n, err := u.temp.file.Write(p)
	u.written += int64(n)
	if err != nil {
		return n, storeFailure(u.ctx, "write", u.dir.path(u.key), pathCause(err))
	}
	return n, nil
}

// Commit implements Upload; see Dir for its steps.
func (u *dirUpload) Commit(ctx context.Context) error {
	if u.ended {
		return fmt.Errorf("commit %s: already ended", u.dir.path(u.key))
	}
	u.ended = true
	if err := u.commit(ctx); err != nil {
		u.temp.remove()
		if u.ctx.Err() != nil {
			ctx = u.ctx
		}
		return storeFailure(ctx, "commit", u.dir.path(u.key), pathCause(err))
	}
	return nil
}

func (u *dirUpload) commit(ctx context.Context) error {
	info, err := u.temp.file.Stat()
	if err == nil && info.Size() != u.written {
		err = fmt.Errorf("temporary file has %d of %d bytes", info.Size(), u.written)
	}
	if err := errors.Join(err, u.temp.file.Sync(), u.temp.file.Close()); err != nil {
		return err
	}
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
	_ = u.temp.file.Close()
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
