package batch

import (
	"context"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// takenIn is what the statements of a month take in from closed ones, to
// which its own charges are added.
type takenIn struct {
	statements *reconcile.Statements
	charges    int64 // replacements less reversals
}

// takeIn reads the adjustments of closed months that the statements of this
// one take in. The VAT rate is that of the account on the billing date of the
// charge that is adjusted.
func (r *run) takeIn(ctx context.Context) (*takenIn, error) {
	in := &takenIn{statements: &reconcile.Statements{}}
	for _, run := range r.plan.standing.taken {
		entry, err := fileOf(ctx, r.job.Out, run, writer.AdjustmentsTable+".parquet")
		if err != nil {
			return nil, err
		}
		for a, err := range readAdjustments(ctx, r.job.Out, run.RunKey()+entry.Name) {
			if err != nil {
				return nil, err
			}
			in.statements.Add(a.Statement(run.Period, r.vatRate(a.Account, a.Date)))
			in.charges += a.Quantity()
		}
	}
	return in, nil
}

// vatRate is nil where no row covers the date, or has none.
func (r *run) vatRate(account string, d reconcile.Date) *decimal.Decimal {
	row := r.plan.in.accounts.Of(account).On(d)
	if row == nil {
		return nil
	}
	return row.VATRate
}
