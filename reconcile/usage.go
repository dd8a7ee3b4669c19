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
// zero value is empty, and takes those of all accounts.
type Usage struct {
	totals   map[CellKey]*Total
	accounts map[string]bool // whose charges are taken; nil: all
}

// Usage is empty, and takes what charges Compare looks at: those of the accounts
// that a usage line names.
func (p *Pool) Usage() *Usage { return &Usage{accounts: p.accounts} }

// Add counts charges; amount is what they come to together, 0 where unrated.
// All of them have their billing date in the period that is compared.
func (u *Usage) Add(key CellKey, quantity int64, amount decimal.Decimal) {
	if u.accounts != nil && !u.accounts[key.Account] {
		return
	}
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
