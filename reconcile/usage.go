package reconcile

import "github.com/shopspring/decimal"

// CellKey is the grain at which charges are held against invoices.
type CellKey struct {
	Account, Business string
	Date              Date // billing date
	Country, Market   string
	Category          Category
	Currency          string // empty for an unrated charge
	Status            ChargeStatus
}

// Total is a number of charges and what they come to.
type Total struct {
	Quantity int64
	Amount   decimal.Decimal
}

func (t *Total) add(quantity int64, amount decimal.Decimal) {
	t.Quantity += quantity
	t.Amount = t.Amount.Add(amount)
}

// Usage is our side of the comparison: the charges of a period, added up. The
// zero value is empty.
type Usage struct {
	totals map[CellKey]*Total
}

// Add counts charges; amount is what they come to together, 0 where unrated.
// All of them have their billing date in the period that is compared.
func (u *Usage) Add(key CellKey, quantity int64, amount decimal.Decimal) {
	if u.totals == nil {
		u.totals = make(map[CellKey]*Total)
	}
	total := u.totals[key]
	if total == nil {
		total = new(Total)
		u.totals[key] = total
	}
	total.add(quantity, amount)
}

// Merge adds all of other, which stays as it is.
func (u *Usage) Merge(other *Usage) {
	for key, total := range other.totals {
		u.Add(key, total.Quantity, total.Amount)
	}
}
