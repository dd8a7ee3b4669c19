package reconcile

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"
)

// ExchangeRate is one row of the table of exchange rates: from Date on, one
// unit of From is Rate units of To.
type ExchangeRate struct {
	Where    string // the row, as "fx.csv:7", for messages
	Date     Date
	From, To string          // ISO 4217, upper case; not the same
	Rate     decimal.Decimal // above 0
}

// ExchangeRates is the table of exchange rates. It is safe for use by many
// goroutines; nil is the table without a row.
type ExchangeRates struct {
	lines map[currencyPair][]ExchangeRate // in order of Date
}

type currencyPair struct{ from, to string }

// NewExchangeRates makes the table. Two rows of one date and pair are a
// *RowError.
func NewExchangeRates(rows []ExchangeRate) (*ExchangeRates, error) {
	type key struct {
		currencyPair
		date Date
	}
	seen := make(map[key]string, len(rows))
	x := &ExchangeRates{lines: make(map[currencyPair][]ExchangeRate)}
	for _, r := range rows {
		k := key{currencyPair{r.From, r.To}, r.Date}
		if other, twice := seen[k]; twice {
			return nil, &RowError{
				Where: r.Where, Other: other,
				Err: fmt.Errorf("repeats %s: the rate from %s to %s of %s", other, r.From, r.To, r.Date),
			}
		}
		seen[k] = r.Where
		x.lines[k.currencyPair] = append(x.lines[k.currencyPair], r)
	}
	for _, line := range x.lines {
		slices.SortFunc(line, compareDates)
	}
	return x, nil
}

func compareDates(a, b ExchangeRate) int { return cmp.Compare(a.Date, b.Date) }

// On is the rate from one currency to another on d: that of the last row of
// this pair whose date is not after d. The rows of the inverse pair say
// nothing: a quotient would be another rate than the one that was agreed on.
func (x *ExchangeRates) On(from, to string, d Date) (rate decimal.Decimal, ok bool) {
	if x == nil {
		return decimal.Decimal{}, false
	}
	line := x.lines[currencyPair{from, to}]
	after, _ := slices.BinarySearchFunc(line, d, func(r ExchangeRate, d Date) int {
		if r.Date <= d {
			return -1
		}
		return 1
	})
	if after == 0 {
		return decimal.Decimal{}, false
	}
	return line[after-1].Rate, true
}
