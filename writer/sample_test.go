package writer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// files are the entries of a run that is written and has no manifest yet.
func (p *parts) files() []FileEntry {
	var files []FileEntry
	for _, name := range slices.Sorted(maps.Keys(p.entries)) {
		files = append(files, *p.entries[name])
	}
	return files
}

// rewrite replaces a file of charges, as a mistake of the library that writes
// them would: the bytes are those that were hashed, and not those of the rows
// that were handed over.
func (p *parts) rewrite(t *testing.T, name string, f Frame) {
	t.Helper()
	e, err := WriteParquet(t.Context(), p.store, testRun+name, ChargesSchema(), cut(f, 100))
	if err != nil {
		t.Fatal(err)
	}
	p.entries[name].Bytes, p.entries[name].SHA256 = e.Bytes, e.SHA256
}

func TestReadBack(t *testing.T) {
	t.Parallel()
	flip := func(p *parts, name string, at int) { p.store.objects[testRun+name][at] ^= 1 }
	for name, c := range map[string]struct {
		damage func(t *testing.T, p *parts)
		want   string // "" for none
	}{
		"nothing":                   {func(*testing.T, *parts) {}, ""},
		"flip a byte":               {func(_ *testing.T, p *parts) { flip(p, firstFile, 300) }, firstFile + ": verification failed: sha256"},
		"flip a byte of a CSV":      {func(_ *testing.T, p *parts) { flip(p, "summary.csv", 30) }, "summary.csv: verification failed: sha256"},
		"flip a byte of the report": {func(_ *testing.T, p *parts) { flip(p, "report.html", 3) }, "report.html: verification failed: sha256"},
		"cut a file": {func(_ *testing.T, p *parts) {
			p.store.objects[testRun+"findings.parquet"] = p.store.objects[testRun+"findings.parquet"][:99]
		}, "findings.parquet: verification failed: 99 bytes"},
		"lose a file": {func(_ *testing.T, p *parts) { delete(p.store.objects, testRun+"rejects.csv") }, "rejects.csv: verification failed: the file is not there"},
		"swap two files": {func(_ *testing.T, p *parts) {
			o := p.store.objects
			o[testRun+firstFile], o[testRun+secondFile] = o[testRun+secondFile], o[testRun+firstFile]
		}, "verification failed"},
		"rows": {func(_ *testing.T, p *parts) { p.entries[firstFile].Rows-- }, "the footer has 300 rows, 299 were written"},
		"row groups": {func(_ *testing.T, p *parts) {
			e := p.entries[firstFile]
			e.Groups = append(e.Groups, e.Groups...)
		}, "the footer has 1 row groups, 2 were written"},
		"rows of a row group": {func(_ *testing.T, p *parts) { p.entries[firstFile].Groups[0].Rows++ }, "row group 0: the footer has 300 rows, 301 were written"},
		"drop a row":          {func(t *testing.T, p *parts) { p.rewrite(t, firstFile, p.charges[firstFile].slice(0, 299)) }, "the footer has 299 rows, 300 were written"},
		"another table": {func(t *testing.T, p *parts) {
			p.store.objects[testRun+firstFile] = p.store.objects[testRun+"summary.parquet"]
			p.rehash(firstFile)
		}, firstFile + ": verification failed: 12 columns, want 23"},
		"no table": {func(t *testing.T, p *parts) {
			p.store.objects[testRun+firstFile] = bytes.Repeat([]byte("x"), 100)
			p.rehash(firstFile)
		}, "not a Parquet file, or cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := aRun()
			p.write(t)
			c.damage(t, p)
			err := ReadBack(t.Context(), p.store, testRun, p.files())
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Of a run that was written before, a manifest knows bytes and rows.
func TestReadBackRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		damage func(p *parts)
		want   string // "" for none
	}{
		"nothing":     {func(*parts) {}, ""},
		"flip a byte": {func(p *parts) { p.store.objects[testRun+"summary.csv"][30] ^= 1 }, "summary.csv: verification failed: sha256"},
		"lose a file": {func(p *parts) { delete(p.store.objects, testRun+"report.html") }, "the file is not there"},
		"rows":        {func(p *parts) { p.entries[firstFile].Rows++ }, "the footer has 300 rows, the manifest has 301"},
		"another table": {func(p *parts) {
			p.store.objects[testRun+firstFile] = p.store.objects[testRun+"summary.parquet"]
			p.rehash(firstFile)
		}, firstFile + ": verification failed: 12 columns"},
	} {
		p := aRun()
		p.write(t)
		c.damage(p)
		p.seal(t)
		m, err := ReadManifest(t.Context(), p.store, testRun)
		if err != nil {
			t.Fatal(err)
		}
		err = ReadBackRun(t.Context(), p.store, m)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Every column of counts or amounts is added up again, of charges and of the
// other tables.
func TestReadBackColumns(t *testing.T) {
	t.Parallel()
	p := aRun()
	p.write(t)
	for _, e := range p.files() {
		for _, column := range slices.Sorted(maps.Keys(e.Totals)) {
			if !strings.HasSuffix(e.Name, parquetExt) {
				continue
			}
			changed := e
			changed.Groups = []RowGroup{{Rows: e.Rows, Totals: maps.Clone(e.Groups[0].Totals)}}
			changed.Groups[0].Totals[column] += "1"
			err := ReadBack(t.Context(), p.store, testRun, []FileEntry{changed})
			want := "row group 0: total of " + column + " is " + e.Totals[column] + ", the writer had"
			if !errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", e.Name, err, want)
			}
		}
	}
	f := p.charges[firstFile].slice(0, 300)
	amount := at(&f, ChargesSchema(), "amount")
	amount.Micros = slices.Clone(amount.Micros)
	amount.Micros[charged(p)]++
	p.rewrite(t, firstFile, f)
	if err := ReadBack(t.Context(), p.store, testRun, p.files()); !errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), "total of amount") {
		t.Errorf("one price: %v", err)
	}
}

