package reconcile

import (
	"fmt"
	"testing"
)

// Dates without a row.
func TestLintGaps(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"gap", func(c *lintCase) {
			later := c.rates[0]
			later.Where, later.From = "r:9", day("2024-07-12")
			c.rates[0].To = day("2024-07-10")
			c.rates = append(c.rates, later)
		}, []string{`error rates r:2 gap: plan "p", utility, conversation: no row is valid for Italy on [2024-07-10, 2024-07-12)`}},
		{"gap outside the period", func(c *lintCase) { c.rates[0].From = day("2024-07-01") }, nil},
		{"gap while the account is not there", func(c *lintCase) {
			c.rates[0].From = day("2024-07-10")
			c.accounts[0].From = day("2024-07-10")
			c.recharges = []Recharge{}
		}, nil},
		{"gap for a recharge", func(c *lintCase) {
			c.rates[0].From = day("2024-07-10")
			c.accounts[0].From = day("2024-07-15")
			c.recharges[0].PurchasedAt, c.recharges[0].ExpiresAt = day("2024-07-05").Start()-1, day("2024-07-16").Start()
		}, []string{`error rates r:2 gap: plan "p", utility, conversation: no row is valid for Italy on [2024-07-05, 2024-07-10)`}},
		{"gap of many markets", func(c *lintCase) {
			for i := range 2 {
				later := c.rates[1-i]
				later.Where, later.From = fmt.Sprintf("r:%d", 9+i), day("2024-07-12")
				c.rates[1-i].To = day("2024-07-10")
				c.rates = append(c.rates, later)
			}
			c.rates = append(c.rates, Rate{Where: "r:11", Plan: "p", Market: "FR", Category: Utility, Price: 1, Currency: "EUR", From: MinDate, To: MaxDate})
			c.markets = append(c.markets, MarketRow{Where: "m:4", Prefix: "33", Country: "FR", Market: "France", From: MinDate, To: MaxDate})
		}, []string{`error rates r:2 gap: plan "p", utility, conversation: no row is valid for Germany, Italy on [2024-07-10, 2024-07-12)`}},
		{"gap of other dates", func(c *lintCase) {
			c.rates[0].To, c.rates[1].To = day("2024-07-30"), day("2024-07-31")
			c.rates = append(c.rates, Rate{Where: "r:11", Plan: "p", Market: "FR", Category: Utility, Price: 1, Currency: "EUR", From: MinDate, To: MaxDate})
			c.markets = append(c.markets, MarketRow{Where: "m:4", Prefix: "33", Country: "FR", Market: "France", From: MinDate, To: MaxDate})
		}, []string{
			`error rates r:2 gap: plan "p", utility, conversation: no row is valid for Italy on [2024-07-30, 2024-08-01)`,
			`error rates r:3 gap: plan "p", utility, conversation: no row is valid for Germany on [2024-07-31, 2024-08-01)`,
		}},
		{"gap that * fills", func(c *lintCase) {
			later := c.rates[0]
			later.Where, later.From = "r:9", day("2024-07-12")
			c.rates[0].To = day("2024-07-10")
			c.rates = append(c.rates, later, Rate{Where: "r:10", Plan: "p", Market: "*", Category: Utility, Price: 500_000, Currency: "EUR", From: MinDate, To: MaxDate})
		}, []string{`warning rates r:2 gap: plan "p", utility, conversation: no row is valid for Italy, so that r:10 holds, 0.5 EUR for *, on [2024-07-10, 2024-07-12)`}},
		{"gap of a country that its market fills", func(c *lintCase) {
			before, later := c.rates[0], c.rates[0]
			before.Where, before.Market, before.To = "r:9", "IT", day("2024-07-10")
			later.Where, later.Market, later.From = "r:10", "IT", day("2024-07-12")
			c.rates = append(c.rates, before, later)
			c.rates[0].NoPrice, c.rates[0].Price = true, 0
		}, []string{
			`warning rates r:2 not_available: plan "p", utility, conversation: the rates say n/a for Italy on [2024-07-10, 2024-07-12)`,
			`warning rates r:9 gap: plan "p", utility, conversation: no row is valid for IT, so that r:2 holds, n/a for Italy, on [2024-07-10, 2024-07-12)`,
		}},
		{"an end is no gap where * goes on", func(c *lintCase) {
			c.rates[0].To = day("2024-07-10")
			c.rates = append(c.rates, Rate{Where: "r:10", Plan: "p", Market: "*", Category: Utility, Price: 500_000, Currency: "EUR", From: MinDate, To: MaxDate})
		}, nil},
	})
}

