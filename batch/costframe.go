package batch

import (
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// costText is what the charges of a group cost, as their rows show it.
type costText struct {
	reconcile.CostKey
	reason string
	amount reconcile.Micros
	costs  bool // amount is not null
}

// costTextOf is nil where there is one book.
func costTextOf(c *costing) *costText {
	if c == nil {
		return nil
	}
	t := &costText{CostKey: reconcile.CostKeyOf(c.place, c.rating), reason: string(c.rating.Reason)}
	switch t.Status {
	case reconcile.Charged:
		t.amount, t.costs = t.UnitPrice, true
	case reconcile.Free:
		t.costs = true
	}
	return t
}

// costColumns are the columns that writer.CostChargesSchema has beyond
// writer.ChargesSchema, in its order: the values of all groups, by code. It is
// nil where there is one book.
func costColumns(groups []groupText) []*writer.Column {
	if len(groups) == 0 || groups[0].cost == nil {
		return nil
	}
	type group = groupText
	maybe := func(of func(*group) string) *writer.Column { return new(writer.OptionalTextOf(groups, of)) }
	money := func(of func(*group) (reconcile.Micros, bool)) *writer.Column { return new(moneyIf(groups, of)) }
	return []*writer.Column{
		maybe(func(g *group) string { return g.cost.Country }),
		maybe(func(g *group) string { return g.cost.Market }),
		maybe(func(g *group) string { return g.cost.Plan }),
		money(func(g *group) (reconcile.Micros, bool) { return g.cost.UnitPrice, g.cost.Priced }),
		maybe(func(g *group) string { return g.cost.Currency }),
		money(func(g *group) (reconcile.Micros, bool) { return g.cost.amount, g.cost.costs }),
		new(writer.TextOf(groups, func(g *group) string { return g.cost.Status.String() })),
		maybe(func(g *group) string { return g.cost.reason }),
	}
}

// costSummaryFrame is summaryFrame in the columns of writer.CostSummarySchema.
func costSummaryFrame(rows []reconcile.SummaryRow) writer.Frame {
	type row = reconcile.SummaryRow
	f := summaryFrame(rows)
	f.Columns = append(f.Columns,
		writer.OptionalTextOf(rows, func(r *row) string { return r.CostKey.Country }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.CostKey.Market }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.CostKey.Plan }),
		moneyIf(rows, func(r *row) (reconcile.Micros, bool) { return r.CostKey.UnitPrice, r.CostKey.Priced }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.CostKey.Currency }),
		writer.TextOf(rows, func(r *row) string { return r.CostKey.Status.String() }),
		wide(rows, func(r *row) *decimal.Decimal {
			if r.CostKey.Status == reconcile.Unrated {
				return nil
			}
			return &r.Cost
		}),
		writer.OptionalTextOf(rows, func(r *row) string {
			if r.Margin == nil || r.Margin.Rate == nil {
				return ""
			}
			return r.Margin.Rate.String()
		}),
		wide(rows, func(r *row) *decimal.Decimal {
			if r.Margin == nil {
				return nil
			}
			return &r.Margin.Amount
		}),
		writer.OptionalTextOf(rows, func(r *row) string {
			if r.Margin == nil {
				return ""
			}
			return r.Margin.Currency
		}),
	)
	return f
}

// chargesSchema, summarySchema and summaryFrame are those of a run that has
// these inputs.
func (in *inputs) chargesSchema() writer.Schema {
	if in.cost == nil {
		return writer.ChargesSchema()
	}
	return writer.CostChargesSchema()
}

func (in *inputs) summarySchema() writer.Schema {
	if in.cost == nil {
		return writer.SummarySchema()
	}
	return writer.CostSummarySchema()
}

func (in *inputs) summaryFrame() func([]reconcile.SummaryRow) writer.Frame {
	if in.cost == nil {
		return summaryFrame
	}
	return costSummaryFrame
}
