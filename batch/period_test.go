package batch

import (
	"testing"
	"time"
)

func TestParsePeriod(t *testing.T) {
	t.Parallel()
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text, now string
		zone      *time.Location
		want      string
	}{
		{"2024-07", "2030-01-01T00:00:00Z", time.UTC, "2024-07"},
		{"2024-07-03", "2030-01-01T00:00:00Z", time.UTC, "2024-07-03"},
		{"2024-07-01..2024-07-15", "2030-01-01T00:00:00Z", time.UTC, "2024-07-01_2024-07-15"},
		{"2024-02-01..2024-02-29", "2030-01-01T00:00:00Z", time.UTC, "2024-02"},
		{"2024-07-03..2024-07-03", "2030-01-01T00:00:00Z", time.UTC, "2024-07-03"},
		{"yesterday", "2024-03-01T00:30:00Z", time.UTC, "2024-02-29"},
		{"yesterday", "2024-02-29T11:00:00Z", auckland, "2024-02-29"},
		{"month-to-date", "2024-07-01T03:00:00Z", time.UTC, "2024-06"},
		{"month-to-date", "2024-07-02T03:00:00Z", time.UTC, "2024-07-01"},
		{"month-to-date", "2024-07-16T03:00:00Z", time.UTC, "2024-07-01_2024-07-15"},
		{"last-month", "2024-03-31T12:00:00Z", time.UTC, "2024-02"},
		{"last-month", "2024-01-01T00:00:00Z", time.UTC, "2023-12"},
	}
	for _, tt := range tests {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePeriod(tt.text, now, tt.zone)
		if err != nil || p.String() != tt.want {
			t.Errorf("ParsePeriod(%q, %s, %s) = %v, %v; want %s", tt.text, tt.now, tt.zone, p, err, tt.want)
		}
	}
	for _, text := range []string{"", "2024", "2024-13", "2024-7", "2024-02-30", "2024-07-05..2024-07-01", "2024-07..2024-08", "tomorrow"} {
		if p, err := ParsePeriod(text, time.Now(), time.UTC); err == nil {
			t.Errorf("ParsePeriod(%q) = %v, want an error", text, p)
		}
	}
}
