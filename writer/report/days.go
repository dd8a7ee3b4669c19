package report

import (
	"maps"
	"slices"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// days is usage by billing date: one stack of bars for the conversations and
// one for the cost in each currency.
type days struct {
	dates  []string
	counts stack
	costs  []stack // by currency, in the order of the codes
}

// stack is values by date and category.
type stack struct {
	currency   string // empty for counts
	categories []string
	values     []map[string]decimal.Decimal // of each date by category
}

// The statuses of charges that the report tells apart.
const (
	chargedStatus = "charged"
	unratedStatus = "unrated"
)

func newDays(d *Data) days {
	dates := datesOf(d)
	at := map[string]int{}
	for i, date := range dates {
		at[date] = i
	}
	counts, costs := newStack("", dates), map[string]*stack{}
	for _, row := range d.Summary {
		i := at[row.Date]
		counts.add(i, row.Category, decimal.NewFromInt(row.Quantity))
		if row.Status != chargedStatus || row.Currency == "" {
			continue
		}
		if costs[row.Currency] == nil {
			costs[row.Currency] = newStack(row.Currency, dates)
		}
		costs[row.Currency].add(i, row.Category, row.Net)
	}
	v := days{dates: dates, counts: *counts}
	for _, currency := range slices.Sorted(maps.Keys(costs)) {
		v.costs = append(v.costs, *costs[currency])
	}
	return v
}

// datesOf is every date of the period and of the summary, in order.
func datesOf(d *Data) []string {
	seen := map[string]bool{}
	for _, row := range d.Summary {
		seen[row.Date] = true
	}
	from, fromErr := reconcile.ParseDate(d.From)
	to, toErr := reconcile.ParseDate(d.To)
	if fromErr == nil && toErr == nil {
		for ; from <= to; from++ {
			seen[from.String()] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func newStack(currency string, dates []string) *stack {
	s := &stack{currency: currency, values: make([]map[string]decimal.Decimal, len(dates))}
	for i := range s.values {
		s.values[i] = map[string]decimal.Decimal{}
	}
	return s
}

func (s *stack) add(date int, category string, value decimal.Decimal) {
	if i, found := slices.BinarySearch(s.categories, category); !found {
		s.categories = slices.Insert(s.categories, i, category)
	}
	s.values[date][category] = s.values[date][category].Add(value)
}

// of is the sum of a date.
func (s *stack) of(date int) decimal.Decimal {
	var sum decimal.Decimal
	for _, v := range s.values[date] {
		sum = sum.Add(v)
	}
	return sum
}

// text is a value as a person reads it.
func (s *stack) text(v decimal.Decimal) string {
	if s.currency == "" {
		return group(v.String())
	}
	return rounded(v, s.currency)
}

// dayTable is the figures behind the charts.
type dayTable struct {
	Currencies []string
	Rows       []dayRow
}

type dayRow struct {
	Date  string
	Count string
	Costs []string
}

func (v *days) table() dayTable {
	var t dayTable
	for i := range v.costs {
		t.Currencies = append(t.Currencies, v.costs[i].currency)
	}
	for i, date := range v.dates {
		row := dayRow{Date: date, Count: v.counts.text(v.counts.of(i))}
		for j := range v.costs {
			row.Costs = append(row.Costs, v.costs[j].text(v.costs[j].of(i)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
