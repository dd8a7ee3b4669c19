package reconcile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

func (l *linter) lintMarkets() {
	if l.Markets == nil {
		return
	}
	byPrefix := make(map[string][]*MarketRow)
	byCountry := make(map[string][]*MarketRow)
	byName := make(map[string]*MarketRow)
	rows := l.Markets.Rows()
	for i := range rows {
		m := &rows[i]
		byPrefix[m.Prefix] = append(byPrefix[m.Prefix], m)
		country := strings.ToUpper(m.Country)
		byCountry[country] = append(byCountry[country], m)
		if !l.holds(m.From, m.To) {
			continue
		}
		if _, seen := byName[m.Market]; !seen {
			byName[m.Market] = m
		}
		if m.Prefix[0] == '0' {
			l.found(LintWarning, LintMarkets, m.Where, "prefix_zero", "prefix %s: no calling code begins with 0", m.Prefix)
		}
	}
	for prefix, of := range byPrefix {
		l.lintPrefixGaps(prefix, of)
	}
	for country, of := range byCountry {
		l.lintCountry(country, of)
	}
	l.lintMarketNames(byName)
}

// lintPrefixGaps looks for dates of the period between two rows of a prefix:
// its numbers then lie where a shorter prefix says, or nowhere.
func (l *linter) lintPrefixGaps(prefix string, rows []*MarketRow) {
	slices.SortFunc(rows, func(a, b *MarketRow) int { return cmp.Compare(a.From, b.From) })
	for i := 1; i < len(rows); i++ {
		gap := l.period.within(span{from: rows[i-1].To, to: rows[i].From})
		if !gap.empty() {
			l.found(LintError, LintMarkets, rows[i].Where, "gap", "prefix %s: no row is valid on %v, after %s", prefix, gap, rows[i-1].Where)
		}
	}
}

// lintCountry looks for a country in several markets at a time: a contact
// without a number, and an invoice line for the country, has but one of them.
func (l *linter) lintCountry(country string, rows []*MarketRow) {
	var cuts []Date
	for _, m := range rows {
		cuts = append(cuts, m.From, m.To)
	}
	for _, on := range l.period.pieces(cuts) {
		names := make(map[string]*MarketRow)
		for _, m := range rows {
			if _, seen := names[m.Market]; !seen && (span{from: m.From, to: m.To}).covers(on.from) {
				names[m.Market] = m
			}
		}
		if len(names) < 2 {
			continue
		}
		of, _ := l.Markets.MarketOf(country, on.from)
		l.foundOn(on, LintWarning, LintMarkets, names[of].Where, "country_markets", "country %s: in markets %s; a contact without a number is taken to be in %s",
			country, strings.Join(slices.Sorted(maps.Keys(names)), ", "), of)
	}
}

// lintMarketNames looks for names that rates and invoices take for something
// else than the market, or that are likely one name written in two ways.
func (l *linter) lintMarketNames(byName map[string]*MarketRow) {
	folded := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		m := byName[name]
		if IsCountryCode(name) {
			l.found(LintError, LintMarkets, m.Where, "market_name", "market %q: rates take it for the country %s", name, strings.ToUpper(name))
		}
		key := strings.ToLower(strings.Join(strings.Fields(name), " "))
		if other, ok := folded[key]; ok {
			l.found(LintWarning, LintMarkets, m.Where, "similar_market", "market %q: %s has market %q", name, byName[other].Where, other)
		}
		folded[key] = name
	}
}