// Markets without a price.
func TestLintMarketPrices(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"market without a price", func(c *lintCase) { c.rates = c.rates[:1] }, []string{
			`error rates r:2 market_without_price: plan "p", utility, conversation: no price for Germany on [2024-07-01, 2024-08-01)`,
		}},
		{"dates that touch are one", func(c *lintCase) {
			later := c.rates[0]
			later.Where, later.From = "r:9", day("2024-07-12")
			c.rates[0].To = day("2024-07-12")
			c.rates = []Rate{c.rates[0], later}
		}, []string{`error rates r:2 market_without_price: plan "p", utility, conversation: no price for Germany on [2024-07-01, 2024-08-01)`}},
		{"dates that do not touch", func(c *lintCase) {
			for i, from := range []Date{day("2024-07-03"), day("2024-07-06")} {
				c.accounts = append(c.accounts, c.accounts[0])
				c.accounts[i+1].Where, c.accounts[i+1].From, c.accounts[i+1].To = fmt.Sprintf("a:%d", 3+i), from, MaxDate
				c.accounts[i].To = from - 1
			}
			c.rates, c.recharges = c.rates[:1], []Recharge{}
		}, []string{
			`error rates r:2 market_without_price: plan "p", utility, conversation: no price for Germany on [2024-07-01, 2024-07-02), [2024-07-03, 2024-07-05), [2024-07-06, 2024-08-01)`,
			`error accounts a:3 gap: account "acme": no row is valid on [2024-07-02, 2024-07-03), after a:2`,
			`error accounts a:4 gap: account "acme": no row is valid on [2024-07-05, 2024-07-06), after a:3`,
		}},
		{"country without a price", func(c *lintCase) {
			c.rates[0].Market = "IT"
			c.markets = append(c.markets, MarketRow{Where: "m:4", Prefix: "379", Country: "VA", Market: "Italy", From: day("2024-07-30"), To: MaxDate})
		}, []string{`error rates r:2 market_without_price: plan "p", utility, conversation: no price for VA of Italy on [2024-07-30, 2024-08-01)`}},
		{"n/a", func(c *lintCase) { c.rates[0].NoPrice = true }, []string{
			`warning rates r:2 not_available: plan "p", utility, conversation: the rates say n/a for Italy on [2024-07-01, 2024-08-01)`,
		}},
	})
}

// Categories without a price.
func TestLintCategories(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"category without a row", func(c *lintCase) { c.rates = nil }, []string{
			`error rates r:20 category_without_price: plan "p", utility, conversation: no market has a price on [2024-07-01, 2024-08-01)`,
		}},
		{"category that ends", func(c *lintCase) { c.rates[0].To, c.rates[1].To = day("2024-07-10"), day("2024-07-01") }, []string{
			`error rates r:2 category_without_price: plan "p", utility, conversation: no market has a price on [2024-07-10, 2024-08-01)`,
			`error rates r:3 gap: plan "p", utility, conversation: no row is valid for Germany on [2024-07-01, 2024-07-10)`,
		}},
		{"category of another plan", func(c *lintCase) {
			c.rates[0].Plan, c.rates[1].Plan = "q", "q"
			c.accounts = append(c.accounts, c.accounts[0])
			c.accounts[1].Where, c.accounts[1].ID, c.accounts[1].Plan = "a:3", "beta", "q"
			for _, r := range c.rest[:2] {
				r.Where, r.Plan = r.Where+"0", "q"
				c.rest = append(c.rest, r)
			}
		}, []string{
			`error rates r:2 category_without_price: plan "q", service, conversation: no market has a price on [2024-07-01, 2024-08-01)`,
			`error rates r:20 category_without_price: plan "p", utility, conversation: no market has a price on [2024-07-01, 2024-08-01)`,
		}},
		{"category that is n/a for all", func(c *lintCase) {
			c.rates = []Rate{{Where: "r:2", Plan: "p", Market: "*", Category: Utility, NoPrice: true, Currency: "EUR", From: MinDate, To: MaxDate}}
		}, []string{`warning rates r:2 not_available: plan "p", utility, conversation: the rates say n/a for * on [2024-07-01, 2024-08-01)`}},
		{"category that is n/a for each", func(c *lintCase) { c.rates[0].NoPrice, c.rates[1].NoPrice = true, true }, []string{
			`warning rates r:2 not_available: plan "p", utility, conversation: the rates say n/a for Germany, Italy on [2024-07-01, 2024-08-01)`,
		}},
		{"category that is n/a for some", func(c *lintCase) {
			c.rates = c.rates[:1]
			c.rates[0].NoPrice = true
		}, []string{
			`error rates r:2 category_without_price: plan "p", utility, conversation: no market has a price on [2024-07-01, 2024-08-01)`,
			`warning rates r:2 not_available: plan "p", utility, conversation: the rates say n/a for Italy on [2024-07-01, 2024-08-01)`,
		}},
	})
}
