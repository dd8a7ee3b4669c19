package reconcile

import (
	"maps"
	"slices"
)

// planRates is the rows of one plan, by their index in the book. Rows that say
// n/a are rows like others.
type planRates struct {
	plan string
	rows []int
	of   map[priced][]int
}

// priced is what a plan may have prices for.
type priced struct {
	category Category
	unit     Unit
}

func (l *linter) lintRates() {
	if l.Rates == nil {
		return
	}
	l.lintRateMarkets()
	for _, p := range l.plans {
		l.lintCurrencies(p)
		l.lintPlanUse(p)
		for _, s := range l.period.pieces(l.cuts(p)) {
			l.lintPrices(p, s)
			l.lintIdleUnits(p, s)
		}
	}
	l.lintChanges()
}

// plansOf is the plans of a book by their names.
func plansOf(b *RateBook) map[string]*planRates {
	byName := make(map[string]*planRates)
	for i, r := range b.rates {
		p := byName[r.Plan]
		if p == nil {
			p = &planRates{plan: r.Plan, of: make(map[priced][]int)}
			byName[r.Plan] = p
		}
		key := priced{r.Category, r.Unit}
		p.rows = append(p.rows, i)
		p.of[key] = append(p.of[key], i)
	}
	return byName
}

// lintPlanUse looks for a plan that has rows in the period and no use.
func (l *linter) lintPlanUse(p *planRates) {
	if l.Accounts == nil || l.UsesUnknown || len(l.uses[p.plan]) > 0 {
		return
	}
	for _, i := range p.rows {
		if r := &l.Rates.rates[i]; l.holds(r.From, r.To) {
			l.found(LintWarning, LintRates, r.Where, "unused_plan", "plan %q: no account and no recharge uses it in the period", p.plan)
			return
		}
	}
}

// cuts is the dates between which nothing changes that a price of the plan
// depends on.
func (l *linter) cuts(p *planRates) []Date {
	var cuts []Date
	for _, i := range p.rows {
		cuts = append(cuts, l.Rates.rates[i].From, l.Rates.rates[i].To)
	}
	for _, u := range l.uses[p.plan] {
		cuts = append(append(cuts, u.from, u.to), u.rules.Changes()...)
	}
	if l.Markets != nil {
		for _, m := range l.Markets.Rows() {
			cuts = append(cuts, m.From, m.To)
		}
	}
	return cuts
}

// lintCurrencies looks for more than one currency in a plan. The rows of the
// currency that most have are taken for right.
func (l *linter) lintCurrencies(p *planRates) {
	rows := make(map[string][]int)
	for _, i := range p.rows {
		if r := &l.Rates.rates[i]; l.holds(r.From, r.To) {
			rows[r.Currency] = append(rows[r.Currency], i)
		}
	}
	if len(rows) < 2 {
		return
	}
	names := slices.Sorted(maps.Keys(rows))
	most := slices.MaxFunc(names, func(a, b string) int { return len(rows[a]) - len(rows[b]) })
	for _, currency := range names {
		if currency != most {
			l.found(LintWarning, LintRates, l.Rates.rates[rows[currency][0]].Where, "mixed_currencies", "plan %q: rows in %s (%d), others in %s (%d)", p.plan, currency, len(rows[currency]), most, len(rows[most]))
		}
	}
}
