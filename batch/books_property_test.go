package batch

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/writer"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestBooks: whatever comes late, goes or gets another price or VAT rate, and
// in whatever order months are run and closed, each month bills what it should,
// and every adjustment is billed once or is still to be.
func TestBooks(t *testing.T) {
	t.Parallel()
	histories := 40 // of about fifteen runs each
	if withDetector {
		histories = 5
	}
	b := newBooks(t, nil)
	for _, day := range []string{"2024-06-12", "2024-08-12"} {
		row := b.message("39200000001", day)
		row.Account, row.Business, row.Category = "globex", "39020002", "utility"
		b.put("b", row)
	}
	files := b.files()
	rapid.Check(t, firstOf(histories, func(rt *rapid.T) {
		a := newAccounting(t, rt, b, files)
		for range 20 {
			a.step()
			a.check()
		}
		a.settle()
	}))
}

// firstOf checks a property that takes long on the first of rapid's cases
// only. Once it fails it is checked on all that follow, among which rapid looks
// for a shorter one that fails.
func firstOf(checks int, property func(*rapid.T)) func(*rapid.T) {
	return func(rt *rapid.T) {
		if checks == 0 {
			return
		}
		checks--
		defer func() {
			if rt.Failed() {
				checks = math.MaxInt
			}
		}()
		property(rt)
	}
}

// files are the exports as they are stored.
func (b *books) files() map[string][]byte {
	files := make(map[string][]byte)
	for key, rows := range b.exports {
		data, err := readertest.Export(rows, 1000)
		if err != nil {
			b.t.Fatal(err)
		}
		files[key] = data
	}
	return files
}

// checkRun holds a run of a month that was just noted against the books: it
// charges what the month charges now, and takes in what it should.
func (a *accounting) checkRun(month string, res *Result, taken []*correction) {
	p := a.pages[month]
	want := sheet{}
	want.postAll(month, p.charges)
	keys := []string{}
	for _, c := range taken {
		want.add(c.changes)
		keys = append(keys, c.run)
	}
	slices.Sort(keys)
	a.compare("statements of "+month, want, a.statements(month, res.RunKey))
	if diff := cmp.Diff(keys, takenBy(res)); diff != "" {
		a.rt.Fatalf("runs that %s takes in (-want +got):\n%s", month, diff)
	}
	if p.closed {
		a.checkCorrection(month, res)
	}
}

// checkCorrection is checkRun of a closed month, by whose adjustments its
// newest run differs from the one before.
func (a *accounting) checkCorrection(month string, res *Result) {
	p := a.pages[month]
	if p.run != res.Sealed || p.newest() != res.RunKey {
		a.rt.Fatalf("%s was sealed by %s and the newest run is %s: %+v", month, p.run, p.newest(), res)
	}
	if len(p.corrections) == 0 {
		return
	}
	c := p.corrections[len(p.corrections)-1]
	got, rows := a.adjustments(c)
	a.compare("adjustments of "+month, c.changes, got)
	if rows != c.rows {
		a.rt.Fatalf("%d adjustments of %s, want %d", rows, month, c.rows)
	}
}

// check is what holds at any time. By the months that are charged, what closed
// ones have billed and the adjustments that none of them has taken in come to
// what the newest runs charge; and what is closed stays as it is.
func (a *accounting) check() {
	billed := a.billedBy()
	got, want := sheet{}, sheet{}
	for _, month := range a.months {
		p := a.pages[month]
		if !p.closed {
			continue
		}
		want.postAll(month, p.charges)
		got.add(a.statements(month, p.run))
		for _, c := range p.corrections {
			if billed[c.run] == "" {
				adjustments, _ := a.adjustments(c)
				got.add(adjustments)
			}
		}
	}
	a.compare("what is billed and what is still to be", want, got)
	for _, key := range slices.Sorted(maps.Keys(a.frozen)) {
		if was, now := a.frozen[key], a.read(key); now != was {
			a.rt.Fatalf("%s was\n%s\nand is\n%s", key, was, now)
		}
	}
	for _, fault := range a.out.Faults() {
		a.rt.Fatal(fault)
	}
}

// billedBy is the closed month that has taken in a run that adjusts another,
// by its key. There are no two.
func (a *accounting) billedBy() map[string]string {
	by := make(map[string]string)
	for _, month := range a.months {
		p := a.pages[month]
		if !p.closed {
			continue
		}
		for _, run := range takenBy(a.runs[p.run]) {
			if by[run] != "" {
				a.rt.Fatalf("%s is billed by %s and by %s", run, by[run], month)
			}
			by[run] = month
		}
	}
	return by
}

// takenBy are the runs that a run of a month takes in.
func takenBy(res *Result) []string {
	runs := []string{}
	for _, in := range res.Manifest.InputsOf(writer.TakenInput) {
		runs = append(runs, strings.TrimSuffix(in.Key, "manifest.json"))
	}
	return runs
}

// settle closes all months in their order. Then everything is billed, as it
// would be by the latest data alone, and every run of a month verifies.
func (a *accounting) settle() {
	for _, month := range a.months {
		a.runMonth(month)
		a.closeMonth(month)
	}
	a.check()
	billed := a.billedBy()
	for _, month := range a.months {
		p := a.pages[month]
		for _, c := range p.corrections {
			if c.rows > 0 && billed[c.run] == "" {
				a.rt.Fatalf("%s is not billed", c.run)
			}
		}
		a.verify(month, p.run)
		if p.newest() != p.run {
			a.verify(month, p.newest())
		}
	}
}

func (a *accounting) verify(month, run string) {
	if _, err := writer.Verify(a.rt.Context(), a.out, run, month); err != nil {
		a.rt.Fatalf("verify %s: %v", run, err)
	}
}

func (a *accounting) statements(month, run string) sheet {
	return statementSheet(a.rt, a.read(run+"statements.csv"), month)
}

func (a *accounting) adjustments(c *correction) (sheet, int) {
	return adjustmentSheet(a.rt, a.read(c.run+"adjustments.csv"), c.month)
}
