package writer

import (
	"fmt"

	"waconcile/reconcile"
)

// CostChargesSchema is the table of charges of a run that was given the
// provider's book, too: ChargesSchema and then what the provider charges for
// the same conversation, by its own table of markets.
func CostChargesSchema() Schema {
	return append(ChargesSchema(),
		ColumnSpec{Name: "cost_country", Type: Text, Nullable: true},
		ColumnSpec{Name: "cost_market", Type: Text, Nullable: true},
		ColumnSpec{Name: "cost_plan", Type: Text, Nullable: true},
		ColumnSpec{Name: "cost_unit_price", Type: Money, Nullable: true},
		ColumnSpec{Name: "cost_currency", Type: Text, Nullable: true},
		ColumnSpec{Name: costAmount, Type: Money, Nullable: true},
		ColumnSpec{Name: "cost_status", Type: Text},
		ColumnSpec{Name: "cost_reason", Type: Text, Nullable: true},
	)
}

// CostSummarySchema is the summary of such a run: SummarySchema, of which a row
// now also has one cost, and then the cost and the margin. It is sorted by the
// columns up to status and then from cost_country to cost_status. The margin
// is net_amount less cost_amount in margin_currency; where cost_amount is in
// another currency it is multiplied by fx_rate and rounded half even to six
// decimals first. It is null where it cannot be known: where one of the books
// has no price, or no rate leads from one currency to the other. fx_rate is a
// plain decimal of any number of places.
func CostSummarySchema() Schema {
	return append(SummarySchema(),
		ColumnSpec{Name: "cost_country", Type: Text, Nullable: true},
		ColumnSpec{Name: "cost_market", Type: Text, Nullable: true},
		ColumnSpec{Name: "cost_plan", Type: Text, Nullable: true},
		ColumnSpec{Name: "cost_unit_price", Type: Money, Nullable: true},
		ColumnSpec{Name: "cost_currency", Type: Text, Nullable: true},
		ColumnSpec{Name: "cost_status", Type: Text},
		ColumnSpec{Name: costAmount, Type: WideMoney, Nullable: true},
		ColumnSpec{Name: "fx_rate", Type: Text, Nullable: true},
		ColumnSpec{Name: "margin", Type: WideMoney, Nullable: true},
		ColumnSpec{Name: "margin_currency", Type: Text, Nullable: true},
	)
}

// costAmount is the column by whose total a file tells that it has costs.
const costAmount = "cost_amount"

// withCosts is the schema of a table of a run that was given the provider's
// book.
func withCosts(table string, s Schema) Schema {
	switch table {
	case ChargesTable:
		return CostChargesSchema()
	case SummaryTable:
		return CostSummarySchema()
	}
	return s
}

// schemaOf is SchemaOf of a file as its writer has described it.
func (f *FileEntry) schemaOf() (s Schema, isTable bool) {
	table, s, isTable := SchemaOf(f.Name)
	if _, costs := f.Totals[costAmount]; costs {
		s = withCosts(table, s)
	}
	return s, isTable
}

// Costs says whether the run was given the provider's book: its charges and
// its summary have the columns of CostChargesSchema and CostSummarySchema.
func (m *Manifest) Costs() bool { return len(m.InputsOf(CostRatesInput)) > 0 }

// ChargesSchema is that of the run's charges.
func (m *Manifest) ChargesSchema() Schema {
	if m.Costs() {
		return CostChargesSchema()
	}
	return ChargesSchema()
}

// The books that invoices can be compared with.
const (
	SellBook = "sell" // what is sold by; a run without the provider's book has no other
	CostBook = "cost" // what the provider charges
)

// costKey is what charges of one row of the summary cost, by the columns of
// charges and of the summary alike.
type costKey struct {
	country, market, plan, currency, status string
	price                                   reconcile.Micros
	priced                                  bool
}

// costColumns are the columns of a frame of charges that tell what they cost.
type costColumns struct {
	country, market, plan, currency, status, price, amount *Column
}

// costColumnsOf is nil where a frame has no such columns.
func costColumnsOf(f *Frame) *costColumns {
	s := CostChargesSchema()
	if len(f.Columns) < len(s) {
		return nil
	}
	of := func(name string) *Column { return &f.Columns[s.index(name)] }
	return &costColumns{
		country: of("cost_country"), market: of("cost_market"), plan: of("cost_plan"), currency: of("cost_currency"),
		status: of("cost_status"), price: of("cost_unit_price"), amount: of(costAmount),
	}
}

// keyAt is the zero value where there are no such columns.
func (c *costColumns) keyAt(row int) costKey {
	if c == nil {
		return costKey{}
	}
	return costKey{
		country: c.country.textAt(row), market: c.market.textAt(row), plan: c.plan.textAt(row), currency: c.currency.textAt(row),
		status: c.status.Text[row], price: c.price.microsAt(row), priced: !c.price.isNull(row),
	}
}

// amountAt is 0 where there are no such columns.
func (c *costColumns) amountAt(row int) reconcile.Micros {
	if c == nil {
		return 0
	}
	return c.amount.microsAt(row)
}

// check looks at what a charge costs by itself.
func (c *costColumns) check(row int) error {
	if c == nil {
		return nil
	}
	if err := checkPriced(c.status.Text[row], c.price, c.amount, row); err != nil {
		return fmt.Errorf("cost: %w", err)
	}
	return nil
}
