package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// The prices of a simulation: others, one that is new, and one that is gone.
const simulatedRates = `plan,market,category,unit,price,currency,valid_from,valid_to
small,IT,marketing,conversation,0.15,EUR,2024-01-01,
small,*,marketing,conversation,0.11,EUR,2024-01-01,
small,*,utility,conversation,0.031415,EUR,2024-01-01,
small,*,service,conversation,0.001,EUR,2024-01-01,
usd,*,marketing,conversation,0.1,USD,2024-01-01,
usd,*,authentication,conversation,0.04,USD,2024-01-01,
usd,*,utility,conversation,0.03,USD,2024-01-01,
usd,*,service,conversation,0.01,USD,2024-01-01,
`

// without are the objects of a place that lie outside a prefix.
func without(objects map[string]string, prefix string) map[string]string {
	left := maps.Clone(objects)
	maps.DeleteFunc(left, func(key, _ string) bool { return strings.HasPrefix(key, prefix) })
	return left
}

// crowdJob is a job over the same crowd each time for a seed.
func crowdJob(t *testing.T, seed uint64) (Job, *writertest.Mem) {
	t.Helper()
	first, err := reconcile.ParseDate("2024-06-28")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(seed, first, 14)
	c.fill(800)
	return testJob(t, c.exports(t, rand.New(rand.NewPCG(seed, 2)), 1, 100), "2024-07-01..2024-07-06")
}

// prepaidJob is that with recharges, since days before the period; it knows all
// data whether it starts from a checkpoint or not.
func prepaidJob(t *testing.T, seed uint64) (Job, *writertest.Mem) {
	t.Helper()
	c := newCrowd(seed, mustDate(t, "2024-06-28"), 14)
	c.late = 1
	c.fill(800)
	c.prepay(9)
	j, out := testJob(t, c.exports(t, rand.New(rand.NewPCG(seed, 2)), 1, 100), "2024-07-01..2024-07-06")
	j.Rates, j.Recharges, j.LookbackDays = tableSource(testRates+prepaidRates), tableSource(c.recharges), 20
	return j, out
}

