package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	"waconcile/writer"
	"waconcile/writer/writertest"
)

// TestClosedInAnotherFormat: a month that a build of another format has
// published and closed is another run for this one, which adjusts nothing.
func TestClosedInAnotherFormat(t *testing.T) {
	t.Parallel()
	mem := &writertest.Mem{}
	b := newBooks(t, mem)
	june := b.fresh("2024-06")
	older, objects := inFormat3(t, mem, june.Manifest)
	data, err := older.Encode()
	if err != nil {
		t.Fatal(err)
	}
	hash := func(data []byte) string { sum := sha256.Sum256(data); return hex.EncodeToString(sum[:]) }
	then := &writertest.Mem{}
	manifest := june.RunKey + "manifest.json"
	for key, content := range objects {
		switch {
		case key == manifest:
			content = data
		case strings.HasPrefix(key, "current/"):
			content = []byte(strings.Replace(string(content), hash(objects[manifest]), hash(data), 1))
		}
		if err := then.Put(t.Context(), key, content, writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	b.out = then
	b.verify(june.RunKey)
	b.close("2024-06")
	late := b.fresh("2024-06")
	b.wantAdjustments(late, []string{}...)
	if late.Sealed != june.RunKey || late.RunKey == june.RunKey {
		t.Errorf("%s is sealed as %q", late.RunKey, late.Sealed)
	}
	b.verify(late.RunKey)
	if july := b.fresh("2024-07"); slices.Contains(july.Manifest.TakesIn(), "2024-06") {
		t.Error("July takes in what adjusts nothing")
	}
}

// inFormat3 is a run as a build of format 3 has published it: without the last
// columns of the statements, the setting and the totals that came with 4. The
// objects have its statements.
func inFormat3(t *testing.T, mem *writertest.Mem, run *writer.Manifest) (*writer.Manifest, map[string][]byte) {
	t.Helper()
	older := *run
	older.FormatVersion, older.Settings.VATAt = 3, ""
	older.InputsSHA256 = strings.Repeat("0", 64) // the format is part of it
	older.Totals = slices.Clone(run.Totals)
	for i := range older.Totals {
		older.Totals[i].Prepaid, older.Totals[i].Payable = "", ""
	}
	const table = writer.StatementsTable + ".parquet"
	_, schema, _ := older.SchemaOf(table)
	var frames []writer.Frame
	for f, err := range writer.ReadTable(t.Context(), mem, run.RunKey()+table, writer.StatementsSchema()) {
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, writer.Frame{Rows: f.Rows, Columns: f.Columns[:len(schema)]})
	}
	scratch := &writertest.Mem{}
	all := func(yield func(writer.Frame, error) bool) {
		for _, f := range frames {
			if !yield(f, nil) {
				return
			}
		}
	}
	parquet, err := writer.WriteParquet(t.Context(), scratch, run.RunKey()+table, schema, all)
	if err != nil {
		t.Fatal(err)
	}
	csv, err := writer.WriteCSV(t.Context(), scratch, run.RunKey()+writer.StatementsTable+".csv", schema, all)
	if err != nil {
		t.Fatal(err)
	}
	older.Files = slices.Clone(run.Files)
	for i := range older.Files {
		for _, entry := range []writer.FileEntry{parquet, csv} {
			if older.Files[i].Name == entry.Name {
				older.Files[i] = entry
			}
		}
	}
	objects := mem.Objects()
	maps.Copy(objects, scratch.Objects())
	return &older, objects
}
