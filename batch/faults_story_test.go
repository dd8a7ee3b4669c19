package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/s3test"
)

const (
	faultBucket = "bucket"
	faultInputs = "in/"
	faultOut    = "out/"
	faultPeriod = "2024-07-02..2024-07-03"
)

// errStopped is why a run ends that its operator stops.
var errStopped = errors.New("stopped by the operator")

// story is what happens, by seed: who runs what when, what becomes of the
// inputs meanwhile, and what the network does to whom.
type story struct {
	seed     uint64
	inputs   map[string][]byte // at the beginning, by key of the bucket
	changes  []inputChange
	commands []command
	plan     s3test.Plan
	pageKeys int
	mutant
}

// mutant is what is wrong in a story that the checks are tried on. The zero
// value is nothing.
type mutant struct {
	lie    func(s3test.Call) s3test.Lie  // what the store does
	before func(*record)                 // to the store, when the inputs are there
	alter  func(*writer.S3) writer.Store // how a run writes, while there are faults
	after  func(*record)                 // to the store, when all have ended
	report func(*try)                    // what a run says
}

// inputChange is an object that somebody brings or replaces.
type inputChange struct {
	at   time.Duration
	key  string
	data []byte
}

// command is what an operator runs, again until it succeeds, and then some
// more times.
type command struct {
	name     string
	at       time.Duration
	lateDays int
	workers  int
	again    int             // times after the first success
	pause    time.Duration   // between two tries
	stops    []time.Duration // how long each try may take, 0 for ever
}

// mostTries is how often a command is tried while there are faults.
const mostTries = 4

// newStory draws a story from its seed.
func newStory(seed uint64) *story {
	rng := rand.New(rand.NewPCG(seed, 77))
	s := &story{seed: seed, pageKeys: 1000}
	if rng.IntN(3) == 0 {
		s.pageKeys = 1 + rng.IntN(3)
	}
	within := []time.Duration{time.Second, 10 * time.Second, 10 * time.Minute}[rng.IntN(3)]
	at := func() time.Duration { return time.Duration(rng.Int64N(int64(within))) }
	s.drawInputs(rng, at)
	for i := range 2 + rng.IntN(2) {
		s.commands = append(s.commands, drawCommand(rng, string(rune('a'+i)), at()))
	}
	s.plan = drawPlan(rng, seed)
	return s
}

func drawCommand(rng *rand.Rand, name string, at time.Duration) command {
	c := command{name: name, at: at, lateDays: 1, workers: 1 + rng.IntN(3)}
	if rng.IntN(5) == 0 {
		c.lateDays = 0 // another run of the same inputs
	}
	if rng.IntN(3) == 0 {
		c.again = 1
	}
	c.pause = 1 + time.Duration(rng.Int64N(int64([]time.Duration{time.Second, 10 * time.Minute}[rng.IntN(2)])))
	for range mostTries {
		var stop time.Duration
		if rng.IntN(8) == 0 {
			stop = 1 + time.Duration(rng.Int64N(int64(2*time.Second)))
		}
		c.stops = append(c.stops, stop)
	}
	return c
}

// drawPlan gives some stories one kind of fault only, so that each kind has
// its own, and half of them a commit that hardly ever goes well.
func drawPlan(rng *rand.Rand, seed uint64) s3test.Plan {
	p := s3test.Plan{Seed: seed}
	if all := s3test.Faults(); rng.IntN(3) == 0 {
		p.Faults = []s3test.Fault{all[rng.IntN(len(all))]}
	}
	usual := []int{3, 30, 150}[rng.IntN(3)]
	commit := usual
	if rng.IntN(2) == 0 {
		commit = 300 + rng.IntN(600)
	}
	p.Rate = func(c s3test.Call) int {
		if rest, isOut := strings.CutPrefix(c.Key, faultOut); isOut && (strings.HasPrefix(rest, "current/") || strings.HasSuffix(rest, "/manifest.json")) {
			return commit
		}
		return usual
	}
	return p
}

