package batch

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// TestNextMonthTakesIn: what is adjusted in closed months is on the statements
// of the next open one, each run once, whatever is run again.
func TestNextMonthTakesIn(t *testing.T) {
	eachPlace(t, func(t *testing.T, b *books) {
		b.fresh("2024-06")
		b.wantStatements(b.fresh("2024-07"), "own 2 0.2 0.24")
		b.close("2024-06")
		b.idle("2024-07") // nothing is adjusted yet

		b.put("late-1", b.message("39100000005", "2024-06-10"))
		first := b.fresh("2024-06")
		b.wantStatements(first, "own 3 0.3 0.37") // not its own adjustments
		july := b.fresh("2024-07")
		b.wantStatements(july, "own 2 0.2 0.24", "2024-06 1 0.1 0.12")
		b.wantTaken(july, first)
		b.idle("2024-07")

		// July is open yet: a second run has both.
		b.put("late-2", b.message("39100000006", "2024-06-11"))
		second := b.fresh("2024-06")
		b.wantAdjustments(second, "replacement 39100000006 2024-06-11 0.1")
		july = b.fresh("2024-07")
		b.wantStatements(july, "own 2 0.2 0.24", "2024-06 2 0.2 0.24")
		b.wantTaken(july, first, second)

		// While July is open August takes nothing.
		b.wantStatements(b.fresh("2024-08"), "own 2 0.2 0.24")
		b.close("2024-07")
		b.idle("2024-08") // nor when it is closed: both are billed

		// What comes later is on August's, with what comes late for July.
		b.withdraw("late-1")
		third := b.fresh("2024-06")
		b.wantAdjustments(third, "reversal 39100000005 2024-06-10 -0.1")
		b.put("late-3", b.message("39100000007", "2024-07-12"))
		late := b.fresh("2024-07")
		b.wantAdjustments(late, "replacement 39100000007 2024-07-12 0.1")
		b.wantStatements(late, "own 3 0.3 0.37", "2024-06 2 0.2 0.24") // what was sealed, not the third
		b.wantTaken(late, first, second)
		august := b.fresh("2024-08")
		b.wantStatements(august, "own 2 0.2 0.24", "2024-06 -1 -0.1 -0.12", "2024-07 1 0.1 0.12")
		b.wantTaken(august, third, late)
		b.close("2024-08")
		b.wantStatements(b.fresh("2024-09"), "own 2 0.2 0.24")
		b.idle("2024-07")
		b.idle("2024-06")
	})
}

// wantTaken: the manifest names the runs whose adjustments are taken in.
func (b *books) wantTaken(res *Result, want ...*Result) {
	b.t.Helper()
	var keys, got []string
	for _, w := range want {
		keys = append(keys, w.RunKey+"manifest.json")
	}
	for _, in := range res.Manifest.InputsOf(writer.TakenInput) {
		got = append(got, in.Key)
	}
	slices.Sort(keys) // as the manifest has them
	if diff := cmp.Diff(keys, got); diff != "" {
		b.t.Errorf("taken in by %s (-want +got):\n%s", res.RunKey, diff)
	}
}

// A month that was never closed lies between: what is adjusted before it waits
// for it.
func TestMonthsBetweenAreClosedFirst(t *testing.T) {
	t.Parallel()
	b := newBooks(t, &writertest.Mem{})
	b.fresh("2024-06")
	b.close("2024-06")
	b.put("late", b.message("39100000005", "2024-06-10"))
	first := b.fresh("2024-06")
	for _, state := range []string{"unpublished", "open"} {
		august := b.run("2024-08")
		b.wantTaken(august)
		if state == "unpublished" {
			b.wantTaken(b.fresh("2024-07"), first)
		}
	}
	// Closed out of its turn, August has no part in it.
	b.close("2024-08")
	b.close("2024-07")
	b.wantTaken(b.fresh("2024-09"))
	// Periods that are no month take in nothing, and adjust nothing.
	day := b.fresh("2024-07-03")
	if len(day.Manifest.InputsOf(writer.TakenInput)) != 0 || day.Manifest.Adjusts() || day.Sealed != "" {
		t.Errorf("a day of a closed month: %+v", day.Manifest.Inputs)
	}
}

