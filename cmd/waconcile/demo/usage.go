package demo

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// UsageCell is usage as a run counted it: a row of its summary with status
// charged, or rows added up. Cells of one account, market, category and
// currency are added up here.
type UsageCell struct {
	Account   string
	Country   string
	Market    string
	Category  string
	Quantity  int64
	UnitPrice decimal.Decimal
	Amount    decimal.Decimal
	Currency  string
}

// line is what one line of an invoice is about, over the whole period.
type line struct {
	market   string
	country  string // empty where charges of several countries went in
	category string
	quantity int64
	price    decimal.Decimal
	onePrice bool
	amount   decimal.Decimal
	currency string
}

// key is what lines are told apart and sorted by.
func (l line) key() [3]string { return [3]string{l.market, l.category, l.currency} }

// linesOf adds up the usage of an account, in the order of market, category
// and currency.
func linesOf(usage []UsageCell, account string) []line {
	cells := map[[3]string]*line{}
	for _, u := range usage {
		if u.Account != account {
			continue
		}
		next := line{
			market: u.Market, country: u.Country, category: u.Category, quantity: u.Quantity,
			price: u.UnitPrice, onePrice: true, amount: u.Amount, currency: u.Currency,
		}
		l, ok := cells[next.key()]
		if !ok {
			cells[next.key()] = &next
			continue
		}
		l.quantity += next.quantity
		l.amount = l.amount.Add(next.amount)
		l.onePrice = l.onePrice && l.price.Equal(next.price)
		if l.country != next.country {
			l.country = ""
		}
	}
	lines := make([]line, 0, len(cells))
	for _, l := range cells {
		lines = append(lines, *l)
	}
	slices.SortFunc(lines, func(a, b line) int {
		ka, kb := a.key(), b.key()
		return slices.Compare(ka[:], kb[:])
	})
	return lines
}

// largestFirst is the places of lines by falling amount.
func largestFirst(lines []line) []int {
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(lines[b].amount.Cmp(lines[a].amount), cmp.Compare(a, b))
	})
	return order
}
