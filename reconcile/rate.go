package reconcile

import "fmt"

// Unit is what a price is for.
type Unit uint8

// The units.
const (
	UnitConversation Unit = iota
	UnitMessage
)

func (u Unit) String() string { return [2]string{"conversation", "message"}[u] }

// ParseUnit reads a unit without regard to case.
func ParseUnit(s string) (Unit, bool) {
	for u := UnitConversation; u <= UnitMessage; u++ {
		if enumEqual(s, u.String()) {
			return u, true
		}
	}
	return UnitConversation, false
}

// AnyMarket is the market of a rate that holds wherever no rate names the
// country or the market.
const AnyMarket = "*"

// Rate is one row of the rates table: the price of one unit on the dates
// [From, To).
type Rate struct {
	Where    string // the row, as "rates.csv:7", for messages
	Plan     string
	Market   string // an ISO country, a market of the markets table, or "*"
	Category Category
	Unit     Unit
	NoPrice  bool   // the row says that there is no price (M14)
	Price    Micros // net, not negative; 0 where NoPrice
	Currency string // ISO 4217, upper case
	From, To Date
}

// RateBook is the rates table. It is safe for use by many goroutines.
type RateBook struct {
	rates []Rate
	lines map[rateKey]timeline
}

// rateKey is what one price at a time holds for. The currency is no part of
// it (contract, Rates).
type rateKey struct {
	plan, market string
	category     Category
	unit         Unit
}

// NewRateBook makes the table. Rows of one plan, market, category and unit
// that overlap are a *RowError. In every row From < To.
func NewRateBook(rows []Rate) (*RateBook, error) {
	lines, err := timelines(rows,
		func(r Rate) rateKey { return rateKey{r.Plan, MarketKey(r.Market), r.Category, r.Unit} },
		func(r Rate) (Date, Date) { return r.From, r.To },
		func(r Rate) string { return describeRate(&r) },
		func(r Rate) string { return r.Where })
	if err != nil {
		return nil, err
	}
	return &RateBook{rates: rows, lines: lines}, nil
}

// describeRate names what a row is the price of.
func describeRate(r *Rate) string {
	return fmt.Sprintf("plan %q, market %q, %v, %v", r.Plan, r.Market, r.Category, r.Unit)
}

// Lookup is the most specific rate of a plan that is valid on d, a date in
// the account's time zone: that of the country, else of the market, else of
// "*" (R10). It is nil where there is none, and where the most specific row
// says that there is no price: a less specific one does not hold then (M14).
// The place is a known one: what has no market has no price, not even that of
// "*" (R11).
func (b *RateBook) Lookup(plan string, p Place, c Category, u Unit, d Date) *Rate {
	for _, market := range [...]string{p.Country, p.Market, AnyMarket} {
		row, ok := b.lines[rateKey{plan, market, c, u}].on(d)
		switch {
		case !ok:
		case b.rates[row].NoPrice:
			return nil
		default:
			return &b.rates[row]
		}
	}
	return nil
}

// Rates is all rows in the order given; they belong to b.
func (b *RateBook) Rates() []Rate { return b.rates }
