package main

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// gate stands between a process and a store and lets requests pass as a test
// decides. What it is asked it passes on word for word, so that signatures
// hold.
type gate struct {
	*httptest.Server
	target  string // host and port of the store
	forward *http.Transport
	pass    func(*request) (*answer, error)
}

// request is what a process asks of its store.
type request struct {
	method, path, query string

	gate *gate
	http *http.Request
	body []byte
}

func (r *request) String() string { return r.method + " " + r.path + "?" + r.query }

// writes tells a request that may change what is there.
func (r *request) writes() bool { return r.method != http.MethodGet && r.method != http.MethodHead }

// answer is a whole answer of the store.
type answer struct {
	status int
	header http.Header
	body   []byte
	half   bool // let half of the body through, and then drop the connection
}

// newGate starts a gate. pass is called for every request and may send it on;
// without an answer from pass the connection is dropped. Several goroutines
// may call pass at once.
func newGate(t *testing.T, endpoint string, pass func(*request) (*answer, error)) *gate {
	t.Helper()
	g := &gate{
		target:  strings.TrimPrefix(endpoint, "http://"),
		forward: &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		pass:    pass,
	}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	a, err := g.pass(&request{r.Method, r.URL.Path, r.URL.RawQuery, g, r, body})
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if a.half {
		_, _ = w.Write(a.body[:len(a.body)/2])
		_ = http.NewResponseController(w).Flush() // a process that is gone is no concern of the gate
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(a.body)
}

// send passes the request on.
func (r *request) send() (*answer, error) {
	return r.sendBody(bytes.NewReader(r.body))
}

// sendHalf sends half of the body and then calls then, while the store waits
// for the rest, which never comes. A store that answers before that, from what
// it has, is not waited for.
func (r *request) sendHalf(then func()) {
	then = sync.OnceFunc(then)
	half := io.MultiReader(bytes.NewReader(r.body[:len(r.body)/2]), readerFunc(func([]byte) (int, error) {
		then()
		return 0, errCut
	}))
	_, _ = r.sendBody(half) // no answer is passed on
	then()
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (r *request) sendBody(body io.Reader) (*answer, error) {
	out := r.http.Clone(r.http.Context())
	out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", r.gate.target
	out.Body = io.NopCloser(body)
	response, err := r.gate.forward.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &answer{status: response.StatusCode, header: response.Header, body: data}, nil
}
