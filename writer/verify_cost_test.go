package writer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// costRun is aRun with the provider's book, whose invoices are compared with
// the given one: some charges are free there, some without a price, some in
// yen, and a franc more is asked for each that is sold in yen. A yen is
// 0.00605 euros; no rate leads from francs to anywhere.
func costRun(book string) *parts {
	p := aRun()
	for _, f := range p.charges {
		p.addCosts(f)
	}
	p.derive()
	p.m.Settings.InvoiceBook = book
	p.m.Inputs = append(p.m.Inputs, inputsOf(CostRatesInput, CostAccountsInput, CostMarketsInput, FxInput)...)
	if len(p.m.InputsOf(InvoicesInput)) == 0 {
		p.m.Inputs = append(p.m.Inputs, inputsOf(InvoicesInput)...)
	}
	all := p.sums()
	all.byCost = book == CostBook
	p.tables[SummaryTable] = costSummaryOf(all)
	if all.byCost {
		p.tables[DifferencesTable] = someDifferences(boughtFor(all))
		p.m.Counts.Differences["missing_theirs"] = 2 // in yen and in francs
	}
	p.control(all)
	return p
}

// inputsOf is a file of each table.
func inputsOf(tables ...string) (inputs []Input) {
	for _, table := range tables {
		inputs = append(inputs, Input{table, table + ".csv", 120, strings.Repeat("0", 64), 4})
	}
	return inputs
}

// addCosts appends the columns of CostChargesSchema.
func (p *parts) addCosts(f *Frame) {
	s := ChargesSchema()
	country, market, plan := Column{}, Column{}, Column{}
	price, currency, amount, status, reason := Column{}, Column{}, Column{}, Column{}, Column{}
	put := func(c *Column, text string) {
		c.Text, c.Null = append(c.Text, text), append(c.Null, text == "")
	}
	for row := range f.Rows {
		put(&country, at(f, s, "country").textAt(row))
		put(&market, "Europe")
		put(&plan, "provider")
		cost, in, as, why := reconcile.Micros(10_000+row%3*5_000), "EUR", statusCharged, ""
		switch {
		case row%7 == 0:
			in, as, why = "", statusUnrated, "no_price"
		case row%7 == 1:
			in, as = "", statusFree
		case at(f, s, "currency").textAt(row) == "JPY":
			in = "CHF"
		case row%7 == 2:
			in = "JPY"
		}
		charged := as == statusCharged
		if !charged {
			cost = 0
		}
		price.Micros, price.Null = append(price.Micros, cost), append(price.Null, !charged)
		amount.Micros, amount.Null = append(amount.Micros, cost), append(amount.Null, as == statusUnrated)
		put(&currency, in)
		status.Text = append(status.Text, as)
		put(&reason, why)
	}
	f.Columns = append(f.Columns, country, market, plan, price, currency, amount, status, reason)
}

