package batch

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer/writertest"
)

var (
	searchSeeds = flag.Int("checkpoints.seeds", 10, "number of histories that TestCheckpointsOfAnyRuns plays")
	searchSeed  = flag.Int64("checkpoints.seed", -1, "play this history only")
)

// Whatever runs there were before, of days and of ranges, again and again,
// while the exports came in and some checkpoints were deleted: each run
// charges what one run charges that reads everything once. A history follows
// from its seed:
//
//	go test ./batch -run TestCheckpointsOfAnyRuns -checkpoints.seed 17
func TestCheckpointsOfAnyRuns(t *testing.T) {
	t.Parallel()
	first, seeds := uint64(0), *searchSeeds
	if *searchSeed >= 0 {
		first, seeds = uint64(*searchSeed), 1
	}
	var runs, started, compared atomic.Int64
	t.Run("histories", func(t *testing.T) {
		for seed := first; seed < first+uint64(seeds); seed++ {
			t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
				t.Parallel()
				s := newSearch(t, seed)
				s.play()
				runs.Add(s.runs)
				started.Add(s.started)
				compared.Add(s.compared)
			})
		}
	})
	if *searchSeed < 0 && (started.Load()*3 < runs.Load() || compared.Load() < runs.Load()/2) {
		t.Errorf("of %d runs %d started from a checkpoint, and %d dates were compared: too few to tell anything", runs.Load(), started.Load(), compared.Load())
	}
}

// search is a history of runs over a spread of rows.
type search struct {
	t        *testing.T
	rng      *rand.Rand
	rows     *spread
	accounts string
	gaps     bool // days are missing

	whole, seen *readertest.Mem
	shown       int // days that are seen whole
	out         *writertest.Mem
	want        map[string]string // the tables of one run over all
	partial     map[string]bool   // keys of runs that did not see all that they may read

	runs, started, compared int64
}

// The first and last day whose charges are compared, counted like the days of
// a spread.
const searchFrom, searchTo = 2, 12

func newSearch(t *testing.T, seed uint64) *search {
	rng := rand.New(rand.NewPCG(seed, 77))
	s := &search{
		t: t, rng: rng, rows: newSpread(rng), gaps: rng.IntN(4) == 0,
		seen: &readertest.Mem{}, out: &writertest.Mem{}, partial: make(map[string]bool),
	}
	s.accounts = []string{
		testAccounts,
		strings.ReplaceAll(testAccounts, "delivered", "sent"),
		strings.NewReplacer("Europe/Rome", "UTC", "Pacific/Auckland", "UTC", "America/Los_Angeles", "UTC").Replace(testAccounts),
		strings.NewReplacer("Europe/Rome", "Pacific/Auckland", "America/Los_Angeles", "Pacific/Kiritimati").Replace(testAccounts),
	}[rng.IntN(4)]
	s.whole = s.rows.exports(t)
	if s.gaps {
		for range 1 + rng.IntN(2) {
			s.remove(s.rows.first + reconcile.Date(1+rng.IntN(searchTo)))
		}
	}
	all := &writertest.Mem{}
	s.want = tablesOf(t, all, mustRun(t, s.job(searchFrom, searchTo, s.whole, all)).RunKey)
	return s
}

func (s *search) remove(d reconcile.Date) {
	for _, key := range keysOf(s.t, s.whole) {
		if strings.HasPrefix(key, partition(d)) {
			s.whole.Remove(key)
		}
	}
}

// job reads back, if it has to, to the beginning of all data.
func (s *search) job(from, to int, exports *readertest.Mem, out *writertest.Mem) Job {
	j := july(s.t, 1, exports, out)
	j.Period = Period{s.rows.first + reconcile.Date(from), s.rows.first + reconcile.Date(to)}
	j.Workers, j.LateDays = 1+s.rng.IntN(3), s.rows.lateDays
	j.LookbackDays, j.DeliveryDays = 15+s.rng.IntN(3), 18
	j.AllowMissing, j.Accounts = s.gaps, tableSource(s.accounts)
	if passes := 1 + (from+to)%3; passes > 1 {
		inPasses(&j, passes)
	}
	return j
}

