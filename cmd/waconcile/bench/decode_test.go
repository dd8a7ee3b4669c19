package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDecodeReadsAllRows(t *testing.T) {
	t.Parallel()
	s := mustMake(t, SetOptions{Messages: 30_000, Days: 3, Seed: 1})
	if rows, err := Decode(t.Context(), s.Exports()); err != nil || rows != s.Rows {
		t.Errorf("decoded %d rows of %d, %v", rows, s.Rows, err)
	}
	path := filepath.Join(s.Exports(), "dt="+First.String(), "part-0000.parquet")
	if err := os.WriteFile(path, []byte("no export"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(t.Context(), s.Exports()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is no Parquet: %v", err)
	}
}
