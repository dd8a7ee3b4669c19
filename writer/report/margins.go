package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// Cost is what a row of the summary costs by the provider's book.
type Cost struct {
	Currency string // empty where it has no price
	Status   string // charged, free, unrated
	Amount   decimal.Decimal
	// Margin is net less cost, in MarginCurrency; not valid where a price or an
	// exchange rate is missing.
	Margin         decimal.NullDecimal
	MarginCurrency string
}

// marginTable is revenue, cost and margin by one thing.
type marginTable struct {
	By   string // account, market, category
	Rows []marginRow
}

type marginRow struct {
	Name    string // empty for an unknown market
	Charges string
	Net     string // with its currency; empty where nothing has a price
	Cost    string
	Margin  string
	Share   string // of the net amount, in percent
	Note    string // why there is no margin
}

// marginKey is the charges of a row of a marginTable: currencies are never
// mixed, nor those that have a margin with those that have none.
type marginKey struct{ name, currency, cost, margin string }

func (k *marginKey) compare(other *marginKey) int {
	return cmp.Or(cmp.Compare(k.name, other.name), cmp.Compare(k.currency, other.currency),
		cmp.Compare(k.cost, other.cost), cmp.Compare(k.margin, other.margin))
}

// marginSum is a row in the making.
type marginSum struct {
	marginKey
	charges, unrated int64
	net, spent, left decimal.Decimal
}

// marginTables are empty where the run has but one book.
func marginTables(d *Data) []marginTable {
	if len(d.Summary) == 0 || d.Summary[0].Cost == nil {
		return nil
	}
	return []marginTable{
		newMarginTable(d, "account", func(r *SummaryRow) string { return r.Account }),
		newMarginTable(d, "market", func(r *SummaryRow) string { return r.Market }),
		newMarginTable(d, "category", func(r *SummaryRow) string { return r.Category }),
	}
}

func newMarginTable(d *Data, by string, name func(*SummaryRow) string) marginTable {
	sums := map[marginKey]*marginSum{}
	var order []*marginSum
	for i := range d.Summary {
		row := &d.Summary[i]
		key := marginKey{name(row), row.Currency, row.Cost.Currency, row.Cost.MarginCurrency}
		s := sums[key]
		if s == nil {
			s = &marginSum{marginKey: key}
			sums[key] = s
			order = append(order, s)
		}
		s.charges += row.Quantity
		if row.Status == unratedStatus || row.Cost.Status == unratedStatus {
			s.unrated += row.Quantity
		}
		s.net, s.spent = s.net.Add(row.Net), s.spent.Add(row.Cost.Amount)
		s.left = s.left.Add(row.Cost.Margin.Decimal)
	}
	slices.SortFunc(order, func(a, b *marginSum) int { return a.compare(&b.marginKey) })
	t := marginTable{By: by}
	for _, s := range order {
		t.Rows = append(t.Rows, s.row())
	}
	return t
}

func (s *marginSum) row() marginRow {
	row := marginRow{Name: s.name, Charges: count(s.charges)}
	if s.currency != "" {
		row.Net = rounded(s.net, s.currency) + " " + s.currency
	}
	if s.cost != "" {
		row.Cost = rounded(s.spent, s.cost) + " " + s.cost
	}
	switch {
	case s.margin != "":
		row.Margin = rounded(s.left, s.margin) + " " + s.margin
		if s.currency != "" {
			row.Share = share(s.left, s.net)
		}
	case s.unrated > 0:
		row.Note = count(s.unrated) + " without a price"
	case s.currency != "" && s.cost != "":
		row.Note = "no exchange rate"
	}
	return row
}

// missingRates are the exchange rates without which sales have no margin: each
// pair of currencies with its days.
func missingRates(d *Data) []string {
	type pair struct{ from, to string }
	days := map[pair][]string{}
	for i := range d.Summary {
		row := &d.Summary[i]
		if row.Cost == nil || row.Currency == "" || row.Cost.Currency == "" || row.Cost.MarginCurrency != "" ||
			row.Status == unratedStatus || row.Cost.Status == unratedStatus {
			continue
		}
		p := pair{row.Cost.Currency, row.Currency}
		days[p] = append(days[p], row.Date)
	}
	var texts []string
	for p, of := range days {
		slices.Sort(of)
		of = slices.Compact(of)
		noun := "days"
		if len(of) == 1 {
			noun = "day"
		}
		texts = append(texts, fmt.Sprintf("%s to %s: %s %s, the first %s", p.from, p.to, count(int64(len(of))), noun, of[0]))
	}
	slices.Sort(texts)
	return texts
}
