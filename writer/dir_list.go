package writer

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// List implements Lister. A file that goes while the directory is walked is
// left out, one that comes may be.
func (d *Dir) List(ctx context.Context, prefix string) ([]Listed, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	objects, err := d.list(ctx, prefix)
	if err != nil {
		return nil, storeFailure(ctx, "list", d.path(prefix), pathCause(err))
	}
	return sortListed(objects), nil
}

func (d *Dir) list(ctx context.Context, prefix string) (objects []Listed, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := d.open(false)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	top := path.Clean(prefix) // "." for all
	err = fs.WalkDir(root.FS(), top, func(key string, e fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isAbsent(err):
			return nil
		case err != nil:
			return err
		case key == ".":
			return nil
		case e.IsDir() && checkKey(key) != nil:
			return fs.SkipDir
		case !e.Type().IsRegular() || checkKey(key) != nil || !strings.HasPrefix(key, prefix):
			return nil
		}
		info, err := e.Info()
		if err == nil {
			objects = append(objects, Listed{Key: key, Size: info.Size(), Modified: info.ModTime()})
		} else if !isAbsent(err) {
			return err
		}
		return nil
	})
	return objects, err
}

// isAbsent tells that there is no file of a name, be it that what should be a
// directory above it is none.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Remove implements Remover: an unlink, and a sync of the directory, which
// stays even if it is empty, since another process may be about to write in
// it.
func (d *Dir) Remove(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := d.remove(ctx, key); err != nil {
		return storeFailure(ctx, "remove", d.path(key), pathCause(err))
	}
	return nil
}

func (d *Dir) remove(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	root, err := d.open(false)
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	name := filepath.FromSlash(key)
	info, err := root.Lstat(name)
	if err == nil && info.IsDir() {
		err = errors.New("not a file") // which Remove would take away if it is empty
	}
	if err == nil {
		err = root.Remove(name)
	}
	if isAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(root, path.Dir(key))
}
