package batch

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"waconcile/batch/checkpoint"
	"waconcile/reconcile"
	"waconcile/writer"
)

// prepaid tells whether charges of a run may draw on recharges, and since when.
type prepaid struct {
	any   bool
	first int64 // the first purchase
}

// prepaidOf looks for recharges bought by the end of the days that the period
// touches.
func prepaidOf(recharges *reconcile.Recharges, span *daySpan) prepaid {
	first, some := recharges.First()
	return prepaid{any: some && reconcile.DateOf(first) <= span.requiredLast, first: first}
}

// drawsFrom is the instant from which on the run has charges draw: what those
// opened before have taken, the checkpoint that it starts from tells.
func (p *Plan) drawsFrom() int64 {
	if p.start != nil {
		return max(p.prepaid.first, p.start.header.At().Start())
	}
	return p.prepaid.first
}

// prepaidSince is from when on charges of an account draw; never where it has
// no recharge.
func (p *Plan) prepaidSince(account string) int64 {
	bought := p.in.recharges.Of(account)
	if len(bought) == 0 {
		return reconcile.NeverExpires
	}
	return max(bought[0].PurchasedAt, p.drawsFrom())
}

// chargesFrom is the first billing date of the charges that the run makes: that
// of the period, or the first on which, in any zone, charges may draw.
func (p *Plan) chargesFrom() reconcile.Date {
	if !p.prepaid.any {
		return p.Period.From
	}
	return min(p.Period.From, reconcile.DateOf(p.drawsFrom())-1)
}

// warnOfGaps tells of days without data since the first purchase: what their
// charges took of the recharges is not known.
func (p *Plan) warnOfGaps(ctx context.Context, job *Job) {
	if !p.prepaid.any {
		return
	}
	var gaps []reconcile.Date
	for d := reconcile.DateOf(p.drawsFrom()); d < p.span.requiredFirst; d++ {
		if !p.exports.has(d, d) {
			gaps = append(gaps, d)
		}
	}
	if len(gaps) > 0 {
		job.Log.WarnContext(ctx, "no data on days since the first recharge was bought: what they took of recharges is not known",
			"days", len(gaps), "first", gaps[0].String(), "last", gaps[len(gaps)-1].String())
	}
}

// balances are what the recharges had left where the run starts.
func (s *start) balances() map[string]reconcile.Micros {
	if s == nil || s.header.Recharges == nil {
		return nil
	}
	return s.header.Recharges.Balances()
}

// sameRecharges tells why the balances of a checkpoint cannot be used: those of
// recharges bought before it depend on more than the exports.
func (p *Plan) sameRecharges(h *checkpoint.Header) error {
	basis := p.rechargeBasis(h.At())
	switch {
	case basis == "": // whatever it has, nobody asks for it
		return nil
	case h.Recharges == nil:
		return unusable("it has no balances of recharges")
	case h.Recharges.Basis != basis:
		return unusable("its balances of recharges were made from other recharges, rates, accounts or markets")
	}
	return nil
}

// rechargeBasis is a hash of all that the balances at the beginning of a day
// depend on beside the exports; empty where no recharge was bought before it.
// Rows are taken as they held by then: those that begin later, and ends that
// come later, have no part in it, so that a table may grow.
func (p *Plan) rechargeBasis(day reconcile.Date) string {
	basis := struct {
		Recharges []basisRecharge
		Rates     []basisRate
		Accounts  []basisAccount
		Markets   []writer.Input
	}{}
	plans, accounts := make(map[string]bool), make(map[string]bool)
	for _, r := range p.in.recharges.Rows() {
		if r.PurchasedAt < day.Start() {
			basis.Recharges = append(basis.Recharges, basisRecharge{r.ID, r.Account, r.Plan, r.PurchasedAt, r.ExpiresAt, r.Net, r.Currency})
			plans[r.Plan], accounts[r.Account] = true, true
		}
	}
	if len(basis.Recharges) == 0 {
		return ""
	}
	slices.SortFunc(basis.Recharges, func(a, b basisRecharge) int { return strings.Compare(a.ID, b.ID) })
	held := func(from, to reconcile.Date) (basisSpan, bool) { // no charge opened before day has a later date than it
		if to > day {
			to = reconcile.MaxDate
		}
		return basisSpan{from, to}, from <= day
	}
	for _, r := range p.in.rates.Rates() {
		if span, holds := held(r.From, r.To); holds && plans[r.Plan] {
			basis.Rates = append(basis.Rates, basisRate{r.Plan, r.Market, r.Category.String(), r.Unit.String(), r.NoPrice, r.Price, r.Currency, span})
		}
	}
	slices.SortFunc(basis.Rates, compareBasisRates)
	for account := range accounts {
		terms := p.in.accounts.Of(account)
		of := basisAccount{ID: account, Zone: terms.Zone.Name()}
		for from, to := range terms.Spans() {
			if span, holds := held(from, to); holds {
				of.Spans = append(of.Spans, span)
			}
		}
		basis.Accounts = append(basis.Accounts, of)
	}
	slices.SortFunc(basis.Accounts, func(a, b basisAccount) int { return strings.Compare(a.ID, b.ID) })
	for _, f := range p.in.files {
		if f.Table == writer.MarketsInput {
			basis.Markets = append(basis.Markets, f)
		}
	}
	return hashOf(basis)
}

// The rows of rechargeBasis.
type (
	basisSpan     struct{ From, To reconcile.Date }
	basisRecharge struct {
		ID, Account, Plan      string
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
	basisAccount struct {
		ID, Zone string
		Spans    []basisSpan
	}
)

func compareBasisRates(a, b basisRate) int {
	return cmp.Or(strings.Compare(a.Plan, b.Plan), strings.Compare(a.Market, b.Market), strings.Compare(a.Category, b.Category),
		strings.Compare(a.Unit, b.Unit), cmp.Compare(a.Span.From, b.Span.From))
}

// rechargesAt are what a checkpoint of a day has of the recharges: nil where
// none was bought before it.
func (r *run) rechargesAt(ledger *reconcile.Ledger, day reconcile.Date, mark int) *checkpoint.Recharges {
	basis := r.plan.rechargeBasis(day)
	if basis == "" {
		return nil
	}
	return checkpoint.NewRecharges(basis, ledger.Balances(mark))
}
