package batch

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// books is a business with one account, whose exports and tables change, and
// a place that its months are published in.
type books struct {
	t        *testing.T
	out      writer.Store
	exports  map[string][]readertest.ExportRow // by key
	rates    string
	accounts string
	passes   int // of every run; 0: one

	recharges string // a table; empty: none
}

const (
	bookAccounts = `account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to
acme,Acme,list,,,UTC,0.22,,,
`
	bookRates = `plan,market,category,unit,price,currency,valid_from,valid_to
list,*,marketing,conversation,0.10,EUR,2024-01-01,
list,*,utility,conversation,0.03,EUR,2024-01-01,
`
)

// newBooks has a message of no consequence on each day of the summer, so that
// no day is missing, and in each month two charges.
func newBooks(t *testing.T, out writer.Store) *books {
	b := &books{t: t, out: out, exports: make(map[string][]readertest.ExportRow), rates: bookRates, accounts: bookAccounts}
	for d := b.date("2024-05-25"); d <= b.date("2024-11-10"); d++ {
		row := b.message("39333"+fmt.Sprint(d), d.String())
		row.Direction, row.Type, row.Category, row.Status = "inbound", "text", "", ""
		b.put("a", row)
	}
	for _, month := range []string{"2024-06", "2024-07", "2024-08", "2024-09"} {
		b.put("a", b.message("39100000001", month+"-03"), b.message("39100000002", month+"-20"))
	}
	return b
}

