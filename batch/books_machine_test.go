package batch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// accounting is a place that months are published in, and the books that are
// kept beside it.
type accounting struct {
	*keeper
	t       *testing.T
	rt      *rapid.T
	base    *books
	exports *readertest.Mem
	out     *writertest.Mem
	late    []lateFile
	arrived int                // how many late files there ever were
	runs    map[string]*Result // of months, by key
	frozen  map[string]string  // what may not change any more, by key
}

// lateFile has one message.
type lateFile struct{ key, message string }

func newAccounting(t *testing.T, rt *rapid.T, base *books, files map[string][]byte) *accounting {
	a := &accounting{
		keeper: newKeeper("2024-06", "2024-07", "2024-08", "2024-09", "2024-10"),
		t:      t, rt: rt, base: base, exports: &readertest.Mem{}, out: &writertest.Mem{},
		runs: make(map[string]*Result), frozen: make(map[string]string),
	}
	for _, key := range slices.Sorted(maps.Keys(files)) {
		a.exports.Put(key, files[key])
		for _, row := range base.exports[key] {
			if row.Direction == "outbound" {
				_, day, _ := strings.Cut(row.MessageID, "/")
				a.opened[row.MessageID] = sent{row.Account, row.Category, day}
			}
		}
	}
	for account, currency := range map[string]string{"acme": "EUR", "globex": "USD"} {
		a.vat[account] = 20
		for _, category := range []string{"marketing", "utility"} {
			a.prices[priceKey{account, category}] = price{10, currency}
		}
	}
	return a
}

// step is one thing that happens: in the shortest history, nothing.
func (a *accounting) step() {
	steps := "nothing late late late late withdraw withdraw price vat run run run close close close day"
	switch rapid.SampledFrom(strings.Fields(steps)).Draw(a.rt, "step") {
	case "late":
		a.arrive()
	case "withdraw":
		a.withdraw()
	case "price":
		a.prices[priceKey{a.account(), a.category()}] = a.price()
	case "vat":
		a.vat[a.account()] = rapid.SampledFrom([]int64{20, 10, 30, 0, absent}).Draw(a.rt, "VAT rate")
	case "run":
		a.runMonth(a.month())
	case "close":
		a.closeNext()
	case "day":
		a.runDay(a.month() + "-" + a.day())
	}
}

// month is one that has data; the keeper has one more.
func (a *accounting) month() string {
	return rapid.SampledFrom(a.months[:len(a.months)-1]).Draw(a.rt, "month")
}

func (a *accounting) day() string {
	return fmt.Sprintf("%02d", rapid.IntRange(1, 30).Draw(a.rt, "day"))
}

func (a *accounting) account() string {
	return rapid.SampledFrom([]string{"acme", "globex"}).Draw(a.rt, "account")
}

func (a *accounting) category() string {
	return rapid.SampledFrom([]string{"marketing", "utility"}).Draw(a.rt, "category")
}

func (a *accounting) price() price {
	cents := rapid.SampledFrom([]int64{10, 20, 50, 130, 0, absent}).Draw(a.rt, "cents")
	if cents == absent {
		return price{cents: absent}
	}
	return price{cents, rapid.SampledFrom([]string{"EUR", "USD"}).Draw(a.rt, "currency")}
}

// arrive is a late file, of a message that opens a conversation or belongs to
// one that is charged already.
func (a *accounting) arrive() {
	a.arrived++
	month := a.month()
	row := a.base.message("39100000001", month+"-03")
	row.MessageID, row.SentAt = fmt.Sprintf("joins-%d", a.arrived), row.SentAt+3_600_000
	if rapid.IntRange(0, 3).Draw(a.rt, "joins") < 3 {
		day := month + "-" + a.day()
		row = a.base.message(fmt.Sprintf("393%08d", a.arrived), day)
		row.Account, row.Category = a.account(), a.category()
		a.opened[row.MessageID] = sent{row.Account, row.Category, day}
	}
	data, err := readertest.Export([]readertest.ExportRow{row}, 1)
	if err != nil {
		a.rt.Fatal(err)
	}
	file := lateFile{fmt.Sprintf("%slate-%d.parquet", partition(reconcile.DateOf(row.SentAt)), a.arrived), row.MessageID}
	a.exports.Put(file.key, data)
	a.late = append(a.late, file)
	a.maybeRun(month)
}

