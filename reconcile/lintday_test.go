package reconcile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// naiveUse says whether some account row or recharge has plan p charge
// category c by unit u on d.
func naiveUse(tables LintTables, p string, c Category, u Unit, d Date) bool {
	for _, a := range tables.Accounts.Rows() {
		if unit, ok := a.Rules.Billed(c, d); a.Plan == p && a.From <= d && d < a.To && ok && unit == u {
			return true
		}
	}
	for _, r := range tables.Recharges.Rows() {
		terms := tables.Accounts.Of(r.Account)
		if unit, ok := terms.Rules.Billed(c, d); r.Plan == p && ok && unit == u && r.PurchasedAt < terms.Zone.Start(d+1) && r.ExpiresAt > terms.Zone.Start(d) {
			return true
		}
	}
	return false
}

// naiveHas says whether one of the rows of a plan, category and unit is valid
// on d, and has a price if it has to.
func naiveHas(rates []Rate, p string, c Category, u Unit, d Date, price bool) bool {
	return slices.ContainsFunc(rates, func(r Rate) bool {
		return r.Plan == p && r.Category == c && r.Unit == u && r.From <= d && d < r.To && !(price && r.NoPrice)
	})
}

// naiveLack says what lacks a price on d: nothing, a market, or the category
// as a whole, which has prices by the other unit or has none.
func naiveLack(tables LintTables, rates []Rate, p string, c Category, u Unit, d Date) string {
	bare, silent := 0, 0 // places without a price, and those of which no row says so
	for _, m := range tables.Markets.Rows() {
		if m.From > d || d >= m.To || tables.Rates.Lookup(p, Place{m.Country, m.Market}, c, u, d) != nil {
			continue
		}
		bare++
		if !slices.ContainsFunc(rates, func(r Rate) bool {
			return r.Plan == p && r.Category == c && r.Unit == u && r.From <= d && d < r.To && slices.Contains([]string{m.Country, m.Market, "*"}, r.Market)
		}) {
			silent++
		}
	}
	switch {
	case bare == 0:
		return ""
	case silent == 0 || naiveHas(rates, p, c, u, d, true):
		return "market"
	case naiveHas(rates, p, c, UnitMessage-u, d, true):
		return "unit"
	}
	return "category"
}

// drawLintTables draws tables around a day; rates are given.
func drawLintTables(t *rapid.T, rates []Rate, around Date, zone *Zone) LintTables {
	accounts := []Account{{ID: "other", Plan: "none", Zone: zone, From: MinDate, To: MaxDate}}
	for i := range rapid.IntRange(0, 2).Draw(t, "accounts") {
		from := around + Date(rapid.IntRange(-2, 6).Draw(t, "from"))
		accounts = append(accounts, Account{
			ID: fmt.Sprint(i), Plan: rapid.SampledFrom([]string{"p", "q"}).Draw(t, "plan"), Zone: zone,
			Rules: Rules(rapid.IntRange(0, 1).Draw(t, "rules")), From: from, To: from + Date(rapid.IntRange(1, 9).Draw(t, "days")),
		})
	}
	recharges := []Recharge{}
	for i := range rapid.IntRange(0, 2).Draw(t, "recharges") {
		at := around.Start() + rapid.Int64Range(-3*DayMillis, 9*DayMillis).Draw(t, "purchase")
		recharges = append(recharges, Recharge{
			ID: fmt.Sprint(i), Account: rapid.SampledFrom([]string{"0", "other", "absent"}).Draw(t, "of"), Plan: "q",
			PurchasedAt: at, ExpiresAt: at + rapid.Int64Range(1, 5*DayMillis).Draw(t, "life"),
		})
	}
	markets := []MarketRow{
		{Prefix: "39", Country: "IT", Market: "Italy", From: MinDate, To: MaxDate},
		{Prefix: "7", Country: "RU", Market: "Other", From: MinDate, To: around + 2},
		{Prefix: "7", Country: "RU", Market: "Russia", From: around + 2, To: MaxDate},
	}
	return lintTables(t, rates, accounts, markets, recharges)
}

// The dates on which Lint finds something without a price are those on which a
// day-by-day reading finds it. A plan without any row is another finding.
func TestLintPricesDayByDay(t *testing.T) {
	t.Parallel()
	around := date(t, "2025-06-28") // Meta's own rules change the unit on 1 July
	zone := loadZone(t, "Asia/Tokyo")
	rapid.Check(t, func(t *rapid.T) {
		rates := drawRates(t, around, "r")
		tables := drawLintTables(t, rates, around, zone)
		period := LintPeriod{From: around, To: around + 9}
		want := map[string]string{}
		for _, p := range tables.Rates.Plans() {
			for c := Authentication; c < CategoryCount; c++ {
				for u := UnitConversation; u <= UnitMessage; u++ {
					for d := period.From; d < period.To; d++ {
						if lack := naiveLack(tables, rates, p, c, u, d); lack != "" && naiveUse(tables, p, c, u, d) {
							want[fmt.Sprintf("%q %v %v %v", p, c, u, d)] = lack
						}
					}
				}
			}
		}
		if diff := cmp.Diff(want, bareDays(t, Lint(tables, period))); diff != "" {
			t.Errorf("days without a price (-want +got):\n%s", diff)
		}
	})
}

