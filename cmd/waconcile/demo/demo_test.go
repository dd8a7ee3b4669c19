package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waconcile/reconcile"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/google/go-cmp/cmp"
)

func mustMake(t *testing.T, o Options) *Made {
	t.Helper()
	t.Logf("messages %d, seed %d", o.Messages, o.Seed)
	m, err := Make(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// digest is the sha256 of every file below dir, by its path there.
func digest(t *testing.T, dir string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		sum := sha256.Sum256(data)
		sums[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func TestMakeGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	first := mustMake(t, Options{Dir: filepath.Join(t.TempDir(), "a"), Messages: 5_000, Seed: 7})
	second := mustMake(t, Options{Dir: filepath.Join(t.TempDir(), "b"), Messages: 5_000, Seed: 7})
	if diff := cmp.Diff(digest(t, first.Dir), digest(t, second.Dir)); diff != "" {
		t.Errorf("two makes of one seed differ (-first +second):\n%s", diff)
	}
	other := mustMake(t, Options{Dir: filepath.Join(t.TempDir(), "c"), Messages: 5_000, Seed: 8})
	if cmp.Equal(digest(t, first.Exports), digest(t, other.Exports)) {
		t.Error("another seed gave the same exports")
	}
}

// export is what a test reads back from a day's file.
type export struct {
	day  string
	rows []map[string]string // by column name, times as ms; null is ""
}

func readExports(t *testing.T, m *Made) []export {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(m.Exports, "dt=*", "*.parquet"))
	if err != nil || len(paths) != m.Files {
		t.Fatalf("files = %d, want %d (%v)", len(paths), m.Files, err)
	}
	var all []export
	for _, path := range paths {
		all = append(all, export{strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "dt="), readFile(t, path)})
	}
	return all
}

func readFile(t *testing.T, path string) []map[string]string {
	t.Helper()
	r, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var rows []map[string]string
	for g := range r.NumRowGroups() {
		group := r.RowGroup(g)
		from := len(rows)
		for range group.NumRows() {
			rows = append(rows, map[string]string{})
		}
		for i := range r.MetaData().Schema.NumColumns() {
			column, err := group.Column(i)
			if err != nil {
				t.Fatal(err)
			}
			for n, text := range readColumn(t, column, int(group.NumRows())) {
				rows[from+n][column.Descriptor().Name()] = text
			}
		}
	}
	return rows
}

func readColumn(t *testing.T, column file.ColumnChunkReader, n int) []string {
	t.Helper()
	levels, texts := make([]int16, n), make([]string, n)
	var values []string
	var err error
	switch c := column.(type) {
	case *file.ByteArrayColumnChunkReader:
		some := make([]parquet.ByteArray, n)
		_, _, err = c.ReadBatch(int64(n), some, levels, nil)
		for _, v := range some {
			values = append(values, string(v))
		}
	case *file.Int64ColumnChunkReader:
		some := make([]int64, n)
		_, _, err = c.ReadBatch(int64(n), some, levels, nil)
		for _, v := range some {
			values = append(values, fmt.Sprint(v))
		}
	default:
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range texts {
		if levels[i] == column.Descriptor().MaxDefinitionLevel() {
			texts[i], values = values[0], values[1:]
		}
	}
	return texts
}

func TestMakeCountsWhatItMade(t *testing.T) {
	t.Parallel()
	m := mustMake(t, Options{Dir: filepath.Join(t.TempDir(), "demo"), Messages: 30_000, Seed: 3})
	ids, rows, unusable, misplaced := map[string]int{}, int64(0), int64(0), 0
	seen := map[string]int{}
	for _, e := range readExports(t, m) {
		for _, row := range e.rows {
			rows++
			if bad(row) {
				unusable++
				continue
			}
			ids[row["message_id"]]++
			seen[row["account_id"]]++
			seen["category "+row["category"]]++
			seen["status "+row["status"]]++
			seen["type "+row["type"]]++
			seen["country "+row["contact_country"]]++
			if sentDay(t, row) != e.day {
				misplaced++
			}
		}
	}
	if got := int64(len(ids)); got != 30_000 || m.Messages != got {
		t.Errorf("distinct messages = %d, said %d, want 30000", got, m.Messages)
	}
	if rows != m.Rows() {
		t.Errorf("rows = %d, said %d", rows, m.Rows())
	}
	if unusable != m.Rejects || unusable < 2 || unusable*1000 >= rows {
		t.Errorf("unusable rows = %d of %d, said %d", unusable, rows, m.Rejects)
	}
	if m.Duplicates != 60 || misplaced == 0 {
		t.Errorf("duplicates = %d, want 60; on another day %d, want some", m.Duplicates, misplaced)
	}
	for _, what := range []string{
		"bottega-rosa", "mercado-azul", "chai-express", "hudson-outfitters", "nordlicht-apotheke", "sandbox-7",
		"category marketing", "category utility", "category authentication", "category authentication_international", "category ",
		"status failed", "status sent", "status delivered", "status read", "status received",
		"type template", "type text", "type reaction", "country BR", "country DE", "country ",
	} {
		if seen[what] == 0 {
			t.Errorf("no row with %s", what)
		}
	}
}

func bad(row map[string]string) bool {
	contact := reconcile.NormaliseNumber([]byte(row["contact"]), nil)
	_, known := reconcile.ParseCategory(row["category"])
	_, status := reconcile.ParseStatus(row["status"])
	return len(contact) == 0 || row["direction"] != "inbound" && row["direction"] != "outbound" ||
		row["type"] == "template" && !known || row["direction"] == "outbound" && !status || len(row["sent_at"]) < 13
}

func sentDay(t *testing.T, row map[string]string) string {
	t.Helper()
	var millis int64
	if _, err := fmt.Sscan(row["sent_at"], &millis); err != nil {
		t.Fatal(err)
	}
	return reconcile.DateOf(millis).String()
}

func TestMakeHasEveryDay(t *testing.T) {
	t.Parallel()
	m := mustMake(t, Options{Dir: filepath.Join(t.TempDir(), "demo"), Messages: 1_000, Seed: 1})
	day, end := reconcile.Date(0), reconcile.Date(0)
	for text, d := range map[string]*reconcile.Date{"2024-06-27": &day, "2024-08-03": &end} {
		var err error
		if *d, err = reconcile.ParseDate(text); err != nil {
			t.Fatal(err)
		}
	}
	for ; day <= end; day++ {
		if _, err := os.Stat(filepath.Join(m.Exports, "dt="+day.String(), "part-0000.parquet")); err != nil {
			t.Error(err)
		}
	}
}

func TestAppendContactIsOnePersonInEveryForm(t *testing.T) {
	t.Parallel()
	all := accounts()
	forms := map[string]bool{}
	for place := range uint32(20) {
		want := ""
		for number := range uint64(2_000) {
			raw := all[0].appendContact(nil, &message{number: number, contact: place})
			forms[strings.Map(shape, string(raw))] = true
			got := string(reconcile.NormaliseNumber(raw, nil))
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("place %d: %q is %s, before it was %s", place, raw, got, want)
			}
		}
		if _, ok := reconcile.PhoneContact([]byte(want)); !ok {
			t.Logf("place %d is no phone number: %s", place, want)
		}
	}
	if len(forms) < 5 {
		t.Errorf("forms = %v, want several", forms)
	}
}

func shape(r rune) rune {
	if r >= '0' && r <= '9' {
		return '0'
	}
	return r
}

func TestMakeKeepsWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(t.Context(), Options{Dir: dir, Messages: 1_000}); err == nil {
		t.Error("a directory with other contents was taken")
	}
	own := filepath.Join(dir, "demo")
	m := mustMake(t, Options{Dir: own, Messages: 2_000})
	kept := filepath.Join(m.Out, "kept")
	if err := errors.Join(os.MkdirAll(m.Out, 0o755), os.WriteFile(kept, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	again := mustMake(t, Options{Dir: own, Messages: 1_000})
	if _, err := os.Stat(kept); err != nil || again.Messages != 1_000 {
		t.Errorf("made %d messages, results: %v", again.Messages, err)
	}
}

func TestMakeStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Make(ctx, Options{Dir: filepath.Join(t.TempDir(), "demo"), Messages: 1_000}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{Messages: 1_000}, {Dir: "x"}, {Dir: "x", Messages: 2_000_000_000}} {
		if o.Validate() == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func BenchmarkMake(b *testing.B) {
	const messages = 1_000_000
	dir := filepath.Join(b.TempDir(), "demo")
	for b.Loop() {
		if _, err := Make(b.Context(), Options{Dir: dir, Messages: messages, Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(messages*b.N)/b.Elapsed().Seconds(), "rows/s")
}