// What the writer keeps of its row groups is what is in them.
func TestReadBackManyGroups(t *testing.T) {
	t.Parallel()
	const rows = 3*rowGroupRows + 77
	store := newFakeStore()
	e, err := WriteParquet(t.Context(), store, testRun+firstFile, ChargesSchema(), cut(chargeFrame(rows, 5), 10_007))
	if err != nil || len(e.Groups) != 4 || e.Groups[3].Rows != 77 {
		t.Fatalf("%+v, %v", e, err)
	}
	for i := range e.Groups {
		// Any of them may be the one that the hash chooses.
		stored, err := store.Open(t.Context(), testRun+firstFile)
		if err != nil {
			t.Fatal(err)
		}
		r, err := openBack(stored, stored.Size(), ChargesSchema())
		if err != nil {
			t.Fatal(err)
		}
		r.onlyGroup(r.pr.Footer.GetRowGroups(), i)
		if err := r.checkGroup(&e.Groups[i]); err != nil {
			t.Errorf("row group %d: %v", i, err)
		}
	}
	if err := ReadBack(t.Context(), store, testRun, []FileEntry{e}); err != nil {
		t.Error(err)
	}
}

func TestSampled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := FileEntry{SHA256: rapid.StringMatching("[0-9a-f]{64}").Draw(rt, "sha256")}
		for i, n := 0, rapid.IntRange(0, 100).Draw(rt, "groups"); i < n; i++ {
			f.Groups = append(f.Groups, RowGroup{Rows: rapid.Int64Range(1, 1000).Draw(rt, "rows")})
			f.Rows += f.Groups[i].Rows
		}
		sampled := f.sampled()
		rows, most := int64(0), int64(0)
		for _, i := range sampled {
			rows += f.Groups[i].Rows
			most = max(most, f.Groups[i].Rows)
		}
		if len(slices.Compact(slices.Clone(sampled))) != len(sampled) || (len(sampled) > 0) != (len(f.Groups) > 0) {
			rt.Fatalf("sampled %v of %d", sampled, len(f.Groups))
		}
		if rows*sampledOneIn < f.Rows || (rows-most)*sampledOneIn > f.Rows {
			rt.Fatalf("%d of %d rows are sampled, the largest row group has %d", rows, f.Rows, most)
		}
		if !slices.Equal(sampled, f.sampled()) {
			rt.Fatal("another choice for the same file")
		}
	})
	chosen := map[int]bool{}
	for i := range 100 {
		f := FileEntry{SHA256: sha256Hex(fmt.Append(nil, i)), Rows: 4, Groups: []RowGroup{{Rows: 1}, {Rows: 1}, {Rows: 1}, {Rows: 1}}}
		chosen[f.sampled()[0]] = true
	}
	if len(chosen) != 4 {
		t.Errorf("100 files chose among %v of 4 row groups", chosen)
	}
}

// A store that cannot be read has not shown a wrong file.
func TestReadBackStoreFails(t *testing.T) {
	t.Parallel()
	p := aRun()
	p.write(t)
	down := errors.New("down")
	p.store.fault = func(op, key string) (bool, error) {
		if op == "open" && key == testRun+secondFile {
			return false, down
		}
		return true, nil
	}
	if err := ReadBack(t.Context(), p.store, testRun, p.files()); !errors.Is(err, down) || errors.Is(err, ErrVerify) {
		t.Errorf("%v", err)
	}
}
