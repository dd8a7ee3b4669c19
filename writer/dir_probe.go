package writer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// asidePattern is the directory in which ProbeAside tries things. A crash may
// leave one, which no reader takes for anything.
const asidePattern = ".waconcile-probe-*"

// ProbeAside tells whether the directory can be written to and its file system
// has what Put relies on: names that refuse to be made twice, and locks. It
// does what a run would do, in a directory of its own that it makes and removes
// again: in .tmp where that is there, else in the directory, or, where that is
// not there either, in the nearest one above it that is. Nothing else is
// touched and nothing stays. where is in which it was. The error matches
// ErrUnsafeStore where writing works and a condition is not heeded.
func (d *Dir) ProbeAside(ctx context.Context) (where string, err error) {
	where, err = d.aside()
	if err == nil {
		err = d.writable()
	}
	if err != nil {
		return where, storeFailure(ctx, "write to", d.name, err)
	}
	scratch, err := os.MkdirTemp(where, asidePattern)
	if err != nil {
		return where, storeFailure(ctx, "write to", where, pathCause(err))
	}
	defer func() {
		if removeErr := os.RemoveAll(scratch); err == nil && removeErr != nil {
			err = storeFailure(ctx, "remove", scratch, pathCause(removeErr))
		}
	}()
	s, err := NewDir(scratch)
	if err != nil {
		return where, err
	}
	return where, errors.Join(tryConditions(ctx, s, d.name), s.Close())
}

// aside is the directory to try things in.
func (d *Dir) aside() (string, error) {
	place, err := filepath.Abs(d.name)
	if err != nil {
		return "", err
	}
	for place = filepath.Join(place, tempDir); ; place = filepath.Dir(place) {
		info, err := os.Stat(place)
		switch {
		case err == nil && info.IsDir():
			return place, nil
		case err == nil:
			return "", fmt.Errorf("%s is no directory", place)
		case !errors.Is(err, fs.ErrNotExist) || place == filepath.Dir(place):
			return "", err
		}
	}
}

// writable looks at the directories that runs have made: another user may have
// run before.
func (d *Dir) writable() error {
	const writeAndSearch = 0x2 | 0x1
	for _, dir := range []string{"current", "runs", "checkpoints", "simulations", "adjusted"} {
		place := filepath.Join(d.name, dir)
		if err := syscall.Access(place, writeAndSearch); err != nil && !isAbsent(err) {
			return fmt.Errorf("%s: %w", place, err)
		}
	}
	return nil
}

// tryConditions does with a Target of nothing what Put promises. name is the
// place in the error.
func tryConditions(ctx context.Context, d Target, name string) error {
	if err := d.Put(ctx, probeKept, probeText(), Condition{}); err != nil {
		return err
	}
	_, version, err := d.Get(ctx, probeKept)
	if err != nil {
		return err
	}
	for _, try := range []struct {
		key  string
		cond Condition
		what string
	}{
		{probeKept, Condition{}, "a second file of a name that must be new"},
		{probeKept, Condition{Version: wrongVersion}, "a write that was to replace another version"},
		{probeNever, Condition{Version: wrongVersion}, "a write that was to replace a file that is not there"},
	} {
		err := d.Put(ctx, try.key, probeText(), try.cond)
		if err == nil {
			return fmt.Errorf("probe %s: %w: it took %s", name, ErrUnsafeStore, try.what)
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return d.Put(ctx, probeKept, probeText(), Condition{Version: version})
}