// A simulation has the tables that a run by its prices has, whatever they are
// and however it is done; beside it nothing changes, and its comparison adds up
// to what both manifests say.
func TestSimulationIsARunByOtherPrices(t *testing.T) {
	t.Parallel()
	onUSD := strings.ReplaceAll(testAccounts, ",small,", ",usd,")
	dearer := testRates + strings.NewReplacer("0.11", "0.19", "0.02", "0.07", "0.09", "0.3").Replace(prepaidRates)
	for name, v := range map[string]struct {
		rates, accounts, as string // as: the accounts of the run that is the same
		plan                string
		passes              int
		prepaid             bool
		prices              []string
	}{
		"rates":             {simulatedRates, testAccounts, testAccounts, "", 0, false, []string{"rates"}},
		"passes":            {simulatedRates, testAccounts, testAccounts, "", 3, false, []string{"rates"}},
		"accounts":          {testRates, onUSD, onUSD, "", 0, false, []string{"accounts"}},
		"plan":              {testRates, testAccounts, onUSD, "usd", 0, false, []string{"plan"}},
		"both":              {simulatedRates, testAccounts, onUSD, "usd", 0, false, []string{"rates", "plan"}},
		"neither":           {testRates, testAccounts, testAccounts, "", 0, false, nil},
		"prepaid":           {dearer, testAccounts, testAccounts, "", 0, true, []string{"rates"}},
		"prepaid, passes":   {dearer, testAccounts, testAccounts, "", 2, true, []string{"rates"}},
		"prepaid, plan":     {testRates + prepaidRates, testAccounts, onUSD, "usd", 0, true, []string{"plan"}},
		"prepaid, no other": {testRates + prepaidRates, testAccounts, testAccounts, "", 0, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			crowdJob := crowdJob
			if v.prepaid {
				crowdJob = prepaidJob
			}
			job, out := crowdJob(t, 3)
			if v.prepaid { // balances in a checkpoint, by the real prices
				earlier := job
				earlier.Period = Period{job.Period.From - 1, job.Period.From - 1}
				mustRun(t, earlier)
			}
			real, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			before := contents(t, out)
			job.Rates, job.Accounts, job.Simulation = tableSource(v.rates), tableSource(v.accounts), &writer.Simulation{Plan: v.plan}
			if v.passes > 0 {
				inPasses(&job, v.passes)
			}
			res, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if res.Already || !strings.HasPrefix(res.RunKey, "simulations/2024-07-01_2024-07-06/") || res.Against == nil || res.Against.RunKey() != real.RunKey {
				t.Errorf("%+v", res)
			}
			if diff := cmp.Diff(before, without(contents(t, out), res.RunKey)); diff != "" {
				t.Errorf("outside of the simulation (-before +after):\n%s", diff)
			}
			if _, err := writer.Verify(t.Context(), out, res.RunKey, ""); err != nil {
				t.Error(err)
			}

			same, elsewhere := crowdJob(t, 3)
			same.Rates, same.Accounts = tableSource(v.rates), tableSource(v.as)
			want, err := Run(t.Context(), same)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tablesOf(t, elsewhere, want.RunKey), tablesOf(t, out, res.RunKey)); diff != "" {
				t.Errorf("tables (-run +simulation):\n%s", diff)
			}
			c, err := CompareSimulation(t.Context(), out, res.Manifest, res.Against)
			if err != nil {
				t.Fatal(err)
			}
			checkCompared(t, c, real.Manifest, res.Manifest)
			if !slices.Equal(c.Prices, v.prices) || c.Beside != nil {
				t.Errorf("other prices by %q and beside %q, want %q", c.Prices, c.Beside, v.prices)
			}
			other := slices.ContainsFunc(c.Charges.Rows(), func(r reconcile.SimulationRow) bool { return !r.Same() })
			if other != (v.prices != nil) {
				t.Errorf("other charges: %v", other)
			}
		})
	}
}

// checkCompared holds both sides of a comparison against the column totals of
// the summaries, and the charges without a price against the statements.
func checkCompared(t *testing.T, c *Compared, now, simulated *writer.Manifest) {
	t.Helper()
	for name, side := range map[string]struct {
		m  *writer.Manifest
		of func(*reconcile.Sides) reconcile.ChargeSum
	}{
		"now":       {now, func(s *reconcile.Sides) reconcile.ChargeSum { return s.Now }},
		"simulated": {simulated, func(s *reconcile.Sides) reconcile.ChargeSum { return s.Simulated }},
	} {
		var rows, totals reconcile.ChargeSum
		add := func(to *reconcile.ChargeSum, s reconcile.ChargeSum) {
			to.Quantity, to.Unrated, to.Net = to.Quantity+s.Quantity, to.Unrated+s.Unrated, to.Net.Add(s.Net)
		}
		for _, r := range c.Charges.Rows() {
			add(&rows, side.of(&r.Sides))
		}
		for _, r := range c.Charges.Totals() {
			add(&totals, side.of(&r.Sides))
		}
		total := func(file, column string) decimal.Decimal {
			i := slices.IndexFunc(side.m.Files, func(f writer.FileEntry) bool { return f.Name == file })
			return decimal.RequireFromString(side.m.Files[i].Totals[column])
		}
		for _, sum := range []reconcile.ChargeSum{rows, totals} {
			if !sum.Net.Equal(total("summary.csv", "net_amount")) || !decimal.NewFromInt(sum.Quantity).Equal(total("summary.csv", "quantity")) ||
				!decimal.NewFromInt(sum.Unrated).Equal(total("statements.csv", "unrated")) || sum.Quantity == 0 {
				t.Errorf("%s: %+v, and the tables have %s, %s and %s", name, sum, total("summary.csv", "quantity"), total("statements.csv", "unrated"), total("summary.csv", "net_amount"))
			}
		}
	}
}

