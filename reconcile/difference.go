package reconcile

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// DifferenceClass says what a row of the differences is about.
type DifferenceClass string

// The classes, in the order in which they are tried, after OutsidePeriod,
// which a line outside the period has whatever else holds (contract,
// differences).
const (
	OutsidePeriod    DifferenceClass = "outside_period"
	NoData           DifferenceClass = "no_data"
	OtherCurrency    DifferenceClass = "currency"
	UnratedCharges   DifferenceClass = "unrated"
	MissingOurs      DifferenceClass = "missing_ours"
	MissingTheirs    DifferenceClass = "missing_theirs"
	CreditAlone      DifferenceClass = "credit"
	Match            DifferenceClass = "match"
	WrongArithmetic  DifferenceClass = "arithmetic"
	QuantityAndPrice DifferenceClass = "quantity_and_price"
	WrongQuantity    DifferenceClass = "quantity"
	WrongPrice       DifferenceClass = "price"
	WithinRounding   DifferenceClass = "rounding"
)

// Difference is one row of the differences table. Empty texts are null there.
type Difference struct {
	InvoiceID string // several, if so, separated by spaces
	LineIDs   string // several, if so, separated by spaces
	Account   string
	Business  string
	From, To  Date
	Market    string // as the line names it; a country where Class is MissingTheirs
	Category  Category
	Currency  string
	Effects   *Effects // nil where Class is OutsidePeriod: no quantities, amounts or effects
	Class     DifferenceClass
	Detail    string // one sentence in English
}

// NoDataFunc says whether a day that an account's billing dates from…to touch
// has no export.
type NoDataFunc func(account string, from, to Date) bool

// Comparison is what came of holding the charges of a period against a pool.
type Comparison struct {
	Rows   []Difference // sorted by every column that names a cell, then by class
	Totals []CurrencyTotal
}

// taken is what of our charges falls into one cell.
type taken struct {
	ours    Total
	others  map[string]*Total // by currency, charges in the cell but for the currency
	unrated int64
}

// uncoveredKey is the grain of the rows for charges that no line covers.
type uncoveredKey struct {
	account, country string
	category         Category
	currency         string
}

// Compare holds the charges of the period against the pool that made their
// usage. Every charge with a price, of an account that a usage line names, be it
// inside the period or not, is in exactly one row: that of the cell that covers
// it, else one of class MissingTheirs.
func (p *Pool) Compare(usage *Usage, noData NoDataFunc) *Comparison {
	cells := make([]taken, len(p.cells))
	uncovered := make(map[uncoveredKey]*Total)
	for key, total := range usage.totals {
		p.take(cells, uncovered, &key, *total)
	}
	rows := make([]Difference, 0, len(cells)+len(uncovered))
	for i, c := range p.cells {
		rows = append(rows, p.compareCell(c, &cells[i], noData))
	}
	for key, total := range uncovered {
		rows = append(rows, p.missingTheirs(key, *total))
	}
	slices.SortFunc(rows, compareDifferences)
	return &Comparison{Rows: rows, Totals: p.totals(usage, rows)}
}

// take puts charges where they belong. Free ones belong nowhere; unrated ones
// have no currency and mark the cells of all.
func (p *Pool) take(cells []taken, uncovered map[uncoveredKey]*Total, key *CellKey, total Total) {
	if key.Status == Free {
		return
	}
	covered := false
	for _, currency := range p.currencies {
		i, ok := p.covering(key, currency)
		switch {
		case !ok:
		case key.Status == Unrated:
			cells[i].unrated += total.Quantity
		case currency == key.Currency:
			cells[i].ours.add(total.Quantity, total.Amount)
			covered = true
		default:
			cells[i].addOther(key.Currency, total)
		}
	}
	if covered || key.Status == Unrated {
		return
	}
	rest := uncoveredKey{key.Account, key.Country, key.Category, key.Currency}
	if uncovered[rest] == nil {
		uncovered[rest] = new(Total)
	}
	uncovered[rest].add(total.Quantity, total.Amount)
}

func (t *taken) addOther(currency string, total Total) {
	if t.others == nil {
		t.others = make(map[string]*Total)
	}
	if t.others[currency] == nil {
		t.others[currency] = new(Total)
	}
	t.others[currency].add(total.Quantity, total.Amount)
}

func (p *Pool) compareCell(c *cell, t *taken, noData NoDataFunc) Difference {
	d := c.difference()
	if !c.inside {
		d.Class = OutsidePeriod
		d.Detail = p.outsideDetail(c)
		return d
	}
	theirs := c.bill()
	d.Effects = effectsOf(t.ours, theirs)
	d.Class = classify(c, t, d.Effects, noData)
	d.Detail = cellDetail(c, t, d.Effects, d.Class)
	return d
}

// classify is the first class that holds. A credit without usage is compared
// with no charges, so no class that is about charges can hold for it; that its
// days have no export can.
func classify(c *cell, t *taken, e *Effects, noData NoDataFunc) DifferenceClass {
	tolerance := c.tolerance()
	wrongPrice := exceeds(e.PriceEffect, tolerance)
	switch {
	case noData(c.account, c.from, c.to):
		return NoData
	case !c.usage:
		return CreditAlone
	case t.ours.Quantity == 0 && len(t.others) > 0:
		return OtherCurrency
	case t.unrated > 0:
		return UnratedCharges
	case t.ours.Quantity == 0:
		return MissingOurs
	case e.AmountDifference.IsZero() && e.sameQuantity():
		return Match
	case !e.ArithmeticEffect.IsZero():
		return WrongArithmetic
	case !e.sameQuantity() && wrongPrice:
		return QuantityAndPrice
	case !e.sameQuantity():
		return WrongQuantity
	case wrongPrice:
		return WrongPrice
	}
	return WithinRounding
}

// missingTheirs is the row for charges that no line covers.
func (p *Pool) missingTheirs(key uncoveredKey, ours Total) Difference {
	e := effectsOf(ours, bill{quantity: new(decimal.Decimal{})})
	return Difference{
		Account: key.account, From: p.from, To: p.to,
		Market: key.country, Category: key.category, Currency: key.currency,
		Effects: e, Class: MissingTheirs, Detail: missingTheirsDetail(e, key.currency),
	}
}

// compareDifferences is the order of the table. No two rows are equal in it:
// cells differ in what names them, and no cell is of class MissingTheirs.
func compareDifferences(a, b Difference) int {
	return cmp.Or(
		cmp.Compare(a.Account, b.Account),
		cmp.Compare(a.InvoiceID, b.InvoiceID),
		cmp.Compare(a.LineIDs, b.LineIDs),
		cmp.Compare(a.Business, b.Business),
		cmp.Compare(a.From, b.From),
		cmp.Compare(a.To, b.To),
		cmp.Compare(a.Market, b.Market),
		cmp.Compare(a.Category, b.Category),
		cmp.Compare(a.Currency, b.Currency),
		cmp.Compare(a.Class, b.Class),
	)
}
