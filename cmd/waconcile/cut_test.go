package main

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"waconcile/reader/miniotest"
)

// operationsMax is what a run of smallPeriod may ask of its store (issue:
// below 60 store operations).
const operationsMax = 60

// cutParts is how many operations of a command are cut at the same time, each
// in a place of its own.
const cutParts = 2

// errCut ends a request that the test has cut.
var errCut = errors.New("cut")

// cutCase is a command that is cut at each of its operations: what its place
// shows before, and how it is called.
type cutCase struct {
	name   string
	before func(t *testing.T, in string, p place, store access) // done undisturbed
	args   func(in, out string) []string
	most   int // operations
}

func cutCases() []cutCase {
	first := func(in, out string) []string { return runOf(in, listRates, out) }
	return []cutCase{
		{"first run", func(*testing.T, string, place, access) {}, first, operationsMax},
		{"corrected run", func(t *testing.T, in string, p place, store access) {
			mustCall(t, store, t.TempDir(), first(in, p.String()))
		}, func(in, out string) []string { return runOf(in, correctedRates, out) }, operationsMax},
	}
}

// Kill -9 at every request that a command sends to its store before it is sent
// on, and at every one that writes also after it took place: what a reader
// sees is whole each time, and the same command again brings what an
// undisturbed one brings.
func TestCutEverywhereBucket(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	in := smallInputs(t)
	for _, c := range cutCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bucket := newTestBucket(t, server)
			direct := accessTo(server)
			whole := bucket.place("whole")
			c.before(t, in, whole, direct)
			before := whole.list(t)
			count := &cutter{}
			if code := count.call(t, server, c.args(in, whole.String())); code != exitOK {
				t.Fatalf("undisturbed run: exit code %d", code)
			}
			after := whole.list(t)
			t.Logf("%d operations", count.seen)
			if count.seen >= c.most {
				t.Errorf("%d operations, want less than %d", count.seen, c.most)
			}
			var again retried
			for _, took := range []bool{false, true} {
				for part := range cutParts {
					t.Run(fmt.Sprintf("took=%v/part=%d", took, part), func(t *testing.T) {
						t.Parallel()
						for at := 1 + part; ; at += cutParts {
							p := bucket.place(fmt.Sprintf("%v-%d", took, at))
							p.fill(t, before)
							cut := &cutter{at: at, took: took}
							args := c.args(in, p.String())
							code := cut.call(t, server, args)
							if cut.what == "" {
								if code != exitOK {
									t.Fatalf("not cut at operation %d, and exit code %d", at, code)
								}
								return
							}
							if code != killed {
								t.Fatalf("operation %d, %s: exit code %d, want a process that was killed", at, cut.what, code)
							}
							left := p.list(t)
							for _, problem := range consistent(before, after, left) {
								t.Errorf("cut at operation %d, %s: %s", at, cut.what, problem)
							}
							if !again.first(left) {
								continue
							}
							mustCall(t, direct, t.TempDir(), args)
							for _, problem := range differences(after, p.list(t)) {
								t.Errorf("cut at operation %d, %s, and run again: %s", at, cut.what, problem)
							}
						}
					})
				}
			}
		})
	}
}

// cutter runs a command and kills it at one of its requests.
type cutter struct {
	at   int  // from 1; 0 is never
	took bool // it takes place all the same; at then counts the requests that write

	mu      sync.Mutex
	seen    int
	what    string // the request at which it was cut
	process *process
}

// call runs the command until it ends by itself or is killed. Afterwards
// nothing of it is on its way.
func (c *cutter) call(t *testing.T, server *miniotest.Server, args []string) int {
	t.Helper()
	g := newGate(t, server.Endpoint, c.pass)
	defer g.Close()
	p, err := newProcess(t.Context(), accessTo(server).through(g.URL), t.TempDir(), args)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock() // until the process is known
	c.process = p
	err = p.cmd.Start()
	c.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	code := p.wait(t)
	if code != exitOK && code != killed {
		t.Log(p.stderr.String())
	}
	return code
}

func (c *cutter) pass(r *request) (*answer, error) {
	c.mu.Lock()
	defer c.mu.Unlock() // one request at a time
	if c.what != "" {
		return nil, errCut
	}
	if c.took && !r.writes() {
		return r.send()
	}
	if c.seen++; c.seen != c.at {
		return r.send()
	}
	c.what = r.String()
	if c.took {
		if _, err := r.send(); err != nil {
			return nil, err
		}
	}
	if err := c.process.cmd.Process.Kill(); err != nil {
		return nil, err
	}
	return nil, errCut
}
