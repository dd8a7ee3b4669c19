package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// gate stands between a process and a store and lets requests pass as a test
// decides. What it is asked it passes on word for word, so that signatures
// hold.
type gate struct {
	*httptest.Server
	target  string // host and port of the store
	forward http.RoundTripper
	pass    func(request, func() (*answer, error)) (*answer, error)
}

// request is what pass is told of.
type request struct {
	method, path string
	query        string
	body         []byte
}

// writes tells a request that may change what is there.
func (r request) writes() bool { return r.method != http.MethodGet && r.method != http.MethodHead }

// answer is a whole answer of the store.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// newGate starts a gate. For every request pass gets what it is and the way
// to send it on; without an answer from pass the connection is dropped. pass
// may be called by several goroutines at once.
func newGate(t *testing.T, endpoint string, pass func(request, func() (*answer, error)) (*answer, error)) *gate {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	g := &gate{target: strings.TrimPrefix(endpoint, "http://"), forward: transport, pass: pass}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.close)
	return g
}

// close waits until nothing is on its way.
func (g *gate) close() {
	g.Close()
	g.forward.(*http.Transport).CloseIdleConnections()
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a, err := g.pass(request{r.Method, r.URL.Path, r.URL.RawQuery, body}, func() (*answer, error) { return g.send(r, body) })
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func (g *gate) send(r *http.Request, body []byte) (*answer, error) {
	out := r.Clone(r.Context())
	out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", g.target
	out.Body = io.NopCloser(bytes.NewReader(body))
	response, err := g.forward.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &answer{response.StatusCode, response.Header, data}, nil
}