// drawInputs is a few days of messages, of which some come later: a file of
// their own, or a file that is replaced, or a corrected invoice.
func (s *story) drawInputs(rng *rand.Rand, at func() time.Duration) {
	month := faultMonth(s.seed % 4)
	s.inputs = maps.Clone(month.inputs)
	for _, c := range month.changes {
		if rng.IntN(2) == 0 {
			c.at = at()
			s.changes = append(s.changes, c)
		}
	}
}

// month is inputs that several stories share.
type month struct {
	inputs  map[string][]byte
	changes []inputChange
}

const faultInvoices = `invoice_id,line_id,account_id,date_from,date_to,category,kind,quantity,unit_price,amount,currency
I1,1,rome,2024-07-02,2024-07-03,marketing,usage,4,0.14,,EUR
I1,2,angeles,2024-07-02,2024-07-03,,usage,%d,0.1,,USD
`

// months are made once: the same bytes for all that ask.
var months sync.Map // of uint64 to func() month

// faultMonth is the inputs number n.
func faultMonth(n uint64) month {
	make, _ := months.LoadOrStore(n, sync.OnceValue(func() month { return newMonth(n) }))
	return make.(func() month)()
}

func newMonth(n uint64) month {
	rows := monthRows(n)
	days := slices.Sorted(maps.Keys(rows))
	m := month{inputs: map[string][]byte{
		faultInputs + "rates.csv":         []byte(testRates),
		faultInputs + "accounts.csv":      []byte(testAccounts),
		faultInputs + "invoices/july.csv": fmt.Appendf(nil, faultInvoices, 3),
	}}
	for _, d := range days {
		now := len(rows[d])
		switch d {
		case days[2]: // some rows come late
			now -= 5
			m.changes = append(m.changes, inputChange{key: exportKey(d, 1), data: exportOf(rows[d][now:])})
		case days[3]: // the file is replaced by one of more rows
			now -= 3
			m.changes = append(m.changes, inputChange{key: exportKey(d, 0), data: exportOf(rows[d])})
		}
		m.inputs[exportKey(d, 0)] = exportOf(rows[d][:now])
	}
	m.changes = append(m.changes, inputChange{key: faultInputs + "invoices/july.csv", data: fmt.Appendf(nil, faultInvoices, 5)})
	return m
}

// monthRows are all the messages of inputs number n, by partition.
func monthRows(n uint64) map[reconcile.Date][]readertest.ExportRow {
	first, err := reconcile.ParseDate("2024-06-30")
	if err != nil {
		panic(err)
	}
	c := newCrowd(n, first, 7)
	c.fillOnce(150)
	return c.rows
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func exportKey(d reconcile.Date, part int) string {
	return fmt.Sprintf("%sexports/%spart-%d.parquet", faultInputs, partition(d), part)
}

func exportOf(rows []readertest.ExportRow) []byte {
	data, err := readertest.Export(rows, 1<<20)
	if err != nil {
		panic(err)
	}
	return data
}

// record is what happened in a story.
type record struct {
	story   *story
	store   *s3test.Store
	temp    string // directory of the runs' temporary files
	history []s3test.Event
	left    []string // temporary files that nobody removed

	mu    sync.Mutex // guards tries while the story is played
	tries []*try     // in the order of their beginnings
}

// try is one run of a command.
type try struct {
	command  command
	client   string
	clean    bool // after the faults
	stopped  bool // by its operator, before its end
	from, to int  // events of the history before it began and when it had ended
	started  time.Time
	result   *Result
	err      error
}

// warm is done once the compression libraries have made what all runs of the
// process share, and which must not belong to a bubble.
var warm sync.Once

func warmUp(t *testing.T) {
	t.Helper()
	warm.Do(func() {
		store := &s3test.Store{}
		for key, data := range faultMonth(0).inputs {
			store.Put(key, data)
		}
		n := &s3test.Network{Store: store}
		job := faultJob(t, n, command{lateDays: 1, workers: 1}, t.TempDir())
		result, err := Run(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Verify(t.Context(), job.Out, result.RunKey, result.Manifest.Period); err != nil {
			t.Fatal(err)
		}
	})
}

// play tells the story, in a bubble in which waiting takes no time.
func (s *story) play(t *testing.T) (rec *record) {
	t.Helper()
	warmUp(t)
	rec = &record{story: s, temp: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		rec.store = &s3test.Store{PageKeys: s.pageKeys, Lie: s.lie}
		for _, key := range slices.Sorted(maps.Keys(s.inputs)) {
			rec.store.Put(key, s.inputs[key])
		}
		rec.store.Settle()
		if s.before != nil {
			s.before(rec)
		}
		s.withFaults(t, rec)
		if s.after != nil {
			s.after(rec)
		}
		for _, c := range s.commands {
			rec.run(t, c, c.name+".end", s.calm(), 0)
		}
		rec.history = rec.store.History()
	})
	slices.SortFunc(rec.tries, func(a, b *try) int {
		return cmp.Or(a.started.Compare(b.started), strings.Compare(a.client, b.client))
	})
	entries, err := os.ReadDir(rec.temp)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		rec.left = append(rec.left, e.Name())
	}
	return rec
}