func (b *books) date(text string) reconcile.Date {
	d, err := reconcile.ParseDate(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// message is a marketing template to a contact at noon of a day. Its id
// follows from both.
func (b *books) message(contact, day string) readertest.ExportRow {
	return readertest.ExportRow{
		MessageID: contact + "/" + day, Account: "acme", Business: "39020001", Contact: contact,
		Direction: "outbound", Type: "template", Category: "marketing", Status: "delivered",
		SentAt: b.date(day).Start() + 12*3_600_000,
	}
}

// put adds rows to the file of that name in their days.
func (b *books) put(name string, rows ...readertest.ExportRow) {
	for _, r := range rows {
		key := partition(reconcile.DateOf(r.SentAt)) + name + ".parquet"
		b.exports[key] = append(b.exports[key], r)
	}
}

// withdraw removes the files of a name.
func (b *books) withdraw(name string) {
	maps.DeleteFunc(b.exports, func(key string, _ []readertest.ExportRow) bool {
		return strings.HasSuffix(key, "/"+name+".parquet")
	})
}

func (b *books) period(text string) Period {
	p, err := ParsePeriod(text, time.Time{}, time.UTC)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *books) job(period string) Job {
	b.t.Helper()
	exports := &readertest.Mem{}
	for _, key := range slices.Sorted(maps.Keys(b.exports)) {
		data, err := readertest.Export(b.exports[key], 1000)
		if err != nil {
			b.t.Fatal(err)
		}
		exports.Put(key, data)
	}
	job, _ := testJob(b.t, exports, "2024-07-01")
	job.Period, job.Out = b.period(period), b.out
	job.Rates, job.Accounts = tableSource(b.rates), tableSource(b.accounts)
	if b.recharges != "" {
		job.Recharges = tableSource(b.recharges)
	}
	if b.passes > 0 {
		inPasses(&job, b.passes)
	}
	return job
}

func (b *books) run(period string) *Result {
	b.t.Helper()
	res, err := Run(b.t.Context(), b.job(period))
	if err != nil {
		b.t.Fatalf("run %s: %v", period, err)
	}
	return res
}

// fresh is a run that must publish something.
func (b *books) fresh(period string) *Result {
	b.t.Helper()
	res := b.run(period)
	if res.Already {
		b.t.Fatalf("%s was published before", period)
	}
	b.verify(res.RunKey)
	return res
}

// idle is a run that must find its work done, and write nothing.
func (b *books) idle(period string) *Result {
	b.t.Helper()
	before := b.listing()
	res := b.run(period)
	if !res.Already {
		b.t.Errorf("%s was published anew", period)
	}
	if diff := cmp.Diff(before, b.listing()); diff != "" {
		b.t.Errorf("a run of %s with the same inputs wrote (-before +after):\n%s", period, diff)
	}
	return res
}

func (b *books) close(period string) *Closed {
	b.t.Helper()
	c, err := Close(b.t.Context(), Closing{Period: b.period(period), Out: b.out})
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *books) verify(run string) {
	b.t.Helper()
	period := strings.Split(run, "/")[1]
	if _, err := writer.Verify(b.t.Context(), b.out, run, period); err != nil {
		b.t.Errorf("verify: %v", err)
	}
}

// listing is all that lies in the place, by key, with its bytes.
func (b *books) listing() map[string]string {
	b.t.Helper()
	objects, err := b.out.List(b.t.Context(), "")
	if err != nil {
		b.t.Fatal(err)
	}
	all := make(map[string]string)
	for _, o := range objects {
		all[o.Key] = b.read(o.Key)
	}
	return all
}

func (b *books) read(key string) string {
	b.t.Helper()
	stored, err := b.out.Open(b.t.Context(), key)
	if err != nil {
		b.t.Fatal(err)
	}
	defer stored.Close()
	data, err := io.ReadAll(io.NewSectionReader(stored, 0, stored.Size()))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

// adjustments are those of a run: kind, contact, day and amount.
func (b *books) adjustments(res *Result) []string {
	b.t.Helper()
	lines := []string{}
	for a, err := range readAdjustments(b.t.Context(), b.out, res.RunKey+"adjustments.parquet") {
		if err != nil {
			b.t.Fatal(err)
		}
		if a.SealedRun != res.Sealed {
			b.t.Errorf("sealed run %s, want %s", a.SealedRun, res.Sealed)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", a.Kind, a.Contact, a.Date, a.Amount.Decimal()))
	}
	if rows := strings.Count(b.read(res.RunKey+"adjustments.csv"), "\n") - 1; rows != len(lines) {
		b.t.Errorf("%d rows in the CSV file, %d in the other", rows, len(lines))
	}
	return lines
}

func (b *books) wantAdjustments(res *Result, want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.adjustments(res)); diff != "" {
		b.t.Errorf("adjustments (-want +got):\n%s", diff)
	}
}

// statements are those of a run without the account: adjusted month, charges,
// net and gross.
func (b *books) statements(res *Result) []string {
	b.t.Helper()
	var lines []string
	for frame, err := range writer.ReadTable(b.t.Context(), b.out, res.RunKey+"statements.parquet", writer.StatementsSchema(),
		"adjusted_period", "charges", "net_amount", "gross_amount") {
		if err != nil {
			b.t.Fatal(err)
		}
		c := frame.Columns
		for i := range frame.Rows {
			month := "own"
			if !c[0].Null[i] {
				month = c[0].Text[i]
			}
			lines = append(lines, fmt.Sprintf("%s %d %s %s", month, c[1].Int[i], c[2].Wide[i], c[3].Wide[i]))
		}
	}
	return lines
}

func (b *books) wantStatements(res *Result, want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.statements(res)); diff != "" {
		b.t.Errorf("statements of %s (-want +got):\n%s", res.RunKey, diff)
	}
}

// eachPlace runs a test on a directory, in two passes, and in memory in one.
func eachPlace(t *testing.T, test func(*testing.T, *books)) {
	t.Parallel()
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		out := &writertest.Mem{}
		test(t, newBooks(t, out))
		for _, fault := range out.Faults() {
			t.Error(fault)
		}
	})
	t.Run("directory", func(t *testing.T) {
		t.Parallel()
		out, err := writer.NewDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		b := newBooks(t, out)
		b.passes = 2
		test(t, b)
	})
}

