package reconcile

import (
	"maps"
	"slices"
)

// OnPlan is the table with every row on one plan, and a as it was: what each
// account would have paid by the prices of that plan (R10). Time zones, bases,
// rates of VAT and dates stay; a charge that no row covers still has no price.
func (a *Accounts) OnPlan(plan string) *Accounts {
	moved := map[*AccountTerms]*AccountTerms{}
	on := func(t *AccountTerms) *AccountTerms {
		if moved[t] == nil { // equal terms stay the same pointer
			rows := slices.Clone(t.rows)
			for i := range rows {
				rows[i].Plan = plan
			}
			terms := *t
			terms.rows = rows
			moved[t] = &terms
		}
		return moved[t]
	}
	all := *a
	all.rows = slices.Clone(a.rows)
	for i := range all.rows {
		all.rows[i].Plan = plan
	}
	all.unlisted = on(a.unlisted)
	all.byID = make(map[string]*AccountTerms, len(a.byID))
	for id, t := range a.byID {
		all.byID[id] = on(t)
	}
	return &all
}

// Plans are the plans that have a row, sorted.
func (b *RateBook) Plans() []string {
	plans := map[string]bool{}
	for i := range b.rates {
		plans[b.rates[i].Plan] = true
	}
	return slices.Sorted(maps.Keys(plans))
}