// costSummaryOf has the margins that package reconcile gives.
func costSummaryOf(sums *chargeSums) *Frame {
	fx, err := reconcile.NewExchangeRates([]reconcile.ExchangeRate{
		{From: "JPY", To: "EUR", Rate: wide("0.00605")}, {From: "EUR", To: "JPY", Rate: wide("161.5")},
	})
	if err != nil {
		panic(err)
	}
	statuses := map[string]reconcile.ChargeStatus{statusCharged: reconcile.Charged, statusFree: reconcile.Free, statusUnrated: reconcile.Unrated}
	f := &Frame{Columns: make([]Column, len(CostSummarySchema()))}
	keys := slices.SortedFunc(maps.Keys(sums.summary), func(a, b summaryKey) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, k := range keys {
		g := sums.summary[k]
		one := &chargeSums{summary: map[summaryKey]*chargeGroup{k: g}}
		row := *summaryOf(one)
		margins := []reconcile.SummaryRow{{
			SummaryKey: reconcile.SummaryKey{
				Date: reconcile.Date(k.date), Currency: k.currency, Status: statuses[k.status],
				CostKey: reconcile.CostKey{Currency: k.cost.currency, Status: statuses[k.cost.status]},
			},
			Net: g.net.sum(), Cost: g.cost.sum(),
		}}
		reconcile.AddMargins(margins, fx)
		margin, rate, in := Column{Wide: []decimal.Decimal{{}}, Null: []bool{true}}, "", ""
		if m := margins[0].Margin; m != nil {
			margin, in = Column{Wide: []decimal.Decimal{m.Amount}, Null: []bool{false}}, m.Currency
			if m.Rate != nil {
				rate = m.Rate.String()
			}
		}
		row.Columns = append(row.Columns, textColumn(k.cost.country), textColumn(k.cost.market), textColumn(k.cost.plan),
			Column{Micros: []reconcile.Micros{k.cost.price}, Null: []bool{!k.cost.priced}}, textColumn(k.cost.currency),
			Column{Text: []string{k.cost.status}}, Column{Wide: []decimal.Decimal{g.cost.sum()}, Null: []bool{k.cost.status == statusUnrated}},
			textColumn(rate), margin, textColumn(in))
		f.appendRow(row)
	}
	return f
}

// boughtFor is the sums as if the charges were sold for what they cost.
func boughtFor(sums *chargeSums) *chargeSums {
	bought := &chargeSums{summary: map[summaryKey]*chargeGroup{}}
	for k, g := range sums.summary {
		to := bought.group(summaryKey{account: k.account, status: k.cost.status, currency: k.cost.currency})
		to.quantity += g.quantity
		to.net.merge(&g.cost)
	}
	return bought
}

func TestVerifyCosts(t *testing.T) {
	t.Parallel()
	for _, book := range []string{SellBook, CostBook} {
		p := costRun(book)
		p.write(t)
		p.seal(t)
		checks, err := Verify(t.Context(), p.store, "", "2024-07")
		if err != nil {
			t.Errorf("%s: %v", book, err)
		}
		for _, name := range []string{"margins", "control total summary_cost", "control total cost_CHF", "control total cost_EUR", "control total cost_JPY"} {
			if !slices.ContainsFunc(checks, func(c Check) bool { return c.Name == name && c.OK }) {
				t.Errorf("%s: no check %s", book, name)
			}
		}
		if err := ReadBack(t.Context(), p.store, testRun, p.m.Files); err != nil {
			t.Errorf("%s: %v", book, err)
		}
		if err := ReadBackRun(t.Context(), p.store, p.m); err != nil {
			t.Errorf("%s: %v", book, err)
		}
	}
}

// costRow is the first row of the summary of which a column has a value, and
// that has an exchange rate or none.
func (p *parts) costRow(column string, converted bool) int {
	s, f := CostSummarySchema(), p.tables[SummaryTable]
	for row := range f.Rows {
		if !at(f, s, column).isNull(row) && at(f, s, "fx_rate").isNull(row) != converted {
			return row
		}
	}
	panic("no such row")
}

func (p *parts) costCell(column string) *Column {
	return at(p.tables[SummaryTable], CostSummarySchema(), column)
}

// withoutRates takes the exchange rates of a date from the summary, and the
// margins that depend on them.
func (p *parts) withoutRates(date int64) {
	for row, at := range p.costCell("billing_date").Int {
		if at == date && !p.costCell("fx_rate").isNull(row) {
			for _, column := range []string{"fx_rate", "margin", "margin_currency"} {
				p.costCell(column).Null[row] = true
			}
		}
	}
}

// setRates gives all conversions of the summary one rate.
func (p *parts) setRates(rate string) {
	for row := range p.costCell("fx_rate").Text {
		if !p.costCell("fx_rate").isNull(row) {
			p.costCell("fx_rate").Text[row] = rate
		}
	}
}

// ratedDates are the first and the last billing date with an exchange rate.
func (p *parts) ratedDates() (first, last int64) {
	var dates []int64
	for row, date := range p.costCell("billing_date").Int {
		if !p.costCell("fx_rate").isNull(row) {
			dates = append(dates, date)
		}
	}
	return slices.Min(dates), slices.Max(dates)
}

// A rate that is known only from a date on is no damage.
func TestVerifyFirstRate(t *testing.T) {
	t.Parallel()
	p := costRun(SellBook)
	first, last := p.ratedDates()
	if first == last {
		t.Fatal("rates of one date only")
	}
	p.withoutRates(first)
	p.write(t)
	p.seal(t)
	if _, err := Verify(t.Context(), p.store, "", "2024-07"); err != nil {
		t.Error(err)
	}
}

// TestVerifyCostDamage shows each damage of what charges cost to be noticed by
// the check that is meant for it.
func TestVerifyCostDamage(t *testing.T) {
	t.Parallel()
	charge := func(p *parts, column string) *Column { return at(p.charges[firstFile], CostChargesSchema(), column) }
	chargedAt := func(p *parts) int { return slices.Index(charge(p, "cost_status").Text, statusCharged) }
	for _, d := range []struct {
		name, check, detail string
		book                string // SellBook where empty
		tables              func(*parts)
		written             func(*parts)
	}{
		{name: "cost is not the price", check: "order", detail: "cost: amount", tables: func(p *parts) { charge(p, costAmount).Micros[chargedAt(p)]++ }},
		{name: "a cost without a price", check: "order", detail: "cost: amount", tables: func(p *parts) { charge(p, "cost_status").Text[chargedAt(p)] = statusUnrated }},
		{name: "another cost", check: "summary rows", detail: "no charges are like it", tables: func(p *parts) {
			row := chargedAt(p)
			charge(p, costAmount).Micros[row]++
			charge(p, "cost_unit_price").Micros[row]++
		}},
		{name: "another market", check: "summary rows", detail: "no charges are like it", tables: func(p *parts) {
			market := charge(p, "cost_market").Text
			for i := range market {
				market[i] = "Asia"
			}
		}},
		{name: "cost of a row", check: "summary rows", detail: "cost_amount is", tables: func(p *parts) {
			row := p.costRow("cost_unit_price", false)
			p.costCell(costAmount).Wide[row] = p.costCell(costAmount).Wide[row].Add(wide("1"))
		}},
		{name: "cost of a row is null", check: "summary rows", detail: "cost_amount null: true", tables: func(p *parts) {
			p.costCell(costAmount).Null[p.costRow("cost_unit_price", false)] = true
		}},
		{name: "a margin", check: "margins", detail: "margin is", tables: func(p *parts) {
			row := p.costRow("margin", false)
			p.costCell("margin").Wide[row] = p.costCell("margin").Wide[row].Add(wide("0.000001"))
		}},
		{name: "a converted margin", check: "margins", detail: "margin is", tables: func(p *parts) {
			row := p.costRow("margin", true)
			p.costCell("margin").Wide[row] = p.costCell("margin").Wide[row].Sub(wide("0.000001"))
		}},
		{name: "no margin", check: "margins", detail: "margin null: true", tables: func(p *parts) {
			row := p.costRow("margin", false)
			p.costCell("margin").Null[row], p.costCell("margin_currency").Null[row] = true, true
		}},
		{name: "a margin of nothing", check: "margins", detail: "margin null: false", tables: func(p *parts) {
			row := slices.Index(p.costCell("cost_status").Text, statusUnrated)
			p.costCell("margin").Null[row], p.costCell("margin_currency").Null[row] = false, false
		}},
		{name: "currency of a margin", check: "margins", detail: "margin_currency CHF", tables: func(p *parts) {
			p.costCell("margin_currency").Text[p.costRow("margin", false)] = "CHF"
		}},
		{name: "two rates of a day", check: "margins", detail: "another row of the date", tables: func(p *parts) {
			rates := p.costCell("fx_rate") // of the last row: with that of an earlier one its margin would be wrong first
			for row := len(rates.Text) - 1; ; row-- {
				if !rates.isNull(row) {
					rates.Text[row] += "1"
					break
				}
			}
		}},
		{name: "no rate", check: "margins", detail: "fx_rate", tables: func(p *parts) {
			row := p.costRow("fx_rate", true)
			p.costCell("fx_rate").Null[row] = true
			p.costCell("margin").Null[row], p.costCell("margin_currency").Null[row] = true, true
		}},
		{name: "a rate of nothing", check: "margins", detail: "where nothing is to be converted", tables: func(p *parts) {
			row := p.costRow("margin", false)
			p.costCell("fx_rate").Text[row], p.costCell("fx_rate").Null[row] = "1", false
		}},
		{name: "a rate that is none", check: "margins", detail: "fx_rate", tables: func(p *parts) {
			p.setRates("1/161")
		}},
		{name: "a rate of 0", check: "margins", detail: "fx_rate 0 is not above 0", tables: func(p *parts) {
			p.setRates("0")
		}},
		{name: "a rate below 0", check: "margins", detail: "fx_rate -1 is not above 0", tables: func(p *parts) {
			p.setRates("-1")
		}},
		{name: "a rate from nowhere", check: "margins", detail: "and the run has read no exchange rates", written: func(p *parts) {
			p.m.Inputs = slices.DeleteFunc(p.m.Inputs, func(in Input) bool { return in.Table == FxInput })
		}},
		{name: "a rate that ends", check: "margins", detail: "no fx_rate from ", tables: func(p *parts) {
			_, last := p.ratedDates()
			p.withoutRates(last)
		}},
		{name: "compared with what is sold", book: CostBook, check: "our side of the differences", detail: "Σ our_", tables: func(p *parts) {
			p.tables[DifferencesTable] = someDifferences(p.sums())
		}},
		{name: "compared with the cost", check: "our side of the differences", detail: "Σ our_", tables: func(p *parts) {
			p.tables[DifferencesTable] = someDifferences(boughtFor(p.sums()))
		}},
		{name: "a control total", check: "control figures", detail: "cost_EUR", written: func(p *parts) {
			p.total("cost_EUR").Left, p.total("cost_EUR").Right = "1", "1"
		}},
		{name: "the total of all", check: "control figures", detail: "summary_cost", written: func(p *parts) {
			p.total("summary_cost").Left, p.total("summary_cost").Right = "1", "1"
		}},
		{name: "no control total", check: "control figures", detail: "cost_CHF: the manifest does not have it", written: func(p *parts) {
			p.m.Control = slices.DeleteFunc(p.m.Control, func(c ControlTotal) bool { return c.Name == "cost_CHF" })
		}},
	} {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			if d.book == "" {
				d.book = SellBook
			}
			p := costRun(d.book)
			if d.tables != nil {
				d.tables(p)
			}
			p.write(t)
			if d.written != nil {
				d.written(p)
			}
			p.seal(t)
			checks, err := Verify(t.Context(), p.store, "", "2024-07")
			if !errors.Is(err, ErrVerify) {
				t.Fatalf("got %v", err)
			}
			i := slices.IndexFunc(checks, func(c Check) bool { return !c.OK })
			if checks[i].Name != d.check || !strings.Contains(checks[i].Detail, d.detail) {
				t.Errorf("%s came first: %v", checks[i].Name, err)
			}
		})
	}
}

