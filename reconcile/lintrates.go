package reconcile

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// planRates is the rows of one plan, by their index in the book.
type planRates struct {
	plan string
	rows []int
	// spans is the dates from the first to the last on which the plan has a
	// price for a category and unit, and the first such row.
	spans map[priced]span
}

// priced is what a plan may have prices for.
type priced struct {
	category Category
	unit     Unit
}

func (l *linter) lintRates() {
	if l.Rates == nil {
		return
	}
	l.lintRateMarkets()
	for _, p := range l.plans {
		l.lintCurrencies(p)
		if l.Accounts != nil && !l.UsesUnknown && len(l.uses[p.plan]) == 0 {
			l.found(LintWarning, LintRates, l.Rates.rates[p.rows[0]].Where, "unused_plan", "plan %q: no account and no recharge uses it in the period", p.plan)
		}
		pieces := l.period.pieces(l.cuts(p))
		for _, s := range pieces {
			l.lintUnits(p, s)
			if l.Markets != nil {
				l.lintPrices(p, s)
			}
		}
	}
	l.lintChanges()
}

// plansOf is the plans of a book by their names.
func plansOf(b *RateBook) map[string]*planRates {
	byName := make(map[string]*planRates)
	for i, r := range b.rates {
		p := byName[r.Plan]
		if p == nil {
			p = &planRates{plan: r.Plan, spans: make(map[priced]span)}
			byName[r.Plan] = p
		}
		p.rows = append(p.rows, i)
		if r.NoPrice {
			continue
		}
		key := priced{r.Category, r.Unit}
		s, seen := p.spans[key]
		if !seen {
			s = span{r.From, r.To, i}
		}
		p.spans[key] = span{min(s.from, r.From), max(s.to, r.To), s.row}
	}
	return byName
}

// cuts is the dates between which nothing changes that a price of the plan
// depends on.
func (l *linter) cuts(p *planRates) []Date {
	var cuts []Date
	for _, i := range p.rows {
		cuts = append(cuts, l.Rates.rates[i].From, l.Rates.rates[i].To)
	}
	for _, u := range l.uses[p.plan] {
		cuts = append(append(cuts, u.from, u.to), u.rules.Changes()...)
	}
	if l.Markets != nil {
		for _, m := range l.Markets.Rows() {
			cuts = append(cuts, m.From, m.To)
		}
	}
	return cuts
}

// wanted says whether charges of a category may be priced by the plan and unit
// on d.
func (l *linter) wanted(p *planRates, what priced, d Date) bool {
	within, prices := p.spans[what]
	if !prices || l.everyPlan() {
		return prices && within.covers(d)
	}
	return slices.ContainsFunc(l.uses[p.plan], func(u planUse) bool {
		unit, billed := u.rules.Billed(what.category, d)
		return billed && unit == what.unit && u.covers(d)
	})
}

// lintPrices looks for places without a price on dates within which nothing
// changes.
func (l *linter) lintPrices(p *planRates, on span) {
	for c := Authentication; c < CategoryCount; c++ {
		for u := UnitConversation; u <= UnitMessage; u++ {
			if what := (priced{c, u}); l.wanted(p, what, on.from) {
				l.lintMarketPrices(p, what, on)
			}
		}
	}
}

func (l *linter) lintMarketPrices(p *planRates, what priced, on span) {
	var without []string
	for _, m := range l.placesOn(on.from) {
		var bare []string
		for _, country := range m.countries {
			rate, why := l.Rates.absence(p.plan, Place{country, m.market}, what, on.from)
			switch why {
			case rowAbsent:
				bare = append(bare, country)
			case datesElsewhere:
				l.foundOn(on, LintError, LintRates, rate.Where, "gap", "%s: no row is valid", describeRate(rate))
			case priceAbsent:
				l.foundOn(on, LintWarning, LintRates, rate.Where, "not_available", "%s: the row says that there is no price", describeRate(rate))
			}
		}
		switch {
		case len(bare) == len(m.countries):
			without = append(without, m.market)
		case len(bare) > 0:
			without = append(without, strings.Join(bare, " ")+" of "+m.market)
		}
	}
	if len(without) == 0 {
		return
	}
	severity := LintError
	if what.category == AuthenticationInternational {
		severity = LintWarning // providers list it for some markets only
	}
	first := l.Rates.rates[p.spans[what].row]
	l.foundOn(on, severity, LintRates, first.Where, "market_without_price", "plan %q, %v, %v: no price for %s", p.plan, what.category, what.unit, strings.Join(without, ", "))
}

// absence is why a place has no price.
type absence uint8

const (
	priceThere     absence = iota // it has one
	rowAbsent                     // no row of any date is for the place
	datesElsewhere                // the rows for the place are valid on other dates
	priceAbsent                   // the row that holds says that there is none (M14)
)