// A plan that no rate has is refused before anything is read or written.
func TestSimulationOfNoPlan(t *testing.T) {
	t.Parallel()
	job, out := crowdJob(t, 1)
	job.Simulation = &writer.Simulation{Plan: "Small"}
	if _, err := Run(t.Context(), job); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "only small, usd") {
		t.Error(err)
	}
	if len(out.Trace()) > 0 {
		t.Errorf("%q", out.Trace())
	}
}

// Without a run there is nothing to compare with.
func TestSimulationOfNothing(t *testing.T) {
	t.Parallel()
	job, out := crowdJob(t, 1)
	job.Simulation = &writer.Simulation{}
	res, err := Run(t.Context(), job)
	if err != nil || res.Against != nil {
		t.Fatalf("%+v, %v", res, err)
	}
	c, err := CompareSimulation(t.Context(), out, res.Manifest, nil)
	if err != nil || c.Prices != nil || c.Beside != nil || len(c.Charges.Rows()) == 0 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, r := range c.Charges.Rows() {
		if r.Now.Quantity != 0 || !r.Now.Net.IsZero() || r.Simulated.Quantity == 0 {
			t.Errorf("%+v", r)
		}
	}
}

// simulate runs a simulation and fails where anything outside of it has changed.
func (b *books) simulate(period string, s writer.Simulation) *Result {
	b.t.Helper()
	before := contents(b.t, b.out)
	job := b.job(period)
	job.Simulation = &s
	res, err := Run(b.t.Context(), job)
	if err != nil {
		b.t.Fatal(err)
	}
	after := contents(b.t, b.out)
	if _, was := before[res.RunKey+"manifest.json"]; was != res.Already {
		b.t.Errorf("%s: there before: %v, and found: %v", res.RunKey, was, res.Already)
	}
	if diff := cmp.Diff(without(before, "simulations/"), without(after, "simulations/")); diff != "" {
		b.t.Errorf("outside of the simulation (-before +after):\n%s", diff)
	}
	for key, data := range before {
		if after[key] != data {
			b.t.Errorf("%s is not what it was", key)
		}
	}
	return res
}

// net is what a simulation charges in euros now, and what it would.
func (b *books) net(res *Result) string {
	b.t.Helper()
	c, err := CompareSimulation(b.t.Context(), b.out, res.Manifest, res.Against)
	if err != nil {
		b.t.Fatal(err)
	}
	text := ""
	for _, total := range c.Charges.Totals() {
		text += fmt.Sprintf("%s %s→%s ", total.Currency, total.Now.Net, total.Simulated.Net)
	}
	return text + strings.Join(append(append([]string{}, c.Prices...), c.Beside...), " ")
}