// TestClosedMonth: what comes late is adjusted beside a closed month, which
// itself never changes.
func TestClosedMonth(t *testing.T) {
	eachPlace(t, func(t *testing.T, b *books) {
		billed := b.fresh("2024-07")
		if billed.Sealed != "" {
			t.Errorf("an open month is sealed by %s", billed.Sealed)
		}
		if c := b.close("2024-07"); c.Already || c.Run != billed.RunKey {
			t.Errorf("closed: %+v", c)
		}
		pointer, before := b.read("current/2024-07.json"), b.listing()
		if c := b.close("2024-07"); !c.Already || c.Run != billed.RunKey {
			t.Errorf("closed again: %+v", c)
		}
		if res := b.idle("2024-07"); res.RunKey != billed.RunKey || res.Sealed != billed.RunKey {
			t.Errorf("the sealed run again: %+v", res)
		}

		// A file comes late; one of its messages joins what is billed.
		joins := b.message("39100000001", "2024-07-03")
		joins.MessageID, joins.SentAt = "late", joins.SentAt+3_600_000
		b.put("late", b.message("39100000003", "2024-07-10"), joins)
		one := b.fresh("2024-07")
		b.wantAdjustments(one, "replacement 39100000003 2024-07-10 0.1")
		if one.Sealed != billed.RunKey || !strings.Contains(b.read("adjusted/2024-07.json"), one.RunKey) {
			t.Errorf("sealed %s; adjusted %s", one.Sealed, b.read("adjusted/2024-07.json"))
		}
		b.idle("2024-07")

		// It is withdrawn: what was made of it is taken back.
		b.withdraw("late")
		two := b.fresh("2024-07")
		b.wantAdjustments(two, "reversal 39100000003 2024-07-10 -0.1")
		b.idle("2024-07")

		// A price was wrong: no line is the difference.
		b.rates = strings.Replace(bookRates, "0.10", "0.12", 1)
		three := b.fresh("2024-07")
		b.wantAdjustments(three,
			"reversal 39100000001 2024-07-03 -0.1", "replacement 39100000001 2024-07-03 0.12",
			"reversal 39100000002 2024-07-20 -0.1", "replacement 39100000002 2024-07-20 0.12")

		// All of it at once, and one message turns out to have failed.
		b.rates = bookRates
		b.put("late", b.message("39100000003", "2024-07-10"))
		failed := b.exports["dt=2024-07-20/a.parquet"]
		failed[len(failed)-1].Status = "failed"
		four := b.fresh("2024-07")
		b.wantAdjustments(four,
			"reversal 39100000001 2024-07-03 -0.12", "replacement 39100000001 2024-07-03 0.1",
			"replacement 39100000003 2024-07-10 0.1",
			"reversal 39100000002 2024-07-20 -0.12")
		b.idle("2024-07")

		b.checkClosed(pointer, before, one, two, three, four)
	})
}

// checkClosed: the pointer of the month and all that was there when it was
// closed are as they were, and every run verifies.
func (b *books) checkClosed(pointer string, before map[string]string, adjusting ...*Result) {
	b.t.Helper()
	after := b.listing()
	for key := range before {
		if after[key] != before[key] {
			b.t.Errorf("%s changed after the month was closed", key)
		}
	}
	if after["current/2024-07.json"] != pointer {
		b.t.Error("the pointer moved")
	}
	if _, err := writer.Verify(b.t.Context(), b.out, "", "2024-07"); err != nil {
		b.t.Error(err)
	}
	previous := "null"
	for i, res := range adjusting {
		b.verify(res.RunKey)
		if n := len(res.Manifest.InputsOf(writer.AdjustmentsInput)); n != i {
			b.t.Errorf("adjusting run %d names %d earlier ones", i, n)
		}
		if i > 0 {
			previous = `"` + adjusting[i-1].RunKey + `"`
		}
	}
	if p := after["adjusted/2024-07.json"]; !strings.Contains(p, `"previous": `+previous) || strings.Contains(p, "sealed") {
		b.t.Errorf("adjusted pointer %s", p)
	}
}

