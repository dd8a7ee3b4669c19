package main

import (
	"context"
	"fmt"

	"waconcile/batch"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// marginTotal is what charges of one pair of currencies were sold for and what
// they cost. Those that have a margin are not added up with those that have
// none. What has no price, or none in any currency, has an empty currency.
type marginTotal struct {
	Currency     string          `json:"currency"`      // sold in
	CostCurrency string          `json:"cost_currency"` // bought in
	Charges      int64           `json:"charges"`
	Unrated      int64           `json:"unrated"` // charges that one of the books has no price for
	Net          decimal.Decimal `json:"net_amount"`
	Cost         decimal.Decimal `json:"cost_amount"`
	// Margin is absent where there is none: a price is missing in one of the
	// books, or an exchange rate.
	Margin         *decimal.Decimal `json:"margin"`
	MarginCurrency string           `json:"margin_currency"`
}

// readMargins adds up the summary by currencies; nil where the run has but one
// book.
func readMargins(ctx context.Context, job *batch.Job, m *writer.Manifest) ([]marginTotal, error) {
	if !m.Costs() {
		return nil, nil
	}
	totals := map[string]*marginTotal{}
	err := eachRow(ctx, job.Out, m, writer.SummaryTable, func(r row) error {
		currency, bought, of := r.text("currency"), r.text("cost_currency"), r.text("margin_currency")
		key := currency + "\x00" + bought + "\x00" + of
		t := totals[key]
		if t == nil {
			t = &marginTotal{Currency: currency, CostCurrency: bought, MarginCurrency: of}
			totals[key] = t
		}
		return t.add(r)
	})
	return sortedValues(totals), err
}

func (t *marginTotal) add(r row) error {
	quantity, err := r.number("quantity")
	if err != nil {
		return err
	}
	t.Charges += quantity
	if r.text("status") == "unrated" || r.text("cost_status") == "unrated" {
		t.Unrated += quantity
	}
	for _, figure := range []struct {
		column string
		sum    *decimal.Decimal
	}{{"net_amount", &t.Net}, {"cost_amount", &t.Cost}} {
		amount, err := r.amount(figure.column)
		if err != nil {
			return err
		}
		*figure.sum = figure.sum.Add(amount)
	}
	if t.MarginCurrency == "" {
		return nil
	}
	margin, err := r.amount("margin")
	if t.Margin != nil {
		margin = margin.Add(*t.Margin)
	}
	t.Margin = &margin
	return err
}

// marginRows say why there is no margin where there is none.
func (f *figures) marginRows() [][]string {
	if len(f.Margins) == 0 {
		return nil
	}
	rows := [][]string{{"margin", "charges", "sold for", "", "cost", "", "margin", ""}}
	for _, t := range f.Margins {
		line := []string{"", grouped(t.Charges), "", t.Currency, "", t.CostCurrency, "", t.MarginCurrency}
		if t.Currency != "" {
			line[2] = money(t.Net)
		}
		if t.CostCurrency != "" {
			line[4] = money(t.Cost)
		}
		switch {
		case t.Margin != nil:
			line[6] = money(*t.Margin)
		case t.Unrated > 0:
			line[6] = fmt.Sprintf("%s unrated", grouped(t.Unrated))
		case t.Currency != "" && t.CostCurrency != "":
			line[6] = "no rate"
		}
		rows = append(rows, line)
	}
	return rows
}