// A closed month is replayed as if it were open, and compared with the newest
// run that adjusts it. An open month's simulation takes no adjustments in. Both
// start from checkpoints and write none. In a directory and in a bucket.
func TestSimulationOfClosedMonth(t *testing.T) {
	t.Parallel()
	for name, placesOf := range map[string]func(*testing.T) places{"directory": directories, "bucket": prefixes} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, placesOf(t)("out"))
			b.run("2024-06")
			sealed := b.close("2024-06")
			dear := strings.ReplaceAll(bookRates, "0.10", "0.25")
			b.rates = dear
			res := b.simulate("2024-06", writer.Simulation{})
			if res.Against.RunKey() != sealed.Run || res.Sealed != "" || res.Manifest.Adjusts() || b.net(res) != "EUR 0.2→0.5 rates" {
				t.Errorf("%+v: %s", res, b.net(res))
			}
			b.put("late", b.message("39100000009", "2024-06-11"))
			b.rates = bookRates
			adjusting := b.run("2024-06")
			if again := b.simulate("2024-06", writer.Simulation{}); again.Against.RunKey() != adjusting.RunKey || b.net(again) != "EUR 0.3→0.3 " {
				t.Errorf("by the same prices: %+v: %s", again, b.net(again))
			}
			if got := b.net(&Result{Manifest: res.Manifest, Against: adjusting.Manifest}); got != "EUR 0.3→0.5 rates exports" {
				t.Errorf("made before the late file, and compared with what counts after it: %s", got)
			}
			july := b.run("2024-07")
			if len(july.Manifest.TakesIn()) != 1 {
				t.Fatal("the next month takes nothing in")
			}
			b.rates = dear + "large,*,marketing,conversation,0.01,USD,2024-01-01,\n"
			res = b.simulate("2024-07", writer.Simulation{Plan: "large"})
			if res.Manifest.TakesIn() != nil || res.Manifest.Checkpoint == nil || len(res.Waiting) > 0 || b.net(res) != "EUR 0.2→0 USD 0→0.02 rates plan" {
				t.Errorf("%+v: %s", res.Manifest, b.net(res))
			}
			if again := b.simulate("2024-07", writer.Simulation{Plan: "large"}); again.RunKey != res.RunKey {
				t.Errorf("again: %s and %s", res.RunKey, again.RunKey)
			}
			if other := b.simulate("2024-07", writer.Simulation{}); other.Already || other.Manifest.InputsSHA256 == res.Manifest.InputsSHA256 {
				t.Error("another plan is the same simulation")
			}
			for _, plan := range []string{"", "large"} {
				if !b.simulate("2024-07", writer.Simulation{Plan: plan}).Already {
					t.Errorf("of two simulations that of plan %q is not found", plan)
				}
			}
			if _, err := writer.Verify(t.Context(), b.out, res.RunKey, ""); err != nil {
				t.Error(err)
			}
			if garbage, err := writer.FindGarbage(t.Context(), b.out); err != nil || len(garbage) > 0 {
				t.Errorf("left over: %+v, %v", garbage, err)
			}
		})
	}
}

// The same simulation again writes nothing, whatever history it would start
// from now; one that has lost a file is made anew, with the same bytes.
func TestSimulationAgain(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	b.run("2024-07")
	first := b.simulate("2024-07", writer.Simulation{})
	if first.Manifest.Checkpoint != nil {
		t.Fatal("it started from a checkpoint")
	}
	b.run("2024-06") // leaves one
	seen := len(out.Trace())
	if again := b.simulate("2024-07", writer.Simulation{}); !again.Already || again.RunKey != first.RunKey {
		t.Errorf("%+v", again)
	}
	for _, op := range out.Trace()[seen:] {
		if verb, _, _ := strings.Cut(op, " "); verb != "get" && verb != "open" && verb != "list" {
			t.Errorf("the second time did %s", op)
		}
	}
	if err := out.Remove(t.Context(), first.RunKey+"summary.csv"); err != nil {
		t.Fatal(err)
	}
	before := contents(t, out)
	job := b.job("2024-07")
	job.Simulation = &writer.Simulation{}
	anew, err := Run(t.Context(), job)
	if err != nil || anew.Already || anew.Manifest.Checkpoint == nil || anew.Manifest.InputsSHA256 != first.Manifest.InputsSHA256 {
		t.Fatalf("%+v, %v", anew, err)
	}
	if diff := cmp.Diff(before, without(contents(t, out), anew.RunKey)); diff != "" {
		t.Errorf("outside of the simulation (-before +after):\n%s", diff)
	}
	if got := b.net(&Result{Manifest: anew.Manifest, Against: first.Against}); got != "EUR 0.2→0.2 " {
		t.Errorf("with another history: %s", got)
	}
	if again := b.simulate("2024-07", writer.Simulation{}); again.RunKey != anew.RunKey {
		t.Errorf("%+v", again)
	}
}

