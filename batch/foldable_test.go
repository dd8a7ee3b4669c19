package batch

import (
	"slices"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
)

// A day waits for the files of the next as long as these may hold rows of it.
func TestFoldable(t *testing.T) {
	t.Parallel()
	const first reconcile.Date = 19_000
	on := func(d reconcile.Date) reader.FileInfo {
		return reader.FileInfo{Rows: 1, Oldest: (first + d).Start() + 5}
	}
	unknown := reader.FileInfo{Rows: 1, Oldest: reconcile.NoTime}
	empty := reader.FileInfo{Oldest: reconcile.NoTime}
	for name, c := range map[string]struct {
		files [][]reader.FileInfo // of each day
		want  []reconcile.Date    // after first
	}{
		"rows on their days":         {[][]reader.FileInfo{{on(0)}, {on(1), on(1)}, {on(2)}}, []reconcile.Date{0, 1, 2}},
		"a late row":                 {[][]reader.FileInfo{{on(0)}, {on(1), on(0)}, {on(2)}}, []reconcile.Date{-1, 1, 2}},
		"a row read ahead":           {[][]reader.FileInfo{{on(0)}, {on(1)}, {on(2)}, {on(0)}}, []reconcile.Date{-1, 0, 1, 3}},
		"statistics that tell none":  {[][]reader.FileInfo{{on(0)}, {unknown}, {on(2)}}, []reconcile.Date{-1, 1, 2}},
		"files and days without any": {[][]reader.FileInfo{{on(0)}, {empty}, {}, {on(3)}}, []reconcile.Date{0, 1, 2, 3}},
		"an early row":               {[][]reader.FileInfo{{on(0)}, {on(2)}, {on(2)}}, []reconcile.Date{0, 1, 2}},
	} {
		p, infos := &Plan{}, []reader.FileInfo(nil)
		for i, files := range c.files {
			infos = append(infos, files...)
			p.days = append(p.days, day{date: first + reconcile.Date(i), files: make([]reader.Object, len(files))})
		}
		got := p.foldable(1, infos)
		for i := range got {
			got[i] -= first
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
