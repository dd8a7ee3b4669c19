package reconcile

import (
	"fmt"
	"testing"
)

// Markets that no contact is in.
func TestLintRateMarkets(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"unknown market", func(c *lintCase) { c.rates[0].Market = "italy" }, []string{
			`error rates r:2 market_without_price: plan "p", utility, conversation: no price for Italy on [2024-07-01, 2024-08-01)`,
			`error rates r:2 unknown_market: market "italy": no prefix leads to it; the markets table has "Italy"`,
		}},
		{"market of other dates", func(c *lintCase) {
			other := c.rates[0]
			other.Where, other.Market, other.To = "r:9", "Hungary", day("2026-07-01")
			c.rates = append(c.rates, other)
			c.markets = append(c.markets, MarketRow{Where: "m:4", Prefix: "36", Country: "HU", Market: "Hungary", From: day("2026-07-01"), To: MaxDate})
		}, []string{`error rates r:9 unknown_market: market "Hungary": no prefix leads to it on [the beginning, 2026-07-01)`}},
	})
}

// What is odd about the rows of a plan.
func TestLintPlans(t *testing.T) {
	t.Parallel()
	runLint(t, []lintSpoilt{
		{"unused plan", func(c *lintCase) {
			other := c.rates[0]
			other.Where, other.Plan = "r:9", "old"
			c.rates = append(c.rates, other)
		}, []string{`warning rates r:9 unused_plan: plan "old": no account and no recharge uses it in the period`}},
		{"mixed currencies", func(c *lintCase) {
			c.rates = append(c.rates, Rate{Where: "r:9", Plan: "p", Market: "*", Category: Utility, Price: 1, Currency: "USD", From: MinDate, To: MaxDate})
		}, []string{`warning rates r:9 mixed_currencies: plan "p": rows in USD (1), others in EUR (5)`}},
	})
}

// Prices by a unit that is not charged.
func TestLintUnits(t *testing.T) {
	t.Parallel()
	runLint(t, []lintSpoilt{
		{"no price by the unit", func(c *lintCase) { c.rates[0].Unit, c.rates[1].Unit = UnitMessage, UnitMessage }, []string{
			`error rates r:2 unit: plan "p", utility, conversation: prices by message alone, and rules conversation charge by conversation on [2024-07-01, 2024-08-01)`,
		}},
		{"prices by another unit", func(c *lintCase) {
			other := c.rates[0]
			other.Where, other.Unit = "r:9", UnitMessage
			c.rates = append(c.rates, other)
		}, []string{`warning rates r:9 unit: plan "p": prices by message, by which rules conversation do not charge on [2024-07-01, 2024-08-01)`}},
		{"price of one category by another unit", func(c *lintCase) {
			c.rates = []Rate{{Where: "r:2", Plan: "p", Market: "*", Category: Utility, Unit: UnitMessage, Price: 50_000, Currency: "EUR", From: MinDate, To: MaxDate}}
		}, []string{
			`error rates r:2 unit: plan "p", utility, conversation: prices by message alone, and rules conversation charge by conversation on [2024-07-01, 2024-08-01)`,
		}},
		{"n/a by another unit beside prices", func(c *lintCase) {
			c.rates = append(c.rates, Rate{Where: "r:9", Plan: "p", Market: "*", Category: Utility, Unit: UnitMessage, NoPrice: true, Currency: "EUR", From: MinDate, To: MaxDate})
		}, nil},
		{"n/a by another unit", func(c *lintCase) {
			c.rates = []Rate{{Where: "r:2", Plan: "p", Market: "*", Category: Utility, Unit: UnitMessage, NoPrice: true, Currency: "EUR", From: MinDate, To: MaxDate}}
		}, []string{
			`error rates r:2 category_without_price: plan "p", utility, conversation: no market has a price on [2024-07-01, 2024-08-01)`,
		}},
	})
}

// Prices from one validity to the next.
func TestLintChanges(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"jump", func(c *lintCase) {
			later := c.rates[0]
			later.Where, later.From, later.Price = "r:9", day("2024-07-12"), 300_001
			c.rates[0].To = day("2024-07-12")
			c.rates = append(c.rates, later)
		}, []string{`warning rates r:9 price_jump: plan "p", market "Italy", utility, conversation: 0.300001 after 0.03 EUR in r:2, more than tenfold`}},
		{"fall", func(c *lintCase) {
			later := c.rates[0]
			later.Where, later.From, later.Price = "r:9", day("2024-07-12"), 2_999
			c.rates[0].To = day("2024-07-12")
			c.rates = append(c.rates, later)
		}, []string{`warning rates r:9 price_jump: plan "p", market "Italy", utility, conversation: 0.002999 after 0.03 EUR in r:2, more than tenfold`}},
		{"tenfold is not more", func(c *lintCase) {
			later, last := c.rates[0], c.rates[0]
			later.Where, later.From, later.To, later.Price = "r:9", day("2024-07-12"), day("2024-07-13"), 300_000
			last.Where, last.From = "r:10", day("2024-07-13")
			c.rates[0].To = day("2024-07-12")
			c.rates = append(c.rates, later, last)
		}, nil},
		{"zero", func(c *lintCase) {
			for i := range 2 {
				later := c.rates[i]
				later.Where, later.From, later.Price = fmt.Sprintf("r:%d", 9+i), day("2024-07-12"), 0
				c.rates[i].To = day("2024-07-12")
				c.rates = append(c.rates, later)
			}
		}, []string{`warning rates r:9 price_zero: plan "p", utility, conversation: the price becomes 0 on 2024-07-12 for Italy, Germany`}},
	})
}
