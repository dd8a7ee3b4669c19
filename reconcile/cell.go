package reconcile

import (
	"strings"

	"github.com/shopspring/decimal"
)

// cellName is what the lines of one cell have in common (contract, invoices).
type cellName struct {
	account, business string
	from, to          Date
	market            string
	category          Category
	currency          string
}

// cell is the sum of the lines that name it.
type cell struct {
	cellName
	usage    bool   // a usage line names it; else it is credit lines only
	inside   bool   // it lies wholly inside the period
	where    string // of its first line
	invoices []string
	ids      []string
	lines    int64
	quantity *decimal.Decimal // nil where no line has one
	amount   decimal.Decimal
	computed decimal.Decimal
}

func nameOf(l *InvoiceLine) cellName {
	return cellName{
		account: l.Account, business: l.Business, from: l.From, to: l.To,
		market: MarketKey(l.Market), category: l.Category, currency: l.Currency,
	}
}

// add counts a line that names the cell.
func (c *cell) add(l *InvoiceLine) {
	c.lines++
	c.usage = c.usage || l.Kind == UsageLine
	c.amount = c.amount.Add(l.billed())
	c.computed = c.computed.Add(l.computed())
	if l.Quantity == nil {
		return
	}
	sum := *l.Quantity
	if c.quantity != nil {
		sum = sum.Add(*c.quantity)
	}
	c.quantity = &sum
}

// tolerance is half a minor unit of the currency for each line.
func (c *cell) tolerance() decimal.Decimal {
	minorUnits, _ := MinorUnits(c.currency)
	return decimal.New(5*c.lines, -minorUnits-1)
}

// difference is the row of the cell without figures and class.
func (c *cell) difference() Difference {
	return Difference{
		InvoiceID: strings.Join(c.invoices, " "),
		LineIDs:   strings.Join(c.ids, " "),
		Account:   c.account,
		Business:  c.business,
		From:      c.from,
		To:        c.to,
		Market:    c.market,
		Category:  c.category,
		Currency:  c.currency,
	}
}
