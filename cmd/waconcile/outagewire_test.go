package main

import (
	"cmp"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"waconcile/reader/miniotest"
)

// wireSeeds is how many runs go through a network that is spoilt.
const wireSeeds = 36

// wireLanes is how many of them are run at the same time.
const wireLanes = 3

// A network that cuts connections, in requests and in answers, once or again
// and again, hands bytes over a few at a time, or is slow, stands between a
// run and MinIO, for all that it reads and writes. The run ends with 0 and the
// right tables, or with 6 or 7; nothing that can be seen is wrong; and the
// same run without that network brings what an undisturbed one brings.
func TestWire(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	bucket, direct := newTestBucket(t, server), accessTo(server)
	in := bucketInputs(t, bucket)
	whole := bucket.place("whole")
	count := newWire(t, server, fault{})
	mustCall(t, direct.through(count.url()), t.TempDir(), runOf(in, listRates, whole.String()))
	total := count.passed()
	after := whole.list(t)
	var mu sync.Mutex
	came := map[string]int{}
	t.Cleanup(func() {
		t.Logf("%d bytes of requests and %d of answers; faults, exit codes and how often they came: %v", total[requests], total[answers], came)
	})
	for lane := range wireLanes {
		t.Run(fmt.Sprintf("lane=%d", lane), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(lane); seed < wireSeeds; seed += wireLanes {
				p := bucket.place(fmt.Sprintf("seed-%d", seed))
				args := runOf(in, listRates, p.String())
				f := drawFault(seed, total)
				w := newWire(t, server, f)
				code, stderr := call(t, direct.through(w.url()), t.TempDir(), args)
				w.close()
				mu.Lock()
				came[fmt.Sprintf("%s: %d", f.name, code)]++
				mu.Unlock()
				mayFail := f.after > 0
				if code != exitOK && (!mayFail || code != exitStore && code != exitOutcome) {
					t.Errorf("seed %d, %+v: exit code %d:\n%s", seed, f, code, stderr)
				}
				now := p.list(t)
				problems := consistent(objects{}, after, now)
				if code == exitOK {
					problems = differences(after, now)
				}
				for _, problem := range problems {
					t.Errorf("seed %d, %+v, exit code %d: %s", seed, f, code, problem)
				}
				mustCall(t, direct, t.TempDir(), args)
				for _, problem := range differences(after, p.list(t)) {
					t.Errorf("seed %d, %+v, and run again: %s", seed, f, problem)
				}
			}
		})
	}
}

// The two directions of a connection.
const (
	requests = iota
	answers
	directions
)

// fault is what a wire does to the bytes that pass. The zero value is nothing.
type fault struct {
	name      string
	direction int
	after     int64         // cut when so many bytes of the direction have passed; 0: never
	each      bool          // counted for every connection by itself; else one cut in all
	reset     bool          // cut by RST, not by FIN
	piece     int           // bytes handed over at a time; 0: as they come
	pause     time.Duration // after each piece
}

// drawFault draws a fault for a run of which total is known.
func drawFault(seed uint64, total [directions]int64) fault {
	rng := rand.New(rand.NewPCG(seed, 4))
	f := fault{direction: int(seed) % directions, reset: rng.IntN(2) == 0}
	where := [directions]string{"requests", "answers"}[f.direction]
	all := total[f.direction]
	switch seed / directions % 6 {
	case 0, 1:
		f.name, f.after = "cut once in "+where, 1+rng.Int64N(all)
	case 2: // amid the last steps
		f.name, f.after = "cut once late in "+where, all-rng.Int64N(all/5)
	case 3:
		f.name, f.after, f.each = "cut each connection in "+where, 1000+rng.Int64N(all/3), true
	case 4:
		f.name, f.piece = "few bytes at a time", 1+rng.IntN(13)
	case 5:
		f.name, f.piece, f.pause = "slow", 1000+rng.IntN(1000), time.Duration(rng.IntN(2000))*time.Microsecond
	}
	return f
}

// wire is a TCP proxy with a fault.
type wire struct {
	listener net.Listener
	target   string
	fault    fault
	ended    sync.WaitGroup

	mu    sync.Mutex
	bytes [directions]int64
	open  map[net.Conn]bool
	cut   bool // the one cut has been made
}

func newWire(t *testing.T, server *miniotest.Server, f fault) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: listener, target: strings.TrimPrefix(server.Endpoint, "http://"), fault: f, open: map[net.Conn]bool{}}
	w.ended.Go(w.accept)
	t.Cleanup(w.close)
	return w
}

func (w *wire) url() string { return "http://" + w.listener.Addr().String() }

// passed is how many bytes have passed in each direction.
func (w *wire) passed() [directions]int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}

// close ends all connections and waits for their end.
func (w *wire) close() {
	_ = w.listener.Close()
	w.mu.Lock()
	for c := range w.open {
		_ = c.Close()
	}
	w.mu.Unlock()
	w.ended.Wait()
}

func (w *wire) accept() {
	for {
		process, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		store, err := net.Dial("tcp", w.target)
		if err != nil {
			_ = process.Close()
			continue
		}
		w.mu.Lock()
		w.open[process], w.open[store] = true, true
		w.mu.Unlock()
		w.ended.Go(func() { w.pass(requests, process, store) })
		w.ended.Go(func() { w.pass(answers, store, process) })
	}
}

// pass hands the bytes of one direction over until an end of the connection is
// closed or the fault cuts it.
func (w *wire) pass(direction int, from, to net.Conn) {
	defer w.end(from, to)
	buffer := make([]byte, cmp.Or(w.fault.piece, 32<<10))
	var own int64
	for {
		n, err := from.Read(buffer)
		allowed, cut := w.allow(direction, &own, int64(n))
		if _, writeErr := to.Write(buffer[:allowed]); writeErr != nil {
			return
		}
		if cut && w.fault.reset {
			for _, c := range []net.Conn{from, to} {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
		}
		if cut || err != nil {
			return
		}
		if w.fault.pause > 0 {
			time.Sleep(w.fault.pause) // a slow network; nothing waits for it but the process
		}
	}
}

// allow counts n bytes and tells how many of them pass before the cut.
func (w *wire) allow(direction int, own *int64, n int64) (allowed int64, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.bytes[direction]
	if w.fault.each {
		before = *own
	}
	w.bytes[direction] += n
	*own += n
	f := &w.fault
	if f.after == 0 || f.direction != direction || w.cut || before+n < f.after {
		return n, false
	}
	w.cut = !f.each
	return f.after - before, true
}

// end closes both ends at once: half a connection is none.
func (w *wire) end(ends ...io.Closer) {
	for _, c := range ends {
		_ = c.Close()
	}
}
