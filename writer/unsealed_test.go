package writer_test

import (
	"errors"
	"testing"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

func TestUnsealedMonths(t *testing.T) {
	t.Parallel()
	mem := &writertest.Mem{}
	months := func(today string) []string {
		date, err := reconcile.ParseDate(today)
		if err != nil {
			t.Fatal(err)
		}
		months, err := writer.UnsealedMonths(t.Context(), mem, date)
		if err != nil {
			t.Fatal(err)
		}
		return months
	}
	if got := months("2024-09-01"); len(got) != 0 {
		t.Errorf("of an empty place: %q", got)
	}
	for _, key := range []string{
		"current/2024-08.json", "current/2024-06.json", "current/2024-05.json", "current/2024-06-01.json",
		"current/2024-05-01_2024-05-15.json", "current/2023-01.txt", "current/old/2023-02.json",
		"current/2024-03-31.json", "current/2024-02-01_2024-02-15.json", "current/2024-07-01_2024-07-15.json",
		"current/2023-12-31_2024-01-01.json", "current/2023-11-31.json", "current/2023-10-01_.json", "current/2023-09-01_2023-09.json",
		"sealed/2024-05.json", "sealed/2024-04.json", "sealed/2024-06.json.bak", "runs/2023-03/manifest.json",
	} {
		if err := mem.Put(t.Context(), key, []byte("{}"), writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	for today, want := range map[string][]string{
		"2024-09-01": {"2024-02", "2024-03", "2024-06", "2024-07", "2024-08"},
		"2024-08-31": {"2024-02", "2024-03", "2024-06", "2024-07"},
		"2024-07-16": {"2024-02", "2024-03", "2024-06"}, // July is under way
	} {
		if diff := cmp.Diff(want, months(today)); diff != "" {
			t.Errorf("months on %s (-want +got):\n%s", today, diff)
		}
	}
	mem.Hook = func(string, string) (bool, error) { return false, writer.ErrStore }
	if _, err := writer.UnsealedMonths(t.Context(), mem, 0); !errors.Is(err, writer.ErrStore) {
		t.Errorf("of a place that fails: %v", err)
	}
}
