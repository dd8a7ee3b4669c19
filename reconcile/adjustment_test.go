package reconcile

import (
	"cmp"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// aCharge is a charge of account A at 0.14 EUR.
func aCharge(id string, change func(*BilledCharge)) BilledCharge {
	c := BilledCharge{
		ID: id, Account: "A", Business: "3902", Contact: "39333", Country: "IT", Market: "Italy",
		Unit: "conversation", Category: "marketing", Rules: "conversation",
		OpenedAt: 1_719_900_000_000, ExpiresAt: 1_719_986_400_000, Expires: true, Date: 19906, OpenedBy: "m-" + id,
		Out: 1, In: 2, Plan: "small", UnitPrice: 140_000, Priced: true, Currency: "EUR", Amount: 140_000, Costs: true,
		Status: "charged", Certainty: "proven",
	}
	if change != nil {
		change(&c)
	}
	return c
}

func unpriced(c *BilledCharge) {
	c.UnitPrice, c.Priced, c.Amount, c.Costs = 0, false, 0, false
	c.Plan, c.Currency, c.Status, c.Reason = "", "", "unrated", "unknown_account"
}

func reread(charges []BilledCharge) iter.Seq2[*BilledCharge, error] {
	return func(yield func(*BilledCharge, error) bool) {
		var c BilledCharge // overwritten, as by a reader of tables
		for i := range charges {
			c = charges[i]
			if !yield(&c, nil) {
				return
			}
		}
	}
}

var theRun = Adjusting{RunID: "abc", SealedRun: "runs/2024-07/0/", VAT: atVAT("0.22")}

// atVAT is every account at one rate.
func atVAT(rate string) func(string, Date) VATRate {
	return func(string, Date) VATRate { return VATRateOf(optional(rate)) }
}

func billedVAT(rate string) func(*BilledCharge) (VATRate, error) {
	return func(*BilledCharge) (VATRate, error) { return VATRateOf(optional(rate)), nil }
}

func adjust(t interface{ Fatal(...any) }, sealed []BilledCharge, earlier [][]Adjustment, now []BilledCharge, by Adjusting) []Adjustment {
	b := Billed{Sealed: reread(sealed), Earlier: earlier, VAT: billedVAT("0.22")}
	a, err := b.Adjust(reread(now), by)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAdjust(t *testing.T) {
	t.Parallel()
	dearer := func(c *BilledCharge) { c.UnitPrice, c.Amount = 200_000, 200_000 }
	for _, tc := range []struct {
		name        string
		sealed, now []BilledCharge
		want        []string // kind id amount
	}{
		{"nothing", nil, nil, nil},
		{"the same", []BilledCharge{aCharge("1", nil)}, []BilledCharge{aCharge("1", nil)}, nil},
		{"what is not billed", []BilledCharge{aCharge("1", nil)}, []BilledCharge{aCharge("1", func(c *BilledCharge) {
			c.Out, c.In, c.Certainty = 7, 8, "assumed"
		})}, nil},
		{"late", nil, []BilledCharge{aCharge("1", nil)}, []string{"replacement 1 0.14"}},
		{"gone", []BilledCharge{aCharge("1", nil)}, nil, []string{"reversal 1 -0.14"}},
		{"price", []BilledCharge{aCharge("1", nil)}, []BilledCharge{aCharge("1", dearer)}, []string{"reversal 1 -0.14", "replacement 1 0.2"}},
		{
			"prices that cancel",
			[]BilledCharge{aCharge("1", nil), aCharge("2", dearer)},
			[]BilledCharge{aCharge("1", dearer), aCharge("2", nil)},
			[]string{"reversal 1 -0.14", "replacement 1 0.2", "reversal 2 -0.2", "replacement 2 0.14"},
		},
		{"rated", []BilledCharge{aCharge("1", unpriced)}, []BilledCharge{aCharge("1", nil)}, []string{"reversal 1 0", "replacement 1 0.14"}},
		{"recharge", []BilledCharge{aCharge("1", nil)}, []BilledCharge{aCharge("1", func(c *BilledCharge) { c.Recharge = "r" })}, []string{"reversal 1 -0.14", "replacement 1 0.14"}},
		{
			"order",
			[]BilledCharge{aCharge("9", func(c *BilledCharge) { c.Account = "B" })},
			[]BilledCharge{aCharge("2", nil), aCharge("1", nil), aCharge("0", func(c *BilledCharge) { c.OpenedAt++ })},
			[]string{"replacement 1 0.14", "replacement 2 0.14", "replacement 0 0.14", "reversal 9 -0.14"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, a := range adjust(t, tc.sealed, nil, tc.now, theRun) {
				got = append(got, string(a.Kind)+" "+a.BilledCharge.ID+" "+a.Amount.Decimal().String())
				if a.SealedRun != theRun.SealedRun || len(a.ID) != 32 {
					t.Errorf("sealed run %s, id %s", a.SealedRun, a.ID)
				}
				if a.Costs != (a.Status != "unrated") {
					t.Errorf("%s: amount is null: %v", a.ID, !a.Costs)
				}
			}
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Errorf("adjustments (-want +got):\n%s", diff)
			}
		})
	}
}

// Everything that is billed of a charge is in its mark, and nothing else.
func TestMark(t *testing.T) {
	t.Parallel()
	base := aCharge("1", nil)
	for name, change := range map[string]func(*BilledCharge){
		"id": func(c *BilledCharge) { c.ID = "2" }, "account": func(c *BilledCharge) { c.Account = "B" },
		"business": func(c *BilledCharge) { c.Business = "B" }, "contact": func(c *BilledCharge) { c.Contact = "B" },
		"country": func(c *BilledCharge) { c.Country = "" }, "market": func(c *BilledCharge) { c.Market = "B" },
		"unit": func(c *BilledCharge) { c.Unit = "message" }, "category": func(c *BilledCharge) { c.Category = "B" },
		"rules": func(c *BilledCharge) { c.Rules = "meta" }, "opened": func(c *BilledCharge) { c.OpenedAt++ },
		"expires": func(c *BilledCharge) { c.ExpiresAt++ }, "never": func(c *BilledCharge) { c.ExpiresAt, c.Expires = 0, false },
		"date": func(c *BilledCharge) { c.Date++ }, "opener": func(c *BilledCharge) { c.OpenedBy = "B" },
		"plan": func(c *BilledCharge) { c.Plan = "B" }, "price": func(c *BilledCharge) { c.UnitPrice++ },
		"no price": func(c *BilledCharge) { c.UnitPrice, c.Priced = 0, false }, "currency": func(c *BilledCharge) { c.Currency = "USD" },
		"amount": func(c *BilledCharge) { c.Amount = -c.Amount }, "no amount": func(c *BilledCharge) { c.Amount, c.Costs = 0, false },
		"status": func(c *BilledCharge) { c.Status = "free" }, "reason": func(c *BilledCharge) { c.Reason = "B" },
		"recharge": func(c *BilledCharge) { c.Recharge = "B" },
		// Texts of neighbours do not run together.
		"shifted": func(c *BilledCharge) { c.Business, c.Contact = "39023", "9333" },
	} {
		if c := aCharge("1", change); c.Mark() == base.Mark() {
			t.Errorf("%s: the mark stays", name)
		}
	}
	same := aCharge("1", func(c *BilledCharge) { c.Out, c.In, c.Certainty = 0, 0, "" })
	if same.Mark() != base.Mark() {
		t.Error("the mark changes with what is not billed")
	}
	a, b := base.Mark(), Mark{1, ^uint64(0)}
	if a.Plus(b) != b.Plus(a) || a.Plus(b).Minus(b) != a || (Mark{}).Minus(a).Plus(a) != (Mark{}) {
		t.Error("marks do not add up")
	}
}

// What does not fit together is an error, never a wrong table.
func TestAdjustRefuses(t *testing.T) {
	t.Parallel()
	one, broken := []BilledCharge{aCharge("1", nil)}, errors.New("broken")
	failing := func(yield func(*BilledCharge, error) bool) { yield(nil, broken) }
	reversal := adjust(t, one, nil, nil, theRun)
	other := slices.Clone(reversal)
	other[0].Amount--
	for name, tc := range map[string]struct {
		billed Billed
		now    iter.Seq2[*BilledCharge, error]
		want   string
	}{
		"billed twice":       {Billed{Sealed: reread([]BilledCharge{one[0], one[0]})}, reread(nil), "billed twice"},
		"made twice":         {Billed{Sealed: reread(one), Earlier: [][]Adjustment{adjust(t, nil, nil, one, theRun)}}, reread(nil), "billed twice"},
		"taken back twice":   {Billed{Sealed: reread(one), Earlier: [][]Adjustment{reversal, reversal}}, reread(nil), "not billed so"},
		"taken back wrongly": {Billed{Sealed: reread(one), Earlier: [][]Adjustment{other}}, reread(nil), "not billed so"},
		"sealed once":        {Billed{Sealed: once(one)}, reread(nil), "found again"},
		"sealed breaks":      {Billed{Sealed: failing}, reread(nil), "broken"},
		"now breaks":         {Billed{Sealed: reread(one)}, failing, "broken"},
	} {
		tc.billed.VAT = billedVAT("0.22")
		if a, err := tc.billed.Adjust(tc.now, theRun); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
}

// once yields charges the first time that it is asked, and then nothing.
func once(charges []BilledCharge) iter.Seq2[*BilledCharge, error] {
	asked := false
	return func(yield func(*BilledCharge, error) bool) {
		if !asked {
			asked = true
			reread(charges)(yield)
		}
	}
}

// drawCharges draws the charges of a run: some of a few ids, as a late message
// or a corrected table may have left them.
func drawCharges(t *rapid.T) []BilledCharge {
	var charges []BilledCharge
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		switch rapid.IntRange(0, 5).Draw(t, id) {
		case 0:
			continue
		case 1:
			charges = append(charges, aCharge(id, unpriced))
		case 2:
			charges = append(charges, aCharge(id, func(c *BilledCharge) { c.Status, c.Amount, c.Reason = "free", 0, "x" }))
		case 3:
			charges = append(charges, aCharge(id, func(c *BilledCharge) { c.Date++; c.Currency = "USD" }))
		default:
			charges = append(charges, aCharge(id, func(c *BilledCharge) {
				c.Amount = Micros(rapid.IntRange(0, 2).Draw(t, "price")) * 70_000
				c.UnitPrice, c.Out = c.Amount, int64(rapid.IntRange(1, 2).Draw(t, "out"))
			}))
		}
	}
	return rapid.Permutation(charges).Draw(t, "order")
}

// onDate are the charges of a billing date.
func onDate(charges []BilledCharge, d Date) []BilledCharge {
	return slices.DeleteFunc(slices.Clone(charges), func(c BilledCharge) bool { return c.Date != d })
}

// TestAdjustments: after any chain of later runs, what was sealed and all
// adjustments are what the last run charges: charge by charge, and the sums.
func TestAdjustments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sealed := drawCharges(t)
		effective := map[string]BilledCharge{}
		for _, c := range sealed {
			effective[c.ID] = c
		}
		dates := []Date{aCharge("", nil).Date, aCharge("", nil).Date + 1}
		earlier := map[Date][][]Adjustment{}
		net := netOf(sealed)
		for run := range rapid.IntRange(1, 5).Draw(t, "runs") {
			now := drawCharges(t)
			by := Adjusting{RunID: string(rune('p' + run)), SealedRun: "s", VAT: atVAT("0.22")}
			var all []Adjustment
			for _, d := range dates {
				a := adjust(t, onDate(sealed, d), earlier[d], onDate(now, d), by)
				again := adjust(t, rapid.Permutation(onDate(sealed, d)).Draw(t, "sealed"), earlier[d], rapid.Permutation(onDate(now, d)).Draw(t, "now"), by)
				if diff := gocmp.Diff(a, again); diff != "" {
					t.Fatalf("in another order:\n%s", diff)
				}
				earlier[d] = append(earlier[d], a)
				all = append(all, a...)
			}
			checkTable(t, all)
			applyNaively(t, effective, all)
			for i := range all {
				net[all[i].Currency] = net[all[i].Currency].Add(all[i].Amount.Decimal())
			}
			checkEffective(t, effective, now)
			if diff := gocmp.Diff(nonZero(netOf(now)), nonZero(net)); diff != "" {
				t.Fatalf("run %d: money by currency (-charges +billed):\n%s", run, diff)
			}
		}
	})
}

