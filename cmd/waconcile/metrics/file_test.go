package metrics

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/shopspring/decimal"

	"github.com/google/go-cmp/cmp"
)

// published is a report of a run that is published, at a minute of an hour.
func published(minute int) *Report {
	eur := func(text string) Money { return Money{"EUR", decimal.RequireFromString(text)} }
	day := func(month time.Month, day int) time.Time { return time.Date(2024, month, day, 0, 0, 0, 0, time.UTC) }
	return &Report{
		Ended: time.Date(2024, 8, 1, 4, minute, 0, 500e6, time.UTC), Took: 90 * time.Second,
		Stages:    []Stage{{"plan", time.Second}, {"checkpoints", 2 * time.Second}, {"checkpoints", 3 * time.Second}},
		PeakBytes: 1 << 28, DaysMissing: new(int64),
		Published: &Published{
			First: day(7, 1), Until: day(8, 1), Rows: 1003, Messages: 1000,
			Rejects: map[string]int64{"bad_status": 3},
			Charges: []Charges{{"marketing", "charged", 7}, {"marketing", "free", 0}, {"service", "charged", 5}},
			Net:     []Money{eur("1809.931234"), {"USD", decimal.RequireFromString("0.1")}},
			Differences: []Difference{
				{"missing_theirs", "EUR", 2, decimal.RequireFromString("-8.6142"), decimal.RequireFromString("10.6142")},
				{"outside_period", "", 1, decimal.Zero, decimal.Zero},
			},
			Unexplained: []Money{eur("8.6142")},
			Findings:    map[string]int64{"no_credit": 4},
			Unsealed:    &Month{day(6, 1), day(7, 1)}, UnsealedKnown: true,
		},
	}
}

// failed is a report of one that is not.
func failed(minute, code int) *Report {
	missing := int64(2)
	return &Report{
		Ended: time.Date(2024, 8, 1, 4, minute, 0, 0, time.UTC), Took: time.Second, ExitCode: code,
		Stages: []Stage{{"plan", 4 * time.Second}}, DaysMissing: &missing,
	}
}

// parse reads Prometheus text by the client's own parser: values by name and
// labels.
func parse(t *testing.T, text string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return flat(t, slices.Collect(maps.Values(families)))
}

func flat(t *testing.T, families []*dto.MetricFamily) map[string]float64 {
	t.Helper()
	values := map[string]float64{}
	for _, f := range families {
		if f.GetType() != dto.MetricType_GAUGE || f.GetHelp() == "" {
			t.Errorf("%s is a %s with help %q", f.GetName(), f.GetType(), f.GetHelp())
		}
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			values[name] = m.GetGauge().GetValue()
		}
	}
	return values
}

// shown is what a report of 4:05 is exposed as.
func shown() map[string]float64 {
	return map[string]float64{
		"waconcile_last_run_timestamp_seconds":                                   1722485100.5,
		"waconcile_last_success_timestamp_seconds":                               1722485100.5,
		"waconcile_last_exit_code":                                               0,
		"waconcile_last_run_duration_seconds":                                    90,
		"waconcile_stage_duration_seconds stage=plan":                            1,
		"waconcile_stage_duration_seconds stage=checkpoints":                     5,
		"waconcile_max_resident_memory_bytes":                                    1 << 28,
		"waconcile_days_missing":                                                 0,
		"waconcile_rows":                                                         1003,
		"waconcile_messages":                                                     1000,
		"waconcile_rejected_rows reason=bad_status":                              3,
		"waconcile_findings kind=no_credit":                                      4,
		"waconcile_charges category=marketing status=charged":                    7,
		"waconcile_charges category=marketing status=free":                       0,
		"waconcile_charges category=service status=charged":                      5,
		"waconcile_net_amount currency=EUR":                                      1809.931234,
		"waconcile_net_amount currency=USD":                                      0.1,
		"waconcile_difference_rows class=missing_theirs currency=EUR":            2,
		"waconcile_difference_rows class=outside_period currency=":               1,
		"waconcile_difference_amount class=missing_theirs currency=EUR":          -8.6142,
		"waconcile_difference_amount class=outside_period currency=":             0,
		"waconcile_difference_absolute_amount class=missing_theirs currency=EUR": 10.6142,
		"waconcile_difference_absolute_amount class=outside_period currency=":    0,
		"waconcile_unexplained_amount currency=EUR":                              8.6142,
		"waconcile_period_start_timestamp_seconds":                               1719792000,
		"waconcile_period_end_timestamp_seconds":                                 1722470400,
		"waconcile_unsealed_month_known":                                         1,
		"waconcile_oldest_unsealed_month_start_timestamp_seconds":                1717200000,
		"waconcile_oldest_unsealed_month_end_timestamp_seconds":                  1719792000,
	}
}

