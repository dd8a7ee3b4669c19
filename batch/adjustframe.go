package batch

import (
	"waconcile/reconcile"
	"waconcile/writer"
)

// adjustmentsFrame lays adjustments out in the columns of
// writer.AdjustmentsSchema, in its order.
func adjustmentsFrame(rows []reconcile.Adjustment) writer.Frame {
	type row = reconcile.Adjustment
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		text(rows, func(r *row) string { return r.BilledCharge.ID }),
		text(rows, func(r *row) string { return r.Account }),
		text(rows, func(r *row) string { return r.Business }),
		text(rows, func(r *row) string { return r.Contact }),
		optional(rows, func(r *row) string { return r.Country }),
		optional(rows, func(r *row) string { return r.Market }),
		text(rows, func(r *row) string { return r.Unit }),
		text(rows, func(r *row) string { return r.Category }),
		text(rows, func(r *row) string { return r.Rules }),
		whole(rows, func(r *row) int64 { return r.OpenedAt }),
		wholeIf(rows, func(r *row) (int64, bool) { return r.ExpiresAt, r.Expires }),
		whole(rows, func(r *row) int64 { return int64(r.Date) }),
		text(rows, func(r *row) string { return r.OpenedBy }),
		whole(rows, func(r *row) int64 { return r.Out }),
		whole(rows, func(r *row) int64 { return r.In }),
		optional(rows, func(r *row) string { return r.Plan }),
		moneyIf(rows, func(r *row) (reconcile.Micros, bool) { return r.UnitPrice, r.Priced }),
		optional(rows, func(r *row) string { return r.Currency }),
		moneyIf(rows, func(r *row) (reconcile.Micros, bool) { return r.Amount, r.Costs }),
		text(rows, func(r *row) string { return r.Status }),
		optional(rows, func(r *row) string { return r.Reason }),
		optional(rows, func(r *row) string { return r.Recharge }),
		text(rows, func(r *row) string { return r.Certainty }),
		text(rows, func(r *row) string { return string(r.Kind) }),
		text(rows, func(r *row) string { return r.SealedRun }),
		text(rows, func(r *row) string { return r.ID }),
	}}
}

// wholeIf is a column of whole numbers of which some are null.
func wholeIf[Row any](rows []Row, of func(*Row) (int64, bool)) writer.Column {
	c := writer.Column{Int: make([]int64, len(rows)), Null: make([]bool, len(rows))}
	for i := range rows {
		v, present := of(&rows[i])
		c.Int[i], c.Null[i] = v, !present
	}
	return c
}

// moneyIf is a column of money of which some is null.
func moneyIf[Row any](rows []Row, of func(*Row) (reconcile.Micros, bool)) writer.Column {
	c := newNullableMoney(len(rows))
	for i := range rows {
		if m, present := of(&rows[i]); present {
			c.set(i, m)
		}
	}
	return c.column()
}