// Charges of a date that is as it was are not read.
func TestAdjustReadsWhatDiffers(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	billed := b.fresh("2024-07")
	b.close("2024-07")
	b.put("late", b.message("39100000003", "2024-07-10"))
	before := len(out.Trace())
	b.run("2024-07")
	opened := map[string]bool{}
	for _, op := range out.Trace()[before:] {
		if key, ok := strings.CutPrefix(op, "open "+billed.RunKey); ok {
			opened[key] = true
		}
	}
	want := []string{"charges/2024-07-10/part-0000.parquet", "statements.parquet", "summary.parquet"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(opened))); diff != "" {
		t.Errorf("files of the sealed run that were read (-want +got):\n%s", diff)
	}
}

func TestCloseRefuses(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	refused := func(period string, want error) {
		t.Helper()
		before := b.listing()
		if _, err := Close(t.Context(), Closing{Period: b.period(period), Out: out}); !errors.Is(err, want) {
			t.Errorf("close %s: %v, want %v", period, err, want)
		}
		if diff := cmp.Diff(before, b.listing()); diff != "" {
			t.Errorf("closing %s wrote:\n%s", period, diff)
		}
	}
	refused("2024-07", ErrUnpublished)
	b.fresh("2024-07-03")
	refused("2024-07-03", ErrConfig)
	refused("2024-07-01..2024-07-03", ErrConfig)
	file := b.exports["dt=2024-07-04/a.parquet"]
	delete(b.exports, "dt=2024-07-04/a.parquet")
	job := b.job("2024-07")
	job.AllowMissing = true
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	refused("2024-07", ErrUnfinished)
	b.exports["dt=2024-07-04/a.parquet"] = file
	b.fresh("2024-07")
	b.close("2024-07")

	// Nor may a closed month be adjusted by a run that lacks days.
	delete(b.exports, "dt=2024-07-04/a.parquet")
	job = b.job("2024-07")
	job.AllowMissing = true
	before := b.listing()
	if _, err := Run(t.Context(), job); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), "2024-07-04") {
		t.Errorf("an incomplete run of a closed month: %v", err)
	}
	if diff := cmp.Diff(before, b.listing()); diff != "" {
		t.Errorf("it wrote:\n%s", diff)
	}
}

// atStep does something once, right before an operation on a key with the
// prefix.
func atStep(out *writertest.Mem, op, prefix string, do func()) {
	var done atomic.Bool // do comes here again
	out.Hook = func(o, key string) (bool, error) {
		if o == op && strings.HasPrefix(key, prefix) && done.CompareAndSwap(false, true) {
			do()
		}
		return true, nil
	}
}

// TestCloseRacesRun: of a closing and a run of other inputs one is first, and
// the other says so.
func TestCloseRacesRun(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"put runs/", "put current/"} {
		t.Run("closed before "+step, func(t *testing.T) {
			t.Parallel()
			out := &writertest.Mem{}
			b := newBooks(t, out)
			billed := b.fresh("2024-07")
			b.put("late", b.message("39100000003", "2024-07-10"))
			op, prefix, _ := strings.Cut(step, " ")
			atStep(out, op, prefix, func() { b.close("2024-07") })
			if _, err := Run(t.Context(), b.job("2024-07")); !errors.Is(err, writer.ErrConflict) {
				t.Errorf("the run: %v, want ErrConflict", err)
			}
			out.Hook = nil
			if c := b.close("2024-07"); !c.Already || c.Run != billed.RunKey {
				t.Errorf("sealed: %+v", c)
			}
			b.wantAdjustments(b.fresh("2024-07"), "replacement 39100000003 2024-07-10 0.1")
		})
	}
	t.Run("published before", func(t *testing.T) {
		t.Parallel()
		out := &writertest.Mem{}
		b := newBooks(t, out)
		b.fresh("2024-07")
		b.put("late", b.message("39100000003", "2024-07-10"))
		var late *Result
		atStep(out, "put", "current/", func() { late = b.run("2024-07") })
		if _, err := Close(t.Context(), Closing{Period: b.period("2024-07"), Out: out}); !errors.Is(err, writer.ErrConflict) {
			t.Errorf("closing: %v, want ErrConflict", err)
		}
		out.Hook = nil
		if c := b.close("2024-07"); c.Already || c.Run != late.RunKey {
			t.Errorf("sealed: %+v, want %s", c, late.RunKey)
		}
	})
}

