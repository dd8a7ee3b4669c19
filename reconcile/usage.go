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

// Usage is our side of the comparison with a pool: the charges of a period, added
// up, of the accounts that a usage line of the pool names.
type Usage struct {
	totals   map[CellKey]*Total
	accounts map[string]bool // those that the pool names
}

// Usage is what will be compared with the pool; it is empty.
func (p *Pool) Usage() *Usage {
	return &Usage{totals: make(map[CellKey]*Total), accounts: p.accounts}
}

// Add counts charges of any account; amount is what they come to together, 0 where unrated.
// All of them have their billing date in the period that is compared.
func (u *Usage) Add(key CellKey, quantity int64, amount decimal.Decimal) {
	if !u.accounts[key.Account] {
		return
	}
	total := u.totals[key]
	if total == nil {
		total = new(Total)
		u.totals[key] = total
	}
	total.add(quantity, amount)
}
