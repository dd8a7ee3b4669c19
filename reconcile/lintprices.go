package reconcile

import (
	"fmt"
	"slices"
	"strings"
)

// wanted says whether charges of a category may be priced by the plan and unit
// on d. Without accounts they may from the first to the last date that has a
// row.
func (l *linter) wanted(p *planRates, what priced, d Date) bool {
	if l.everyPlan() {
		began := func(i int) bool { return l.Rates.rates[i].From <= d }
		goesOn := func(i int) bool { return l.Rates.rates[i].To > d }
		return slices.ContainsFunc(p.of[what], began) && slices.ContainsFunc(p.of[what], goesOn)
	}
	_, wanted := l.rulesFor(p, what, d)
	return wanted
}

// rulesFor is the rules by which some use of the plan has charges of a category
// priced by the unit on d.
func (l *linter) rulesFor(p *planRates, what priced, d Date) (Rules, bool) {
	for _, u := range l.uses[p.plan] {
		if unit, billed := u.rules.Billed(what.category, d); billed && unit == what.unit && u.covers(d) {
			return u.rules, true
		}
	}
	return RulesConversation, false
}

// lintPrices looks for places without a price on dates within which nothing
// changes.
func (l *linter) lintPrices(p *planRates, on span) {
	for c := Authentication; c < CategoryCount; c++ {
		for u := UnitConversation; u <= UnitMessage; u++ {
			if what := (priced{c, u}); l.wanted(p, what, on.from) {
				l.lintCategory(p, what, on)
			}
		}
	}
}

// lintCategory looks for places that a plan has no price for. Where none has
// one, that is told once, and not of each place: a plan that is not to price a
// category says so by a row that is n/a for every place.
func (l *linter) lintCategory(p *planRates, what priced, on span) {
	var without []string
	var gaps []*Rate
	for _, m := range l.placesOn(on.from) {
		var bare []string
		for _, country := range m.countries {
			rows := l.Rates.rowsFor(p.plan, Place{country, m.market}, what, on.from)
			switch {
			case rows.holds != nil:
				l.lintRowThatHolds(what, rows, on)
			case rows.near != nil:
				gaps = append(gaps, rows.near)
			default:
				bare = append(bare, country)
			}
		}
		switch {
		case len(bare) == len(m.countries):
			without = append(without, m.market)
		case len(bare) > 0:
			without = append(without, strings.Join(bare, " ")+" of "+m.market)
		}
	}
	valid, prices := l.validRows(p, what, on.from)
	if !valid || !prices && len(without)+len(gaps) > 0 {
		l.lintNoPrice(p, what, on)
		return
	}
	for _, r := range gaps {
		l.foundFor(on, marketFinding{what.severity(), "gap", planText(r.Plan, what) + ": no row is valid for ", "", r.Market, r.Where})
	}
	if len(without) > 0 {
		first := l.Rates.rates[p.of[what][0]]
		l.foundOn(on, what.severity(), LintRates, first.Where, "market_without_price", "%s: no price for %s", planText(p.plan, what), strings.Join(without, ", "))
	}
}

// validRows says whether the plan has rows of a category and unit on d, and
// whether one of them has a price.
func (l *linter) validRows(p *planRates, what priced, d Date) (valid, prices bool) {
	for _, i := range p.of[what] {
		r := &l.Rates.rates[i]
		if (span{from: r.From, to: r.To}).covers(d) {
			valid, prices = true, prices || !r.NoPrice
		}
	}
	return valid, prices
}

// lintRowThatHolds looks at a row that says n/a, and at gaps that it fills: in
// one key rows end and begin again, and meanwhile a less specific row has its
// own price for the place.
func (l *linter) lintRowThatHolds(what priced, rows placeRows, on span) {
	of := rows.holds
	if of.NoPrice {
		l.foundFor(on, marketFinding{LintWarning, "not_available", planText(of.Plan, what) + ": the rates say n/a for ", "", of.Market, of.Where})
	}
	for _, r := range rows.before {
		price := "n/a"
		if !of.NoPrice {
			price = of.Price.Decimal().String() + " " + of.Currency
		}
		l.foundFor(on, marketFinding{
			LintWarning, "gap", planText(of.Plan, what) + ": no row is valid for ",
			fmt.Sprintf(", so that %s holds, %s for %s,", of.Where, price, of.Market), r.Market, r.Where,
		})
	}
}

func planText(plan string, what priced) string {
	return fmt.Sprintf("plan %q, %v, %v", plan, what.category, what.unit)
}

// severity is how bad it is that something has no price.
func (what priced) severity() LintSeverity {
	if what.category == AuthenticationInternational {
		return LintWarning // providers list it for some markets only, or not at all
	}
	return LintError
}

// placeRows is what a book has for a place on a date.
type placeRows struct {
	holds *Rate // the row that decides; it may say n/a (M14)
	// before has, of each key more specific than that of holds, the row after
	// which nothing is valid on the date, where another follows later.
	before []*Rate
	// near is the row to look at where none holds: the one that ended last
	// before the date, else the one that is the first to begin. It is nil where
	// no row of any date is for the place.
	near *Rate
}

// rowsFor looks a price up as Lookup does.
func (b *RateBook) rowsFor(plan string, p Place, what priced, d Date) placeRows {
	var found placeRows
	var ended, begins *Rate
	for _, market := range distinctMarkets(p) {
		var before, after *Rate
		for _, s := range b.lines[rateKey{plan, market, what.category, what.unit}] {
			rate := &b.rates[s.row]
			switch {
			case s.covers(d):
				found.holds = rate
				return found
			case s.to <= d:
				before = rate
			case after == nil:
				after = rate
			}
		}
		if before != nil && after != nil {
			found.before = append(found.before, before)
		}
		if before != nil && (ended == nil || before.To > ended.To) {
			ended = before
		}
		if after != nil && (begins == nil || after.From < begins.From) {
			begins = after
		}
	}
	if found.near = ended; ended == nil {
		found.near = begins
	}
	return found
}
