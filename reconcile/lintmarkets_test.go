package reconcile

import "testing"

// What is wrong with markets.
func TestLintMarkets(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"prefix gap", func(c *lintCase) {
			later := c.markets[0]
			later.Where, later.From = "m:4", day("2024-07-12")
			c.markets[0].To = day("2024-07-10")
			c.markets = append(c.markets, later)
		}, []string{`error markets m:4 gap: prefix 39: no row is valid on [2024-07-10, 2024-07-12), after m:2`}},
		{"country in two markets", func(c *lintCase) {
			c.markets = append(c.markets, MarketRow{Where: "m:4", Prefix: "491", Country: "DE", Market: "Italy", From: day("2024-07-10"), To: MaxDate})
		}, []string{`warning markets m:3 country_markets: country DE: in markets Germany, Italy; a contact without a number is taken to be in Germany on [2024-07-10, 2024-08-01)`}},
		{"market like a country", func(c *lintCase) {
			c.markets[0].Market, c.rates[0].Market = "it", "IT"
		}, []string{`error markets m:2 market_name: market "it": rates take it for the country IT`}},
		{"similar market", func(c *lintCase) {
			c.markets = append(c.markets, MarketRow{Where: "m:4", Prefix: "379", Country: "VA", Market: "ITALY", From: MinDate, To: MaxDate})
			c.rates = append(c.rates, Rate{Where: "r:9", Plan: "p", Market: "VA", Category: Utility, Price: 1, Currency: "EUR", From: MinDate, To: MaxDate})
		}, []string{`warning markets m:2 similar_market: market "Italy": m:4 has market "ITALY"`}},
		{"prefix of no calling code", func(c *lintCase) { c.markets[0].Prefix = "039" }, []string{
			`warning markets m:2 prefix_zero: prefix 039: no calling code begins with 0`,
		}},
	})
}
