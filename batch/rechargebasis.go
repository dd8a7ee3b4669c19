package batch

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"waconcile/batch/checkpoint"
	"waconcile/reconcile"
	"waconcile/writer"
)

// sameRecharges tells why the balances of a checkpoint cannot be used: those of
// recharges bought before it depend on more than the exports.
func (p *Plan) sameRecharges(h *checkpoint.Header) error {
	now := p.rechargeBasis(h.At())
	if len(now) == 0 { // whatever it has, nobody asks for it
		return nil
	}
	if h.Recharges == nil {
		return unusable("it has no balances of recharges")
	}
	for _, account := range slices.Sorted(maps.Keys(now)) {
		if h.Recharges.Basis[account] != now[account] {
			return unusable("its balances of account %s were made from other recharges, rates, accounts or markets", account)
		}
	}
	return nil
}

// rechargeBasis has, for each account that had bought a recharge before a day,
// a hash of all that its balances at the beginning of the day depend on beside
// the exports. Everything is taken as it held by then: rows that begin later,
// and ends that come later, have no part in it, so that tables may grow.
func (p *Plan) rechargeBasis(day reconcile.Date) map[string]string {
	bought := make(map[string][]basisRecharge)
	for _, r := range p.in.recharges.Rows() {
		if r.PurchasedAt >= day.Start() {
			continue
		}
		expires := r.ExpiresAt
		if expires >= day.Start() {
			expires = reconcile.NeverExpires
		}
		bought[r.Account] = append(bought[r.Account], basisRecharge{r.ID, r.Plan, r.PurchasedAt, expires, r.Net, r.Currency})
	}
	var markets []writer.Input
	for _, f := range p.in.files {
		if f.Table == writer.MarketsInput {
			markets = append(markets, f)
		}
	}
	rates, hashes := p.ratesBy(day), make(map[string]string, len(bought))
	for account, recharges := range bought {
		slices.SortFunc(recharges, func(a, b basisRecharge) int { return strings.Compare(a.ID, b.ID) })
		terms := p.in.accounts.Of(account)
		basis := rechargeBasis{Recharges: recharges, Zone: terms.Zone.Name(), Markets: markets}
		for from, to := range terms.Spans() {
			if span, held := heldBy(day, from, to); held {
				basis.Spans = append(basis.Spans, span)
			}
		}
		for _, plan := range plansOf(recharges) {
			basis.Rates = append(basis.Rates, rates[plan]...)
		}
		hashes[account] = hashOf(basis)
	}
	return hashes
}

// rechargeBasis and what it has are hashed, and read by nobody.
type (
	rechargeBasis struct {
		Recharges []basisRecharge // by id
		Rates     []basisRate     // of their plans
		Zone      string          // of the account
		Spans     []basisSpan     // on which a row of the account holds
		Markets   []writer.Input
	}
	basisSpan     struct{ From, To reconcile.Date }
	basisRecharge struct {
		ID, Plan               string
		PurchasedAt, ExpiresAt int64
		Net                    reconcile.Micros
		Currency               string
	}
	basisRate struct {
		Plan, Market, Category, Unit string
		NoPrice                      bool
		Price                        reconcile.Micros
		Currency                     string
		Span                         basisSpan
	}
)

// heldBy is the dates of a row as far as they bear on charges opened before a
// day: in no zone has one of these a later billing date than the day.
func heldBy(day, from, to reconcile.Date) (span basisSpan, held bool) {
	if to > day {
		to = reconcile.MaxDate
	}
	return basisSpan{from, to}, from <= day
}

// ratesBy are the rates of each plan that held by a day, in an order of their
// own.
func (p *Plan) ratesBy(day reconcile.Date) map[string][]basisRate {
	rates := make(map[string][]basisRate)
	for _, r := range p.in.rates.Rates() {
		if span, held := heldBy(day, r.From, r.To); held {
			rates[r.Plan] = append(rates[r.Plan], basisRate{r.Plan, r.Market, r.Category.String(), r.Unit.String(), r.NoPrice, r.Price, r.Currency, span})
		}
	}
	for _, of := range rates {
		slices.SortFunc(of, func(a, b basisRate) int {
			return cmp.Or(strings.Compare(a.Market, b.Market), strings.Compare(a.Category, b.Category),
				strings.Compare(a.Unit, b.Unit), cmp.Compare(a.Span.From, b.Span.From))
		})
	}
	return rates
}

func plansOf(recharges []basisRecharge) []string {
	var plans []string
	for i := range recharges {
		plans = append(plans, recharges[i].Plan)
	}
	slices.Sort(plans)
	return slices.Compact(plans)
}

// rechargesAt are what a checkpoint of a day has of the recharges: nil where
// none was bought before it.
func (r *run) rechargesAt(ledger *reconcile.Ledger, day reconcile.Date, midnight int) *checkpoint.Recharges {
	basis := r.plan.rechargeBasis(day)
	if len(basis) == 0 {
		return nil
	}
	return checkpoint.NewRecharges(basis, ledger.Balances(midnight), r.plan.gapsBefore(day))
}
