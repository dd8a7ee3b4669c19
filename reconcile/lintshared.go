package reconcile

import (
	"slices"
	"strings"
)

// marketFinding is a finding about one market of a plan. Those that say the
// same of other markets on the same dates are told together with it.
type marketFinding struct {
	severity      LintSeverity
	check         string
	before, after string // the text around the names of the markets
	market        string
	where         string // the row to look at
}

// foundFor adds dates to a finding about a market. They come in order.
func (l *linter) foundFor(on span, f marketFinding) {
	l.shared[f] = addSpan(l.shared[f], on)
}

// joinMarkets makes one finding of those that differ in their markets alone.
// It stands at the first of their rows.
func (l *linter) joinMarkets() {
	type alike struct {
		all   marketFinding
		dates string
	}
	groups := make(map[alike][]marketFinding)
	for f, spans := range l.shared {
		key := alike{f, spanTexts(spans)}
		key.all.market, key.all.where = "", ""
		groups[key] = append(groups[key], f)
	}
	for key, of := range groups {
		slices.SortFunc(of, func(a, b marketFinding) int { return compareWhere(a.where, b.where) })
		markets := make([]string, len(of))
		for i, f := range of {
			markets[i] = f.market
		}
		slices.Sort(markets)
		l.found(key.all.severity, LintRates, of[0].where, key.all.check, "%s%s%s on %s",
			key.all.before, strings.Join(slices.Compact(markets), ", "), key.all.after, key.dates)
	}
}
