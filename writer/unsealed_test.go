package writer_test

import (
	"errors"
	"testing"

	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

func TestUnsealedMonths(t *testing.T) {
	t.Parallel()
	mem := &writertest.Mem{}
	months := func() []string {
		months, err := writer.UnsealedMonths(t.Context(), mem)
		if err != nil {
			t.Fatal(err)
		}
		return months
	}
	if got := months(); len(got) != 0 {
		t.Errorf("of an empty place: %q", got)
	}
	for _, key := range []string{
		"current/2024-08.json", "current/2024-06.json", "current/2024-05.json", "current/2024-07-01.json",
		"current/2024-06-01_2024-06-15.json", "current/2023-01.txt", "current/old/2023-02.json",
		"sealed/2024-05.json", "sealed/2024-04.json", "sealed/2024-06.json.bak", "runs/2023-03/manifest.json",
	} {
		if err := mem.Put(t.Context(), key, []byte("{}"), writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"2024-06", "2024-08"}, months()); diff != "" {
		t.Errorf("months (-want +got):\n%s", diff)
	}
	mem.Hook = func(string, string) (bool, error) { return false, writer.ErrStore }
	if _, err := writer.UnsealedMonths(t.Context(), mem); !errors.Is(err, writer.ErrStore) {
		t.Errorf("of a place that fails: %v", err)
	}
}
