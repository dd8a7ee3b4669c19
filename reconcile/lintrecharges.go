package reconcile

import (
	"slices"
	"time"
)

// The bounds beyond which an instant of a recharge is likely a slip.
const (
	rechargeLifeMin   = DayMillis
	rechargeLifeYears = 10
	rechargeFirst     = 14245 * DayMillis // 2009-01-01, before which no message was sent
)

func (l *linter) lintRecharges() {
	if l.Recharges == nil {
		return
	}
	rows := l.Recharges.Rows()
	for i := range rows {
		r := &rows[i]
		l.lintRechargeTimes(r)
		if on := usable(r, l.zoneOf(r.Account)); l.holds(on.from, on.to) {
			l.lintRechargePrices(r)
			l.lintRechargeAccount(r)
		}
	}
	l.lintTwice(rows)
}

func (l *linter) lintRechargeTimes(r *Recharge) {
	switch {
	case r.PurchasedAt > l.now:
		l.found(LintWarning, LintRecharges, r.Where, "purchase_ahead", "recharge %q: purchased at %s, which is still to come", r.ID, instantText(r.PurchasedAt))
	case r.PurchasedAt < rechargeFirst:
		l.found(LintWarning, LintRecharges, r.Where, "purchase_early", "recharge %q: purchased at %s, before there were messages", r.ID, instantText(r.PurchasedAt))
	}
	if r.ExpiresAt == NeverExpires {
		return
	}
	longest := time.UnixMilli(r.PurchasedAt).UTC().AddDate(rechargeLifeYears, 0, 0).UnixMilli()
	switch {
	case r.ExpiresAt-r.PurchasedAt < rechargeLifeMin:
		l.found(LintWarning, LintRecharges, r.Where, "expiry_near", "recharge %q: expires at %s, less than a day after it was purchased", r.ID, instantText(r.ExpiresAt))
	case r.ExpiresAt > longest:
		l.found(LintWarning, LintRecharges, r.Where, "expiry_far", "recharge %q: expires at %s, more than %d years after it was purchased", r.ID, instantText(r.ExpiresAt), rechargeLifeYears)
	}
}

func instantText(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.999Z")
}

// lintRechargePrices looks whether the plan of a recharge has any price that
// the recharge can pay.
func (l *linter) lintRechargePrices(r *Recharge) {
	if l.Rates == nil {
		return
	}
	plan := l.plans[r.Plan]
	if plan == nil {
		l.found(LintError, LintRecharges, r.Where, "plan_without_rates", "recharge %q: no rate is of plan %q", r.ID, r.Plan)
		return
	}
	dates := usable(r, l.zoneOf(r.Account))
	pays := slices.ContainsFunc(plan.rows, func(i int) bool {
		rate := &l.Rates.rates[i]
		return rate.Currency == r.Currency && !rate.NoPrice && !dates.within(span{from: rate.From, to: rate.To}).empty()
	})
	if !pays {
		l.found(LintError, LintRecharges, r.Where, "currency_without_rates", "recharge %q: plan %q has no price in %s on %v, so that it pays for nothing", r.ID, r.Plan, r.Currency, dates)
	}
}

// zoneOf is the time zone of an account; UTC where accounts are not known.
func (l *linter) zoneOf(account string) *Zone {
	if l.Accounts == nil {
		return NewZone(time.UTC)
	}
	return l.Accounts.Of(account).Zone
}

// lintRechargeAccount looks whether the account of a recharge can have charges
// that it pays for.
func (l *linter) lintRechargeAccount(r *Recharge) {
	if r.Account == AnyAccount {
		l.found(LintError, LintRecharges, r.Where, "recharge_account", "recharge %q: account %q is the account of nobody", r.ID, r.Account)
		return
	}
	if l.Accounts == nil {
		return
	}
	terms := l.Accounts.Of(r.Account)
	dates := usable(r, terms.Zone)
	covered := slices.ContainsFunc(terms.rows, func(a Account) bool { return !dates.within(span{from: a.From, to: a.To}).empty() })
	_, own := l.Accounts.byID[r.Account]
	switch {
	case own && !covered:
		l.found(LintError, LintRecharges, r.Where, "recharge_account", "recharge %q: no row of account %q is valid on %v", r.ID, r.Account, dates)
	case !own && covered:
		l.found(LintWarning, LintRecharges, r.Where, "recharge_account", "recharge %q: account %q has no row of its own, only that of %q", r.ID, r.Account, AnyAccount)
	case !own:
		l.found(LintError, LintRecharges, r.Where, "recharge_account", "recharge %q: account %q has no row", r.ID, r.Account)
	}
}

// lintTwice looks for recharges that differ in nothing but their id: likely
// one that was entered twice.
func (l *linter) lintTwice(rows []Recharge) {
	first := make(map[Recharge]*Recharge)
	for i := range rows {
		r := &rows[i]
		key := *r
		key.ID, key.Where = "", ""
		if other := first[key]; other != nil {
			l.found(LintWarning, LintRecharges, r.Where, "recharge_twice", "recharge %q: the same account, plan, times and amount as %q in %s", r.ID, other.ID, other.Where)
			continue
		}
		first[key] = r
	}
}
