package main

import (
	"errors"
	"fmt"
	"maps"
	"strings"
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
	inputs func(*testing.T) string
	before [][]string // calls that are made undisturbed; IN and OUT stand for the places
	dead   bool       // then there is also what a run left that died
	call   []string
	shows  string // where not empty, stands in what it writes, its key or its bytes, so that the case is what it is called
	most   int    // operations of a store; 0: any number
	stride int    // of the operations before the last ones only each stride-th is cut
}

// cutLast is how many of the last operations of a command are all cut.
const cutLast = 14

// cuts tells whether a command of n operations is cut at one of them.
func (c *cutCase) cuts(at, n int) bool {
	return at%max(c.stride, 1) == 0 || at > n-cutLast
}

// args are those of a call between two places.
func args(call []string, in, out string) []string {
	places := strings.NewReplacer("IN", in, "OUT", out)
	named := make([]string, len(call))
	for i, arg := range call {
		named[i] = places.Replace(arg)
	}
	return named
}

// check wants of the case what it is there for.
func (c *cutCase) check(t *testing.T, before, after objects) {
	t.Helper()
	for key, data := range after {
		if c.shows == "" {
			return
		}
		if before[key] != data && (strings.Contains(key, c.shows) || strings.Contains(data, c.shows)) {
			return
		}
	}
	t.Errorf("nothing that the command writes shows %s", c.shows)
}

func cutCases() []cutCase {
	first, corrected := runOf("IN", listRates, "OUT"), runOf("IN", correctedRates, "OUT")
	next := runPeriod("2024-07-04", "IN", "exports", listRates, "OUT")
	month, late := runPeriod("2024-07", "IN", "exports", listRates, "OUT"), runPeriod("2024-07", "IN", lateExports, listRates, "OUT")
	closing := []string{"close", "--out", "OUT", "2024-07"}
	collect := []string{"gc", "--delete", "--now", "2099-01-01T00:00:00Z", "--out", "OUT"}
	return []cutCase{
		{name: "first run", inputs: smallInputs, call: first, shows: "checkpoints/", most: operationsMax},
		{name: "corrected run", inputs: smallInputs, before: [][]string{first}, call: corrected, shows: `"previous": "runs/`, most: operationsMax, stride: 3},
		{name: "run from a checkpoint", inputs: monthInputs, before: [][]string{first}, call: next, shows: `"checkpoint": "checkpoints/`, most: operationsMax, stride: 3},
		{name: "close", inputs: monthInputs, before: [][]string{month}, call: closing, shows: "sealed/2024-07.json", most: operationsMax},
		{name: "run of a closed month", inputs: monthInputs, before: [][]string{month, closing}, call: late, shows: "adjusted/2024-07.json", stride: 24},
		{name: "gc", inputs: smallInputs, before: [][]string{first}, dead: true, call: collect},
	}
}

// prepare does what comes before a case and shows what is there then.
func (c *cutCase) prepare(t *testing.T, in string, p place, store access) objects {
	t.Helper()
	for _, call := range c.before {
		mustCall(t, store, t.TempDir(), args(call, in, p.String()))
	}
	if c.dead {
		p.fill(t, deadRun(p.list(t)))
	}
	return p.list(t)
}

// deadRun is what a run leaves that dies before its manifest, and before the
// header of its checkpoint.
func deadRun(live objects) objects {
	left := objects{}
	for key, data := range live {
		parts := strings.Split(key, "/")
		if parts[0] != "runs" && parts[0] != "checkpoints" || strings.HasSuffix(key, ".json") {
			continue
		}
		parts[2] = strings.Repeat("0", len(parts[2]))
		left[strings.Join(parts, "/")] = data
	}
	return left
}

func withoutTombstones(all objects) objects {
	all = maps.Clone(all)
	maps.DeleteFunc(all, isTombstone)
	return all
}

// isTombstone tells what is there while what a dead run left is removed.
func isTombstone(key, data string) bool {
	return strings.HasSuffix(key, ".json") && strings.Contains(key, "/00000000") && strings.Contains(data, `"removed"`)
}

// Kill -9 at every request that a command sends to its store before it is sent
// on, and at every one that writes also after it took place: what a reader
// sees is whole each time, and the same command again brings what an
// undisturbed one brings.
func TestCutEverywhereBucket(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	for _, c := range cutCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, bucket := c.inputs(t), newTestBucket(t, server)
			direct := accessTo(server)
			whole := bucket.place("whole")
			before := c.prepare(t, in, whole, direct)
			count := &cutter{}
			if code := count.call(t, server, args(c.call, in, whole.String())); code != exitOK {
				t.Fatalf("undisturbed run: exit code %d", code)
			}
			after := whole.list(t)
			c.check(t, before, after)
			t.Logf("%d operations", count.seen)
			if c.most > 0 && count.seen >= c.most {
				t.Errorf("%d operations, want less than %d", count.seen, c.most)
			}
			var again retried
			for _, took := range []bool{false, true} {
				n := count.seen
				if took {
					n = count.writes
				}
				for part := range cutParts {
					t.Run(fmt.Sprintf("took=%v/part=%d", took, part), func(t *testing.T) {
						t.Parallel()
						for at := 1 + part; ; at += cutParts {
							if !c.cuts(at, n) {
								continue
							}
							p := bucket.place(fmt.Sprintf("%v-%d", took, at))
							p.fill(t, before)
							cut := &cutter{at: at, took: took}
							called := args(c.call, in, p.String())
							code := cut.call(t, server, called)
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
							for _, problem := range consistent(before, after, withoutTombstones(left)) {
								t.Errorf("cut at operation %d, %s: %s", at, cut.what, problem)
							}
							if !again.first(left) {
								continue
							}
							mustCall(t, direct, t.TempDir(), called)
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
	writes  int
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
	if r.writes() {
		c.writes++
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
