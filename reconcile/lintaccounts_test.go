package reconcile

import (
	"fmt"
	"testing"
)

// What is wrong with accounts.
func TestLintAccounts(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	runLint(t, []lintSpoilt{
		{"plan without rates", func(c *lintCase) { c.accounts[0].Plan = "P" }, []string{
			`error accounts a:2 plan_without_rates: account "acme": no rate is of plan "P"`,
		}},
		{"no VAT", func(c *lintCase) { c.accounts[0].VATRate = nil }, []string{
			`warning accounts a:2 no_vat_rate: account "acme": no vat_rate is given, so that its statements are without VAT`,
		}},
		{"account gap", func(c *lintCase) {
			later := c.accounts[0]
			later.Where, later.From = "a:3", day("2024-07-12")
			c.accounts[0].To = day("2024-06-12")
			c.accounts = append(c.accounts, later)
		}, []string{`error accounts a:3 gap: account "acme": no row is valid on [2024-07-01, 2024-07-12), after a:2`}},
		{"no account", func(c *lintCase) { c.accounts[0].To = day("2024-07-01") }, []string{
			`error accounts  no_account: no account is valid on [2024-07-01, 2024-08-01): every charge would be unrated`,
		}},
		{"any account", func(c *lintCase) {
			any := c.accounts[0]
			any.Where, any.ID = "a:3", "*"
			c.accounts = append(c.accounts, any)
		}, []string{`warning accounts a:3 any_account: every account id without a row of its own is charged by plan "p"`}},
		{"similar account", func(c *lintCase) {
			for i := range 2 {
				other := c.accounts[0]
				other.Where, other.ID, other.From, other.To = fmt.Sprintf("a:%d", 3+i), "Acme", day("2024-07-01")+Date(i), day("2024-07-02")+Date(i)
				c.accounts = append(c.accounts, other)
			}
		}, []string{`warning accounts a:3 similar_account: account "Acme": a:2 has account "acme"`}},
	})
}