// bareDays takes the days out of the findings about what has no price, and
// what it is that has none.
func bareDays(t *rapid.T, findings []LintFinding) map[string]string {
	about := regexp.MustCompile(`^plan ("[pq]"), (\w+), (\w+): .* on (\[.*)$`)
	lacks := map[string]string{
		"gap": "market", "market_without_price": "market", "not_available": "market",
		"unit": "unit", "category_without_price": "category",
	}
	days := map[string]string{}
	for _, f := range findings {
		parts := about.FindStringSubmatch(f.Text)
		lack := lacks[f.Check]
		switch {
		case lack == "" || f.Table != LintRates || strings.Contains(f.Text, ", so that "): // a gap that another row fills
			continue
		case parts == nil && f.Check == "unit": // prices that nothing is charged by
			continue
		case parts == nil:
			t.Fatalf("finding %q is not of the form", f.Text)
		}
		for _, d := range daysOf(t, parts[4]) {
			key := fmt.Sprintf("%s %s %s %v", parts[1], parts[2], parts[3], d)
			if before := days[key]; before == "" || before == "market" { // n/a is told beside a category
				days[key] = lack
			}
		}
	}
	return days
}

// daysOf reads spans of dates as findings have them.
func daysOf(t *rapid.T, spans string) []Date {
	var days []Date
	for dates := range strings.SplitSeq(spans, "), [") {
		from, to, _ := strings.Cut(strings.Trim(dates, "[)"), ", ")
		first, errFrom := ParseDate(from)
		end, errTo := ParseDate(to)
		if errFrom != nil || errTo != nil {
			t.Fatal(spans)
		}
		for d := first; d < end; d++ {
			days = append(days, d)
		}
	}
	return days
}

// The dates on which Lint finds that another row fills the gap of a key are
// those on which a day-by-day reading finds one.
func TestLintFilledGapsDayByDay(t *testing.T) {
	t.Parallel()
	around := date(t, "2025-06-28")
	zone := loadZone(t, "Asia/Tokyo")
	about := regexp.MustCompile(`^plan "p", utility, conversation: no row is valid for (.*), so that (\S+) holds, .* on (\[.*)$`)
	rapid.Check(t, func(t *rapid.T) {
		var rates []Rate
		for _, r := range slices.Concat(drawRates(t, around, "a"), drawRates(t, around, "b"), drawRates(t, around, "c")) {
			r.Plan, r.Category, r.Unit = "p", Utility, UnitConversation // of few keys, so that gaps are many
			if _, err := NewRateBook(append(rates[:len(rates):len(rates)], r)); err == nil {
				rates = append(rates, r)
			}
		}
		tables := drawLintTables(t, rates, around, zone)
		got := map[string]bool{}
		period := LintPeriod{From: around, To: around + 9}
		for _, f := range Lint(tables, period) {
			if parts := about.FindStringSubmatch(f.Text); f.Check == "gap" && f.Severity == LintWarning && parts != nil {
				for market := range strings.SplitSeq(parts[1], ", ") {
					for _, d := range daysOf(t, parts[3]) {
						got[fmt.Sprint(market, " ", parts[2], " ", d)] = true
					}
				}
			}
		}
		want := map[string]bool{}
		for d := period.From; d < period.To; d++ {
			if len(rates) == 0 || !naiveUse(tables, "p", Utility, UnitConversation, d) {
				continue
			}
			for _, m := range tables.Markets.Rows() {
				if m.From <= d && d < m.To {
					for _, gap := range naiveFilled(rates, Place{m.Country, m.Market}, d) {
						want[fmt.Sprint(gap, " ", d)] = true
					}
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("gaps that are filled (-want +got):\n%s", diff)
		}
	})
}

// naiveFilled lists the markets, country first, that have rows before and after
// d and none on d, with the row of a later market that is valid then.
func naiveFilled(rates []Rate, place Place, d Date) []string {
	var gaps []string
	for _, market := range []string{place.Country, place.Market, "*"} {
		before, after := false, false
		for _, r := range rates {
			switch {
			case r.Market != market:
			case r.From <= d && d < r.To:
				for i := range gaps {
					gaps[i] += " " + r.Where
				}
				return gaps
			default:
				before, after = before || r.To <= d, after || r.From > d
			}
		}
		if before && after {
			gaps = append(gaps, market)
		}
	}
	return nil
}
