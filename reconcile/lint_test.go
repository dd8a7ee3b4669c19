package reconcile

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// lintText writes a finding on one line.
func lintText(f LintFinding) string {
	return fmt.Sprintf("%v %s %s %s: %s", f.Severity, f.Table, f.Where, f.Check, f.Text)
}

func lintTexts(findings []LintFinding) []string {
	texts := make([]string, len(findings))
	for i, f := range findings {
		texts[i] = lintText(f)
	}
	return texts
}

// lintTables makes the tables; a nil slice is a table that is not there.
func lintTables(t interface{ Fatal(...any) }, rates []Rate, accounts []Account, markets []MarketRow, recharges []Recharge) LintTables {
	var tables LintTables
	var errs [4]error
	tables.Rates, errs[0] = NewRateBook(rates)
	tables.Markets, errs[1] = NewMarkets(markets)
	if accounts != nil {
		tables.Accounts, errs[2] = NewAccounts(accounts)
	}
	if recharges != nil {
		tables.Recharges, errs[3] = NewRecharges(recharges)
	}
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return tables
}

// lintCase is tables with everything in order, for a test to spoil.
type lintCase struct {
	rates     []Rate // of utility, one for each market
	rest      []Rate // of the other categories, for all markets
	accounts  []Account
	markets   []MarketRow
	recharges []Recharge
}

func sound(t *testing.T) *lintCase {
	t.Helper()
	rome := loadZone(t, "Europe/Rome")
	vat := decimal.RequireFromString("0.22")
	march := date(t, "2024-03-01")
	c := &lintCase{
		accounts: []Account{{Where: "a:2", ID: "acme", Plan: "p", Zone: rome, VATRate: &vat, From: march, To: MaxDate}},
		markets: []MarketRow{
			{Where: "m:2", Prefix: "39", Country: "IT", Market: "Italy", From: MinDate, To: MaxDate},
			{Where: "m:3", Prefix: "49", Country: "DE", Market: "Germany", From: MinDate, To: MaxDate},
		},
		recharges: []Recharge{{Where: "c:2", ID: "r1", Account: "acme", Plan: "p", PurchasedAt: march.Start(), ExpiresAt: NeverExpires, Net: 1, Currency: "EUR"}},
	}
	for i, market := range []string{"Italy", "Germany"} {
		c.rates = append(c.rates, Rate{Where: fmt.Sprintf("r:%d", i+2), Plan: "p", Market: market, Category: Utility, Price: 30_000, Currency: "EUR", From: MinDate, To: MaxDate})
	}
	for i, category := range []Category{Marketing, Authentication, Service} {
		c.rest = append(c.rest, Rate{Where: fmt.Sprintf("r:%d", i+20), Plan: "p", Market: "*", Category: category, Price: 30_000, Currency: "EUR", From: MinDate, To: MaxDate})
	}
	return c
}

// tables makes the tables of the case.
func (c *lintCase) tables(t *testing.T) LintTables {
	t.Helper()
	return lintTables(t, slices.Concat(c.rates, c.rest), c.accounts, c.markets, c.recharges)
}

// july is the period that cases are judged for.
func july(t *testing.T) LintPeriod {
	t.Helper()
	return LintPeriod{From: date(t, "2024-07-01"), To: date(t, "2024-08-01"), Now: date(t, "2024-08-02").Start()}
}

func (c *lintCase) lint(t *testing.T) []string {
	t.Helper()
	return lintTexts(Lint(c.tables(t), july(t)))
}

// lintSpoilt is one thing spoilt in tables that are sound, and what is found.
type lintSpoilt struct {
	name  string
	spoil func(c *lintCase)
	want  []string
}

func runLint(t *testing.T, cases []lintSpoilt) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tables := sound(t)
			c.spoil(tables)
			got := tables.lint(t)
			if len(got)+len(c.want) == 0 {
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLintFindsNothingWhereNothingIs(t *testing.T) {
	t.Parallel()
	if got := sound(t).lint(t); len(got) != 0 {
		t.Errorf("findings of sound tables: %q", got)
	}
}

func TestSplitWhere(t *testing.T) {
	t.Parallel()
	for where, want := range map[string]string{
		"rates.csv:7": "rates.csv 7", "a/b:c.csv:12": "a/b:c.csv 12", "rates.csv": "rates.csv 0", "a:b": "a:b 0", "7": "7 0", "": " 0",
	} {
		file, line := SplitWhere(where)
		if got := fmt.Sprint(file, " ", line); got != want {
			t.Errorf("%q is %q, want %q", where, got, want)
		}
	}
}
