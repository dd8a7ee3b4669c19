package reconcile

import (
	"slices"
	"strings"
)

// planUse is dates of the period on which a plan may price charges, and the
// rules that they are charged by.
type planUse struct {
	span
	rules Rules
}

// planUses collects the uses of every plan: the rows of accounts, and the
// recharges that can pay on some date of the period. Equal ones are one.
func (l *linter) planUses() map[string][]planUse {
	uses := make(map[string][]planUse)
	add := func(plan string, rules Rules, on span) {
		u := planUse{l.period.within(on), rules}
		if !u.empty() && !slices.Contains(uses[plan], u) {
			uses[plan] = append(uses[plan], u)
		}
	}
	if l.Accounts == nil {
		return uses
	}
	for _, a := range l.Accounts.Rows() {
		add(a.Plan, a.Rules, span{from: a.From, to: a.To})
	}
	if l.Recharges != nil {
		for _, r := range l.Recharges.Rows() {
			terms := l.Accounts.Of(r.Account)
			add(r.Plan, terms.Rules, usable(&r, terms.Zone))
		}
	}
	return uses
}

// usable is the dates of a zone on which a recharge can pay.
func usable(r *Recharge, zone *Zone) span {
	s := span{from: zone.Date(r.PurchasedAt), to: MaxDate}
	if r.ExpiresAt != NeverExpires {
		s.to = zone.Date(r.ExpiresAt-1) + 1
	}
	return s
}

// everyPlan says that there are no accounts, so that no plan can be told from
// one that is not used.
func (l *linter) everyPlan() bool { return l.Accounts == nil && !l.UsesUnknown }

// marketPlaces is a market and the countries that lie in it on some date, in
// order.
type marketPlaces struct {
	market    string
	countries []string
}

// placesOn is all markets on a date in the order of their names; none where the
// markets are not known.
func (l *linter) placesOn(d Date) []marketPlaces {
	if all, ok := l.places[d]; ok || l.Markets == nil {
		return all
	}
	countries := make(map[string][]string)
	for _, r := range l.Markets.Rows() {
		if (span{from: r.From, to: r.To}).covers(d) {
			countries[r.Market] = append(countries[r.Market], strings.ToUpper(r.Country))
		}
	}
	all := make([]marketPlaces, 0, len(countries))
	for market, in := range countries {
		slices.Sort(in)
		all = append(all, marketPlaces{market, slices.Compact(in)})
	}
	slices.SortFunc(all, func(a, b marketPlaces) int { return strings.Compare(a.market, b.market) })
	l.places[d] = all
	return all
}
