package writer

import (
	"iter"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// BilledCharges yields the rows of a frame of ChargesSchema, each only until
// the next is asked for; its texts stay.
func BilledCharges(f *Frame) iter.Seq[*reconcile.BilledCharge] {
	return func(yield func(*reconcile.BilledCharge) bool) {
		var c reconcile.BilledCharge
		for row := range f.Rows {
			f.billedAt(row, &c)
			if !yield(&c) {
				return
			}
		}
	}
}

// Adjustments yields the rows of a frame of AdjustmentsSchema, each only until
// the next is asked for; its texts stay.
func Adjustments(f *Frame) iter.Seq[*reconcile.Adjustment] {
	kind := len(ChargesSchema())
	return func(yield func(*reconcile.Adjustment) bool) {
		var a reconcile.Adjustment
		for row := range f.Rows {
			f.billedAt(row, &a.BilledCharge)
			a.Kind = reconcile.AdjustmentKind(f.Columns[kind].Text[row])
			a.SealedRun, a.ID = f.Columns[kind+1].Text[row], f.Columns[kind+2].Text[row]
			a.VAT = f.Columns[kind+3].vatAt(row)
			if !yield(&a) {
				return
			}
		}
	}
}

// Stated is what a row of the statements says of a VAT rate.
type Stated struct {
	Account, Currency string // Currency is empty for null
	VAT               reconcile.VATRate
	Payable, Prepaid  decimal.Decimal
	Adjusted          string // empty for null
}

// StatedRows yields the rows of a frame of statements, which may be of an
// older schema.
func StatedRows(s Schema, f *Frame) iter.Seq[Stated] {
	return func(yield func(Stated) bool) {
		for row := range f.Rows {
			r := tableRow{s, f, row}
			stated := Stated{
				Account: r.text("account_id"), Currency: r.text("currency"), VAT: r.vat(), Adjusted: r.adjustedPeriod(),
				Payable: r.wide("payable_net"), Prepaid: r.wide("prepaid_net"),
			}
			if !yield(stated) {
				return
			}
		}
	}
}

func (r tableRow) vat() reconcile.VATRate { return r.column("vat_rate").vatAt(r.row) }

func (c *Column) vatAt(row int) reconcile.VATRate {
	return reconcile.VATRate{Rate: c.microsAt(row), Given: !c.isNull(row)}
}

// billedAt reads a row of a frame whose first columns are those of
// ChargesSchema.
func (f *Frame) billedAt(row int, c *reconcile.BilledCharge) {
	next := 0
	column := func() *Column {
		next++
		return &f.Columns[next-1]
	}
	text := func(into *string) { *into = column().textAt(row) }
	money := func(into *reconcile.Micros, present *bool) {
		col := column()
		*into, *present = col.microsAt(row), !col.isNull(row)
	}
	text(&c.ID)
	text(&c.Account)
	text(&c.Business)
	text(&c.Contact)
	text(&c.Country)
	text(&c.Market)
	text(&c.Unit)
	text(&c.Category)
	text(&c.Rules)
	c.OpenedAt = column().Int[row]
	expires := column()
	if c.Expires = !expires.isNull(row); c.Expires {
		c.ExpiresAt = expires.Int[row]
	} else {
		c.ExpiresAt = 0
	}
	c.Date = reconcile.Date(column().Int[row])
	text(&c.OpenedBy)
	c.Out, c.In = column().Int[row], column().Int[row]
	text(&c.Plan)
	money(&c.UnitPrice, &c.Priced)
	text(&c.Currency)
	money(&c.Amount, &c.Costs)
	text(&c.Status)
	text(&c.Reason)
	text(&c.Recharge)
	text(&c.Certainty)
}