// withdraw takes a late file away, with the conversation that it has opened:
// mostly the newest, so that a month is as it was before.
func (a *accounting) withdraw() {
	if len(a.late) == 0 {
		return
	}
	i := len(a.late) - 1
	if rapid.Bool().Draw(a.rt, "an older one") {
		i = rapid.IntRange(0, i).Draw(a.rt, "file")
	}
	file := a.late[i]
	a.exports.Remove(file.key)
	delete(a.opened, file.message)
	a.late = slices.Delete(a.late, i, i+1)
	a.maybeRun(file.key[len("dt="):][:len("2024-07")])
}

// maybeRun runs a month that has changed, as is mostly done.
func (a *accounting) maybeRun(month string) {
	if rapid.IntRange(0, 3).Draw(a.rt, "run it") > 0 {
		a.runMonth(month)
	}
}

// closeNext closes the next month in most cases, else any; closing one again
// does nothing.
func (a *accounting) closeNext() {
	i := slices.IndexFunc(a.months, func(m string) bool { return !a.pages[m].closed })
	month := a.months[i]
	if i == len(a.months)-1 || rapid.IntRange(0, 2).Draw(a.rt, "out of turn") == 2 {
		month = a.month()
	}
	if a.pages[month].run == "" {
		a.runMonth(month)
	}
	a.closeMonth(month)
}

// run is a run of a period on what there is now.
func (a *accounting) run(period string) *Result {
	job, _ := testJob(a.t, a.exports, "2024-07-01")
	job.Period, job.Out = a.base.period(period), a.out
	job.Rates, job.Accounts = tableSource(a.rates()), tableSource(a.vatRates())
	res, err := Run(a.rt.Context(), job)
	if err != nil {
		a.rt.Fatalf("run %s: %v", period, err)
	}
	return res
}

func (a *accounting) runMonth(month string) {
	taken, waiting := a.toTake(month), a.waiting(month)
	res := a.run(month)
	a.runs[res.RunKey] = res
	a.published(month, res.RunKey)
	a.checkRun(month, res, taken)
	if diff := cmp.Diff(waiting, res.Waiting); diff != "" {
		a.rt.Fatalf("what waits, by the run of %s (-want +got):\n%s", month, diff)
	}
}

// runDay is a run beside the months: it adjusts nothing and takes nothing in.
func (a *accounting) runDay(day string) {
	res := a.run(day)
	month := day[:len("2024-07")]
	if closed := a.pages[month].closed; closed != slices.Contains(res.Within, month) || res.Sealed != "" || res.Manifest.Adjusts() {
		a.rt.Fatalf("%s of a month that is closed: %t; sealed by %q, within %s", day, closed, res.Sealed, res.Within)
	}
	want := sheet{}
	want.postAll(day, a.postings(day))
	a.compare("statements of "+day, want, statementSheet(a.rt, a.read(res.RunKey+"statements.csv"), day))
}

func (a *accounting) closeMonth(month string) {
	c, err := Close(a.rt.Context(), Closing{Period: a.base.period(month), Out: a.out})
	if err != nil {
		a.rt.Fatalf("close %s: %v", month, err)
	}
	p := a.pages[month]
	if c.Run != p.run || c.Already != p.closed {
		a.rt.Fatalf("closed %s by %s, already %t; want %s, %t", month, c.Run, c.Already, p.run, p.closed)
	}
	if !p.closed {
		p.closed = true
		for _, key := range []string{"current/" + month + ".json", "sealed/" + month + ".json"} {
			a.frozen[key] = a.read(key)
		}
	}
}

func (a *accounting) read(key string) string {
	data, _, err := a.out.Get(a.rt.Context(), key)
	if err != nil {
		a.rt.Fatal(err)
	}
	return string(data)
}

func (a *accounting) compare(what string, want, got sheet) {
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(sheetLine{}, figures{})); diff != "" {
		a.rt.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}
