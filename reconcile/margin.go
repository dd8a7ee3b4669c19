package reconcile

import (
	"cmp"

	"github.com/shopspring/decimal"
)

// CostKey is what charges of one key of the summary have in common by the
// provider's book. It is the zero value where no such book is given.
type CostKey struct {
	Country, Market string // by the provider's own table of markets; empty stands for null
	Plan            string // empty stands for null
	UnitPrice       Micros
	Priced          bool   // UnitPrice is a price; else it is null
	Currency        string // empty stands for null
	Status          ChargeStatus
}

// CostKeyOf is the key of charges that the provider rates so, in that place.
func CostKeyOf(place Place, r *Rating) CostKey {
	k := CostKey{Country: place.Country, Market: place.Market, Plan: r.Plan(), Status: r.Status}
	if r.Rate != nil {
		k.UnitPrice, k.Priced, k.Currency = r.Rate.Price, true, r.Rate.Currency
	}
	return k
}

func (k *CostKey) compare(other *CostKey) int {
	return cmp.Or(
		cmp.Compare(k.Country, other.Country),
		cmp.Compare(k.Market, other.Market),
		cmp.Compare(k.Plan, other.Plan),
		compareBool(k.Priced, other.Priced),
		cmp.Compare(k.UnitPrice, other.UnitPrice),
		cmp.Compare(k.Currency, other.Currency),
		cmp.Compare(k.Status, other.Status),
	)
}

// Margin is what is left of a row's net amount when its cost is paid.
type Margin struct {
	Amount   decimal.Decimal // net − cost in Currency; at most six decimals
	Currency string
	// Rate is the exchange rate that the cost was converted at; nil where it
	// was not.
	Rate *decimal.Decimal
}

// MissingRate is an exchange rate that rows of a date lack for their margin.
type MissingRate struct {
	From, To string
	Date     Date
}

// Compare orders by pair of currencies, then by date.
func (m MissingRate) Compare(other MissingRate) int {
	return cmp.Or(cmp.Compare(m.From, other.From), cmp.Compare(m.To, other.To), cmp.Compare(m.Date, other.Date))
}

// AddMargins gives each row its margin: in the currency that is sold in, the
// cost converted at the rate of the billing date, half even to six decimals.
// Without a price for the sale, because it is free, the currency is that of the
// cost. A cost of 0 is 0 in any currency. A row has no margin where one of the
// books has no price for it, where neither side has a currency, and where there
// is no rate; the latter are returned, each date and pair once, in the order of
// the rows.
func AddMargins(rows []SummaryRow, x *ExchangeRates) []MissingRate {
	var missing []MissingRate
	seen := make(map[MissingRate]bool)
	for i := range rows {
		row := &rows[i]
		row.Margin = nil
		if row.Status == Unrated || row.CostKey.Status == Unrated {
			continue
		}
		margin, lacks := marginOf(row, x)
		if lacks != nil && !seen[*lacks] {
			seen[*lacks] = true
			missing = append(missing, *lacks)
		}
		row.Margin = margin
	}
	return missing
}

// marginOf is the margin of a row that both books have a price for, or else
// the rate that it lacks; neither where nothing has a currency.
func marginOf(row *SummaryRow, x *ExchangeRates) (*Margin, *MissingRate) {
	sold, cost := row.Currency, row.CostKey.Currency
	switch {
	case sold == "" && cost == "":
		return nil, nil
	case sold == "":
		return &Margin{Amount: row.Net.Sub(row.Cost), Currency: cost}, nil
	case cost == sold || row.Cost.IsZero():
		return &Margin{Amount: row.Net.Sub(row.Cost), Currency: sold}, nil
	}
	rate, ok := x.On(cost, sold, row.Date)
	if !ok {
		return nil, &MissingRate{cost, sold, row.Date}
	}
	return &Margin{Amount: row.Net.Sub(Converted(row.Cost, rate)), Currency: sold, Rate: &rate}, nil
}

// Converted is an amount at an exchange rate, half even to six decimals.
func Converted(amount, rate decimal.Decimal) decimal.Decimal { return roundAmount(amount.Mul(rate)) }