// calm is the plan of a network that has its delays and no faults.
func (s *story) calm() *s3test.Plan { return &s3test.Plan{Seed: s.seed} }

// withFaults lets everything happen that happens at its own time, and waits
// for the end of all of it.
func (s *story) withFaults(t *testing.T, rec *record) {
	var wg sync.WaitGroup
	for _, c := range s.changes {
		wg.Go(func() {
			time.Sleep(c.at)
			rec.store.Put(c.key, c.data)
		})
	}
	for _, c := range s.commands {
		wg.Go(func() {
			time.Sleep(c.at)
			left := c.again
			for n, stop := range c.stops {
				try := rec.run(t, c, fmt.Sprintf("%s.%d", c.name, n+1), &s.plan, stop)
				if try.err == nil {
					if left--; left < 0 {
						return
					}
				}
				time.Sleep(c.pause)
			}
		})
	}
	wg.Wait()
	time.Sleep(s3test.Aftermath)
}

// run does a command once and keeps what came of it.
func (rec *record) run(t *testing.T, c command, client string, plan *s3test.Plan, stop time.Duration) *try {
	try := &try{command: c, client: client, clean: plan.Rate == nil, from: rec.store.Events(), started: time.Now()}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	if stop > 0 {
		defer time.AfterFunc(stop, func() { cancel(errStopped) }).Stop()
	}
	n := &s3test.Network{Store: rec.store, Client: client, Plan: plan}
	job := faultJob(t, n, c, rec.temp)
	if rec.story.alter != nil && !try.clean {
		job.Out = rec.story.alter(job.Out.(*writer.S3))
	}
	try.result, try.err = Run(ctx, job)
	try.to, try.stopped = rec.store.Events(), ctx.Err() != nil
	if rec.story.report != nil {
		rec.story.report(try)
	}
	rec.add(try)
	return try
}

func (rec *record) add(try *try) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.tries = append(rec.tries, try)
}

// faultJob is the job of a command as cmd/waconcile makes it of one client.
func faultJob(t *testing.T, n *s3test.Network, c command, temp string) Job {
	t.Helper()
	job, _ := testJob(t, nil, faultPeriod)
	job.LookbackDays, job.DeliveryDays, job.LateDays, job.Workers = 1, 2, c.lateDays, c.workers
	client := n.S3()
	source := func(place string) reader.Source {
		s, err := reader.NewS3(client, faultBucket, faultInputs+place, reader.S3Options{})
		if err != nil {
			t.Error(err)
		}
		return s
	}
	job.Exports, job.Rates = source("exports"), source("rates.csv")
	job.Accounts, job.Invoices = source("accounts.csv"), source("invoices")
	out, err := writer.NewS3(client, faultBucket, faultOut, writer.S3Options{TempDir: temp})
	if err != nil {
		t.Error(err)
	}
	job.Out = out
	return job
}

// show logs what a person needs to understand a story.
func (rec *record) show(t *testing.T) {
	t.Helper()
	for _, try := range rec.tries {
		end := outcomeName(try)
		if try.err != nil {
			end += ": " + try.err.Error()
		} else {
			end += " " + try.result.RunKey
		}
		t.Logf("%s from event %d to %d: %s", try.client, try.from, try.to, end)
	}
	for i, e := range rec.history {
		if e.Changed() || e.Fault != s3test.NoFault {
			t.Logf("%d %v", i, e)
		}
	}
}
