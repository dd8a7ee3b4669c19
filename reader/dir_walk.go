package reader

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// dirWalk collects the files of a directory whose keys begin with a prefix.
type dirWalk struct {
	ctx     context.Context
	root    *os.Root
	prefix  string
	objects []Object
}

// start walks the directory at key. Its absence is an empty result unless it
// is the place itself.
func (w *dirWalk) start(key string) error {
	info, err := w.root.Stat(filepath.FromSlash(key))
	if err != nil {
		if key != "." && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDirectory)) {
			_, err = w.root.Stat(".")
		}
		return err
	}
	if !info.IsDir() {
		return nil
	}
	return w.dir(key, []fs.FileInfo{info})
}

// dir walks one directory. above holds it and those that led to it, to notice
// a symbolic link that leads back.
func (w *dirWalk) dir(key string, above []fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	d, err := w.root.Open(filepath.FromSlash(key))
	if err != nil {
		return err
	}
	entries, err := d.ReadDir(-1)
	d.Close()
	if err != nil {
		return &fs.PathError{Op: "read", Path: key, Err: pathCause(err)}
	}
	for _, e := range entries {
		if err := w.entry(path.Join(key, e.Name()), above); err != nil {
			return err
		}
	}
	return nil
}

func (w *dirWalk) entry(key string, above []fs.FileInfo) error {
	// Neither below the prefix nor on the way to it.
	if !strings.HasPrefix(key, w.prefix) && !strings.HasPrefix(w.prefix, key+"/") {
		return nil
	}
	info, err := w.root.Stat(filepath.FromSlash(key))
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		for _, a := range above {
			if os.SameFile(a, info) {
				return &fs.PathError{Op: "list", Path: key, Err: errors.New("symbolic link to a directory above it")}
			}
		}
		return w.dir(key, append(above[:len(above):len(above)], info))
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "list", Path: key, Err: errors.New("neither a file nor a directory")}
	case strings.HasPrefix(key, w.prefix):
		w.objects = append(w.objects, Object{Key: key, Size: info.Size(), Version: fileVersion(info)})
	}
	return nil
}
