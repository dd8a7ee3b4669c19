package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waconcile/batch"
	"waconcile/cmd/waconcile/metrics"
	"waconcile/writer"
	"waconcile/writer/writertest"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/shopspring/decimal"

	"github.com/google/go-cmp/cmp"
)

// demoDir is a directory with the inputs and results of a small demo.
func demoDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "demo")
	runIn(t, "", nil, 0, "demo", "--dir", dir, "--messages", "3000")
	return dir
}

// runIn runs the command in a directory with an environment, wants an exit
// code, and gives what it printed.
func runIn(t *testing.T, dir string, env []string, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), programName, args...)
	var out, log bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &log
	for _, v := range os.Environ() { // none of this machine's
		if !strings.HasPrefix(v, "OTEL_") && !strings.HasPrefix(v, envPrefix) {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	err := cmd.Run()
	if exit, failed := errors.AsType[*exec.ExitError](err); failed {
		err = nil
		if exit.ExitCode() != code {
			t.Fatalf("%s: exit code %d, want %d\n%s", strings.Join(args, " "), exit.ExitCode(), code, log.String())
		}
	} else if code != 0 {
		t.Fatalf("%s: exit code 0, want %d", strings.Join(args, " "), code)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), log.String()
}

// series are values by name and labels.
type series map[string]float64

// exposed reads Prometheus text with the client's own parser.
func exposed(t *testing.T, text string) series {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return seriesOf(slices.Collect(maps.Values(families)))
}

func seriesOf(families []*dto.MetricFamily) series {
	all := series{}
	for _, f := range families {
		for _, m := range f.Metric {
			name := f.GetName()
			for _, l := range m.Label {
				if l.GetValue() != "" {
					name += " " + l.GetName() + "=" + l.GetValue()
				}
			}
			all[name] = m.GetGauge().GetValue()
		}
	}
	return all
}

// named are the series whose name is, or begins with, name and a space.
func (s series) named(name string) series {
	found := series{}
	for key, value := range s {
		if rest, ok := strings.CutPrefix(key, name); ok && (rest == "" || rest[0] == ' ') {
			found[strings.TrimSpace(rest)] = value
		}
	}
	return found
}

// pushes keeps what is pushed.
type pushes struct {
	mu  sync.Mutex
	all []push
}

type push struct {
	method, path string
	series       series
}

func (p *pushes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var families []*dto.MetricFamily
	decoder := expfmt.NewDecoder(r.Body, expfmt.ResponseFormat(r.Header))
	for {
		f := &dto.MetricFamily{}
		err := decoder.Decode(f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		families = append(families, f)
	}
	p.all = append(p.all, push{r.Method, inOrder(r.URL.Path), seriesOf(families)})
}

// inOrder is the path of a group with its labels sorted, since a client sends
// them in any order.
func inOrder(path string) string {
	labels := slices.Collect(slices.Chunk(strings.Split(strings.TrimPrefix(path, "/metrics/job/waconcile/"), "/"), 2))
	slices.SortFunc(labels, slices.Compare)
	return "/metrics/job/waconcile/" + strings.Join(slices.Concat(labels...), "/")
}

func (p *pushes) last(t *testing.T, n int) push {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) != n {
		t.Fatalf("%d pushes, want %d", len(p.all), n)
	}
	return p.all[n-1]
}

// TestMetricsOfRuns follows a job through a run, one that finds its data gone,
// and a simulation.
func TestMetricsOfRuns(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	got := &pushes{}
	gateway := httptest.NewServer(got)
	defer gateway.Close()
	const group = "/metrics/job/waconcile/schedule/nightly/team/billing"
	addMetrics(t, dir, gateway.URL)
	run := func(code int, args ...string) (stdout string, file series) {
		t.Helper()
		stdout, _ = runIn(t, "", nil, code, append([]string{"run", "--config", filepath.Join(dir, "waconcile.yaml")}, args...)...)
		data, err := os.ReadFile(filepath.Join(dir, "waconcile.prom"))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(data), "\n") {
			if strings.HasPrefix(line, "waconcile_") && (!strings.Contains(line, `schedule="nightly"`) || !strings.Contains(line, `team="billing"`)) {
				t.Errorf("labels are missing: %s", line)
			}
			if strings.Contains(line, "run_id") || strings.Contains(line, "2024-07") {
				t.Errorf("a label of one run: %s", line)
			}
		}
		return stdout, withoutLabels(exposed(t, string(data)))
	}

	stdout, file := run(3, "--fail-on", "differences", "--out", filepath.Join(dir, "anew"))
	checkFigures(t, stdout, file)
	if file["waconcile_last_exit_code"] != 3 {
		t.Errorf("exit code %v", file["waconcile_last_exit_code"])
	}
	first := got.last(t, 1)
	if diff := cmp.Diff(file, first.series); diff != "" || first.method != http.MethodPut || first.path != group {
		t.Errorf("%s %s (-file +pushed):\n%s", first.method, first.path, diff)
	}
	want := []string{
		"checkpoints", "footers", "plan", "probe", "publish", "read", "read_back", "report", "standing", "start", "sums", "tables",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(stagesOf(file)))); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	month := series{"start": 1719792000, "end": 1722470400}
	for bound, at := range month {
		if file["waconcile_oldest_unsealed_month_"+bound+"_timestamp_seconds"] != at || file["waconcile_period_"+bound+"_timestamp_seconds"] != at {
			t.Errorf("July does not have its %s at %v", bound, at)
		}
	}

	if err := os.RemoveAll(filepath.Join(dir, "exports", "dt=2024-07-09")); err != nil {
		t.Fatal(err)
	}
	_, after := run(5, "--out", filepath.Join(dir, "anew"))
	checkFailure(t, file, after, 5, 1)
	failed := got.last(t, 2)
	if failed.method != http.MethodPost || failed.path != group || failed.series["waconcile_last_exit_code"] != 5 || len(failed.series.named("waconcile_last_success_timestamp_seconds")) != 0 {
		t.Errorf("%+v", failed)
	}

	runIn(t, "", nil, 0, "run", "--config", filepath.Join(dir, "waconcile.yaml"), "--out", filepath.Join(dir, "lacking"), "--allow-missing", "--simulate")
	got.last(t, 2) // nothing of a simulation
}