// afterFailure is shown with what a failure of 4:07 replaces.
func afterFailure() map[string]float64 {
	want := shown()
	delete(want, "waconcile_stage_duration_seconds stage=checkpoints")
	want["waconcile_stage_duration_seconds stage=plan"] = 4
	want["waconcile_last_run_timestamp_seconds"] = 1722485220
	want["waconcile_last_failure_timestamp_seconds"] = 1722485220
	want["waconcile_last_run_duration_seconds"] = 1
	want["waconcile_last_exit_code"] = 5
	want["waconcile_days_missing"] = 2
	return want
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A failure leaves what it does not know as it was; a success leaves nothing.
func TestFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waconcile.prom")
	write := func(r *Report) map[string]float64 {
		t.Helper()
		if err := WriteFile(path, r, nil); err != nil {
			t.Fatal(err)
		}
		return parse(t, readFile(t, path))
	}
	first := write(failed(3, 6))
	if first["waconcile_last_exit_code"] != 6 || len(first) != 6 {
		t.Errorf("of a first run that fails: %v", first)
	}
	if diff := cmp.Diff(shown(), write(published(5))); diff != "" {
		t.Errorf("of a published run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(afterFailure(), write(failed(7, 5))); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
	bare := published(9)
	bare.Published.Rejects, bare.Published.Differences = nil, nil
	for name := range write(bare) {
		if strings.HasPrefix(name, "waconcile_rejected_rows") || strings.HasPrefix(name, "waconcile_difference") || strings.Contains(name, "failure") {
			t.Errorf("%s is still there", name)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v, %v", entries, err)
	}
}

// Labels are on every series, kept ones too, and the same text comes of them.
func TestFileLabels(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waconcile.prom")
	labels := Labels{"team": "billing", "schedule": `night "ly"`}
	for _, r := range []*Report{published(5), failed(7, 5)} {
		if err := WriteFile(path, r, labels); err != nil {
			t.Fatal(err)
		}
	}
	for name := range parse(t, readFile(t, path)) {
		if !strings.Contains(name, ` schedule=night "ly"`) || !strings.Contains(name, " team=billing") {
			t.Errorf("%s lacks a label", name)
		}
	}
}

// After a failure there are no series of labels that the job no longer has.
func TestFileOtherLabels(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waconcile.prom")
	for _, old := range []Labels{nil, {"schedule": "daily"}, {"schedule": "nightly", "team": "billing"}} {
		if err := WriteFile(path, published(5), old); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(path, failed(7, 5), Labels{"schedule": "nightly"}); err != nil {
			t.Fatal(err)
		}
		got := parse(t, readFile(t, path))
		for name := range got {
			if !strings.Contains(name, " schedule=nightly") || strings.Contains(name, "team") {
				t.Errorf("%s is kept", name)
			}
		}
		if len(got) != 6 {
			t.Errorf("%v", got)
		}
	}
}

// writeAll writes the reports of runs that follow each other to one file.
func writeAll(t *testing.T, path string, reports ...*Report) {
	t.Helper()
	for _, r := range reports {
		if err := WriteFile(path, r, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// A run that fails before it knows leaves the missing days as they were.
func TestFileUnknownDays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waconcile.prom")
	early := failed(9, 6)
	early.DaysMissing = nil
	writeAll(t, path, failed(7, 5), early)
	if got := parse(t, readFile(t, path)); got["waconcile_days_missing"] != 2 || got["waconcile_last_exit_code"] != 6 {
		t.Errorf("%v", got)
	}
	if text := readFile(t, path); !strings.Contains(text, "# HELP waconcile_days_missing Days that the last run which got as far as to know") {
		t.Errorf("the help does not say so:\n%s", text)
	}
}

// A run that is published, and whose figures could not be read, is a success
// that leaves the figures as they were.
func TestFileUnread(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waconcile.prom")
	unread := failed(7, 6)
	unread.Unread = true
	writeAll(t, path, published(5), unread)
	want := afterFailure()
	delete(want, "waconcile_last_failure_timestamp_seconds")
	want["waconcile_last_success_timestamp_seconds"] = want["waconcile_last_run_timestamp_seconds"]
	want["waconcile_last_exit_code"] = 6
	if diff := cmp.Diff(want, parse(t, readFile(t, path))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A file that is none of ours is replaced, and a place that cannot be written
// is left as it is.
func TestFileFaults(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waconcile.prom")
	if err := os.WriteFile(path, []byte("no {metrics"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, failed(3, 6), nil); err == nil || !strings.Contains(err.Error(), "of which nothing is kept") {
		t.Errorf("over a file that is none of ours: %v", err)
	}
	if got := parse(t, readFile(t, path)); got["waconcile_last_exit_code"] != 6 {
		t.Errorf("%v", got)
	}
	if err := WriteFile(filepath.Join(path, "below"), published(5), nil); err == nil {
		t.Error("no error where there is no directory")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v: others cannot read it", info, err)
	}
}