// absence tells why Lookup finds no price, and the row to look at: the one
// that holds, else the one that ended last before d, else the one that is the
// first to begin.
func (b *RateBook) absence(plan string, p Place, what priced, d Date) (*Rate, absence) {
	var ended, begins *Rate
	for _, market := range [...]string{p.Country, p.Market, AnyMarket} {
		for _, s := range b.lines[rateKey{plan, market, what.category, what.unit}] {
			rate := &b.rates[s.row]
			switch {
			case s.covers(d) && rate.NoPrice:
				return rate, priceAbsent
			case s.covers(d):
				return nil, priceThere
			case s.to <= d && (ended == nil || s.to > ended.To):
				ended = rate
			case s.from > d && (begins == nil || s.from < begins.From):
				begins = rate
			}
		}
	}
	switch {
	case ended != nil:
		return ended, datesElsewhere
	case begins != nil:
		return begins, datesElsewhere
	}
	return nil, rowAbsent
}

// lintUnits holds the units of a plan's rows against what the rules of its
// users charge by.
func (l *linter) lintUnits(p *planRates, on span) {
	for _, u := range l.uses[p.plan] {
		if !u.covers(on.from) {
			continue
		}
		unit, _ := u.rules.Billed(Marketing, on.from) // the category that all rules charge at all times
		if !l.hasUnit(p, unit) {
			l.foundOn(on, LintError, LintRates, l.Rates.rates[p.rows[0]].Where, "unit", "plan %q: no price by %v, by which rules %v charge", p.plan, unit, u.rules)
			return
		}
	}
	for unit := UnitConversation; unit <= UnitMessage; unit++ {
		if rules, idle := l.idle(p, unit, on.from); idle {
			l.lintIdle(p, unit, rules, on)
		}
	}
}

func (l *linter) hasUnit(p *planRates, unit Unit) bool {
	return slices.ContainsFunc(p.rows, func(i int) bool { return l.Rates.rates[i].Unit == unit })
}

// idle says whether the plan is used on d, and by rules only that do not
// charge by unit.
func (l *linter) idle(p *planRates, unit Unit, d Date) (rules Rules, idle bool) {
	for _, u := range l.uses[p.plan] {
		if !u.covers(d) {
			continue
		}
		if charged, _ := u.rules.Billed(Marketing, d); charged == unit {
			return rules, false
		}
		rules, idle = u.rules, true
	}
	return rules, idle
}

// lintIdle reports the first row that is valid and that nothing is charged by.
func (l *linter) lintIdle(p *planRates, unit Unit, rules Rules, on span) {
	for _, i := range p.rows {
		r := &l.Rates.rates[i]
		if r.Unit == unit && (span{from: r.From, to: r.To}).covers(on.from) {
			l.foundOn(on, LintWarning, LintRates, r.Where, "unit", "plan %q: prices by %v, by which rules %v do not charge", p.plan, unit, rules)
			return
		}
	}
}

// lintRateMarkets looks for rows whose market no prefix leads to while they
// are valid. Those of one market and the same dates are one finding.
func (l *linter) lintRateMarkets() {
	if l.Markets == nil {
		return
	}
	type named struct {
		market   string
		from, to Date
	}
	first := make(map[named]int)
	count := make(map[named]int)
	for i, r := range l.Rates.rates {
		key := named{MarketKey(r.Market), r.From, r.To}
		if count[key]++; count[key] == 1 {
			first[key] = i
		}
	}
	for key, i := range first {
		dates := span{from: key.from, to: key.to}
		if l.reached(key.market, dates) {
			continue
		}
		text := "no prefix leads to it"
		if l.Markets.IsCountry(key.market) || l.Markets.IsMarket(key.market) {
			text = "no prefix leads to it on " + dates.String()
		} else if near := l.nearMarket(key.market); near != "" {
			text += "; the markets table has " + strconv.Quote(near)
		}
		if count[key] > 1 {
			text += " (" + strconv.Itoa(count[key]) + " rows)"
		}
		l.found(LintError, LintRates, l.Rates.rates[i].Where, "unknown_market", "market %q: %s", key.market, text)
	}
}

// reached says whether any contact can lie in a market, or country, on some of
// the dates.
func (l *linter) reached(market string, dates span) bool {
	return market == AnyMarket || slices.ContainsFunc(l.Markets.Rows(), func(m MarketRow) bool {
		return (m.Market == market || strings.EqualFold(m.Country, market)) && !dates.within(span{from: m.From, to: m.To}).empty()
	})
}

// nearMarket is the market whose name differs in case only.
func (l *linter) nearMarket(market string) string {
	for _, m := range l.Markets.Rows() {
		if strings.EqualFold(m.Market, market) {
			return m.Market
		}
	}
	return ""
}

// lintCurrencies looks for more than one currency in a plan. The rows of the
// currency that most have are taken for right.
func (l *linter) lintCurrencies(p *planRates) {
	rows := make(map[string][]int)
	for _, i := range p.rows {
		currency := l.Rates.rates[i].Currency
		rows[currency] = append(rows[currency], i)
	}
	names := slices.Sorted(maps.Keys(rows))
	most := slices.MaxFunc(names, func(a, b string) int { return len(rows[a]) - len(rows[b]) })
	for _, currency := range names {
		if currency != most {
			l.found(LintWarning, LintRates, l.Rates.rates[rows[currency][0]].Where, "mixed_currencies", "plan %q: rows in %s (%d), others in %s (%d)", p.plan, currency, len(rows[currency]), most, len(rows[most]))
		}
	}
}
