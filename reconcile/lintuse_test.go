package reconcile

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Under Meta's own rules a plan needs prices by conversation before July 2025
// and by message from then on. Service is charged by neither from November 2024
// to October 2026, and authentication_international is not in every book.
func TestLintUnitsByDate(t *testing.T) {
	t.Parallel()
	c := sound(t)
	c.accounts[0].Rules, c.recharges = RulesMeta, nil
	period := LintPeriod{From: date(t, "2025-06-15"), To: date(t, "2025-07-15")}
	got := lintTexts(Lint(c.tables(t), period))
	const international = `warning rates r:2 category_without_price: plan "p", authentication_international, `
	want := []string{
		`error rates r:2 unit: plan "p", utility, message: prices by conversation alone, and rules meta charge by message on [2025-07-01, 2025-07-15)`,
		international + `conversation: no market has a price on [2025-06-15, 2025-07-01)`,
		international + `message: no market has a price on [2025-07-01, 2025-07-15)`,
		`error rates r:20 unit: plan "p", marketing, message: prices by conversation alone, and rules meta charge by message on [2025-07-01, 2025-07-15)`,
		`error rates r:21 unit: plan "p", authentication, message: prices by conversation alone, and rules meta charge by message on [2025-07-01, 2025-07-15)`,
		`warning rates r:22 unit: plan "p": prices by conversation, by which rules meta do not charge on [2025-07-01, 2025-07-15)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings of prices by conversation (-want +got):\n%s", diff)
	}
	for _, r := range slices.Concat(c.rates, c.rest) {
		r.Where, r.Unit = r.Where+"0", UnitMessage
		c.rest = append(c.rest, r)
	}
	got = lintTexts(Lint(c.tables(t), period))
	want = []string{
		international + `conversation: no market has a price on [2025-06-15, 2025-07-01)`,
		international + `message: no market has a price on [2025-07-01, 2025-07-15)`,
		`warning rates r:2 unit: plan "p": prices by conversation, by which rules meta do not charge on [2025-07-01, 2025-07-15)`,
		`warning rates r:20 unit: plan "p": prices by message, by which rules meta do not charge on [2025-06-15, 2025-07-01)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings of open prices by both (-want +got):\n%s", diff)
	}
}

