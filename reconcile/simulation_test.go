package reconcile

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// drawSummary draws rows of a summary in which few keys stand again and again.
func drawSummary(rt *rapid.T, name string) []SummaryRow {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) SummaryRow {
		pick := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, what) }
		row := SummaryRow{Quantity: rapid.Int64Range(1, 9).Draw(rt, "quantity")}
		row.Account, row.Date = pick("account", "acme", "beta"), july1+Date(rapid.IntRange(0, 2).Draw(rt, "day"))
		row.Country, row.Market = pick("country", "", "IT", "DE"), pick("market", "", "Italy")
		row.Category = rapid.SampledFrom([]Category{Marketing, Service}).Draw(rt, "category")
		switch row.Status = rapid.SampledFrom([]ChargeStatus{Charged, Free, Unrated}).Draw(rt, "status"); row.Status {
		case Charged:
			row.Currency, row.UnitPrice, row.Priced = pick("currency", "EUR", "USD"), Micros(rapid.Int64Range(0, 3_000_000).Draw(rt, "price")), true
			row.Net = row.UnitPrice.Decimal().Mul(decimal.NewFromInt(row.Quantity))
		case Free:
			row.Currency = pick("currency", "EUR", "")
		}
		return row
	}), 0, 30).Draw(rt, name)
}

// naive looks for each key through all rows, and writes what it finds as text.
func naiveSimulation(now, simulated []SummaryRow) (rows, totals []string) {
	type key struct{ account, market, category, currency string }
	keyOf := func(r *SummaryRow) key {
		k := key{r.Account, r.Market, r.Category.String(), r.Currency}
		if r.Market == "" {
			k.market = r.Country
		}
		return k
	}
	side := func(summary []SummaryRow, is func(*SummaryRow) bool) (text string, net decimal.Decimal) {
		quantity, unrated := int64(0), int64(0)
		for i := range summary {
			if r := &summary[i]; is(r) {
				quantity, net = quantity+r.Quantity, net.Add(r.Net)
				if r.Status == Unrated {
					unrated += r.Quantity
				}
			}
		}
		return fmt.Sprint(quantity, unrated, net), net
	}
	line := func(name string, is func(*SummaryRow) bool) string {
		a, had := side(now, is)
		b, has := side(simulated, is)
		return fmt.Sprint(name, ": ", a, " to ", b, " is ", has.Sub(had))
	}
	keys, currencies := map[key]bool{}, map[string]bool{}
	for _, summary := range [][]SummaryRow{now, simulated} {
		for i := range summary {
			keys[keyOf(&summary[i])], currencies[summary[i].Currency] = true, true
		}
	}
	for k := range keys {
		rows = append(rows, line(fmt.Sprintf("%q", k), func(r *SummaryRow) bool { return keyOf(r) == k }))
	}
	for c := range currencies {
		totals = append(totals, line(c, func(r *SummaryRow) bool { return r.Currency == c }))
	}
	slices.Sort(rows)
	slices.Sort(totals)
	return rows, totals
}