// TestManifestBooks: the provider's book is whole or not there, and a run names
// the book of its invoices if and only if it has two, and invoices.
func TestManifestBooks(t *testing.T) {
	t.Parallel()
	two := []string{CostRatesInput, CostAccountsInput, CostMarketsInput}
	and := func(more ...string) []string { return slices.Concat(two, more) }
	for _, c := range []struct {
		inputs []string
		book   string
		ok     bool
	}{
		{nil, "", true},
		{nil, SellBook, false},
		{[]string{InvoicesInput}, SellBook, false},
		{two, "", true},
		{two, SellBook, false},
		{two, "theirs", false},
		{and(FxInput), "", true},
		{and(InvoicesInput), "", false},
		{and(InvoicesInput), "theirs", false},
		{and(InvoicesInput), SellBook, true},
		{and(InvoicesInput), CostBook, true},
		{two[:1], "", false},
		{two[:2], "", false},
		{[]string{CostRatesInput, CostMarketsInput}, "", false},
		{two[1:], "", false},
		{[]string{CostAccountsInput}, "", false},
		{[]string{CostMarketsInput}, "", false},
		{[]string{FxInput}, "", false},
	} {
		m := testManifest()
		m.Settings.InvoiceBook = c.book
		m.Inputs = append(m.Inputs, inputsOf(c.inputs...)...)
		if err := m.Validate(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
