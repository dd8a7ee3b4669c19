package metrics

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/google/go-cmp/cmp"
)

// gateway does what a Pushgateway does with what is pushed: PUT replaces a
// group, POST the families of the same name in it.
type gateway struct {
	mu     sync.Mutex
	groups map[string]map[string]*dto.MetricFamily // by path
	auth   string
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.auth = r.Header.Get("Authorization")
	if g.groups == nil {
		g.groups = map[string]map[string]*dto.MetricFamily{}
	}
	path := inOrder(r.URL.Path)
	if r.Method == http.MethodPut || g.groups[path] == nil {
		g.groups[path] = map[string]*dto.MetricFamily{}
	}
	decoder := expfmt.NewDecoder(bytes.NewReader(body), expfmt.ResponseFormat(r.Header))
	for {
		family := &dto.MetricFamily{}
		if err := decoder.Decode(family); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		g.groups[path][family.GetName()] = family
	}
}

// inOrder is the path of a group with its labels sorted: to a Pushgateway their
// order tells nothing, and a client sends them in any.
func inOrder(path string) string {
	labels := slices.Collect(slices.Chunk(strings.Split(strings.TrimPrefix(path, "/metrics/job/waconcile/"), "/"), 2))
	slices.SortFunc(labels, slices.Compare)
	return "/metrics/job/waconcile/" + strings.Join(slices.Concat(labels...), "/")
}

func (g *gateway) group(t *testing.T, path string) map[string]float64 {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.groups[path] == nil {
		t.Fatalf("no group %s among %q", path, slices.Collect(maps.Keys(g.groups)))
	}
	return flat(t, slices.Collect(maps.Values(g.groups[path])))
}

func TestPush(t *testing.T) {
	t.Parallel()
	g := &gateway{}
	server := httptest.NewServer(g)
	defer server.Close()
	const path = "/metrics/job/waconcile/schedule/nightly/team/billing"
	push := func(r *Report) map[string]float64 {
		t.Helper()
		if err := Push(t.Context(), server.URL, r, Labels{"team": "billing", "schedule": "nightly"}); err != nil {
			t.Fatal(err)
		}
		return g.group(t, path)
	}
	stale := published(3)
	stale.Published.Findings["recharge_expired"] = 1
	stale.Published.Unsealed = nil
	push(stale)
	if diff := cmp.Diff(shown(), push(published(5))); diff != "" {
		t.Errorf("of a published run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(afterFailure(), push(failed(7, 5))); diff != "" {
		t.Errorf("after a failure (-want +got):\n%s", diff)
	}
	want := shown()
	want["waconcile_last_run_timestamp_seconds"] += 240
	want["waconcile_last_success_timestamp_seconds"] += 240
	if diff := cmp.Diff(want, push(published(9))); diff != "" {
		t.Errorf("after a success (-want +got):\n%s", diff)
	}
	if len(g.groups) != 1 {
		t.Errorf("groups %q", slices.Collect(maps.Keys(g.groups)))
	}
}

// A password goes to the gateway, and into no message.
func TestPushPassword(t *testing.T) {
	t.Parallel()
	g := &gateway{}
	server := httptest.NewServer(g)
	defer server.Close()
	url := strings.Replace(server.URL, "http://", "http://somebody:opensesame@", 1)
	if err := Push(t.Context(), url, published(5), nil); err != nil {
		t.Fatal(err)
	}
	if g.auth != "Basic c29tZWJvZHk6b3BlbnNlc2FtZQ==" {
		t.Errorf("authorization is %q", g.auth)
	}
	refusing := httptest.NewServer(http.NotFoundHandler())
	url = strings.Replace(refusing.URL, "http://", "http://somebody:opensesame@", 1)
	for range 2 { // refused, and nobody there
		if err := Push(t.Context(), url, failed(5, 1), nil); err == nil || strings.Contains(err.Error(), "opensesame") {
			t.Errorf("error is %v", err)
		}
		refusing.Close()
	}
}