// Whatever authentication_international lacks is a warning.
func TestLintOfInternational(t *testing.T) {
	t.Parallel()
	c := sound(t)
	c.accounts[0].Rules, c.recharges = RulesMeta, nil
	for i, market := range []string{"Italy", "Germany"} {
		r := c.rates[i]
		r.Where, r.Market, r.Category = r.Where+"0", market, AuthenticationInternational
		c.rest = append(c.rest, r)
	}
	c.rest[len(c.rest)-1].To = date(t, "2024-07-10")
	want := []string{`warning rates r:30 gap: plan "p", authentication_international, conversation: no row is valid for Germany on [2024-07-10, 2024-08-01)`}
	if diff := cmp.Diff(want, c.lint(t)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// Without accounts every plan is used where it has prices; where accounts
// could not be read, nothing is said of use.
func TestLintWithoutAccounts(t *testing.T) {
	t.Parallel()
	c := sound(t)
	c.rates = c.rates[:1]
	c.rates[0].To = date(t, "2024-07-10")
	tables := lintTables(t, c.rates, nil, c.markets, nil)
	period := july(t)
	want := []string{`error rates r:2 market_without_price: plan "p", utility, conversation: no price for Germany on [2024-07-01, 2024-07-10)`}
	if diff := cmp.Diff(want, lintTexts(Lint(tables, period))); diff != "" {
		t.Errorf("findings without accounts (-want +got):\n%s", diff)
	}
	tables.UsesUnknown = true
	if got := Lint(tables, period); len(got) != 0 {
		t.Errorf("findings of unknown use: %q", lintTexts(got))
	}
}

// Where recharges could not be read, a plan that no account uses may be theirs.
func TestLintOfUnknownUse(t *testing.T) {
	t.Parallel()
	c := sound(t)
	other := c.rates[0]
	other.Where, other.Plan = "r:9", "old"
	c.rates = append(c.rates, other)
	period := july(t)
	c.recharges = nil
	tables := c.tables(t)
	if got := lintTexts(Lint(tables, period)); len(got) != 1 || !strings.Contains(got[0], "unused_plan") {
		t.Errorf("findings of a plan that nothing uses: %q", got)
	}
	tables.UsesUnknown = true
	if got := Lint(tables, period); len(got) != 0 {
		t.Errorf("findings of a plan that recharges may use: %q", lintTexts(got))
	}
}

// What holds on no date of the period is not looked at: neither rates, nor
// markets, accounts and recharges.
func TestLintOfOtherDates(t *testing.T) {
	t.Parallel()
	ended, begins := date(t, "2024-07-01"), date(t, "2024-08-01")
	for name, dates := range map[string]span{"ended": {from: MinDate, to: ended}, "begins": {from: begins, to: MaxDate}} {
		c := sound(t)
		rome := c.accounts[0].Zone
		row := func(where, plan, market, currency string, price Micros) Rate {
			return Rate{Where: where, Plan: plan, Market: market, Category: Utility, Price: price, Currency: currency, From: dates.from, To: dates.to}
		}
		c.rates = append(c.rates,
			row("r:30", "p", "Germnay", "EUR", 1), // unknown_market
			row("r:31", "p", "IT", "USD", 1),      // mixed_currencies
			row("r:32", "old", "*", "EUR", 1))     // unused_plan
		c.markets = append(c.markets,
			MarketRow{Where: "m:30", Prefix: "0", Country: "FR", Market: "fr", From: dates.from, To: dates.to},     // prefix_zero, market_name
			MarketRow{Where: "m:31", Prefix: "33", Country: "FR", Market: "ITALY", From: dates.from, To: dates.to}) // similar_market
		c.accounts = append(c.accounts, Account{Where: "a:30", ID: "Acme", Plan: "none", Zone: rome, From: dates.from, To: dates.to}) // similar_account and others
		lost := Recharge{Where: "c:30", ID: "r30", Account: "nobody", Plan: "none", PurchasedAt: date(t, "2024-08-02").Start(), ExpiresAt: NeverExpires, Net: 1, Currency: "EUR"}
		if name == "ended" {
			lost.PurchasedAt, lost.ExpiresAt = date(t, "2024-05-01").Start(), ended.Start()-2*3_600_000
		}
		c.recharges = append(c.recharges, lost)
		if got := c.lint(t); len(got) != 0 {
			t.Errorf("%s: findings of other dates: %q", name, got)
		}
	}
}

// A price is compared with the one before it only where it holds in the period.
func TestLintChangesOfThePeriod(t *testing.T) {
	t.Parallel()
	for on, want := range map[string][]string{
		"2024-06-30": {"price_jump", "price_zero"}, "2024-07-31": {"price_jump", "price_zero"}, "2024-08-01": nil,
	} {
		c := sound(t)
		for i, price := range []Micros{300_001, 0} {
			later := c.rates[i]
			later.Where, later.From, later.Price = later.Where+"0", date(t, on), price
			c.rates[i].To = later.From
			c.rates = append(c.rates, later)
		}
		var got []string
		for _, f := range Lint(c.tables(t), july(t)) {
			got = append(got, f.Check)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("changes on %s (-want +got):\n%s", on, diff)
		}
	}
}

// Changes that ended before the period are no longer told.
func TestLintChangesBeforeThePeriod(t *testing.T) {
	t.Parallel()
	c := sound(t)
	first, second := c.rates[0], c.rates[0]
	first.Where, first.To, first.Price = "r:8", date(t, "2023-01-01"), 1
	second.Where, second.From, second.To = "r:9", date(t, "2023-01-01"), date(t, "2024-07-01")
	c.rates[0].From = date(t, "2024-07-01")
	c.rates = append(c.rates, first, second)
	if got := c.lint(t); len(got) != 0 {
		t.Errorf("findings of changes before the period: %q", got)
	}
}
