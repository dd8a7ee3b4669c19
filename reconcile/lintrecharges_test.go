package reconcile

import "testing"

// What is wrong with recharges.
func TestLintRecharges(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"purchase to come", func(c *lintCase) { c.recharges[0].PurchasedAt = day("2024-08-02").Start() + 1 }, []string{
			`warning recharges c:2 purchase_ahead: recharge "r1": purchased at 2024-08-02T00:00:00.001Z, which is still to come`,
		}},
		{"purchase long ago", func(c *lintCase) { c.recharges[0].PurchasedAt = day("2009-01-01").Start() - 1 }, []string{
			`warning recharges c:2 purchase_early: recharge "r1": purchased at 2008-12-31T23:59:59.999Z, before there were messages`,
		}},
		{"expiry near", func(c *lintCase) { c.recharges[0].ExpiresAt = c.recharges[0].PurchasedAt + DayMillis - 1 }, []string{
			`warning recharges c:2 expiry_near: recharge "r1": expires at 2024-03-01T23:59:59.999Z, less than a day after it was purchased`,
		}},
		{"a day", func(c *lintCase) { c.recharges[0].ExpiresAt = c.recharges[0].PurchasedAt + DayMillis }, nil},
		{"expiry far", func(c *lintCase) { c.recharges[0].ExpiresAt = day("2034-03-02").Start() }, []string{
			`warning recharges c:2 expiry_far: recharge "r1": expires at 2034-03-02T00:00:00Z, more than 10 years after it was purchased`,
		}},
		{"ten years", func(c *lintCase) { c.recharges[0].ExpiresAt = day("2034-03-01").Start() }, nil},
		{"recharge of another plan", func(c *lintCase) { c.recharges[0].Plan = "old" }, []string{
			`error recharges c:2 plan_without_rates: recharge "r1": no rate is of plan "old"`,
		}},
		{"recharge in another currency", func(c *lintCase) { c.recharges[0].Currency = "USD" }, []string{
			`error recharges c:2 currency_without_rates: recharge "r1": plan "p" has no price in USD on [2024-03-01, open), so that it pays for nothing`,
		}},
		{"recharge before its prices", func(c *lintCase) {
			for _, rates := range [][]Rate{c.rates, c.rest} {
				for i := range rates {
					rates[i].From = day("2024-07-02")
				}
			}
			c.recharges[0].ExpiresAt = day("2024-07-02").Start() - 2*3_600_000 // midnight in Rome
		}, []string{
			`error rates r:2 category_without_price: plan "p", utility, conversation: no market has a price on [2024-07-01, 2024-07-02)`,
			`error rates r:20 category_without_price: plan "p", marketing, conversation: no market has a price on [2024-07-01, 2024-07-02)`,
			`error rates r:21 category_without_price: plan "p", authentication, conversation: no market has a price on [2024-07-01, 2024-07-02)`,
			`error rates r:22 category_without_price: plan "p", service, conversation: no market has a price on [2024-07-01, 2024-07-02)`,
			`error recharges c:2 currency_without_rates: recharge "r1": plan "p" has no price in EUR on [2024-03-01, 2024-07-02), so that it pays for nothing`,
		}},
		{"recharge of nobody", func(c *lintCase) { c.recharges[0].Account = "*" }, []string{
			`error recharges c:2 recharge_account: recharge "r1": account "*" is the account of nobody`,
		}},
		{"recharge of an unknown account", func(c *lintCase) { c.recharges[0].Account = "ACME" }, []string{
			`error recharges c:2 recharge_account: recharge "r1": account "ACME" has no row`,
		}},
		{"recharge of an account without dates", func(c *lintCase) {
			c.recharges[0].ExpiresAt = day("2024-07-20").Start()
			c.accounts[0].From = day("2024-07-21")
		}, []string{
			`error recharges c:2 recharge_account: recharge "r1": no row of account "acme" is valid on [2024-03-01, 2024-07-21)`,
		}},
		{"recharge of an account of *", func(c *lintCase) { c.accounts[0].ID = "*" }, []string{
			`warning accounts a:2 any_account: every account id without a row of its own is charged by plan "p"`,
			`warning recharges c:2 recharge_account: recharge "r1": account "acme" has no row of its own, only that of "*"`,
		}},
		{"recharge twice", func(c *lintCase) {
			other := c.recharges[0]
			other.Where, other.ID = "c:3", "r2"
			c.recharges = append(c.recharges, other)
		}, []string{`warning recharges c:3 recharge_twice: recharge "r2": the same account, plan, times and amount as "r1" in c:2`}},
	})
}