// A month that is closed waits no longer.
func TestMetricsOfClosedMonth(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	config, file := filepath.Join(dir, "waconcile.yaml"), filepath.Join(dir, "waconcile.prom")
	unsealed := func() int {
		runIn(t, "", nil, 0, "run", "--config", config, "--metrics-file", file)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return len(exposed(t, string(data)).named("waconcile_oldest_unsealed_month_end_timestamp_seconds"))
	}
	before := unsealed()
	runIn(t, "", nil, 0, "close", "2024-07", "--out", filepath.Join(dir, "out"))
	if after := unsealed(); before != 1 || after != 0 {
		t.Errorf("series before %d, after %d", before, after)
	}
}

// That the months cannot be listed is no sign that none waits.
func TestMetricsOfUnknownMonths(t *testing.T) {
	t.Parallel()
	mem := &writertest.Mem{}
	if err := mem.Put(t.Context(), "current/2024-06-03.json", []byte("{}"), writer.Condition{}); err != nil {
		t.Fatal(err)
	}
	july := batch.Period{From: 19905, To: 19935}
	of := func() *metrics.Published {
		tel := &telemetry{
			settings: &settings{metricsFile: "unused"}, log: slog.New(slog.DiscardHandler),
			clock: func() time.Time { return time.Date(2024, 8, 1, 4, 30, 0, 0, time.UTC) },
		}
		tel.published(t.Context(), mem, july, &figures{manifest: &writer.Manifest{}})
		return tel.report.Published
	}
	if got := of(); !got.UnsealedKnown || got.Unsealed == nil || got.Unsealed.Until.Month() != time.July {
		t.Errorf("%+v", got)
	}
	mem.Hook = func(string, string) (bool, error) { return false, writer.ErrStore }
	if got := of(); got.UnsealedKnown || got.Unsealed != nil {
		t.Errorf("of a place that fails: %+v", got)
	}
}

