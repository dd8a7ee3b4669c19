package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/google/go-cmp/cmp"
)

// spans keeps what an OTLP exporter sends.
type spans struct {
	mu       sync.Mutex
	requests int // also of those without a span
	all      []*tracepb.Span
	faults   []error
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	body, err := io.ReadAll(r.Body)
	sent := &collector.ExportTraceServiceRequest{}
	if err = errors.Join(err, proto.Unmarshal(body, sent)); err != nil {
		s.faults = append(s.faults, err)
	}
	for _, rs := range sent.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			s.all = append(s.all, ss.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// count gives the number of requests so far.
func (s *spans) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// take gives the spans sent so far, each below its parent, as "run/plan", with
// the message of an error.
func (s *spans) take(t *testing.T) (names []string, attributes map[string]string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	byID := map[string]*tracepb.Span{}
	for _, span := range s.all {
		byID[string(span.SpanId)] = span
	}
	attributes = map[string]string{}
	for _, span := range s.all {
		name := span.Name
		if parent := byID[string(span.ParentSpanId)]; parent != nil {
			name = parent.Name + "/" + name
		}
		for _, kv := range span.Attributes {
			text := kv.Value.GetStringValue()
			if text == "" {
				text = fmt.Sprint(kv.Value.GetIntValue())
			}
			attributes[name+" "+kv.Key] = text
		}
		if span.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR {
			name += " failed"
		}
		names = append(names, name)
	}
	for _, err := range s.faults {
		t.Error(err)
	}
	s.all = nil
	return names, attributes
}

// TestTracesOfRuns follows a job through a run, one whose data is gone, and
// one that is not to be traced.
func TestTracesOfRuns(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	got := &spans{}
	server := httptest.NewServer(got)
	defer server.Close()
	on := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + server.URL}
	args := []string{"run", "--config", filepath.Join(dir, "waconcile.yaml"), "--out", filepath.Join(dir, "anew")}

	stdout, _ := runIn(t, "", on, 0, args...)
	names, attributes := got.take(t)
	want := []string{
		"run/plan", "run/start", "run/standing", "run/footers", "run/probe", "run/read", "run/sums", "run/tables",
		"run/report", "run/checkpoints", "run/read_back", "run/publish", "run",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	id := attributes["run waconcile.run_id"]
	if id == "" || !strings.Contains(stdout, `"run_id":"`+id+`"`) {
		t.Errorf("run id %q of %s", id, stdout)
	}
	for name, value := range map[string]string{
		"run waconcile.period": "2024-07", "run waconcile.exit_code": "0", "run waconcile.messages": "3000",
		"run/read waconcile.messages": "3000", "run/publish waconcile.run_id": id,
		"run waconcile.rows": attributes["run/footers waconcile.rows"],
	} {
		if attributes[name] != value {
			t.Errorf("%s is %q, want %q", name, attributes[name], value)
		}
	}

	before := got.count()
	for _, env := range [][]string{nil, append(slices.Clone(on), "OTEL_SDK_DISABLED=true"), append(slices.Clone(on), "OTEL_TRACES_EXPORTER=none")} {
		runIn(t, "", env, 0, args...)
	}
	if names, _ := got.take(t); len(names) > 0 || got.count() != before {
		t.Errorf("%q, and %d requests where none is to be traced", names, got.count()-before)
	}

	if err := os.RemoveAll(filepath.Join(dir, "exports", "dt=2024-07-09")); err != nil {
		t.Fatal(err)
	}
	runIn(t, "", on, 5, args...)
	names, attributes = got.take(t)
	if diff := cmp.Diff([]string{"run/plan", "run/start", "run/standing failed", "run failed"}, names); diff != "" {
		t.Errorf("spans of a failure (-want +got):\n%s", diff)
	}
	if attributes["run waconcile.exit_code"] != "5" || attributes["run/start waconcile.days_missing"] != "1" {
		t.Errorf("%v", attributes)
	}
}
