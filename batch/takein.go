package batch

import (
	"context"

	"waconcile/reconcile"
	"waconcile/writer"
)

// takenIn is what the statements of a month take in from closed ones, to
// which its own charges are added.
type takenIn struct {
	statements *reconcile.Statements
	charges    int64 // replacements less reversals
}

// takeIn reads the adjustments of closed months that the statements of this
// one take in. They have the VAT rates that the charges were billed at, or
// should have been, and bear VAT on what recharges paid as their month does;
// accounts and settings of this run have no part in it.
func (r *run) takeIn(ctx context.Context) (*takenIn, error) {
	in := &takenIn{statements: &reconcile.Statements{VATAt: vatDue(&r.plan.settings, r.plan.standing.taken)}}
	for _, run := range r.plan.standing.taken {
		entry, err := fileOf(ctx, r.job.Out, run, writer.AdjustmentsTable+".parquet")
		if err != nil {
			return nil, err
		}
		for a, err := range readAdjustments(ctx, r.job.Out, run.RunKey()+entry.Name) {
			if err != nil {
				return nil, err
			}
			in.statements.Add(a.Statement(run.Period))
			in.charges += a.Quantity()
		}
	}
	return in, nil
}