// play lets days come in and runs them, then runs some again, at last each day
// and one range against a run without checkpoints.
func (s *search) play() {
	if s.rng.IntN(2) == 0 {
		s.show(spreadDays, false)
	}
	for s.shown < spreadDays {
		s.show(min(spreadDays, max(s.shown, 4)+s.rng.IntN(3)), s.rng.IntN(2) == 0)
		for range 1 + s.rng.IntN(2) {
			to := min(searchTo, max(searchFrom, s.shown-1-s.rng.IntN(3)))
			s.run(to-s.rng.IntN(min(to-searchFrom+1, 1+s.rng.IntN(8))), to)
		}
		s.deleteSome()
	}
	for range 6 {
		to := searchFrom + s.rng.IntN(searchTo-searchFrom+1)
		s.run(max(searchFrom, to-s.rng.IntN(1+s.rng.IntN(8))), to)
		s.deleteSome()
	}
	for day := searchFrom; day <= searchTo; day++ {
		s.run(day, day)
	}
	if !s.rows.updates { // of those that come late there are findings
		from := searchFrom + s.rng.IntN(searchTo-searchFrom)
		s.compareAll(from, from+s.rng.IntN(searchTo-from))
	}
}

// show lets the first days be seen whole, and perhaps half of the next.
func (s *search) show(days int, half bool) {
	for _, key := range keysOf(s.t, s.whole) {
		d, err := dateOfKey(key)
		if err != nil {
			s.t.Fatal(err)
		}
		if n := int(d - s.rows.first); n < days || half && n == days && strings.Contains(key, "part-0") {
			s.seen.Put(key, bytesOf(s.t, s.whole, key))
		}
	}
	s.shown = days
}

func (s *search) run(from, to int) {
	s.t.Helper()
	res, err := Run(s.t.Context(), s.job(from, to, s.seen, s.out))
	if errors.Is(err, ErrIncomplete) {
		return
	}
	if err != nil {
		s.t.Fatalf("run %d to %d, %d days shown: %v", from, to, s.shown, err)
	}
	s.runs++
	if res.Manifest.Checkpoint != nil {
		s.started++
	}
	if !s.sees(to) {
		s.partial[res.RunKey] = true
	}
	if s.partial[res.RunKey] {
		return
	}
	got := tablesOf(s.t, s.out, res.RunKey)
	for day := from; day <= to; day++ {
		date := (s.rows.first + reconcile.Date(day)).String()
		s.compared++
		if diff := tablesDiffer(s.t.Context(), chargesOf(s.want, date), chargesOf(got, date)); diff != "" {
			s.t.Fatalf("%s: run %d to %d from %q: charges of %s (-one run +this):\n%s", s.rows, from, to, startOf(res), date, diff)
		}
	}
}

// sees tells whether all that a run up to a day may read can be seen, and is
// there: the day in which its last conversation ends in any zone, and the late
// days after.
func (s *search) sees(to int) bool {
	end := min(spreadDays, to+3+s.rows.lateDays)
	for day := to; day <= min(spreadDays-1, end); day++ {
		objects, err := s.whole.List(s.t.Context(), partition(s.rows.first+reconcile.Date(day)))
		if err != nil {
			s.t.Fatal(err)
		}
		if len(objects) == 0 {
			return false
		}
	}
	return s.shown >= end
}

// compareAll holds all tables of a run against those of one without checkpoints.
func (s *search) compareAll(from, to int) {
	s.t.Helper()
	with := s.job(from, to, s.seen, s.out)
	alone := with
	alone.Out = &writertest.Mem{}
	got, want := mustRun(s.t, with), mustRun(s.t, alone)
	if diff := tablesDiffer(s.t.Context(), tablesOf(s.t, alone.Out.(*writertest.Mem), want.RunKey), tablesOf(s.t, s.out, got.RunKey)); diff != "" {
		s.t.Errorf("%s: run %d to %d from %q: tables (-without checkpoints +with):\n%s", s.rows, from, to, startOf(got), diff)
	}
}

// deleteSome deletes objects of checkpoints.
func (s *search) deleteSome() {
	for _, key := range checkpointObjects(s.out) {
		if s.rng.IntN(25) == 0 {
			if err := s.out.Remove(s.t.Context(), key); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}
