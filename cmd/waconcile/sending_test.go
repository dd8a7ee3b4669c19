package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What never ends is left behind, and what has ended is told of all the same.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	stuck := make(chan struct{})
	defer close(stuck)
	refused := errors.New("push metrics: refused")
	errs := sideBySide(ctx, []sending{
		{"push metrics", func(context.Context) error { return refused }},
		{"write metrics", func(context.Context) error { cancel(); <-stuck; return nil }},
	})
	if len(errs) != 2 || !errors.Is(errs[1], context.Canceled) || !strings.HasPrefix(errs[1].Error(), "write metrics: ") {
		t.Errorf("%v", errs)
	}
	if errs[0] != nil && !errors.Is(errs[0], refused) && !errors.Is(errs[0], context.Canceled) {
		t.Errorf("of what has ended: %v", errs[0])
	}
	errs = sideBySide(t.Context(), []sending{{"push metrics", func(context.Context) error { return refused }}, {"", func(context.Context) error { return nil }}})
	if len(errs) != 2 || !errors.Is(errs[0], refused) || errs[1] != nil {
		t.Errorf("%v", errs)
	}
}

// A gateway and a collector that each answer only once the other is asked are
// both sent to.
func TestTelemetrySentSideBySide(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	var asked [2]chan struct{}
	var servers [2]*httptest.Server
	for i := range servers {
		asked[i] = make(chan struct{})
	}
	for i := range servers {
		once := sync.OnceFunc(func() { close(asked[i]) })
		servers[i] = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			once()
			select {
			case <-asked[1-i]:
			case <-r.Context().Done():
			}
		}))
		defer servers[i].Close()
	}
	env := []string{"WACONCILE_PUSHGATEWAY=" + servers[0].URL, "OTEL_EXPORTER_OTLP_ENDPOINT=" + servers[1].URL}
	_, stderr := runIn(t, "", env, 0, "run", "--config", filepath.Join(dir, "waconcile.yaml"))
	if strings.Contains(stderr, "not sent") {
		t.Errorf("log:\n%s", stderr)
	}
}
