package reconcile

import (
	"slices"
	"strings"
)

// tenfold is how often a price may be the one before it, or the other way
// round, before a person should look whether a point has slipped.
const tenfold = 10

// freed is prices that become 0, or cease to be, on the same date: one
// decision for many markets.
type freed struct {
	plan     string
	category Category
	unit     Unit
	on       Date
	toZero   bool
}

// lintChanges looks at prices from one validity to the next of the same key,
// where the later one holds in the period.
func (l *linter) lintChanges() {
	zeros := make(map[freed][]*Rate)
	for _, line := range l.Rates.lines {
		var before *Rate
		for _, s := range line {
			rate := &l.Rates.rates[s.row]
			if rate.NoPrice {
				continue
			}
			if before != nil && before.Currency == rate.Currency && l.holds(rate.From, rate.To) {
				if (before.Price == 0) != (rate.Price == 0) {
					key := freed{rate.Plan, rate.Category, rate.Unit, rate.From, rate.Price == 0}
					zeros[key] = append(zeros[key], rate)
				} else if jumps(before.Price, rate.Price) || jumps(rate.Price, before.Price) {
					l.found(LintWarning, LintRates, rate.Where, "price_jump", "%s: %v after %v %s in %s, more than tenfold", describeRate(rate),
						rate.Price.Decimal(), before.Price.Decimal(), before.Currency, before.Where)
				}
			}
			before = rate
		}
	}
	for key, rates := range zeros {
		l.lintZero(key, rates)
	}
}

// jumps says whether high is more than tenfold low.
func jumps(low, high Micros) bool { return high > 0 && (high-1)/tenfold >= low }

func (l *linter) lintZero(key freed, rates []*Rate) {
	slices.SortFunc(rates, func(a, b *Rate) int { return compareWhere(a.Where, b.Where) })
	markets := make([]string, len(rates))
	for i, r := range rates {
		markets[i] = r.Market
	}
	becomes := "is no longer 0"
	if key.toZero {
		becomes = "becomes 0"
	}
	l.found(LintWarning, LintRates, rates[0].Where, "price_zero", "plan %q, %v, %v: the price %s on %v for %s",
		key.plan, key.category, key.unit, becomes, key.on, strings.Join(markets, ", "))
}
