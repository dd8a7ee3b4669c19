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
	findings   []finding
	rejects    []reconcile.Reject
	charges    []writer.FileEntry
	taken      *takenIn     // what the statements take in from closed months
	adjusted   *adjustments // nil: the month is open
}

// finding is a finding with its texts.
type finding struct {
	kind      reconcile.FindingKind
	account   string
	business  string
	contact   string
	messageID string
	at        int64
	detail    string
}

// addUp brings what the shards hold together. Every sum is exact, so its
// order does not matter.
func (r *run) addUp(ctx context.Context, a *attempt, pool *reconcile.Pool) (*results, error) {
	taken, err := r.takeIn(ctx)
	if err != nil {
		return nil, err
	}
	res := &results{
		reading:    a.reading,
		statuses:   make(map[reconcile.ChargeStatus]int64),
		categories: make(map[reconcile.Category]int64),
		pool:       pool,
		rejects:    a.rejects,
		charges:    r.entries,
		taken:      taken,
	}
	summary, statements, usage := &reconcile.Summary{}, taken.statements, &reconcile.Usage{}
	for _, s := range a.shards {
		res.tally.Add(&s.tally)
		res.outside += s.outside
		res.findings = slices.Grow(res.findings, s.findings.len())
		for f := range s.findings.all() {
			res.findings = append(res.findings, r.findingOf(f))
		}
	}
	res.findings = append(res.findings, r.lateFindings(a)...)
	for _, priced := range a.tables.priced {
		for i := range priced.groups {
			g := &priced.groups[i]
			res.statuses[g.rating.Status] += g.quantity
			res.categories[g.category] += g.quantity
			r.addGroup(priced.date, g, summary, statements, usage)
		}
	}
	slices.SortFunc(res.rejects, compareRejects)
	slices.SortFunc(res.findings, compareFindings)
	res.summary = summary.Rows()
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
	statement := reconcile.StatementGroup{Account: account, Status: rating.Status, Quantity: g.quantity}
	if rating.Account != nil {
		row.Plan, statement.VATRate = rating.Account.Plan, rating.Account.VATRate
	}
	if rating.Rate != nil {
		row.UnitPrice, row.Priced, row.Currency = rating.Rate.Price, true, rating.Rate.Currency
		statement.Currency = rating.Rate.Currency
		statement.Net = rating.Rate.Price.Decimal().Mul(decimal.NewFromInt(g.quantity))
	}
	summary.Add(row, g.quantity)
	statements.Add(statement)
	usage.Add(reconcile.CellKey{
		Account: account, Business: r.names.Text(g.business), Date: date,
		Country: g.place.Country, Market: g.place.Market, Category: g.category,
		Currency: row.Currency, Status: rating.Status,
	}, g.quantity, statement.Net)
}

// noData tells whether a required day is missing of those that an account's
// billing dates touch.
func (r *run) noData(account string, from, to reconcile.Date) bool {
	zone := r.plan.in.accounts.Of(account).Zone
	first, last := reconcile.DateOf(zone.Start(from)), reconcile.DateOf(zone.Start(to+1)-1)
	return slices.ContainsFunc(r.plan.Missing, func(d reconcile.Date) bool { return first <= d && d <= last })
}

func (r *run) findingOf(f *reconcile.Finding) finding {
	return finding{
		kind:      f.Kind,
		account:   r.names.Text(f.Account),
		business:  r.names.Text(f.Business),
		contact:   r.names.ContactText(f.Contact),
		messageID: f.MessageID,
		at:        f.At,
		detail:    f.Detail,
	}
}

// compareFindings looks at a text only where all before it are equal: there
// may be as many findings as messages.
func compareFindings(a, b finding) int {
	texts := [...][2]*string{
		{(*string)(&a.kind), (*string)(&b.kind)}, {&a.account, &b.account}, {&a.business, &b.business}, {&a.contact, &b.contact},
	}
	for _, t := range texts {
		if order := strings.Compare(*t[0], *t[1]); order != 0 {
			return order
		}
	}
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	return cmp.Or(strings.Compare(a.messageID, b.messageID), strings.Compare(a.detail, b.detail))
}

func compareRejects(a, b reconcile.Reject) int {
	return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Row, b.Row))
}
