package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/reader/miniotest"
	"waconcile/writer"
)

// raceSeeds is how many races are run.
const raceSeeds = 50

// raceLanes is how many of them are run at the same time.
const raceLanes = 4

// Two runs of one period at once, with the same inputs or with different ones,
// where nothing is published or something is: whatever the order in which
// their requests reach the store, there is one pointer, both runs end with 0
// or one with 8, and every table that can be seen is right. A seed replays
// its order.
func TestRace(t *testing.T) {
	t.Parallel()
	server := miniotest.Start(t)
	in, bucket, direct := smallInputs(t), newTestBucket(t, server), accessTo(server)
	alone := map[string]objects{} // what each rate card gives by itself
	for _, rates := range []string{firstRates, listRates, correctedRates} {
		p := bucket.place("alone-" + rates)
		mustCall(t, direct, t.TempDir(), runOf(in, rates, p.String()))
		alone[rates] = p.list(t)
	}
	var mu sync.Mutex
	came := map[string]int{}
	t.Cleanup(func() {
		t.Logf("%d seeds: %v", raceSeeds, came)
		if !t.Failed() && (came["different inputs, 0 and 8"] == 0 || came["different inputs, 0 and 0"] == 0 || came["same inputs, 0 and 0"] == 0) {
			t.Error("the seeds do not reach every end")
		}
	})
	for lane := range raceLanes {
		t.Run(fmt.Sprintf("lane=%d", lane), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(lane); seed < raceSeeds; seed += raceLanes {
				r := &race{
					t: t, server: server, in: in, alone: alone, seed: seed,
					place:  bucket.place(fmt.Sprintf("seed-%d", seed)),
					rates:  [2]string{listRates, correctedRates},
					before: objects{},
				}
				if seed%2 == 0 {
					r.rates[0] = correctedRates
				}
				if seed%4 >= 2 { // something else is published
					r.before = alone[firstRates]
				}
				end := r.run()
				mu.Lock()
				came[end]++
				mu.Unlock()
			}
		})
	}
}

// race is two runs of one period at once.
type race struct {
	t      *testing.T
	server *miniotest.Server
	in     string
	alone  map[string]objects
	seed   uint64
	place  *bucketPlace
	rates  [2]string // of the two
	before objects
}

