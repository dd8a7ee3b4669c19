package reconcile

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// SummaryKey is the grain at which money is computed: charges of one key have
// one price, so decimals are made for each key and not for each charge.
type SummaryKey struct {
	Account         string
	Date            Date   // billing date
	Country, Market string // empty stands for null
	Category        Category
	Unit            Unit
	Plan            string // empty stands for null
	UnitPrice       Micros
	Priced          bool   // UnitPrice is a price; else it is null
	Currency        string // empty stands for null
	Status          ChargeStatus
	CostKey         CostKey
}

// SummaryRow is one row of the summary table.
type SummaryRow struct {
	SummaryKey
	Quantity int64
	Net      decimal.Decimal // quantity × unit price where charged, else 0; exact
	Cost     decimal.Decimal // likewise, of CostKey
	Margin   *Margin         // that AddMargins gave; nil: none
}

// Summary counts charges. The zero value is empty.
type Summary struct {
	quantities map[SummaryKey]int64
}

// Add counts charges.
func (s *Summary) Add(key SummaryKey, quantity int64) {
	if s.quantities == nil {
		s.quantities = make(map[SummaryKey]int64)
	}
	s.quantities[key] += quantity
}

// Rows are sorted by their key in the order of the table's columns, texts by
// bytes and null first.
func (s *Summary) Rows() []SummaryRow {
	rows := make([]SummaryRow, 0, len(s.quantities))
	for key, quantity := range s.quantities {
		row := SummaryRow{SummaryKey: key, Quantity: quantity}
		if key.Status == Charged {
			row.Net = key.UnitPrice.Decimal().Mul(decimal.NewFromInt(quantity))
		}
		if key.CostKey.Status == Charged {
			row.Cost = key.CostKey.UnitPrice.Decimal().Mul(decimal.NewFromInt(quantity))
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b SummaryRow) int { return a.compare(&b.SummaryKey) })
	return rows
}

// compare is the order of the table. Enumerations are numbered in the order of
// their names.
func (k *SummaryKey) compare(other *SummaryKey) int {
	return cmp.Or(
		cmp.Compare(k.Account, other.Account),
		cmp.Compare(k.Date, other.Date),
		cmp.Compare(k.Country, other.Country),
		cmp.Compare(k.Market, other.Market),
		cmp.Compare(k.Category, other.Category),
		cmp.Compare(k.Unit, other.Unit),
		cmp.Compare(k.Plan, other.Plan),
		compareBool(k.Priced, other.Priced),
		cmp.Compare(k.UnitPrice, other.UnitPrice),
		cmp.Compare(k.Currency, other.Currency),
		cmp.Compare(k.Status, other.Status),
		k.CostKey.compare(&other.CostKey),
	)
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
