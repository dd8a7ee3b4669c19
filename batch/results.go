package batch

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// results is everything that a run publishes beside the charges.
type results struct {
	tally      reconcile.Tally
	reading    readCounts
	outside    int64 // conversations opened outside the period
	statuses   map[reconcile.ChargeStatus]int64
	categories map[reconcile.Category]int64
	summary    []reconcile.SummaryRow
	statements []reconcile.Statement
	pool       *reconcile.Pool
	compared   *reconcile.Comparison
	recharges  []reconcile.RechargeMovement
	paid       map[string]decimal.Decimal // by currency, what recharges paid of the charges
	findings   *findingList
	rejects    []reconcile.Reject
	costs      map[string]decimal.Decimal // of the charges, by currency
	charges    []writer.FileEntry
	taken      *takenIn     // what the statements take in from closed months
	adjusted   *adjustments // nil: the month is open
}

// addUp makes the tables of what the passes have come to. Every sum is exact,
// so its order does not matter.
func (r *run) addUp(ctx context.Context, g *gathered, pool *reconcile.Pool) (*results, error) {
	taken, err := r.takeIn(ctx)
	if err != nil {
		return nil, err
	}
	res := &results{
		tally:      g.tally,
		reading:    g.reading,
		outside:    g.outside,
		statuses:   make(map[reconcile.ChargeStatus]int64),
		categories: make(map[reconcile.Category]int64),
		costs:      make(map[string]decimal.Decimal),
		pool:       pool,
		paid:       make(map[string]decimal.Decimal),
		findings:   g.findings,
		rejects:    g.rejects,
		charges:    r.entries,
		taken:      taken,
	}
	if err := res.findings.add(r.lateFindings(g.late)); err != nil {
		return nil, err
	}
	if g.ledger != nil {
		res.recharges = g.ledger.Movements()
		if err := res.findings.add(outlookFindings(g.ledger.Outlooks(r.job.ExpiryDays))); err != nil {
			return nil, err
		}
	}
	summary, statements, usage := &reconcile.Summary{}, taken.statements, pool.Usage()
	for _, priced := range g.priced {
		for i := range priced.groups {
			group := &priced.groups[i]
			if group.quantity == 0 { // recharges paid for all of them
				continue
			}
			res.statuses[group.rating.Status] += group.quantity
			res.categories[group.category] += group.quantity
			res.addCosts(group)
			if rating := group.rating; rating.Recharge != nil {
				paid := rating.Rate.Price.Decimal().Mul(decimal.NewFromInt(group.quantity))
				res.paid[rating.Rate.Currency] = res.paid[rating.Rate.Currency].Add(paid)
			}
			r.addGroup(priced.date, group, summary, statements, usage)
		}
	}
	slices.SortFunc(res.rejects, compareRejects)
	res.summary = summary.Rows()
	r.addMargins(ctx, res.summary)
	res.compared = pool.Compare(usage, r.noData)
	if res.statements, err = statements.Rows(); err != nil {
		return nil, err
	}
	res.adjusted, err = r.adjust(ctx)
	return res, err
}

// addGroup adds charges that are alike to the three tables that sums are
// published in.
func (r *run) addGroup(date reconcile.Date, g *group, summary *reconcile.Summary, statements *reconcile.Statements, usage *reconcile.Usage) {
	rating, account := g.rating, r.names.Text(g.account)
	row := reconcile.SummaryKey{
		Account: account, Date: date, Country: g.place.Country, Market: g.place.Market,
		Category: g.category, Unit: reconcile.UnitConversation, Status: rating.Status,
	}
	row.Plan = rating.Plan()
	statement := reconcile.StatementGroup{Account: account, Status: rating.Status, Prepaid: rating.Recharge != nil, Quantity: g.quantity}
	if rating.Account != nil {
		statement.VATRate = rating.Account.VATRate
	}
	if rating.Rate != nil {
		row.UnitPrice, row.Priced, row.Currency = rating.Rate.Price, true, rating.Rate.Currency
		statement.Currency = rating.Rate.Currency
		statement.Net = rating.Rate.Price.Decimal().Mul(decimal.NewFromInt(g.quantity))
	}
	cell := reconcile.CellKey{
		Account: account, Business: r.names.Text(g.business), Date: date,
		Country: g.place.Country, Market: g.place.Market, Category: g.category,
		Currency: row.Currency, Status: rating.Status,
	}
	ours := statement.Net
	if g.cost != nil {
		row.CostKey = reconcile.CostKeyOf(g.cost.place, g.cost.rating)
		if r.plan.settings.InvoiceBook == writer.CostBook {
			cell.Country, cell.Market, cell.Currency, cell.Status = row.CostKey.Country, row.CostKey.Market, row.CostKey.Currency, row.CostKey.Status
			ours = amountOf(g.cost.rating, g.quantity)
		}
	}
	summary.Add(row, g.quantity)
	statements.Add(statement)
	usage.Add(cell, g.quantity, ours)
}

// noData tells whether a required day is missing of those that an account's
// billing dates touch.
func (r *run) noData(account string, from, to reconcile.Date) bool {
	zone := r.plan.in.accounts.Of(account).Zone
	first, last := reconcile.DateOf(zone.Start(from)), reconcile.DateOf(zone.Start(to+1)-1)
	return slices.ContainsFunc(r.plan.Missing, func(d reconcile.Date) bool { return first <= d && d <= last })
}

func compareRejects(a, b reconcile.Reject) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row))
}
