package writer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// hasCosts says whether a table has the columns of cost.
func (s Schema) hasCosts() bool {
	for i := range s {
		if s[i].Name == costAmount {
			return true
		}
	}
	return false
}

// costKey is the zero value where the summary has no costs.
func (r tableRow) costKey() costKey {
	if !r.schema.hasCosts() {
		return costKey{}
	}
	return costKey{
		country: r.text("cost_country"), market: r.text("cost_market"), plan: r.text("cost_plan"), currency: r.text("cost_currency"),
		status: r.text("cost_status"), price: r.column("cost_unit_price").microsAt(r.row), priced: !r.null("cost_unit_price"),
	}
}

// checkCost holds the cost of a row of the summary against its charges.
func (r tableRow) checkCost(g *chargeGroup) error {
	if !r.schema.hasCosts() {
		return nil
	}
	if unrated := r.text("cost_status") == statusUnrated; r.null(costAmount) != unrated {
		return fmt.Errorf("cost_amount null: %v, cost_status %s", r.null(costAmount), r.text("cost_status"))
	}
	return unequalMoney(costAmount, r.wide(costAmount), g.cost.sum())
}

// checkMargins computes every margin of the summary anew, from the amounts and
// the exchange rate of its row; and on one date one pair of currencies has one
// rate.
func (v *verifier) checkMargins(summary *table) {
	if !summary.schema.hasCosts() {
		return
	}
	rates := map[exchange]string{}
	var problem error
	with := int64(0)
	for n, row := range summary.rows() {
		if !row.null("margin") {
			with++
		}
		if err := row.checkMargin(rates); err != nil {
			problem = fmt.Errorf("row %d: %w", n, err)
			break
		}
	}
	if problem == nil {
		problem = v.checkRates(rates)
	}
	v.check("margins", SummaryTable+parquetExt, problem, fmt.Sprintf("%d, each net − cost in its currency; %d exchange rates", with, len(rates)))
}

// exchange is what there is one exchange rate for; the rate is empty where none
// is known.
type exchange struct {
	date     int64
	from, to string
}

// checkRates looks at the exchange rates of all rows together: none without a
// file that they can be from, and none missing after a date that has it, since a
// rate holds until the next one of its pair.
func (v *verifier) checkRates(rates map[exchange]string) error {
	all := slices.SortedFunc(maps.Keys(rates), func(a, b exchange) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to), cmp.Compare(a.date, b.date))
	})
	given := len(v.manifest.InputsOf(FxInput)) > 0
	var last exchange // that has a rate
	for _, at := range all {
		date := reconcile.Date(at.date)
		switch known := rates[at] != ""; {
		case known && !given:
			return fmt.Errorf("fx_rate %s from %s to %s on %s, and the run has read no exchange rates", rates[at], at.from, at.to, date)
		case known:
			last = at
		case last.from == at.from && last.to == at.to:
			return fmt.Errorf("no fx_rate from %s to %s on %s, and one on %s", at.from, at.to, date, reconcile.Date(last.date))
		}
	}
	return nil
}

func (r tableRow) checkMargin(rates map[exchange]string) error {
	net, cost := r.wide("net_amount"), r.wide(costAmount)
	sold, bought := r.text("currency"), r.text("cost_currency")
	currency := sold
	if sold == "" {
		currency = bought
	}
	known := r.text("status") != statusUnrated && r.text("cost_status") != statusUnrated && currency != ""
	rate := r.text("fx_rate")
	converted := known && sold != "" && bought != "" && bought != sold && !cost.IsZero()
	if converted {
		at := exchange{r.whole("billing_date"), bought, sold}
		if other, seen := rates[at]; seen && other != rate {
			return fmt.Errorf("fx_rate %q from %s to %s, another row of the date has %q", rate, bought, sold, other)
		}
		rates[at] = rate
		known = rate != ""
	} else if rate != "" {
		return fmt.Errorf("fx_rate %s, where nothing is to be converted", rate)
	}
	if r.null("margin") == known || r.null("margin_currency") == known {
		return fmt.Errorf("margin null: %v, margin_currency null: %v; it can be known: %v", r.null("margin"), r.null("margin_currency"), known)
	}
	if !known {
		return nil
	}
	if got := r.text("margin_currency"); got != currency {
		return fmt.Errorf("margin_currency %s, want %s", got, currency)
	}
	if converted {
		factor, err := reconcile.ParseDecimal(rate)
		if err != nil {
			return fmt.Errorf("fx_rate: %w", err)
		}
		if !factor.IsPositive() {
			return fmt.Errorf("fx_rate %s is not above 0", rate)
		}
		cost = cost.Mul(factor).RoundBank(scale)
	}
	return unequalMoney("margin", r.wide("margin"), net.Sub(cost))
}

// CostControl and a currency name a control total: both sides are what the
// charges cost in it.
const CostControl = "cost_"

// recomputeCosts adds the control totals of a run that has costs: what the
// summary says against the charges, in all and for each currency.
func recomputeCosts(all map[string]sides, charges *chargeSums, summary *table) {
	if !summary.schema.hasCosts() {
		return
	}
	stated, want := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	for _, r := range summary.rows() {
		stated[r.text("cost_currency")] = stated[r.text("cost_currency")].Add(r.wide(costAmount))
	}
	sum := decimal.Zero
	for k, g := range charges.summary {
		want[k.cost.currency] = want[k.cost.currency].Add(g.cost.sum())
		sum = sum.Add(g.cost.sum())
	}
	all["summary_cost"] = sides{summary.sumWide(costAmount), sum}
	for _, currency := range sortedKeys(stated, want) {
		if currency != "" {
			all[CostControl+currency] = sides{stated[currency], want[currency]}
		}
	}
}
