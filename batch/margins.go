package batch

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/report"

	"github.com/shopspring/decimal"
)

// addMargins gives the rows of the summary their margins, and logs which
// exchange rates are missing: each pair of currencies once, with the first
// date that lacks it.
func (r *run) addMargins(ctx context.Context, rows []reconcile.SummaryRow) {
	book := r.plan.in.cost
	if book == nil {
		return
	}
	missing := reconcile.AddMargins(rows, book.fx)
	slices.SortFunc(missing, func(a, b reconcile.MissingRate) int { return a.Compare(b) })
	level, text := slog.LevelWarn, "no exchange rate: these charges have no margin"
	if book.fx == nil {
		level, text = slog.LevelInfo, "sold and bought in different currencies, and fx is not given: these charges have no margin"
	}
	for len(missing) > 0 {
		first := missing[0]
		dates := slices.IndexFunc(missing, func(m reconcile.MissingRate) bool { return m.From != first.From || m.To != first.To })
		if dates < 0 {
			dates = len(missing)
		}
		r.job.Log.Log(ctx, level, text, "from", first.From, "to", first.To, "first", first.Date.String(), "dates", dates)
		missing = missing[dates:]
	}
}

// addCosts notes what groups of charges cost, by currency.
func (res *results) addCosts(g *group) {
	if g.cost == nil || g.cost.rating.Rate == nil {
		return
	}
	currency := g.cost.rating.Rate.Currency
	res.costs[currency] = res.costs[currency].Add(amountOf(g.cost.rating, g.quantity))
}

// amountOf is what so many charges of a rating come to; 0 where it is not
// charged.
func amountOf(rating *reconcile.Rating, quantity int64) decimal.Decimal {
	if rating.Status != reconcile.Charged {
		return decimal.Decimal{}
	}
	return rating.Rate.Price.Decimal().Mul(decimal.NewFromInt(quantity))
}

// costControls: the costs of the summary are those of the charges, in all by
// what was counted while they were written, and for each currency by their
// groups.
func (r *run) costControls(res *results) ([]writer.ControlTotal, error) {
	if r.plan.in.cost == nil {
		return nil, nil
	}
	written, err := columnTotal(res.charges, "cost_amount")
	if err != nil {
		return nil, err
	}
	sum, stated := decimal.Decimal{}, make(map[string]decimal.Decimal)
	for i := range res.summary {
		row := &res.summary[i]
		sum = sum.Add(row.Cost)
		if row.CostKey.Currency != "" {
			stated[row.CostKey.Currency] = stated[row.CostKey.Currency].Add(row.Cost)
		}
	}
	totals := []writer.ControlTotal{amount("summary_cost", "summary cost = costs of the charges", sum, written)}
	all := maps.Clone(stated)
	maps.Copy(all, res.costs)
	for _, currency := range slices.Sorted(maps.Keys(all)) {
		totals = append(totals, amount(writer.CostControl+currency, "summary cost = costs of the charges, "+currency, stated[currency], res.costs[currency]))
	}
	return totals, nil
}

// reportCost is nil where there is one book.
func (r *run) reportCost(s *reconcile.SummaryRow) *report.Cost {
	if r.plan.in.cost == nil {
		return nil
	}
	cost := &report.Cost{Currency: s.CostKey.Currency, Status: s.CostKey.Status.String(), Amount: s.Cost}
	if s.Margin != nil {
		cost.Margin, cost.MarginCurrency = decimal.NewNullDecimal(s.Margin.Amount), s.Margin.Currency
	}
	return cost
}