// The VAT rate is that of the day of the charge, a price of 0 stays a charge,
// and an unrated charge that gets a price changes the counts.
func TestTakenInByDay(t *testing.T) {
	t.Parallel()
	b := newBooks(t, &writertest.Mem{})
	b.accounts = `account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to
acme,Acme,list,,,UTC,0.10,,,2024-06-15
acme,Acme,list,,,UTC,0.20,,2024-06-15,
`
	unknown := b.message("39100000009", "2024-06-16")
	unknown.Category = "authentication" // without a price
	b.put("a", unknown)
	b.fresh("2024-06")
	b.close("2024-06")
	b.put("late", b.message("39100000005", "2024-06-10"), b.message("39100000006", "2024-06-20"))
	b.rates += "list,*,authentication,conversation,0.5,EUR,2024-01-01,\n"
	b.wantAdjustments(b.fresh("2024-06"),
		"replacement 39100000005 2024-06-10 0.1",
		"reversal 39100000009 2024-06-16 0", "replacement 39100000009 2024-06-16 0.5",
		"replacement 39100000006 2024-06-20 0.1")
	july := b.fresh("2024-07")
	b.wantStatements(july,
		"2024-06 1 0.1 0.11", // at 0.10, which sorts before the month's own at 0.20
		"own 2 0.2 0.24",
		"2024-06 1 0.6 0.72")
	if csv := b.read(july.RunKey + "statements.csv"); !strings.HasPrefix(csv, "account_id,currency,vat_rate,charges,net_amount,prepaid_net,payable_net,vat_amount,gross_amount,unrated,adjusted_period,period,note\n") ||
		!strings.Contains(csv, "0.200000,1,0.60,0.00,0.60,0.12,0.72,-1,2024-06,2024-07,\n") {
		t.Errorf("statements.csv:\n%s", csv)
	}
}

// TestLateChains: whatever becomes late, goes or changes, over many runs of a
// closed month, what was billed and all adjustments are the charges of the
// last run. Verify compares them one by one.
func TestLateChains(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			b := newBooks(t, &writertest.Mem{})
			c := newCrowd(seed, b.date("2024-05-28"), 38)
			c.fill(800)
			lay := func() {
				b.exports = make(map[string][]readertest.ExportRow)
				for d, rows := range c.rows {
					b.exports[partition(d)+"a.parquet"] = rows
				}
			}
			b.accounts = testAccounts
			b.rates = testRates
			lay()
			b.fresh("2024-06")
			b.close("2024-06")
			rows := 0
			for range 4 {
				switch c.rng.IntN(4) {
				case 0:
					c.fill(20)
				case 1:
					for d := range c.rows { // each day loses its last row
						c.rows[d] = c.rows[d][:max(1, len(c.rows[d])-1)]
					}
				case 2:
					b.rates = strings.Replace(b.rates, "0.12,EUR", "0.121,EUR", 1)
				default:
					b.accounts = strings.Replace(b.accounts, "Roma,small", "Roma,usd", 1)
				}
				lay()
				if res := b.run("2024-06"); !res.Already {
					b.verify(res.RunKey)
					rows += len(b.adjustments(res))
				}
			}
			if rows == 0 {
				t.Error("nothing was adjusted")
			}
			last := b.run("2024-06-01..2024-06-30")
			if last.Sealed == "" {
				t.Error("the month is not closed")
			}
		})
	}
}

// A run that adjusts nothing is nothing to take in: the open month stays the
// run that it was.
func TestNothingToTakeIn(t *testing.T) {
	t.Parallel()
	b := newBooks(t, &writertest.Mem{})
	b.fresh("2024-06")
	b.close("2024-06")
	b.put("late", b.message("39100000005", "2024-06-10"))
	first := b.fresh("2024-06")
	july := b.fresh("2024-07")
	b.wantTaken(july, first)
	b.rates += "other,*,marketing,conversation,0.10,EUR,2024-01-01,\n" // nobody's plan
	b.wantAdjustments(b.fresh("2024-06"), []string{}...)
	b.wantTaken(b.fresh("2024-07"), first) // its own inputs have changed
	b.idle("2024-07")
	b.put("late", b.message("39100000006", "2024-06-10"))
	third := b.fresh("2024-06")
	b.wantTaken(b.fresh("2024-07"), first, third)
}

// TestWaiting: what an open month keeps from later statements is said, with
// the month that is to be closed, by a run and by its plan.
func TestWaiting(t *testing.T) {
	t.Parallel()
	b := newBooks(t, &writertest.Mem{})
	want := func(period string, want ...Waiting) {
		t.Helper()
		plan, err := NewPlan(t.Context(), b.job(period))
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string][]Waiting{"plan": plan.Waiting(), "run": b.run(period).Waiting, "run again": b.run(period).Waiting} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of %s (-want +got):\n%s", name, period, diff)
			}
		}
	}
	b.fresh("2024-06")
	b.close("2024-06")
	want("2024-08") // nothing is adjusted
	b.put("late", b.message("39100000005", "2024-06-10"))
	june := b.fresh("2024-06")
	want("2024-07")
	want("2024-08", Waiting{"2024-06", "2024-07"})
	want("2024-09", Waiting{"2024-06", "2024-07"})
	want("2024-06") // its own, and closed
	want("2024-09-03")

	// August is closed out of its turn, and adjusted.
	b.close("2024-08")
	b.put("late", b.message("39100000006", "2024-08-10"))
	august := b.fresh("2024-08")
	want("2024-09", Waiting{"2024-06", "2024-07"})
	b.wantTaken(b.run("2024-09"), august)
	want("2024-10", Waiting{"2024-06", "2024-07"}, Waiting{"2024-08", "2024-09"})

	// July takes June in.
	b.wantTaken(b.run("2024-07"), june)
	b.close("2024-07")
	want("2024-09")
	want("2024-10", Waiting{"2024-08", "2024-09"})
}
