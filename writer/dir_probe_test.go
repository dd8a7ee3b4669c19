package writer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names are all that lies in a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		all = append(all, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ProbeAside leaves nothing, whatever is there of the directory.
func TestProbeAsideLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ make, place, where string }{
		"no directory": {"", "a/b/out", ""},
		"never run":    {"out", "out", "out"},
		"run before":   {"out/.tmp", "out", "out/.tmp"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.MkdirAll(filepath.Join(dir, c.make), 0o755); err != nil {
				t.Fatal(err)
			}
			before := names(t, dir)
			d, err := NewDir(filepath.Join(dir, c.place))
			if err != nil {
				t.Fatal(err)
			}
			where, err := d.ProbeAside(t.Context())
			if err != nil || where != filepath.Join(dir, c.where) {
				t.Errorf("in %s: %v; want in %s", where, err, filepath.Join(dir, c.where))
			}
			if diff := cmp.Diff(before, names(t, dir)); diff != "" {
				t.Errorf("what is there (-before +after):\n%s", diff)
			}
		})
	}
}

// A directory that cannot be written to, or one in it that an earlier run of
// another user has made, is an error of the store and leaves nothing.
func TestProbeAsideRefuses(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	for _, closed := range []string{".", "current"} {
		t.Run(closed, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			place := filepath.Join(out, closed)
			if err := errors.Join(os.MkdirAll(place, 0o755), os.Chmod(place, 0o555)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(place, 0o755) }) // else it could not be removed
			d, err := NewDir(out)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.ProbeAside(t.Context()); !errors.Is(err, ErrStore) || errors.Is(err, ErrUnsafeStore) {
				t.Errorf("probe: %v", err)
			}
		})
	}
}

// blind is a directory whose file system heeds some conditions only.
type blind struct {
	*Dir
	ignores func(key string, cond Condition) bool
}

func (b blind) Put(ctx context.Context, key string, data []byte, cond Condition) error {
	if b.ignores(key, cond) {
		return nil
	}
	return b.Dir.Put(ctx, key, data, cond)
}

func TestTryConditions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ignores func(key string, cond Condition) bool
		want    string // empty: nothing is wrong
	}{
		"honest": {func(string, Condition) bool { return false }, ""},
		"create": {func(_ string, c Condition) bool { return c.Version == "" }, "not exist"}, // loses the first, too
		"replace": {func(key string, c Condition) bool { return key == probeKept && c.Version == wrongVersion },
			"it took a write that was to replace another version"},
		"missing": {func(key string, _ Condition) bool { return key == probeNever }, "it took a write that was to replace a file that is not there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := NewDir(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			err = tryConditions(t.Context(), blind{d, c.ignores}, "out")
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want one of %q", err, c.want)
			}
			if unsafe := strings.HasPrefix(c.want, "it took"); errors.Is(err, ErrUnsafeStore) != unsafe {
				t.Errorf("%v: unsafe is %v", err, !unsafe)
			}
		})
	}
}

// A second file of a name that must be new: the first Put is kept.
func TestTryConditionsSecond(t *testing.T) {
	t.Parallel()
	d, err := NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	puts := 0
	second := func(_ string, c Condition) bool {
		if c.Version == "" {
			puts++
		}
		return c.Version == "" && puts == 2
	}
	err = tryConditions(t.Context(), blind{d, second}, "out")
	if !errors.Is(err, ErrUnsafeStore) || !strings.Contains(err.Error(), "it took a second file of a name that must be new") {
		t.Errorf("probe: %v", err)
	}
}
