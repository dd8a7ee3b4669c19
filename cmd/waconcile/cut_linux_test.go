package main

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Kill -9 before any system call by which a command changes a directory:
// what a reader sees is whole each time, and the same command again brings
// what an undisturbed one brings. Nothing but temporary files and the lock is
// left over.
func TestCutEverywhereDir(t *testing.T) {
	t.Parallel()
	for _, c := range cutCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, whole := c.inputs(t), newDirPlace(t)
			before := c.prepare(t, in, whole, access{})
			calls, _ := whole.cut(t, args(c.call, in, whole.String()), 0)
			after := whole.list(t)
			changes := slices.DeleteFunc(slices.Clone(calls), func(c fileCall) bool { return !c.changes() })
			t.Logf("%d system calls, of which %d change something", len(calls), len(changes))
			var again retried
			for part := range cutParts {
				t.Run(fmt.Sprintf("part=%d", part), func(t *testing.T) {
					t.Parallel()
					for at := 1 + part; ; at += cutParts {
						if !c.cuts(at, len(changes)) {
							continue
						}
						p := newDirPlace(t)
						p.fill(t, before)
						called := args(c.call, in, p.String())
						calls, ended := p.cut(t, called, at)
						if ended {
							return
						}
						last := calls[len(calls)-1]
						left := p.list(t)
						for _, problem := range consistent(before, after, withoutTombstones(left)) {
							t.Errorf("killed instead of call %d, %s: %s", at, last, problem)
						}
						if !again.first(left) {
							continue
						}
						mustCall(t, access{}, t.TempDir(), called)
						for _, problem := range differences(after, p.list(t)) {
							t.Errorf("killed instead of call %d, %s, and run again: %s", at, last, problem)
						}
					}
				})
			}
		})
	}
}

// The machine loses its power between any two system calls: of what no fsync
// has made last, any part may be lost and any part may be there. So a name that
// readers look at is given to bytes that last; a manifest is named when all
// that was named before lasts, and a pointer likewise; and in the end all
// lasts, and nothing comes back that was taken away.
func TestPowerCut(t *testing.T) {
	t.Parallel()
	for _, c := range cutCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, p := c.inputs(t), newDirPlace(t)
			before := c.prepare(t, in, p, access{})
			calls, _ := p.cut(t, args(c.call, in, p.String()), 0)
			for _, problem := range lostByPower(before, calls) {
				t.Error(problem)
			}
			// The same calls without those that make files last, and without
			// those that make names last, are found out.
			for _, files := range []bool{true, false} {
				left := slices.DeleteFunc(slices.Clone(calls), func(c fileCall) bool {
					return c.op == "fsync" && isTemp(c.path) == files
				})
				if len(lostByPower(before, left)) == 0 {
					t.Errorf("fsync of files %v left out of %d calls, and nothing is lost", files, len(calls))
				}
			}
		})
	}
}

// newDirPlace is a place that does not exist yet, in a directory of its own.
func newDirPlace(t *testing.T) dirPlace {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir()) // as the system names open files
	if err != nil {
		t.Fatal(err)
	}
	return dirPlace(filepath.Join(dir, "out"))
}

// cut runs a command on the place and kills it instead of call number at of
// those that change something, if at is not 0 and there are as many; else the
// command has ended by itself. It gives the calls, relative to the place.
func (d dirPlace) cut(t *testing.T, called []string, at int) (calls []fileCall, ended bool) {
	t.Helper()
	p, err := newProcess(t.Context(), access{}, t.TempDir(), called)
	if err != nil {
		t.Fatal(err)
	}
	calls, code := traced(t, p, string(d), at)
	if code != exitOK && (at == 0 || code != killed) {
		t.Fatalf("%v: exit code %d after %d calls:\n%s", called, code, len(calls), &p.stderr)
	}
	return calls, code == exitOK
}

func isTemp(key string) bool { return strings.HasPrefix(key, ".tmp/") || key == ".tmp" }

// lostByPower goes through calls as a disk does that writes nothing before it
// has to.
func lostByPower(before objects, calls []fileCall) (problems []string) {
	lasts := map[string]bool{} // files by name: their bytes; and other names: themselves
	back := map[string]bool{}  // names taken away that may come back
	for key := range before {
		for ; key != "."; key = path.Dir(key) {
			lasts[key] = true
		}
	}
	named := func(c fileCall, key string) {
		if !lasts[c.path] {
			problems = append(problems, c.String()+": its bytes may be lost")
		}
		if isPointer(key) || path.Base(key) == "manifest.json" {
			for _, other := range slices.Sorted(maps.Keys(lasts)) {
				if !lasts[other] && !isTemp(other) && other != key && other != "current/.lock" {
					problems = append(problems, c.String()+": "+other+" may be lost")
				}
			}
		}
		lasts[key] = false
	}
	for _, c := range calls {
		switch c.op {
		case "create", "mkdir":
			if _, there := lasts[c.path]; !there {
				lasts[c.path] = false
			}
		case "write":
			lasts[c.path] = false
			if !isTemp(c.path) {
				problems = append(problems, c.String()+": a reader may see a part of it")
			}
		case "rename", "link":
			named(c, c.to)
			if c.op == "rename" {
				delete(lasts, c.path)
			}
		case "unlink":
			delete(lasts, c.path)
			back[c.path] = !isTemp(c.path)
		case "fsync":
			if isTemp(c.path) {
				lasts[c.path] = true
				continue
			}
			for name := range lasts {
				if path.Dir(name) == c.path && name != "." && !isTemp(name) || c.path == ".." && name == "." {
					lasts[name] = true
				}
			}
			maps.DeleteFunc(back, func(name string, _ bool) bool { return path.Dir(name) == c.path })
		}
	}
	for _, name := range slices.Sorted(maps.Keys(back)) {
		if back[name] {
			problems = append(problems, "in the end "+name+" may be there again")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lasts)) {
		if !lasts[name] && !isTemp(name) && name != "current/.lock" {
			problems = append(problems, "in the end "+name+" may be lost")
		}
	}
	return problems
}
