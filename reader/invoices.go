package reader

import (
	"context"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"waconcile/reconcile"
)

func invoiceColumns() []column {
	return []column{
		{name: "invoice_id"}, {name: "line_id", optional: true}, {name: "account_id"},
		{name: "business_number", optional: true}, {name: "date_from"}, {name: "date_to"},
		{name: "market", optional: true}, {name: "category", optional: true}, {name: "kind", optional: true},
		{name: "quantity", optional: true}, {name: "unit_price", optional: true}, {name: "amount"}, {name: "currency"},
	}
}

// The bounds of a number on an invoice, within which sums over any invoice
// fit the columns that are published.
const (
	invoiceDecimalsMax      = 6
	invoicePriceDecimalsMax = 18 // of a unit price, which is published as a product only
)

// invoiceNumberMax is what every number on an invoice is below.
func invoiceNumberMax() decimal.Decimal { return decimal.New(1, 15) }

// ReadInvoices reads all .csv and .parquet files of src in the canonical
// columns (contract, Invoices), and says which files they are. The lines come
// in the order of the files' keys, an empty amount filled in. What cannot be
// used matches ErrInput and names file, line (in Parquet the row, from 1) and
// column. A place without any file gives no lines.
func ReadInvoices(ctx context.Context, src Source) ([]reconcile.InvoiceLine, []InputFile, error) {
	var lines []reconcile.InvoiceLine
	files, err := readInputs(ctx, src, inputTable{columns: invoiceColumns(), parquet: true, each: func(r *record) {
		lines = append(lines, invoiceLineOf(r))
	}})
	if err != nil {
		return nil, nil, fmt.Errorf("read invoices in %v: %w", src, err)
	}
	return lines, files, nil
}

func invoiceLineOf(r *record) reconcile.InvoiceLine {
	l := reconcile.InvoiceLine{
		Where:     r.where,
		InvoiceID: r.required("invoice_id"),
		LineID:    r.text("line_id"),
		Account:   r.required("account_id"),
		Business:  string(reconcile.NormaliseNumber([]byte(r.text("business_number")), nil)),
		Market:    reconcile.MarketKey(r.text("market")),
		Category:  r.category(),
		Kind:      lineKindOf(r),
		Quantity:  invoiceNumber(r, "quantity", invoiceDecimalsMax),
		UnitPrice: invoiceNumber(r, "unit_price", invoicePriceDecimalsMax),
		Amount:    invoiceNumber(r, "amount", invoiceDecimalsMax),
		Currency:  r.currency(),
	}
	r.required("date_from")
	r.required("date_to")
	l.From, l.To = r.dateOr("date_from", 0), r.dateOr("date_to", 0)
	if l.To < l.From {
		r.fail("date_to", fmt.Errorf("%v lies before date_from %v", l.To, l.From))
	}
	l.AmountGiven = l.Amount != nil
	switch {
	case l.AmountGiven:
	case l.Quantity == nil || l.UnitPrice == nil:
		r.fail("amount", errors.New("value is missing, and so is quantity or unit_price"))
	default:
		l.Amount = new(l.Quantity.Mul(*l.UnitPrice))
	}
	return l
}

func lineKindOf(r *record) reconcile.LineKind {
	s := r.text("kind")
	k, ok := reconcile.ParseLineKind(s)
	if !ok {
		r.fail("kind", fmt.Errorf("%q is no kind of line: usage, fee, tax, credit, recharge or total", s))
	}
	return k
}

// invoiceNumber is a number, nil where the cell is empty.
func invoiceNumber(r *record, column string, decimalsMax int32) *decimal.Decimal {
	s := r.text(column)
	if s == "" {
		return nil
	}
	d, err := reconcile.ParseDecimal(s)
	switch {
	case err != nil:
		r.fail(column, err)
	case !d.Truncate(decimalsMax).Equal(d):
		r.fail(column, fmt.Errorf("%s has more than %d decimals", s, decimalsMax))
	case d.Abs().Cmp(invoiceNumberMax()) >= 0:
		r.fail(column, fmt.Errorf("%s is too large", s))
	}
	return &d
}