// run says how the race came out.
func (r *race) run() string {
	t := r.t
	t.Helper()
	r.place.fill(t, r.before)
	s := newTurns(r.seed)
	var codes [2]int
	var processes [2]*process
	var wg sync.WaitGroup
	for i := range codes {
		g := newGate(t, r.server.Endpoint, func(q *request) (*answer, error) {
			if !s.take(i, q) {
				return nil, errCut
			}
			defer s.done()
			return q.send()
		})
		defer g.Close()
		p, err := newProcess(t.Context(), accessTo(r.server).through(g.URL), t.TempDir(), runOf(r.in, r.rates[i], r.place.String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		processes[i] = p
		wg.Go(func() {
			codes[i] = p.wait(t)
			s.leave(i)
		})
	}
	wg.Wait()
	problems := append(r.problems(codes), r.overtaken(codes, s.order)...)
	for _, problem := range problems {
		t.Errorf("seed %d: %s", r.seed, problem)
	}
	if len(problems) > 0 {
		t.Logf("seed %d: exit codes %d; the order of the requests:\n%s\n%s%s", r.seed, codes, strings.Join(s.order, "\n"), &processes[0].stderr, &processes[1].stderr)
	}
	inputs := "different inputs"
	if r.rates[0] == r.rates[1] {
		inputs = "same inputs"
	}
	slices.Sort(codes[:])
	return fmt.Sprintf("%s, %d and %d", inputs, codes[0], codes[1])
}

func (r *race) problems(codes [2]int) (problems []string) {
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	same := r.rates[0] == r.rates[1]
	switch {
	case codes == [2]int{exitOK, exitOK}:
	case !same && (codes == [2]int{exitOK, exitConflict} || codes == [2]int{exitConflict, exitOK}):
	default:
		wrong("exit codes are %d", codes)
	}
	now := r.place.list(r.t)
	// Every run that can be seen is whole and right, and both are there: one
	// that loses is complete beside the one that wins.
	want := objects{}
	for _, rates := range []string{r.rates[0], r.rates[1]} {
		maps.Copy(want, r.alone[rates])
	}
	maps.Copy(want, r.before)
	pointers := 0
	for key, data := range now {
		switch {
		case isPointer(key):
			pointers++
		case want[key] != data:
			wrong("%s is not what a run by itself writes", key)
		}
	}
	for key := range want {
		if _, is := now[key]; !is {
			wrong("%s is not there", key)
		}
	}
	if pointers != 1 {
		wrong("there are %d pointers", pointers)
	}
	return append(problems, r.wrongPointer(codes, now)...)
}

// wrongPointer wants the pointer to name a run that ended well, and the one
// that it names as the previous to be the one that it replaced.
func (r *race) wrongPointer(codes [2]int, now objects) (problems []string) {
	current := pointerIn(r.t, now)
	named := false
	for i, rates := range r.rates {
		named = named || codes[i] == exitOK && current.Run == pointerIn(r.t, r.alone[rates]).Run
	}
	if !named {
		problems = append(problems, "the pointer names "+current.Run+", which is no run that ended well")
	}
	may := []string{""}
	if len(r.before) > 0 {
		may = []string{pointerIn(r.t, r.before).Run}
	}
	if codes == [2]int{exitOK, exitOK} {
		for _, rates := range r.rates {
			may = append(may, pointerIn(r.t, r.alone[rates]).Run)
		}
	}
	previous := ""
	if current.Previous != nil {
		previous = *current.Previous
	}
	if !slices.Contains(may, previous) {
		problems = append(problems, "the pointer names as its previous run "+previous)
	}
	return problems
}

// overtaken wants of two runs of different inputs that both end well that the
// one whose pointer stays has seen that of the other before its work.
func (r *race) overtaken(codes [2]int, order []string) (problems []string) {
	if codes != [2]int{exitOK, exitOK} || r.rates[0] == r.rates[1] {
		return nil
	}
	last := 0
	if pointerIn(r.t, r.place.list(r.t)).Run == pointerIn(r.t, r.alone[r.rates[1]]).Run {
		last = 1
	}
	first := func(who int, method string) int {
		return slices.IndexFunc(order, func(text string) bool {
			return strings.HasPrefix(text, fmt.Sprintf("%d %s ", who, method)) && strings.Contains(text, "/current/")
		})
	}
	if seen, moved := first(last, "GET"), first(1-last, "PUT"); seen < moved {
		problems = append(problems, fmt.Sprintf("run %d replaced a pointer that moved, at request %d, after it had looked at it, at request %d", last, moved, seen))
	}
	return problems
}

// pointerIn is the one pointer of smallPeriod.
func pointerIn(t *testing.T, all objects) *writer.Pointer {
	t.Helper()
	text, ok := all[writer.PointerKey(strings.ReplaceAll(smallPeriod, "..", "_"))]
	if !ok {
		t.Fatal("there is no pointer")
	}
	var p writer.Pointer
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

// turns lets one request of two processes pass at a time. Which of them comes
// next is drawn from the seed, and drawn only when each process that has not
// ended is asking: so the order of what happens does not follow from the speed
// of the machine. Requests that one process sends at once come in the order of
// their texts.
type turns struct {
	mu      sync.Mutex
	changed *sync.Cond
	rng     *rand.Rand
	head    int // turns that the first process has ahead of the other
	sway    int // how the draw leans at the moment: the first process comes in sway of 8
	left    [2]bool
	asking  [2][]string // texts, sorted
	next    string      // the one that may pass, with its process before it
	busy    bool
	order   []string
}

func newTurns(seed uint64) *turns {
	s := &turns{rng: rand.New(rand.NewPCG(seed, 50)), sway: 4}
	if s.rng.IntN(3) == 0 {
		s.head = s.rng.IntN(2 * operationsMax)
	}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// take waits for the turn of a request, which done has to end. It is false
// where the process has ended meanwhile.
func (s *turns) take(who int, q *request) bool {
	text := fmt.Sprintf("%d %s", who, q)
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _ := slices.BinarySearch(s.asking[who], text)
	s.asking[who] = slices.Insert(s.asking[who], at, text)
	s.draw()
	for s.next != text || s.busy {
		if s.left[who] {
			return false
		}
		s.changed.Wait()
	}
	s.busy = true
	at = slices.Index(s.asking[who], text)
	s.asking[who] = slices.Delete(s.asking[who], at, at+1)
	s.order = append(s.order, text)
	return true
}

func (s *turns) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy, s.next = false, ""
	s.draw()
}

// leave tells that a process has ended.
func (s *turns) leave(who int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[who], s.asking[who] = true, nil
	if !s.busy {
		s.next = ""
	}
	s.draw()
	s.changed.Broadcast()
}

// draw decides who comes next, once it can be decided.
func (s *turns) draw() {
	if s.busy || s.next != "" {
		return
	}
	var may []int
	for who := range s.left {
		if !s.left[who] && len(s.asking[who]) == 0 {
			return // it will ask or leave
		}
		if len(s.asking[who]) > 0 {
			may = append(may, who)
		}
	}
	if len(may) == 0 {
		return
	}
	if s.rng.IntN(12) == 0 { // for a while one of them is the faster
		s.sway = s.rng.IntN(9)
	}
	who := may[0]
	switch {
	case s.head > 0:
		s.head--
	case len(may) == 2 && s.rng.IntN(8) >= s.sway:
		who = may[1]
	}
	s.next = s.asking[who][0]
	s.changed.Broadcast()
}
