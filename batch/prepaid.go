package batch

import (
	"waconcile/reconcile"
)

// purchase is the first recharge that was bought by the end of the period;
// charges since then draw on recharges.
type purchase struct {
	made bool
	at   int64
}

// firstPurchase looks for it by the end of the days that the period touches.
// Before the first message of all there is nothing to draw.
func firstPurchase(recharges *reconcile.Recharges, span *daySpan) purchase {
	first, some := recharges.First()
	first = max(first, reconcile.EarliestSent)
	return purchase{made: some && reconcile.DateOf(first) <= span.requiredLast, at: first}
}

// drawsFrom is the instant from which on the run has charges draw: what those
// opened before have taken, the checkpoint that it starts from tells.
func (p *Plan) drawsFrom() int64 {
	if p.start != nil {
		return max(p.purchase.at, p.start.header.At().Start())
	}
	return p.purchase.at
}

// drawsSince is from when on charges of an account draw; never where it has no
// recharge.
func (p *Plan) drawsSince(account string) int64 {
	bought := p.in.recharges.Of(account)
	if len(bought) == 0 {
		return reconcile.NeverExpires
	}
	return max(bought[0].PurchasedAt, p.drawsFrom())
}

// chargesFrom is the first billing date of the charges that the run makes: that
// of the period, or the first on which, in any zone, charges may draw.
func (p *Plan) chargesFrom() reconcile.Date {
	if !p.purchase.made {
		return p.Period.From
	}
	return min(p.Period.From, reconcile.DateOf(p.drawsFrom())-1)
}

// balances are what the recharges had left where the run starts.
func (s *start) balances() map[string]reconcile.Micros {
	if s == nil || s.header.Recharges == nil {
		return nil
	}
	return s.header.Recharges.Balances()
}
