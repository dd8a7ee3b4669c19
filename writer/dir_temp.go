package writer

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
)

// listTemporary lists what lies in .tmp: files of uploads under way, and those
// that a crash left.
func (d *Dir) listTemporary(ctx context.Context) ([]Listed, error) {
	files, err := d.temporary(ctx)
	if err != nil {
		return nil, storeFailure(ctx, "list", d.path(tempDir), pathCause(err))
	}
	return files, nil
}

func (d *Dir) temporary(ctx context.Context) ([]Listed, error) {
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
	entries, err := fs.ReadDir(root.FS(), tempDir)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []Listed
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case isAbsent(err):
		case err != nil:
			return nil, err
		case e.Type().IsRegular():
			files = append(files, Listed{Key: path.Join(tempDir, e.Name()), Size: info.Size(), Modified: info.ModTime()})
		}
	}
	return files, nil
}

// removeTemporary takes away a file that listTemporary gave. A crash may bring
// it back, so that nothing is synced.
func (d *Dir) removeTemporary(ctx context.Context, key string) error {
	if path.Dir(key) != tempDir {
		return errors.New("remove " + d.path(key) + ": not a temporary file")
	}
	root, err := d.open(false)
	if err == nil {
		err = root.Remove(filepath.FromSlash(key))
	}
	if err != nil && !isAbsent(err) {
		return storeFailure(ctx, "remove", d.path(key), pathCause(err))
	}
	return nil
}
