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
)

// errStopped is why a run ends that its operator stops.
var errStopped = errors.New("stopped by the operator")

// story is what happens, by seed: who runs what when, what becomes of the
// inputs meanwhile, and what the network does to whom.
type story struct {
	seed     uint64
	month    *month
	changes  []inputChange
	commands []command
	ending   []command // without faults, one after the other
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
	after  func(*record)                 // to the store, at the end of all
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
	kind     commandKind
	period   string // empty: all of the month
	at       time.Duration
	lateDays int
	workers  int
	again    int             // times after the first success
	pause    time.Duration   // between two tries
	stops    []time.Duration // how long each try may take, 0 for ever
}

// commandKind is what a command does.
type commandKind int

const (
	runPeriod commandKind = iota
	closeMonth
	collect // removes what is left over
	bring   // somebody brings the last of the inputs
)

// mostTries is how often a command is tried while there are faults.
const mostTries = 4

// newStory draws a story from its seed.
func newStory(seed uint64) *story {
	rng := rand.New(rand.NewPCG(seed, 77))
	s := &story{seed: seed, month: shortMonth(seed % shortMonths), pageKeys: 1000}
	if rng.IntN(3) == 0 {
		s.pageKeys = 1 + rng.IntN(3)
	}
	within := []time.Duration{time.Second, 10 * time.Second, 10 * time.Minute}[rng.IntN(3)]
	at := func() time.Duration { return time.Duration(rng.Int64N(int64(within))) }
	s.drawChanges(rng, at)
	for i := range 2 + rng.IntN(2) {
		s.commands = append(s.commands, drawCommand(rng, string(rune('a'+i)), at()))
	}
	if rng.IntN(3) == 0 { // a run of each day and one of both, which start from checkpoints
		for i, period := range []string{s.month.from, s.month.to}[:len(s.commands)-1] {
			s.commands[i].period = period
			s.commands[i+1].at = s.commands[i].at + 2*time.Second
		}
	}
	s.ending = s.commands
	s.plan = drawPlan(rng, seed)
	return s
}

// newClosing draws a story of a whole month that is closed while it is run.
// Afterwards it is closed for certain, and what comes still later adjusts it.
func newClosing(seed uint64) *story {
	rng := rand.New(rand.NewPCG(seed, 78))
	s := &story{seed: seed, month: wholeMonth(seed % wholeMonths), pageKeys: 1000}
	within := []time.Duration{2 * time.Second, 10 * time.Second, 10 * time.Minute}[rng.IntN(3)]
	at := func() time.Duration { return time.Duration(rng.Int64N(int64(within))) }
	s.drawChanges(rng, at)
	run, other, end := drawCommand(rng, "a", at()), drawCommand(rng, "b", at()), drawCommand(rng, "close", 2*at())
	end.kind = closeMonth
	s.commands = []command{run, other, end}
	s.ending = []command{run, end, {kind: bring}, other}
	s.plan = drawPlan(rng, seed)
	return s
}

// newCollecting draws a story in which runs are stopped, and an hour later, when
// they are begun again, what they left is collected.
func newCollecting(seed uint64) *story {
	s := newStory(seed)
	rng := rand.New(rand.NewPCG(seed, 79))
	soon := func() time.Duration { return time.Duration(rng.Int64N(int64(20 * time.Second))) }
	for i := range s.commands {
		c := &s.commands[i]
		c.at, c.pause = soon(), writer.GarbageAgeMin+soon()
		c.stops[0] = 1 + time.Duration(rng.Int64N(int64(4*time.Second)))
	}
	for i := range 2 {
		c := drawCommand(rng, fmt.Sprintf("gc%d", i), writer.GarbageAgeMin+soon())
		c.kind, c.again, c.pause = collect, mostTries, writer.GarbageAgeMin/2+soon()
		s.commands = append(s.commands, c)
	}
	s.ending = append(slices.Clone(s.commands[len(s.commands)-1:]), s.ending...)
	// A removal that takes place long after its caller has gone on is what no
	// order of steps can stand.
	if s.plan.Faults == nil {
		s.plan.Faults = s3test.Faults()
	}
	s.plan.Faults = slices.DeleteFunc(slices.Clone(s.plan.Faults), func(f s3test.Fault) bool { return f == s3test.Delayed })
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
		if rest, isOut := strings.CutPrefix(c.Key, faultOut); isOut && (isPointer(c.Key) || strings.HasPrefix(rest, "sealed/") || strings.HasSuffix(rest, "/manifest.json")) {
			return commit
		}
		return usual
	}
	return p
}