// addMetrics sends the figures of the demo's job to two places, by its settings
// file, where the first is relative.
func addMetrics(t *testing.T, dir, gateway string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "waconcile.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString("metrics_file: waconcile.prom\npushgateway: " + gateway + "\nmetrics_label: {team: billing, schedule: nightly}\n")
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// withoutLabels takes the labels of the group off.
func withoutLabels(all series) series {
	bare := series{}
	for name, value := range all {
		bare[strings.NewReplacer(" schedule=nightly", "", " team=billing", "").Replace(name)] = value
	}
	return bare
}

func stagesOf(all series) series {
	stages := series{}
	for name, value := range all.named("waconcile_stage_duration_seconds") {
		stages[strings.TrimPrefix(name, "stage=")] = value
	}
	return stages
}

// checkFigures holds the metrics of a run against the object that it printed.
func checkFigures(t *testing.T, stdout string, got series) {
	t.Helper()
	var f figures
	if err := json.Unmarshal([]byte(stdout), &f); err != nil {
		t.Fatal(err)
	}
	want := series{"waconcile_rows": float64(f.Rows), "waconcile_messages": float64(f.Messages), "waconcile_days_missing": 0}
	for reason, n := range f.Rejects {
		want["waconcile_rejected_rows reason="+reason] = float64(n)
	}
	for kind, n := range f.Findings {
		want["waconcile_findings kind="+kind] = float64(n)
	}
	for _, c := range f.Conversations {
		want["waconcile_charges category="+c.Category+" status=charged"] = float64(c.Charged)
		want["waconcile_charges category="+c.Category+" status=free"] = float64(c.Free)
		want["waconcile_charges category="+c.Category+" status=unrated"] = float64(c.Unrated)
	}
	for _, s := range f.Statements {
		want["waconcile_net_amount currency="+s.Currency] = s.Net.InexactFloat64()
		want["waconcile_unexplained_amount currency="+s.Currency] = 0
	}
	for _, d := range f.Differences {
		want["waconcile_difference_rows class="+d.Class+" currency="+d.Currency] = float64(d.Rows)
		want["waconcile_difference_amount class="+d.Class+" currency="+d.Currency] = d.Amount.InexactFloat64()
		// The object that is printed does not have it: at the least it is the sum.
		absolute := "waconcile_difference_absolute_amount class=" + d.Class + " currency=" + d.Currency
		want[absolute] = max(got[absolute], d.Amount.Abs().InexactFloat64())
		switch d.Class { // of which the demo plants one row each
		case "missing_ours", "missing_theirs", "quantity":
			want["waconcile_unexplained_amount currency="+d.Currency] += d.Amount.Abs().InexactFloat64()
		}
	}
	for name, value := range want {
		if is, ok := got[name]; !ok || is-value > 1e-9 || value-is > 1e-9 {
			t.Errorf("%s is %v, want %v", name, is, value)
		}
	}
	for _, family := range []string{"rejected_rows", "findings", "charges", "net_amount", "difference_rows", "difference_amount", "difference_absolute_amount", "unexplained_amount"} {
		if had, wanted := got.named("waconcile_"+family), want.named("waconcile_"+family); len(had) != len(wanted) || len(had) == 0 && family != "rejected_rows" {
			t.Errorf("waconcile_%s: %v, want %v", family, had, wanted)
		}
	}
	if got["waconcile_max_resident_memory_bytes"] < 1<<20 || got["waconcile_last_success_timestamp_seconds"] != got["waconcile_last_run_timestamp_seconds"] {
		t.Errorf("%v", got)
	}
}

// checkFailure holds what a failure leaves in a file against what was there.
func checkFailure(t *testing.T, before, after series, code, missing float64) {
	t.Helper()
	ofRun := []string{"last_run_timestamp_seconds", "last_exit_code", "last_run_duration_seconds", "stage_duration_seconds", "max_resident_memory_bytes", "days_missing", "last_failure_timestamp_seconds"}
	for name, value := range before {
		family, _, _ := strings.Cut(strings.TrimPrefix(name, "waconcile_"), " ")
		if is, ok := after[name]; !slices.Contains(ofRun, family) && (!ok || is != value) {
			t.Errorf("%s was %v, and is %v after a failure", name, value, is)
		}
	}
	if after["waconcile_last_exit_code"] != code || after["waconcile_days_missing"] != missing || after["waconcile_last_failure_timestamp_seconds"] < before["waconcile_last_success_timestamp_seconds"] {
		t.Errorf("after a failure: %v", after)
	}
	if diff := cmp.Diff([]string{"plan", "standing", "start"}, slices.Sorted(maps.Keys(stagesOf(after)))); diff != "" {
		t.Errorf("stages of a failure (-want +got):\n%s", diff)
	}
}

// What cannot be sent is a warning, and the last line is still what a run that
// failed ends with.
func TestTelemetryNotSent(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	env := []string{
		"WACONCILE_PUSHGATEWAY=" + gone.URL, "WACONCILE_METRICS_FILE=" + filepath.Join(dir, "no", "such", "dir"),
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + gone.URL,
	}
	config := filepath.Join(dir, "waconcile.yaml")
	_, stderr := runIn(t, "", env, 0, "run", "--config", config)
	if n := strings.Count(stderr, `"level":"WARN","msg":"telemetry not sent"`); n != 3 {
		t.Errorf("%d warnings:\n%s", n, stderr)
	}
	_, stderr = runIn(t, "", env, 2, "run", "--config", config, "--rates", filepath.Join(dir, "accounts.csv"))
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, `"exit_code":2}`) {
		t.Errorf("the last line is %s", last)
	}
	_, stderr = runIn(t, "", []string{"OTEL_TRACES_EXPORTER=zipkin"}, 0, "run", "--config", config)
	if !strings.Contains(stderr, `"msg":"no traces"`) {
		t.Errorf("log:\n%s", stderr)
	}
}

