package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/reader/miniotest"
)

// bucketInputs uploads smallInputs and gives the place to name them by.
func bucketInputs(t *testing.T, bucket *testBucket) string {
	t.Helper()
	in := bucket.place("in")
	in.fill(t, dirPlace(smallInputs(t)).list(t))
	return strings.TrimSuffix(in.String(), "/")
}

// outageSeeds is how many servers are killed amid reading, and as many amid
// writing.
const outageSeeds = 6

// MinIO is killed (kill -9) amid a request of a run that reads from it and
// writes to it, and started again: at once, so that reading goes on and writing
// may, or when the run has ended. The run ends with 0 or 6, or with 7 where the
// request was a step of the commit; nothing that can be seen is wrong; and the
// same run again brings what an undisturbed one brings.
func TestOutage(t *testing.T) {
	t.Parallel()
	for _, phase := range []string{"reading", "writing"} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			own := miniotest.StartOwn(t)
			bucket := newTestBucket(t, &own.Server)
			in, direct := bucketInputs(t, bucket), accessTo(&own.Server)
			whole := bucket.place("whole")
			all := requestsOf(t, &own.Server, runOf(in, listRates, whole.String()))
			after := whole.list(t)
			first := slices.IndexFunc(all, func(r string) bool { return strings.HasPrefix(r, "PUT ") })
			if first < 10 || len(all)-first < 15 {
				t.Fatalf("%d requests, of which the first that writes is number %d", len(all), first+1)
			}
			ends := map[int]int{}
			for seed := range uint64(outageSeeds) {
				rng := rand.New(rand.NewPCG(seed, 3))
				o := &outage{own: own, moment: rng.IntN(moments), restart: seed%2 == 0}
				switch {
				case phase == "writing" && seed < 2: // the last step
					o.at = 1 + slices.IndexFunc(all, func(r string) bool { return strings.HasPrefix(r, "PUT ") && strings.Contains(r, "/current/") })
				case phase == "writing":
					o.at = 1 + first + rng.IntN(len(all)-first)
				case seed < 3: // before the exports are read
					o.at = 1 + rng.IntN(first)
				default:
					reads := indexesOf(all, func(r string) bool { return strings.Contains(r, ".parquet?") && strings.Contains(r, "/in/") })
					o.at = 1 + reads[rng.IntN(len(reads))]
				}
				p := bucket.place(fmt.Sprintf("seed-%d", seed))
				args := runOf(in, listRates, p.String())
				g := newGate(t, own.Endpoint, o.pass)
				code, stderr := call(t, direct.through(g.URL), t.TempDir(), args)
				g.Close()
				ends[code]++
				if err := errors.Join(o.err, own.Restart()); err != nil {
					t.Fatal(err)
				}
				told := fmt.Sprintf("seed %d, killed %s request %d, %s", seed, []string{"before", "amid", "after"}[o.moment], o.at, o.what)
				if phase == "reading" && o.restart && code != exitOK {
					t.Errorf("%s, and restarted at once: exit code %d:\n%s", told, code, stderr)
				}
				if code != exitOK && code != exitStore && (code != exitOutcome || !o.commits()) {
					t.Errorf("%s: exit code %d:\n%s", told, code, stderr)
				}
				for _, problem := range consistent(objects{}, after, p.list(t)) {
					t.Errorf("%s: %s", told, problem)
				}
				mustCall(t, direct, t.TempDir(), args)
				for _, problem := range differences(after, p.list(t)) {
					t.Errorf("%s, and run again: %s", told, problem)
				}
			}
			t.Logf("%d requests, the first that writes is number %d; exit codes and how often they came: %v", len(all), first+1, ends)
		})
	}
}

func indexesOf(all []string, is func(string) bool) (found []int) {
	for i, text := range all {
		if is(text) {
			found = append(found, i)
		}
	}
	return found
}

// requestsOf runs a command undisturbed and gives its requests in their order.
func requestsOf(t *testing.T, server *miniotest.Server, args []string) (all []string) {
	t.Helper()
	var mu sync.Mutex
	g := newGate(t, server.Endpoint, func(r *request) (*answer, error) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, r.String())
		return r.send()
	})
	defer g.Close()
	mustCall(t, accessTo(server).through(g.URL), t.TempDir(), args)
	return all
}

// outage kills a server at one request.
type outage struct {
	own     *miniotest.Own
	at      int // from 1
	moment  int
	restart bool // at once

	mu   sync.Mutex
	seen int
	what string // the request
	err  error
}

// The moments of a request at which its server is killed.
const (
	beforeRequest = iota
	amidRequest
	afterRequest
	moments
)

func (o *outage) pass(r *request) (*answer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen++; o.seen != o.at {
		return r.send()
	}
	o.what = r.String()
	var a *answer
	switch {
	case o.moment == amidRequest && r.writes():
		r.sendHalf(o.kill)
	case o.moment == beforeRequest:
		o.kill()
	default:
		if a, o.err = r.send(); o.err != nil {
			return nil, o.err
		}
		o.kill()
	}
	if o.restart {
		o.err = errors.Join(o.err, o.own.Restart())
	}
	if o.moment == amidRequest && a != nil {
		a.half = true
		return a, nil
	}
	return nil, errCut
}

func (o *outage) kill() { o.err = errors.Join(o.err, o.own.Kill()) }

// commits tells a step of the commit, of which a run may not come to know
// whether it took place.
func (o *outage) commits() bool {
	return strings.HasPrefix(o.what, "PUT ") && (strings.Contains(o.what, "/manifest.json") || strings.Contains(o.what, "/current/"))
}