// drawChanges takes some of what may become of the inputs: rows that come
// late in a file of their own or in one that is replaced, another invoice.
func (s *story) drawChanges(rng *rand.Rand, at func() time.Duration) {
	for _, c := range s.month.changes {
		if rng.IntN(2) == 0 {
			c.at = at()
			s.changes = append(s.changes, c)
		}
	}
}

// month is inputs that several stories share.
type month struct {
	number   uint64
	from, to string // the period that is run
	first    string // partition, of which there are as many as days
	days     int
	messages int
	inputs   map[string][]byte // by key of the bucket
	changes  []inputChange     // what may become of them
	last     inputChange       // what may come after all others
}

// The inputs of stories: of a few days, and of a whole month, which can be
// closed.
const (
	shortMonths = 4
	wholeMonths = 2
)

// shortMonth and wholeMonth are the inputs number n, made once: the same bytes
// for all that ask.
func shortMonth(n uint64) *month {
	return madeOnce(month{number: n, from: "2024-07-02", to: "2024-07-03", first: "2024-06-30", days: 7, messages: 150})
}

func wholeMonth(n uint64) *month {
	return madeOnce(month{number: n, from: "2024-02-01", to: "2024-02-29", first: "2024-01-30", days: 36, messages: 130})
}

var months sync.Map // of what a month is drawn from to func() *month

func madeOnce(m month) *month {
	make, _ := months.LoadOrStore(fmt.Sprint(m.number, m.from), sync.OnceValue(func() *month {
		m.fill()
		return &m
	}))
	return make.(func() *month)()
}

const faultInvoices = `invoice_id,line_id,account_id,date_from,date_to,category,kind,quantity,unit_price,amount,currency
I1,1,rome,%[1]s,%[2]s,marketing,usage,4,0.14,,EUR
I1,2,angeles,%[1]s,%[2]s,,usage,%[3]d,0.1,,USD
`

func (m *month) period() string { return m.from + ".." + m.to }

func (m *month) fill() {
	invoice := func(quantity int) []byte { return fmt.Appendf(nil, faultInvoices, m.from, m.to, quantity) }
	const invoices = faultInputs + "invoices/july.csv"
	m.inputs = map[string][]byte{
		faultInputs + "rates.csv":    []byte(testRates),
		faultInputs + "accounts.csv": []byte(testAccounts),
		invoices:                     invoice(3),
	}
	rows := m.rows()
	for i, d := range slices.Sorted(maps.Keys(rows)) {
		now := len(rows[d])
		late := now / 3
		switch i {
		case 2: // some rows come late
			now -= late
			m.changes = append(m.changes, inputChange{key: exportKey(d, 1), data: exportOf(rows[d][now:])})
		case 3: // the file is replaced by one of more rows
			now -= late
			m.changes = append(m.changes, inputChange{key: exportKey(d, 0), data: exportOf(rows[d])})
		case 4: // some rows come very late
			now -= late
			m.last = inputChange{key: exportKey(d, 1), data: exportOf(rows[d][now:])}
		}
		m.inputs[exportKey(d, 0)] = exportOf(rows[d][:now])
	}
	m.changes = append(m.changes, inputChange{key: invoices, data: invoice(5)})
}

// rows are all the messages of a month, by partition.
func (m *month) rows() map[reconcile.Date][]readertest.ExportRow {
	first, err := reconcile.ParseDate(m.first)
	if err != nil {
		panic(err)
	}
	c := newCrowd(m.number, first, m.days)
	c.fillOnce(m.messages)
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
	result   *Result // of a run that succeeded
	closed   *Closed // of a close that did
	err      error
}

// warm is done once the compression libraries have made what all runs of the
// process share, and which must not belong to a bubble.
var warm sync.Once

