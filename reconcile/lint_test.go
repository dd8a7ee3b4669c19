package reconcile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
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

// naiveBare lists the places without a price on d.
func naiveBare(tables LintTables, rates []Rate, p string, c Category, u Unit, d Date) []string {
	var bare []string
	for _, m := range tables.Markets.Rows() {
		if m.From <= d && d < m.To && tables.Rates.Lookup(p, Place{m.Country, m.Market}, c, u, d) == nil {
			bare = append(bare, m.Country)
		}
	}
	return bare
}

// The dates on which Lint finds a place without a price are those on which a
// day-by-day reading finds one.
func TestLintPricesDayByDay(t *testing.T) {
	t.Parallel()
	around := date(t, "2025-06-28") // Meta's own rules change the unit on 1 July
	zone := loadZone(t, "Asia/Tokyo")
	rapid.Check(t, func(t *rapid.T) {
		rates := drawRates(t, around, "r")
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
		tables := lintTables(t, rates, accounts, markets, recharges)
		period := LintPeriod{From: around, To: around + 9}
		got := bareDays(t, Lint(tables, period))
		want := map[string]bool{}
		for _, p := range []string{"p", "q"} {
			for c := Authentication; c < CategoryCount; c++ {
				for u := UnitConversation; u <= UnitMessage; u++ {
					prices := slices.ContainsFunc(rates, func(r Rate) bool { return r.Plan == p && r.Category == c && r.Unit == u && !r.NoPrice })
					for d := period.From; d < period.To; d++ {
						if prices && naiveUse(tables, p, c, u, d) && len(naiveBare(tables, rates, p, c, u, d)) > 0 {
							want[fmt.Sprintf("%q %v %v %v", p, c, u, d)] = true
						}
					}
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("days without a price (-want +got):\n%s", diff)
		}
	})
}

// bareDays takes the days out of the findings about places without a price.
func bareDays(t *rapid.T, findings []LintFinding) map[string]bool {
	about := regexp.MustCompile(`^plan ("[pq]")(?:, market "[^"]+")?, (\w+), (\w+): .* on (\[.*)$`)
	days := map[string]bool{}
	for _, f := range findings {
		if f.Check != "gap" && f.Check != "market_without_price" && f.Check != "not_available" || f.Table != LintRates {
			continue
		}
		parts := about.FindStringSubmatch(f.Text)
		if parts == nil {
			t.Fatalf("finding %q is not of the form", f.Text)
		}
		for dates := range strings.SplitSeq(parts[4], "), [") {
			from, to, _ := strings.Cut(strings.Trim(dates, "[)"), ", ")
			first, errFrom := ParseDate(from)
			end, errTo := ParseDate(to)
			if errFrom != nil || errTo != nil {
				t.Fatal(f.Text)
			}
			for d := first; d < end; d++ {
				days[fmt.Sprintf("%s %s %s %v", parts[1], parts[2], parts[3], d)] = true
			}
		}
	}
	return days
}

// lintCase is tables with everything in order, for a test to spoil.
type lintCase struct {
	rates     []Rate
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
	return c
}

func (c *lintCase) lint(t *testing.T) []string {
	t.Helper()
	return lintTexts(Lint(lintTables(t, c.rates, c.accounts, c.markets, c.recharges), LintPeriod{
		From: date(t, "2024-07-01"), To: date(t, "2024-08-01"), Now: date(t, "2024-08-02").Start(),
	}))
}

func TestLintFindsNothingWhereNothingIs(t *testing.T) {
	t.Parallel()
	if got := sound(t).lint(t); len(got) != 0 {
		t.Errorf("findings of sound tables: %q", got)
	}
}

// Each check, by one thing spoilt in tables that are sound.
func TestLintChecks(t *testing.T) {
	t.Parallel()
	day := func(s string) Date { return date(t, s) }
	for _, c := range []struct {
		name  string
		spoil func(c *lintCase)
		want  []string
	}{
		{"gap", func(c *lintCase) {
			later := c.rates[0]
			later.Where, later.From = "r:9", day("2024-07-12")
			c.rates[0].To = day("2024-07-10")
			c.rates = append(c.rates, later)
		}, []string{`error rates r:2 gap: plan "p", market "Italy", utility, conversation: no row is valid on [2024-07-10, 2024-07-12)`}},
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
		}, []string{`error rates r:2 gap: plan "p", market "Italy", utility, conversation: no row is valid on [2024-07-05, 2024-07-10)`}},
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
			`warning rates r:2 not_available: plan "p", market "Italy", utility, conversation: the row says that there is no price on [2024-07-01, 2024-08-01)`,
		}},
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
		{"unused plan", func(c *lintCase) {
			other := c.rates[0]
			other.Where, other.Plan = "r:9", "old"
			c.rates = append(c.rates, other)
		}, []string{`warning rates r:9 unused_plan: plan "old": no account and no recharge uses it in the period`}},
		{"mixed currencies", func(c *lintCase) {
			c.rates = append(c.rates, Rate{Where: "r:9", Plan: "p", Market: "*", Category: Utility, Price: 1, Currency: "USD", From: MinDate, To: MaxDate})
		}, []string{`warning rates r:9 mixed_currencies: plan "p": rows in USD (1), others in EUR (2)`}},
		{"no price by the unit", func(c *lintCase) { c.rates[0].Unit, c.rates[1].Unit = UnitMessage, UnitMessage }, []string{
			`error rates r:2 unit: plan "p": no price by conversation, by which rules conversation charge on [2024-07-01, 2024-08-01)`,
		}},
		{"prices by another unit", func(c *lintCase) {
			other := c.rates[0]
			other.Where, other.Unit = "r:9", UnitMessage
			c.rates = append(c.rates, other)
		}, []string{`warning rates r:9 unit: plan "p": prices by message, by which rules conversation do not charge on [2024-07-01, 2024-08-01)`}},
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
			c.rates[0].From, c.rates[1].From = day("2024-04-01"), day("2024-04-01")
			c.recharges[0].ExpiresAt = day("2024-04-01").Start() - 2*3_600_000 // midnight in Rome
		}, []string{`error recharges c:2 currency_without_rates: recharge "r1": plan "p" has no price in EUR on [2024-03-01, 2024-04-01), so that it pays for nothing`}},
		{"recharge of nobody", func(c *lintCase) { c.recharges[0].Account = "*" }, []string{
			`error recharges c:2 recharge_account: recharge "r1": account "*" is the account of nobody`,
		}},
		{"recharge of an unknown account", func(c *lintCase) { c.recharges[0].Account = "ACME" }, []string{
			`error recharges c:2 recharge_account: recharge "r1": account "ACME" has no row`,
		}},
		{"recharge of an account without dates", func(c *lintCase) {
			c.recharges[0].ExpiresAt = day("2024-03-20").Start()
			c.accounts[0].From = day("2024-03-20") + 1
		}, []string{
			`error recharges c:2 recharge_account: recharge "r1": no row of account "acme" is valid on [2024-03-01, 2024-03-21)`,
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
	} {
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

// Under Meta's own rules a plan needs prices by conversation before July 2025
// and by message from then on.
func TestLintUnitsByDate(t *testing.T) {
	t.Parallel()
	c := sound(t)
	c.accounts[0].Rules = RulesMeta
	c.recharges = nil
	byConversation := c.rates
	tables := lintTables(t, byConversation, c.accounts, c.markets, nil)
	period := LintPeriod{From: date(t, "2025-06-15"), To: date(t, "2025-07-15")}
	got := lintTexts(Lint(tables, period))
	want := []string{`error rates r:2 unit: plan "p": no price by message, by which rules meta charge on [2025-07-01, 2025-07-15)`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings of prices by conversation (-want +got):\n%s", diff)
	}
	both := byConversation
	for i := range byConversation {
		r := byConversation[i]
		r.Where, r.Unit = fmt.Sprintf("r:%d", 9+i), UnitMessage
		both = append(both, r)
	}
	got = lintTexts(Lint(lintTables(t, both, c.accounts, c.markets, nil), period))
	want = []string{
		`warning rates r:2 unit: plan "p": prices by conversation, by which rules meta do not charge on [2025-07-01, 2025-07-15)`,
		`warning rates r:9 unit: plan "p": prices by message, by which rules meta do not charge on [2025-06-15, 2025-07-01)`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings of open prices by both (-want +got):\n%s", diff)
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
	period := LintPeriod{From: date(t, "2024-07-01"), To: date(t, "2024-08-01")}
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
	period := LintPeriod{From: date(t, "2024-07-01"), To: date(t, "2024-08-01")}
	tables := lintTables(t, c.rates, c.accounts, c.markets, nil)
	if got := lintTexts(Lint(tables, period)); len(got) != 1 || !strings.Contains(got[0], "unused_plan") {
		t.Errorf("findings of a plan that nothing uses: %q", got)
	}
	tables.UsesUnknown = true
	if got := Lint(tables, period); len(got) != 0 {
		t.Errorf("findings of a plan that recharges may use: %q", lintTexts(got))
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
