package reconcile

import (
	"slices"
	"strconv"
	"strings"
)

// lintRateMarkets looks for rows of the period whose market no prefix leads to
// while they are valid. Those of one market and the same dates are one finding.
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
		if !l.holds(r.From, r.To) {
			continue
		}
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
