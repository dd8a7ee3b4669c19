package reconcile

import (
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// CurrencyTotal is the control total of the differences in one currency, both
// sides of it added up by ways that do not meet: Theirs from the lines of the
// invoices, Ours from the charges, Difference from the rows.
type CurrencyTotal struct {
	Currency   string
	Theirs     decimal.Decimal // usage and credit lines inside the period
	Ours       decimal.Decimal // charges in scope
	Difference decimal.Decimal // of all rows

	OurQuantity int64 // charges in scope
	RowQuantity int64 // our quantity in all rows
}

// Holds says whether both sides agree: the money and the number of charges.
func (t CurrencyTotal) Holds() bool {
	return t.Difference.Equal(t.Theirs.Sub(t.Ours)) && t.OurQuantity == t.RowQuantity
}

// totals are sorted by currency.
func (p *Pool) totals(usage *Usage, rows []Difference) []CurrencyTotal {
	byCurrency := make(map[string]*CurrencyTotal)
	of := func(currency string) *CurrencyTotal {
		t := byCurrency[currency]
		if t == nil {
			t = &CurrencyTotal{Currency: currency}
			byCurrency[currency] = t
		}
		return t
	}
	for currency, amount := range p.billed {
		of(currency).Theirs = amount
	}
	for key, total := range usage.totals {
		if key.Status == Charged {
			t := of(key.Currency)
			t.Ours = t.Ours.Add(total.Amount)
			t.OurQuantity += total.Quantity
		}
	}
	for i := range rows {
		if e := rows[i].Effects; e != nil {
			t := of(rows[i].Currency)
			t.Difference = t.Difference.Add(e.AmountDifference)
			t.RowQuantity += e.OurQuantity
		}
	}
	sorted := make([]CurrencyTotal, 0, len(byCurrency))
	for _, currency := range slices.Sorted(maps.Keys(byCurrency)) {
		sorted = append(sorted, *byCurrency[currency])
	}
	return sorted
}
