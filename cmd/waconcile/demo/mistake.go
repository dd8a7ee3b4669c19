package demo

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// Mistake is one thing that is wrong with an invoice, and the class of
// difference that a run must find for it.
type Mistake struct {
	Invoice  string
	Account  string
	Market   string
	Country  string // empty where the cell has charges of several countries
	Category string
	What     string // one sentence for a person
	Class    string
}

// Is says whether a row of the differences is about this mistake. A cell that
// the invoice lacks is found by country, the others by market.
func (m Mistake) Is(account, market, category, class string) bool {
	return account == m.Account && category == m.Category && class == m.Class &&
		(market == m.Market || market != "" && market == m.Country)
}

// plant puts up to five mistakes into an invoice that is right so far. lines
// are the invoice's, in the same order.
func (v *invoice) plant(lines []line) []Mistake {
	var planted []Mistake
	note := func(r *row, class, what string) {
		planted = append(planted, Mistake{
			Invoice: v.id, Account: v.account, Market: r.market, Country: r.country, Category: r.category, Class: class, What: what,
		})
	}
	place := largestFirst(lines)
	take := func(fits func(line) bool) *row {
		at := slices.IndexFunc(place, func(i int) bool { return lines[i].amount.IsPositive() && fits(lines[i]) })
		if at < 0 {
			return nil
		}
		r := &v.rows[place[at]]
		place = slices.Delete(place, at, at+1)
		return r
	}
	onePrice := func(l line) bool { return l.onePrice }

	if r := take(onePrice); r != nil {
		more := max(3, r.quantity/20)
		r.quantity += more
		r.amount = r.price.Mul(decimal.NewFromInt(r.quantity))
		note(r, "quantity", fmt.Sprintf("%d conversations more than there were", more))
	}
	if r := take(onePrice); r != nil {
		was := r.price
		r.price = was.Add(decimal.New(1, -2))
		r.amount = r.price.Mul(decimal.NewFromInt(r.quantity))
		note(r, "price", fmt.Sprintf("unit price %s instead of %s %s", r.price, was, r.currency))
	}
	if r := take(onePrice); r != nil {
		slip := decimal.New(1250, -2)
		r.amount = r.amount.Add(slip)
		note(r, "arithmetic", fmt.Sprintf("amount is %s %s more than quantity times unit price", slip.StringFixed(2), r.currency))
	}
	if r := take(func(l line) bool { return l.country != "" }); r != nil {
		r.skipped = true
		note(r, "missing_theirs", fmt.Sprintf("the line for %d conversations is missing", r.quantity))
	}
	if r := v.invent(lines); r != nil {
		note(r, "missing_ours", fmt.Sprintf("%d conversations billed of which there was none", r.quantity))
	}
	return planted
}

// invent adds a line for a market in which the account has no usage.
func (v *invoice) invent(lines []line) *row {
	for _, market := range []string{"Nigeria", "Peru", "Turkey", "Egypt", "Pakistan"} {
		if len(lines) == 0 || slices.ContainsFunc(lines, func(l line) bool { return l.market == market }) {
			continue
		}
		const quantity = 120
		price := decimal.New(75, -3)
		v.add(line{
			market: market, category: "marketing", quantity: quantity, price: price, onePrice: true,
			amount: price.Mul(decimal.NewFromInt(quantity)), currency: lines[0].currency,
		})
		return &v.rows[len(v.rows)-1]
	}
	return nil
}
