package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"waconcile/batch"
	"waconcile/cmd/waconcile/metrics"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// unexplained tells the classes of the differences that say what differs and
// not why: conversations that only one side has, and quantities. All others
// name a cause: another price or sum, an unrated charge, days without data,
// another currency, a credit that stands alone, a line of another period.
func unexplained(class string) bool {
	switch reconcile.DifferenceClass(class) {
	case reconcile.MissingOurs, reconcile.MissingTheirs, reconcile.WrongQuantity, reconcile.QuantityAndPrice:
		return true
	}
	return false
}

// measured is what metrics say of a run that is published.
func measured(p batch.Period, f *figures) *metrics.Published {
	m := &metrics.Published{
		First: midnight(p.From), Until: midnight(p.To + 1),
		Rows: f.Rows, Messages: f.Messages, Rejects: f.Rejects, Findings: f.Findings,
	}
	for _, c := range f.Conversations {
		m.Charges = append(m.Charges,
			metrics.Charges{Category: c.Category, Status: "charged", Count: c.Charged},
			metrics.Charges{Category: c.Category, Status: "free", Count: c.Free},
			metrics.Charges{Category: c.Category, Status: "unrated", Count: c.Unrated})
	}
	// A currency that only one of them has is 0 in the others, so that a rule
	// can hold them against each other.
	net, open := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
	for _, t := range f.Statements {
		net[t.Currency], open[t.Currency] = t.Net, decimal.Zero
	}
	for _, d := range f.Differences {
		m.Differences = append(m.Differences, metrics.Difference{Class: d.Class, Currency: d.Currency, Rows: d.Rows, Amount: d.Amount, Absolute: d.absolute})
		if _, charged := net[d.Currency]; !charged {
			net[d.Currency], open[d.Currency] = decimal.Zero, decimal.Zero
		}
		if unexplained(d.Class) {
			open[d.Currency] = open[d.Currency].Add(d.absolute)
		}
	}
	m.Net, m.Unexplained = moneyOf(net), moneyOf(open)
	return m
}

func moneyOf(sums map[string]decimal.Decimal) []metrics.Money {
	var list []metrics.Money
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		if currency != "" { // charges without a price have none
			list = append(list, metrics.Money{Currency: currency, Amount: sums[currency]})
		}
	}
	return list
}

func midnight(d reconcile.Date) time.Time { return time.UnixMilli(d.Start()).UTC() }

// countsOf are the counts of a published run, in the words of its stages.
func countsOf(f *figures) []batch.Count {
	var charges int64
	for _, c := range f.Conversations {
		charges += c.Charged + c.Free + c.Unrated
	}
	return []batch.Count{
		{Name: "rows", Value: f.Rows}, {Name: "rejects", Value: total(f.Rejects)}, {Name: "messages", Value: f.Messages},
		{Name: "charges", Value: charges}, {Name: "differing", Value: f.differing()}, {Name: "findings", Value: total(f.Findings)},
		{Name: batch.CountDaysMissing, Value: int64(len(f.manifest.DaysMissing))},
	}
}

// oldestUnsealed is the oldest month that has ended, of which something is
// published, and that is not closed; nil: there is none.
func oldestUnsealed(ctx context.Context, out writer.Lister, now time.Time) (*metrics.Month, error) {
	months, err := writer.UnsealedMonths(ctx, out, reconcile.DateOf(now.UnixMilli()))
	if err != nil || len(months) == 0 {
		return nil, err
	}
	period, err := batch.ParsePeriod(months[0], time.Time{}, time.UTC)
	if err != nil {
		return nil, err
	}
	return &metrics.Month{First: midnight(period.From), Until: midnight(period.To + 1)}, nil
}
