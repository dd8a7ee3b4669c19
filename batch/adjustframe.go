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
		writer.TextOf(rows, func(r *row) string { return r.BilledCharge.ID }),
		writer.TextOf(rows, func(r *row) string { return r.Account }),
		writer.TextOf(rows, func(r *row) string { return r.Business }),
		writer.TextOf(rows, func(r *row) string { return r.Contact }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Country }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Market }),
		writer.TextOf(rows, func(r *row) string { return r.Unit }),
		writer.TextOf(rows, func(r *row) string { return r.Category }),
		writer.TextOf(rows, func(r *row) string { return r.Rules }),
		writer.NumbersOf(rows, func(r *row) int64 { return r.OpenedAt }),
		wholeIf(rows, func(r *row) (int64, bool) { return r.ExpiresAt, r.Expires }),
		writer.NumbersOf(rows, func(r *row) int64 { return int64(r.Date) }),
		writer.TextOf(rows, func(r *row) string { return r.OpenedBy }),
		writer.NumbersOf(rows, func(r *row) int64 { return r.Out }),
		writer.NumbersOf(rows, func(r *row) int64 { return r.In }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Plan }),
		moneyIf(rows, func(r *row) (reconcile.Micros, bool) { return r.UnitPrice, r.Priced }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Currency }),
		moneyIf(rows, func(r *row) (reconcile.Micros, bool) { return r.Amount, r.Costs }),
		writer.TextOf(rows, func(r *row) string { return r.Status }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Reason }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Recharge }),
		writer.TextOf(rows, func(r *row) string { return r.Certainty }),
		writer.TextOf(rows, func(r *row) string { return string(r.Kind) }),
		writer.TextOf(rows, func(r *row) string { return r.SealedRun }),
		writer.TextOf(rows, func(r *row) string { return r.ID }),
		moneyIf(rows, func(r *row) (reconcile.Micros, bool) { return r.VAT.Rate, r.VAT.Given }),
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