// A comparison shows nothing of tables that are not what was published.
func TestCompareDamagedSummary(t *testing.T) {
	t.Parallel()
	for _, damaged := range []string{"runs/", "simulations/"} {
		out := &writertest.Mem{}
		b := newBooks(t, out)
		b.run("2024-07")
		res := b.simulate("2024-07", writer.Simulation{})
		for key, data := range out.Objects() {
			if strings.HasPrefix(key, damaged) && strings.HasSuffix(key, "/summary.parquet") {
				if err := out.Remove(t.Context(), key); err != nil {
					t.Fatal(err)
				}
				if err := out.Put(t.Context(), key, append(data[:len(data)-1:len(data)-1], 'x'), writer.Condition{}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := CompareSimulation(t.Context(), out, res.Manifest, res.Against); !errors.Is(err, writer.ErrVerify) {
			t.Errorf("%s: %v", damaged, err)
		}
	}
}

// A simulation that is cancelled at any operation, before it or after it took
// place, is there whole or not at all and says which, and touches nothing else,
// be a run published there or not. The same simulation again leaves what an
// undisturbed one does.
func TestCutSimulation(t *testing.T) {
	t.Parallel()
	for name, placesOf := range map[string]func(*testing.T) places{"directory": directories, "bucket": prefixes} {
		for _, took := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, took=%v", name, took), func(t *testing.T) {
				t.Parallel()
				place := placesOf(t)
				c := simulationCuts{took: took, published: took && name == "directory", retried: map[string]bool{}}
				c.want = contents(t, c.place(t, place("whole")))
				job, _, _ := brokenJob(t)
				job.Out, job.Simulation = place("whole"), c.simulation()
				if _, err := Run(t.Context(), job); err != nil {
					t.Fatal(err)
				}
				c.before, c.want = c.want, contents(t, job.Out)
				for at := 1; c.cut(t, place(fmt.Sprint(at)), at); at++ {
				}
			})
		}
	}
}

// simulationCuts are the cancelled simulations of one kind of place.
type simulationCuts struct {
	took, published bool
	before, want    map[string]string // of an undisturbed simulation
	retried         map[string]bool   // what was left
}

func (c *simulationCuts) simulation() *writer.Simulation { return &writer.Simulation{Plan: "usd"} }

// place is out with a run published in it, or as it is.
func (c *simulationCuts) place(t *testing.T, out writer.Store) writer.Store {
	t.Helper()
	job, _, _ := brokenJob(t)
	job.Out = out
	if !c.published {
		return out
	}
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	return out
}

// cut says whether there was such an operation.
func (c *simulationCuts) cut(t *testing.T, out writer.Store, at int) bool {
	t.Helper()
	job, _, _ := brokenJob(t)
	job.Simulation = c.simulation()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cut := &cutStore{Store: c.place(t, out), at: at, took: c.took, cancel: cancel}
	job.Out = cut
	_, err := Run(ctx, job)
	if cut.what == "" {
		if err != nil || at < 25 {
			t.Fatalf("%d operations, %v", at-1, err)
		}
		return false
	}
	told := fmt.Sprintf("cancelled at operation %d, %s", at, cut.what)
	left, there := contents(t, out), ""
	if diff := cmp.Diff(c.before, without(left, "simulations/")); diff != "" {
		t.Errorf("%s: outside of the simulation (-before +after):\n%s", told, diff)
	}
	for key, data := range left {
		if c.want[key] != data {
			t.Errorf("%s: %s has other bytes", told, key)
		}
		if run, ok := writer.SimulationOf(key); ok {
			there = run
		}
	}
	switch whole := len(left) == len(c.want); {
	case err == nil && there != "" && whole:
	case errors.Is(err, context.Canceled) && there == "":
	default:
		t.Errorf("%s: there is %q, whole is %v, and the error %v", told, there, whole, err)
	}
	state := fmt.Sprint(slices.Sorted(maps.Keys(left)))
	if c.retried[state] {
		return true
	}
	c.retried[state] = true
	job.Out = out
	if res, err := Run(t.Context(), job); err != nil || res.Already != (there != "") {
		t.Fatalf("%s, and again: %+v, %v", told, res, err)
	}
	if diff := cmp.Diff(c.want, contents(t, out)); diff != "" {
		t.Errorf("%s, and again (-undisturbed +after):\n%s", told, diff)
	}
	return true
}