// The comparison is that of a second reading, whatever the order of the rows.
func TestSimulationAgainstNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		now, simulated := drawSummary(rt, "now"), drawSummary(rt, "simulated")
		wantRows, wantTotals := naiveSimulation(now, simulated)
		var s Simulation
		for _, i := range rapid.Permutation(indices(len(now))).Draw(rt, "order") {
			s.AddNow(&now[i])
		}
		for i := range simulated {
			s.AddSimulated(&simulated[i])
		}
		text := func(name string, s *Sides) string {
			return fmt.Sprint(name, ": ", s.Now.Quantity, s.Now.Unrated, s.Now.Net, " to ", s.Simulated.Quantity, s.Simulated.Unrated, s.Simulated.Net, " is ", s.Difference())
		}
		var rows, totals []string
		list := s.Rows()
		for i := range list {
			r := &list[i]
			k := [4]string{r.Account, r.Market, r.Category.String(), r.Currency}
			rows = append(rows, text(fmt.Sprintf("{%q %q %q %q}", k[0], k[1], k[2], k[3]), &r.Sides))
			if same := fmt.Sprint(r.Now) == fmt.Sprint(r.Simulated); same != r.Same() {
				rt.Fatalf("%+v and %+v: same is %v", r.Now, r.Simulated, r.Same())
			}
		}
		if !slices.Equal(rows, slices.Sorted(slices.Values(rows))) {
			rt.Errorf("rows are not in order:\n%q", rows)
		}
		for _, t := range s.Totals() {
			totals = append(totals, text(t.Currency, &t.Sides))
		}
		if diff := cmp.Diff(wantRows, rows); diff != "" {
			rt.Errorf("rows (-want +got):\n%s", diff)
		}
		slices.Sort(totals)
		if diff := cmp.Diff(wantTotals, totals); diff != "" {
			rt.Errorf("totals (-want +got):\n%s", diff)
		}
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestSimulationPercent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ now, simulated, want string }{
		{"100", "112.5", "12.50"},
		{"100", "0", "-100.00"},
		{"3", "4", "33.33"},
		{"8", "8.0004", "0.01"}, // half away from zero
		{"8", "7.9996", "-0.01"},
		{"5", "5", "0.00"},
		{"0.1", "0.099999", "-0.00"}, // less, though it does not show
		{"0.1", "0.100001", "0.00"},
		{"0", "5", ""},
	} {
		s := Sides{Now: ChargeSum{Net: dec(c.now)}, Simulated: ChargeSum{Net: dec(c.simulated)}}
		got := ""
		if p, ok := s.Percent(); ok {
			got = p.String()
		}
		if got != c.want {
			t.Errorf("from %s to %s is %q %%, want %q", c.now, c.simulated, got, c.want)
		}
	}
}

func TestOnPlan(t *testing.T) {
	t.Parallel()
	rome := loadZone(t, "Europe/Rome")
	march, june := date(t, "2024-03-01"), date(t, "2024-06-01")
	a, err := NewAccounts([]Account{
		{ID: "acme", Plan: "new", Zone: rome, From: june, To: MaxDate, VATRate: new(dec("0.22"))},
		{ID: "acme", Plan: "old", Zone: rome, From: MinDate, To: march},
		{ID: "*", Plan: "any", Zone: loadZone(t, "UTC"), Basis: BasisDelivered, From: MinDate, To: MaxDate},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := a.OnPlan("growth")
	for _, c := range []struct{ id, date, was, is string }{
		{"acme", "2024-02-29", "old", "growth"},
		{"acme", "2024-04-01", "", ""}, // what no row covers is covered by no plan
		{"acme", "2024-06-01", "new", "growth"},
		{"other", "2024-06-01", "any", "growth"},
	} {
		d := date(t, c.date)
		if was, is := planOn(a, c.id, d), planOn(b, c.id, d); was != c.was || is != c.is {
			t.Errorf("%s on %s: plan %q and then %q, want %q and %q", c.id, c.date, was, is, c.was, c.is)
		}
	}
	row := b.Of("acme").On(june)
	if b.Of("x") != b.Of("y") || b.Of("acme").Zone != rome || b.Of("x").Basis != BasisDelivered || !b.AnyDelivered() || len(b.Zones()) != 2 || !row.VATRate.Equal(dec("0.22")) {
		t.Error("the plan is not all that has changed")
	}
	none, err := NewAccounts(nil)
	if err != nil || none.OnPlan("growth").Of("x").On(june) != nil {
		t.Error("an unknown account has got a plan")
	}
}

func planOn(a *Accounts, id string, d Date) string {
	if r := a.Of(id).On(d); r != nil {
		return r.Plan
	}
	return ""
}

func TestPlans(t *testing.T) {
	t.Parallel()
	book, err := NewRateBook([]Rate{
		{Plan: "small", Market: "IT", To: MaxDate}, {Plan: "large", Market: "IT", To: MaxDate}, {Plan: "small", Market: "DE", To: MaxDate},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := book.Plans(); !slices.Equal(got, []string{"large", "small"}) {
		t.Errorf("plans are %q", got)
	}
}