func warmUp(t *testing.T) {
	t.Helper()
	warm.Do(func() {
		store := &s3test.Store{}
		for key, data := range shortMonth(0).inputs {
			store.Put(key, data)
		}
		n := &s3test.Network{Store: store}
		job := faultJob(t, n, shortMonth(0).period(), command{lateDays: 1, workers: 1}, t.TempDir())
		result, err := Run(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Verify(t.Context(), job.Out, result.RunKey, result.Manifest.Period); err != nil {
			t.Fatal(err)
		}
		for _, err := range writer.ReadTable(t.Context(), job.Out, result.RunKey+"summary.parquet", writer.SummarySchema()) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// run is the key of the run that a try published, found or closed.
func (try *try) run() string {
	switch {
	case try.result != nil:
		return try.result.RunKey
	case try.closed != nil:
		return try.closed.Run
	}
	return ""
}

// play tells the story, in a bubble in which waiting takes no time.
func (s *story) play(t *testing.T) (rec *record) {
	t.Helper()
	warmUp(t)
	rec = &record{story: s, temp: t.TempDir()}
	synctest.Test(t, func(t *testing.T) {
		rec.store = &s3test.Store{PageKeys: s.pageKeys, Lie: s.lie}
		for _, key := range sortedKeys(s.month.inputs) {
			rec.store.Put(key, s.month.inputs[key])
		}
		rec.store.Settle()
		if s.before != nil {
			s.before(rec)
		}
		s.withFaults(t, rec)
		if s.commands[len(s.commands)-1].kind == collect {
			time.Sleep(2 * writer.GarbageAgeMin) // for the end of removals that were begun
		}
		for _, c := range s.ending {
			if c.kind == bring {
				rec.store.Put(s.month.last.key, s.month.last.data)
				continue
			}
			rec.run(t, c, c.name+".end", s.calm(), 0)
		}
		if s.after != nil {
			s.after(rec)
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
	job := faultJob(t, n, cmp.Or(c.period, rec.story.month.period()), c, rec.temp)
	if rec.story.alter != nil && !try.clean {
		job.Out = rec.story.alter(job.Out.(*writer.S3))
	}
	switch c.kind {
	case collect:
		try.err = collectGarbage(ctx, job.Out.(writer.GarbageStore))
	case closeMonth:
		if try.closed, try.err = Close(ctx, Closing{Period: job.Period, Out: job.Out}); try.err != nil {
			try.closed = nil
		}
	default:
		try.result, try.err = Run(ctx, job)
	}
	try.to, try.stopped = rec.store.Events(), ctx.Err() != nil
	if rec.story.report != nil {
		rec.story.report(try)
	}
	rec.add(try)
	return try
}

// collectGarbage removes what is left over and old enough.
func collectGarbage(ctx context.Context, out writer.GarbageStore) error {
	garbage, err := writer.FindGarbage(ctx, out)
	if err != nil {
		return err
	}
	for i := range garbage {
		if !garbage[i].Old(time.Now(), writer.GarbageAgeMin) {
			continue
		}
		if _, err := writer.RemoveGarbage(ctx, out, garbage[i], time.Now); err != nil {
			return err
		}
	}
	return nil
}

func (rec *record) add(try *try) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.tries = append(rec.tries, try)
}

// faultJob is the job of a command as cmd/waconcile makes it of one client.
func faultJob(t *testing.T, n *s3test.Network, period string, c command, temp string) Job {
	t.Helper()
	job, _ := testJob(t, nil, period)
	job.LookbackDays, job.DeliveryDays, job.LateDays, job.Workers = 1, 2, c.lateDays, c.workers
	if c.workers > 2 {
		inPasses(&job, 2)
	}
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
		end := outcomeName(try) + " " + try.run()
		if try.err != nil {
			end += ": " + try.err.Error()
		}
		t.Logf("%s from event %d to %d: %s", try.client, try.from, try.to, end)
	}
	for i, e := range rec.history {
		if e.Changed() || e.Fault != s3test.NoFault {
			t.Logf("%d %v", i, e)
		}
	}
}
