package reconcile

import (
	"testing"
	"time"
)

// Past 2037 a zone follows its rule, which package time cuts at the end of
// each year, in leap years a day early.
func TestZonePastItsTable(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Rome", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "America/Lima", "UTC"} {
		zone := loadZone(t, name)
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC); at.Year() < 2099; at = at.Add(11 * time.Hour) {
			want := at.In(loc).Format("2006-01-02")
			if got := zone.Date(at.UnixMilli()).String(); got != want {
				t.Fatalf("date in %s at %v is %s, want %s", name, at, got, want)
			}
		}
	}
}