// TestAdjustRace: of two runs that adjust a month the second is told.
func TestAdjustRace(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	b.fresh("2024-07")
	b.close("2024-07")
	b.put("late", b.message("39100000003", "2024-07-10"))
	slow := b.job("2024-07")
	b.put("later", b.message("39100000004", "2024-07-11"))
	atStep(out, "put", "adjusted/", func() { b.run("2024-07") })
	if _, err := Run(t.Context(), slow); !errors.Is(err, writer.ErrConflict) {
		t.Errorf("%v, want ErrConflict", err)
	}
	out.Hook = nil
	b.withdraw("later")
	b.wantAdjustments(b.fresh("2024-07"), "reversal 39100000004 2024-07-11 -0.1")
}

// TestCrashAmidClosing: the pointer is marked and the seal is not there.
func TestCrashAmidClosing(t *testing.T) {
	t.Parallel()
	crashed := func(t *testing.T) (*books, *Result) {
		out := &writertest.Mem{}
		b := newBooks(t, out)
		billed := b.fresh("2024-07")
		died := errors.New("died")
		out.Hook = func(op, key string) (bool, error) {
			if op == "put" && strings.HasPrefix(key, "sealed/") {
				return false, died
			}
			return true, nil
		}
		if _, err := Close(t.Context(), Closing{Period: b.period("2024-07"), Out: out}); !errors.Is(err, died) {
			t.Fatalf("got %v", err)
		}
		out.Hook = nil
		if _, there := b.listing()["sealed/2024-07.json"]; there {
			t.Fatal("the seal is there")
		}
		return b, billed
	}
	whole := func(t *testing.T, b *books, billed *Result) {
		t.Helper()
		if !strings.Contains(b.read("sealed/2024-07.json"), billed.RunKey) {
			t.Error("the seal names another run")
		}
		if c := b.close("2024-07"); !c.Already {
			t.Error("it was not closed")
		}
	}
	t.Run("close again", func(t *testing.T) {
		t.Parallel()
		b, billed := crashed(t)
		b.close("2024-07")
		whole(t, b, billed)
	})
	t.Run("run of the same inputs", func(t *testing.T) {
		t.Parallel()
		b, billed := crashed(t)
		before := b.listing()
		if res := b.run("2024-07"); !res.Already || res.Sealed != billed.RunKey {
			t.Errorf("%+v", res)
		}
		after := b.listing()
		delete(after, "sealed/2024-07.json")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("more than the seal was written:\n%s", diff)
		}
		whole(t, b, billed)
	})
	t.Run("run of other inputs", func(t *testing.T) {
		t.Parallel()
		b, billed := crashed(t)
		b.put("late", b.message("39100000003", "2024-07-10"))
		b.wantAdjustments(b.fresh("2024-07"), "replacement 39100000003 2024-07-10 0.1")
		whole(t, b, billed)
	})
	t.Run("next month", func(t *testing.T) { // knows it to be closed
		t.Parallel()
		b, _ := crashed(t)
		b.put("late", b.message("39100000003", "2024-07-10"))
		b.fresh("2024-07")
		b.wantStatements(b.fresh("2024-08"), "own 2 0.2 0.24", "2024-07 1 0.1 0.12")
	})
}