// Settings that no figures could be sent by are refused before anything is
// done.
func TestMetricsSettings(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"--pushgateway", "gateway:9091"}, {"--pushgateway", "http://gateway:9091/?token=opensesame"}, {"--metrics-label", "job=x"}, {"--metrics-label", "a-b=x"}, {"--metrics-label", "team"},
	} {
		if _, stderr := runIn(t, t.TempDir(), nil, 2, append([]string{"run"}, args...)...); !strings.Contains(stderr, args[0][2:]) || strings.Contains(stderr, "opensesame") {
			t.Errorf("%q: %s", args, stderr)
		}
	}
}

// Rows of a class that make up for each other are told of by their absolute
// sum, which is what alerts are about.
func TestMeasuredAbsolute(t *testing.T) {
	t.Parallel()
	amount := decimal.RequireFromString
	m := measured(batch.Period{}, &figures{Differences: []classTotal{
		{Class: "quantity", Currency: "EUR", Rows: 2, Amount: amount("0"), absolute: amount("200")},
		{Class: "price", Currency: "EUR", Rows: 1, Amount: amount("-3"), absolute: amount("3")},
	}})
	var got []string
	for _, d := range m.Differences {
		got = append(got, fmt.Sprint(d.Class, " ", d.Amount, " ", d.Absolute))
	}
	if diff := cmp.Diff([]string{"quantity 0 200", "price -3 3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(m.Unexplained) != 1 || !m.Unexplained[0].Amount.Equal(amount("200")) {
		t.Errorf("unexplained: %v", m.Unexplained)
	}
}

// That a run is published counts, and not that its summary cannot be read.
func TestTelemetryOfUnreadRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		unread bool
	}{
		{fmt.Errorf("%w as a: %w", errPublished, writer.ErrStore), true},
		{writer.ErrOutcomeUnknown, false}, {batch.ErrDamaged, false}, {writer.ErrStore, false}, {nil, false},
	} {
		tel := &telemetry{settings: &settings{metricsFile: "unused"}, log: slog.New(slog.DiscardHandler), clock: time.Now}
		tel.sendings(6, tt.err)
		if tel.report.Unread != tt.unread {
			t.Errorf("%v: %v", tt.err, tel.report.Unread)
		}
	}
}

func TestPeakMemory(t *testing.T) {
	t.Parallel()
	status := func(text string, err error) func(string) ([]byte, error) {
		return func(string) ([]byte, error) { return []byte(text), err }
	}
	if got := peakMemory(status("Name:\twaconcile\nVmPeak:\t 9 kB\nVmHWM:\t   1024 kB\n", nil)); got != 1<<20 {
		t.Errorf("got %d", got)
	}
	if got := peakMemory(status("", os.ErrNotExist)); got != 0 {
		t.Errorf("without the file: %d", got)
	}
}