// checkTable: sorted, ids unique, no reversal above 0, and at the most one of
// each kind for a charge.
func checkTable(t *rapid.T, all []Adjustment) {
	ids, rows := map[string]bool{}, map[string]bool{}
	for i := range all {
		a := &all[i]
		row := a.BilledCharge.ID + string(a.Kind)
		if ids[a.ID] || rows[row] || a.Kind == Reversal && a.Amount > 0 || a.Kind == Replacement && a.Amount < 0 {
			t.Fatalf("row %d: %+v", i, a)
		}
		ids[a.ID], rows[row] = true, true
		if i > 0 && all[i-1].Compare(a) >= 0 {
			t.Fatalf("row %d is out of order", i)
		}
	}
}

// applyNaively changes what is billed, charge by charge.
func applyNaively(t *rapid.T, effective map[string]BilledCharge, all []Adjustment) {
	ordered := slices.SortedStableFunc(slices.Values(all), func(a, b Adjustment) int { return cmp.Compare(a.Quantity(), b.Quantity()) })
	for _, a := range ordered {
		id := a.BilledCharge.ID
		c, billed := effective[id]
		if billed != (a.Kind == Reversal) {
			t.Fatalf("%s of %s, billed: %v", a.Kind, id, billed)
		}
		if a.Kind == Replacement {
			effective[id] = a.BilledCharge
			continue
		}
		c.Amount = -c.Amount
		if diff := gocmp.Diff(c, a.BilledCharge, unbilled()); diff != "" {
			t.Fatalf("reversal of %s (-billed +reversal):\n%s", id, diff)
		}
		delete(effective, id)
	}
}

