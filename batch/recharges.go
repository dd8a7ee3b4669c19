package batch

import (
	"maps"
	"slices"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// outlookFindings are what the ledger sees coming, as findings.
func outlookFindings(outlooks []reconcile.Outlook) []finding {
	var found []finding
	for _, o := range outlooks {
		found = append(found, finding{kind: o.Kind, account: o.Account, at: o.At, detail: o.Detail})
	}
	return found
}

// movementSums are the sums of the recharges table in one currency.
type movementSums struct {
	opening, bought, used, expired, closing decimal.Decimal
}

func movementTotals(rows []reconcile.RechargeMovement) map[string]movementSums {
	totals := make(map[string]movementSums)
	for i := range rows {
		m := &rows[i]
		t := totals[m.Currency]
		totals[m.Currency] = movementSums{
			opening: t.opening.Add(m.Opening.Decimal()), bought: t.bought.Add(m.Bought.Decimal()),
			used: t.used.Add(m.Used.Decimal()), expired: t.expired.Add(m.Expired.Decimal()), closing: t.closing.Add(m.Closing.Decimal()),
		}
	}
	return totals
}

// rechargeControls hold, in each currency, the two ways to the closing balances
// against each other, and what was taken of the recharges against the charges
// that they paid.
func (res *results) rechargeControls() []writer.ControlTotal {
	var controls []writer.ControlTotal
	totals := movementTotals(res.recharges)
	currencies := slices.AppendSeq(slices.Collect(maps.Keys(totals)), maps.Keys(res.paid))
	slices.Sort(currencies)
	for _, currency := range slices.Compact(currencies) {
		t := totals[currency]
		controls = append(controls,
			amount(writer.RechargesControl+currency, "recharges: opening + bought - used - expired = closing",
				t.opening.Add(t.bought).Sub(t.used).Sub(t.expired), t.closing),
			amount(writer.RechargesUsedControl+currency, "used of the recharges = charges that recharges paid", t.used, res.paid[currency]))
	}
	return controls
}
