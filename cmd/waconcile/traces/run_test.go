package traces

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"waconcile/batch"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/google/go-cmp/cmp"
)

// receiver is a collector that takes OTLP over HTTP.
type receiver struct {
	mu       sync.Mutex
	resource map[string]string
	spans    []*tracepb.Span
	faults   []error
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(request.Body)
	message := &collector.ExportTraceServiceRequest{}
	if err = errors.Join(err, proto.Unmarshal(body, message)); err != nil || request.URL.Path != "/v1/traces" {
		r.faults = append(r.faults, fmt.Errorf("%s: %w", request.URL.Path, err))
		http.Error(w, "not understood", http.StatusBadRequest)
		return
	}
	for _, rs := range message.ResourceSpans {
		r.resource = attributes(rs.Resource.Attributes)
		for _, ss := range rs.ScopeSpans {
			r.spans = append(r.spans, ss.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func attributes(list []*common.KeyValue) map[string]string {
	values := map[string]string{}
	for _, kv := range list {
		switch v := kv.Value.Value.(type) {
		case *common.AnyValue_IntValue:
			values[kv.Key] = fmt.Sprint(v.IntValue)
		default:
			values[kv.Key] = kv.Value.GetStringValue()
		}
	}
	return values
}

// seen is a span as a person would look at it.
type seen struct {
	Name, Parent string
	Seconds      float64
	Attributes   map[string]string
	Error        string
	Events       int
}

func (r *receiver) seen(t *testing.T) []seen {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	names, traces := map[string]string{}, map[string]bool{}
	for _, s := range r.spans {
		names[string(s.SpanId)], traces[string(s.TraceId)] = s.Name, true
	}
	if len(traces) > 1 {
		t.Errorf("%d traces of one run", len(traces))
	}
	for _, err := range r.faults {
		t.Error(err)
	}
	var list []seen
	for _, s := range r.spans {
		one := seen{
			Name: s.Name, Parent: names[string(s.ParentSpanId)], Attributes: attributes(s.Attributes), Events: len(s.Events),
			Seconds: float64(s.EndTimeUnixNano-s.StartTimeUnixNano) / 1e9,
		}
		if s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR {
			one.Error = s.Status.Message
		}
		list = append(list, one)
	}
	return list
}

// ticking is a clock that goes on by a second whenever it is looked at.
func ticking() func() time.Time {
	now := time.Date(2024, 8, 1, 4, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func start(t *testing.T, ctx context.Context, log io.Writer) *Run {
	t.Helper()
	r, err := Start(ctx, Options{LookupEnv: os.LookupEnv, Clock: ticking(), Log: slog.New(slog.NewTextHandler(log, nil)), Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newReceiver is a receiver and where to send to, until the test ends.
func newReceiver(t *testing.T) (*receiver, *httptest.Server) {
	t.Helper()
	got := &receiver{}
	server := httptest.NewServer(got)
	t.Cleanup(server.Close)
	return got, server
}

// The environment of a process is one, so that these tests are not parallel.

func TestRun(t *testing.T) {
	got, server := newReceiver(t)
	t.Setenv(endpointVar, server.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	ctx, cancel := context.WithCancel(t.Context())
	r := start(t, ctx, t.Output())
	r.Period("2024-07")
	r.StageBegins(batch.StagePlan)
	r.StageEnded(batch.StageEnd{Stage: batch.StagePlan, Counts: []batch.Count{{Name: "input_files", Value: 3}}})
	r.StageBegins(batch.StageRead)
	cancel() // as a signal does
	broken := errors.New("read a: broken")
	r.StageEnded(batch.StageEnd{Stage: batch.StageRead, RunID: "4c6b", Err: broken})
	if err := r.End(t.Context(), 143, []batch.Count{{Name: "rows", Value: 12}}, errors.Join(broken, context.Canceled)); err != nil {
		t.Fatal(err)
	}
	want := []seen{
		{"plan", "run", 1, map[string]string{"waconcile.input_files": "3"}, "", 0},
		{"read", "run", 1, map[string]string{"waconcile.run_id": "4c6b"}, "read a: broken", 1},
		{
			"run", "", 5,
			map[string]string{"waconcile.period": "2024-07", "waconcile.run_id": "4c6b", "waconcile.exit_code": "143", "waconcile.rows": "12"},
			"read a: broken; context canceled", 1,
		},
	}
	if diff := cmp.Diff(want, got.seen(t)); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	for name, value := range map[string]string{
		"service.name": "waconcile", "service.version": "1.2.3", "deployment.environment.name": "test", "telemetry.sdk.language": "go",
	} {
		if got.resource[name] != value {
			t.Errorf("%s is %q, want %q", name, got.resource[name], value)
		}
	}
}

// What is right of the attributes counts, and the rest is a warning.
func TestBrokenAttributes(t *testing.T) {
	got, server := newReceiver(t)
	t.Setenv(endpointVar, server.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "opensesame,deployment.environment.name=test")
	var log bytes.Buffer
	if err := start(t, t.Context(), &log).End(t.Context(), 0, nil, nil); err != nil {
		t.Fatal(err)
	}
	if spans := got.seen(t); len(spans) != 1 || got.resource["deployment.environment.name"] != "test" || got.resource["service.name"] != "waconcile" {
		t.Errorf("%+v of %v", spans, got.resource)
	}
	if text := log.String(); strings.Count(text, "OTEL_RESOURCE_ATTRIBUTES") != 1 || strings.Contains(text, "opensesame") {
		t.Errorf("log: %s", text)
	}
}

func TestServiceName(t *testing.T) {
	got, server := newReceiver(t)
	t.Setenv(tracesEndpointVar, server.URL+"/v1/traces")
	t.Setenv("OTEL_SERVICE_NAME", "month-end")
	if err := start(t, t.Context(), t.Output()).End(t.Context(), 0, nil, nil); err != nil {
		t.Fatal(err)
	}
	if spans := got.seen(t); len(spans) != 1 || got.resource["service.name"] != "month-end" {
		t.Errorf("%+v of %v", spans, got.resource)
	}
}

// A nil Run is what there is without the variables, and takes all calls.
func TestOff(t *testing.T) {
	for _, name := range []string{endpointVar, tracesEndpointVar, exporterVar} {
		t.Setenv(name, "")
	}
	r := start(t, t.Context(), t.Output())
	if r != nil {
		t.Fatal("traces without a variable")
	}
	r.Period("2024-07")
	r.StageBegins(batch.StagePlan)
	r.StageEnded(batch.StageEnd{})
	if err := r.End(t.Context(), 0, nil, nil); err != nil {
		t.Error(err)
	}
}

// A collector that never answers costs as much time as there is, and one that
// refuses says so once.
func TestUnsent(t *testing.T) {
	unanswered := make(chan struct{})
	for name, handler := range map[string]http.HandlerFunc{
		"silent":   func(_ http.ResponseWriter, r *http.Request) { <-unanswered },
		"refusing": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			t.Setenv(endpointVar, server.URL)
			var log bytes.Buffer
			r := start(t, t.Context(), &log)
			ctx, cancel := context.WithCancel(t.Context())
			if name == "silent" {
				cancel()
			}
			defer cancel()
			if err := r.End(ctx, 0, nil, nil); err == nil || !strings.HasPrefix(err.Error(), "send traces: ") {
				t.Errorf("error is %v", err)
			}
			if name == "silent" {
				close(unanswered)
			}
			server.Close()
			if strings.Contains(log.String(), "ERROR") {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}