func checkEffective(t *rapid.T, effective map[string]BilledCharge, now []BilledCharge) {
	want := map[string]BilledCharge{}
	for _, c := range now {
		want[c.ID] = c
	}
	if diff := gocmp.Diff(want, effective, unbilled()); diff != "" {
		t.Fatalf("charges (-the run's +billed):\n%s", diff)
	}
}

// unbilled leaves out what is no adjustment.
func unbilled() gocmp.Option { return cmpopts.IgnoreFields(BilledCharge{}, "Out", "In", "Certainty") }

func netOf(charges []BilledCharge) map[string]decimal.Decimal {
	net := map[string]decimal.Decimal{}
	for _, c := range charges {
		net[c.Currency] = net[c.Currency].Add(c.Amount.Decimal())
	}
	return net
}

// nonZero is the text of the sums that are not 0.
func nonZero(sums map[string]decimal.Decimal) map[string]string {
	text := map[string]string{}
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		if !sums[currency].IsZero() {
			text[currency] = sums[currency].String()
		}
	}
	return text
}

// Statements have rows of their own for each closed month, and the sums of
// charges less those taken back.
func TestStatementsOfAdjustments(t *testing.T) {
	t.Parallel()
	var s Statements
	s.Add(alike(10, "1.4", nil))
	dearer := aCharge("1", func(c *BilledCharge) { c.UnitPrice, c.Amount = 200_000, 200_000 })
	july := adjust(t, []BilledCharge{aCharge("1", nil), aCharge("2", nil), aCharge("3", unpriced)}, nil, []BilledCharge{dearer, aCharge("3", nil)}, theRun)
	june := adjust(t, nil, nil, []BilledCharge{aCharge("4", unpriced), aCharge("5", func(c *BilledCharge) { c.Account, c.Recharge = "B", "r1" })}, theRun)
	for i := range july {
		s.Add(july[i].Statement("2024-07"))
	}
	for i := range june {
		s.Add(june[i].Statement("2024-06"))
	}
	got, err := s.Rows()
	if err != nil {
		t.Fatal(err)
	}
	want := []Statement{
		{Account: "A", VATRate: optional("0.22"), Charges: 1, Unrated: 1, Adjusted: "2024-06"},
		{Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: 10, Net: dec("1.4"), Payable: dec("1.4"), VAT: dec("0.31"), Gross: dec("1.71")},
		// 0.2 - 0.14 - 0.14 + 0.14; charge 2 is gone, charge 3 has a price now.
		{Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: -1, Unrated: -1, Net: dec("0.06"), Payable: dec("0.06"), VAT: dec("0.01"), Gross: dec("0.07"), Adjusted: "2024-07"},
		{Account: "B", Currency: "EUR", VATRate: optional("0.22"), Charges: 1, Net: dec("0.14"), Prepaid: dec("0.14"), Adjusted: "2024-06"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("statements (-want +got):\n%s", diff)
	}
}
