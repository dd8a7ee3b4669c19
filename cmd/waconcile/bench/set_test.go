package bench

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
)

func mustMake(t *testing.T, o SetOptions) *Set {
	t.Helper()
	t.Logf("options %+v", o)
	s, err := MakeSet(t.Context(), filepath.Join(t.TempDir(), "set"), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// digest is the sha256 of every file below dir, by its path there.
func digest(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		sum := sha256.Sum256(data)
		sums[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func TestMakeSetGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	o := SetOptions{Messages: 5_000, Days: 5, Seed: 7}
	first, second := mustMake(t, o), mustMake(t, o)
	if diff := cmp.Diff(digest(t, first.Dir), digest(t, second.Dir)); diff != "" {
		t.Errorf("two makes of one seed differ (-first +second):\n%s", diff)
	}
	o.Seed = 8
	if cmp.Equal(digest(t, first.Exports()), digest(t, mustMake(t, o).Exports())) {
		t.Error("another seed gave the same exports")
	}
}

// rowsOf reads a day's export as text, by column name.
func rowsOf(t *testing.T, path string) []map[string]string {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	reader, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := reader.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	var rows []map[string]string
	batches := array.NewTableReader(table, table.NumRows())
	defer batches.Release()
	for batches.Next() {
		batch := batches.Record()
		for i := range int(batch.NumRows()) {
			row := map[string]string{}
			for c, field := range batch.Schema().Fields() {
				row[field.Name] = batch.Column(c).ValueStr(i)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// TestSetHasTheShape reads a set back: what it says of itself, days without a
// gap or a stray row, and the shares that the stories come to.
func TestSetHasTheShape(t *testing.T) {
	t.Parallel()
	const messages, days = 60_000, 6
	s := mustMake(t, SetOptions{Messages: messages, Days: days, Seed: 3})
	ids, seen, rows := map[string]int{}, map[string]int{}, int64(0)
	for day := range days {
		name := (First + reconcile.Date(day)).String()
		for _, row := range rowsOf(t, filepath.Join(s.Exports(), "dt="+name, "part-0000.parquet")) {
			rows++
			if !strings.HasPrefix(row["sent_at"], name) {
				t.Fatalf("in the export of %s: %v", name, row)
			}
			if ids[row["message_id"]]++; ids[row["message_id"]] > 1 {
				continue
			}
			seen["day "+name]++
			seen[row["account_id"]]++
			for _, column := range []string{"direction", "type", "category", "status"} {
				seen[column+" "+row[column]]++
			}
		}
	}
	if int64(len(ids)) != s.Messages || rows != s.Rows || s.Files != days {
		t.Errorf("%d messages in %d rows, said %+v", len(ids), rows, s)
	}
	want := map[string]float64{ // in a hundred messages
		"day 2024-06-27": 100. / days, "day 2024-07-02": 100. / days, "waba-0": 10, "waba-9": 10,
		"direction inbound": 35.6, "type template": 35.3, "type image": 7.1, "type free_form": 29.1,
		"category marketing": 13.7, "category utility": 13, "category authentication": 8.6,
		"status received": 35.6, "status failed": 1.9, "status read": 38.7,
	}
	got := map[string]float64{}
	for what := range want {
		got[what] = 100 * float64(seen[what]) / float64(len(ids))
	}
	near := cmp.Comparer(func(a, b float64) bool { return max(a, b)-min(a, b) <= 0.1*max(a, b) })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("shares of the messages (-want +got):\n%s", diff)
	}
	if repeats := rows - s.Messages; repeats < messages/repeatEvery*7/10 || repeats > messages/repeatEvery*13/10 {
		t.Errorf("%d rows repeat a message, want about %d", repeats, messages/repeatEvery)
	}
	if off := s.Messages - messages; off*off > messages*messages/2500 {
		t.Errorf("messages = %d, want about %d", s.Messages, messages)
	}
}

// TestDrawingHoldsAFewDays: memory follows a day, not the set.
func TestDrawingHoldsAFewDays(t *testing.T) {
	t.Parallel()
	const messages, days = 100_000, 100
	d := newDrawing(SetOptions{Messages: messages, Days: days, Seed: 1})
	for day := -carryDays; day < days; day++ {
		d.day(day)
		waiting := 0
		for _, rows := range d.waiting {
			waiting += len(rows)
		}
		if waiting > 2*messages/days {
			t.Fatalf("after day %d %d rows wait, of %d a day", day, waiting, messages/days)
		}
	}
}

func TestReadSet(t *testing.T) {
	t.Parallel()
	o := SetOptions{Messages: 1_000, Days: 2, Seed: 1}
	made := mustMake(t, o)
	if found, err := ReadSet(made.Dir, o); err != nil || !cmp.Equal(found, made) {
		t.Errorf("found %+v, %v; made %+v", found, err, made)
	}
	o.Seed++
	if _, err := ReadSet(made.Dir, o); err == nil {
		t.Error("a set of another seed was taken")
	}
	if _, err := ReadSet(t.TempDir(), o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error = %v, want fs.ErrNotExist", err)
	}
}

func TestMakeSetStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "set")
	if _, err := MakeSet(ctx, dir, SetOptions{Messages: 1_000, Days: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
	if _, err := ReadSet(dir, SetOptions{Messages: 1_000, Days: 2}); err == nil {
		t.Error("what was left is taken for a set")
	}
}
