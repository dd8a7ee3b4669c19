package reconcile

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestAddMargins(t *testing.T) {
	t.Parallel()
	fx, err := NewExchangeRates([]ExchangeRate{
		{Date: july1, From: "USD", To: "EUR", Rate: dec("0.9285")},
		{Date: july1, From: "EUR", To: "GBP", Rate: dec("0.85")},
	})
	if err != nil {
		t.Fatal(err)
	}
	charged := func(currency string, net string) (SummaryKey, decimal.Decimal) {
		return SummaryKey{Date: july1, Currency: currency, Priced: true, Status: Charged}, dec(net)
	}
	row := func(sold, net string, status ChargeStatus, bought, cost string, costStatus ChargeStatus) SummaryRow {
		key, amount := charged(sold, net)
		key.Status = status
		key.CostKey = CostKey{Currency: bought, Status: costStatus}
		return SummaryRow{SummaryKey: key, Net: amount, Cost: dec(cost)}
	}
	for _, c := range []struct {
		name string
		row  SummaryRow
		want string
	}{
		{"one currency", row("EUR", "1.1", Charged, "EUR", "0.4", Charged), "0.7 EUR"},
		{"sold below cost", row("EUR", "0.3", Charged, "EUR", "0.4", Charged), "-0.1 EUR"},
		{"converted, half even", row("EUR", "1", Charged, "USD", "0.001", Charged), "0.999072 EUR at 0.9285"}, // 0.0009285
		{"only the inverse is known", row("EUR", "1", Charged, "GBP", "1", Charged), "none, GBP to EUR"},
		{"sold at 0", row("EUR", "0", Charged, "USD", "1", Charged), "-0.9285 EUR at 0.9285"},
		{"free", row("", "0", Free, "USD", "1", Charged), "-1 USD"},
		{"bought at 0", row("EUR", "1", Charged, "GBP", "0", Charged), "1 EUR"},
		{"free of the provider", row("EUR", "1", Charged, "", "0", Free), "1 EUR"},
		{"free for all", row("", "0", Free, "", "0", Free), "none"},
		{"sold without a price", row("", "0", Unrated, "EUR", "1", Charged), "none"},
		{"bought without a price", row("EUR", "1", Charged, "", "0", Unrated), "none"},
		{"free without a cost", row("", "0", Free, "", "0", Unrated), "none"},
	} {
		rows := []SummaryRow{c.row, c.row}
		missing := AddMargins(rows, fx)
		got := "none"
		if m := rows[1].Margin; m != nil {
			got = m.Amount.String() + " " + m.Currency
			if m.Rate != nil {
				got += " at " + m.Rate.String()
			}
		}
		if len(missing) > 0 { // once for both
			got += fmt.Sprintf(", %s to %s", missing[0].From, missing[0].To)
		}
		if got != c.want || len(missing) > 1 {
			t.Errorf("%s: %s, want %s; missing %v", c.name, got, c.want, missing)
		}
	}
}

// TestMarginsNaive holds margins against a reading of its own, in fractions:
// rates are looked for row by row, and the cost is rounded by its remainder.
func TestMarginsNaive(t *testing.T) {
	t.Parallel()
	currencies := []string{"", "EUR", "USD", "JPY"}
	rapid.Check(t, func(t *rapid.T) {
		rates := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) ExchangeRate {
			pair := rapid.SampledFrom([][2]string{{"USD", "EUR"}, {"EUR", "USD"}, {"JPY", "EUR"}, {"EUR", "JPY"}}).Draw(t, "pair")
			return ExchangeRate{
				Date: Date(rapid.Int32Range(0, 9).Draw(t, "date")), From: pair[0], To: pair[1],
				Rate: decimal.New(rapid.Int64Range(1, 1e9).Draw(t, "rate"), -rapid.Int32Range(0, 8).Draw(t, "places")),
			}
		}), 0, 8, func(r ExchangeRate) string { return r.From + r.To + r.Date.String() }).Draw(t, "rates")
		var fx *ExchangeRates
		if rapid.Bool().Draw(t, "fx") {
			var err error
			if fx, err = NewExchangeRates(slices.Clone(rates)); err != nil {
				t.Fatal(err)
			}
		} else {
			rates = nil
		}
		side := func(of string) (string, ChargeStatus, decimal.Decimal) {
			currency := rapid.SampledFrom(currencies).Draw(t, of+" currency")
			if currency == "" {
				return "", rapid.SampledFrom([]ChargeStatus{Free, Unrated}).Draw(t, of+" status"), decimal.Decimal{}
			}
			return currency, Charged, decimal.New(rapid.Int64Range(0, 1e7).Draw(t, of), -6)
		}
		var row SummaryRow
		row.Date = Date(rapid.Int32Range(0, 9).Draw(t, "on"))
		row.Currency, row.Status, row.Net = side("net")
		row.CostKey.Currency, row.CostKey.Status, row.Cost = side("cost")
		rows := []SummaryRow{row}
		missing := AddMargins(rows, fx)
		want, lacking := naiveMargin(&row, rates)
		got := "none"
		if m := rows[0].Margin; m != nil {
			got = m.Amount.StringFixed(6) + " " + m.Currency
		}
		if got != want || lacking != (len(missing) == 1) {
			t.Fatalf("margin %s, want %s; missing %v, want some: %v", got, want, missing, lacking)
		}
	})
}

func naiveMargin(row *SummaryRow, rates []ExchangeRate) (margin string, lacking bool) {
	sold, bought := row.Currency, row.CostKey.Currency
	if row.Status == Unrated || row.CostKey.Status == Unrated || sold == "" && bought == "" {
		return "none", false
	}
	if sold == "" {
		sold = bought
	}
	cost := row.Cost.Rat()
	if bought != "" && bought != sold && cost.Sign() != 0 {
		var best *ExchangeRate
		for i := range rates {
			if r := &rates[i]; r.From == bought && r.To == sold && r.Date <= row.Date && (best == nil || r.Date > best.Date) {
				best = r
			}
		}
		if best == nil {
			return "none", true
		}
		cost = roundedHalfEven(new(big.Rat).Mul(cost, best.Rate.Rat()))
	}
	return new(big.Rat).Sub(row.Net.Rat(), cost).FloatString(6) + " " + sold, false
}

// roundedHalfEven rounds what is not negative to six decimals.
func roundedHalfEven(r *big.Rat) *big.Rat {
	million := big.NewInt(1_000_000)
	scaled := new(big.Int).Mul(r.Num(), million)
	whole, rest := new(big.Int).QuoRem(scaled, r.Denom(), new(big.Int))
	switch rest.Lsh(rest, 1).Cmp(r.Denom()) {
	case 1:
		whole.Add(whole, big.NewInt(1))
	case 0:
		whole.Add(whole, new(big.Int).SetUint64(uint64(whole.Bit(0))))
	}
	return new(big.Rat).SetFrac(whole, million)
}

// TestSummaryCosts: charges that cost differently are different rows, in the
// order of the table.
func TestSummaryCosts(t *testing.T) {
	t.Parallel()
	key := func(market string, price Micros, status ChargeStatus) SummaryKey {
		return SummaryKey{
			Account: "A", Date: july1, Market: "IT", UnitPrice: 70_000, Priced: true, Currency: "EUR",
			CostKey: CostKey{Market: market, UnitPrice: price, Priced: status == Charged, Status: status},
		}
	}
	want := []SummaryRow{
		{SummaryKey: key("", 0, Unrated), Quantity: 1, Net: dec("0.07")},
		{SummaryKey: key("Europe", 0, Free), Quantity: 4, Net: dec("0.28")},
		{SummaryKey: key("Europe", 20_000, Charged), Quantity: 3, Net: dec("0.21"), Cost: dec("0.06")},
		{SummaryKey: key("Europe", 30_000, Charged), Quantity: 2, Net: dec("0.14"), Cost: dec("0.06")},
	}
	var s Summary
	for _, row := range slices.Backward(want) {
		s.Add(row.SummaryKey, row.Quantity)
	}
	if diff := cmp.Diff(want, s.Rows()); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestAccountsAgree(t *testing.T) {
	t.Parallel()
	rome, utc := loadZone(t, "Europe/Rome"), loadZone(t, "UTC")
	table := func(rows ...Account) *Accounts {
		for i := range rows {
			rows[i].Where, rows[i].To = fmt.Sprintf("%s:%d", rows[i].Name, i+2), 1
		}
		a, err := NewAccounts(rows)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	sold := table(Account{Name: "sell", ID: "acme", Zone: rome}, Account{Name: "sell", ID: "bee", Zone: utc, Basis: BasisDelivered})
	for _, c := range []struct {
		name string
		cost *Accounts
		want string
	}{
		{"the same", table(Account{ID: "acme", Zone: rome}, Account{ID: "bee", Zone: utc, Basis: BasisDelivered}), ""},
		{"nobody", table(), ""},
		{"other rules", table(Account{ID: "acme", Zone: rome, Rules: RulesMeta}), ""},
		{"another that is not sold to", table(Account{ID: "cee", Zone: utc, Rules: RulesMeta}), ""},
		{"its zone", table(Account{Name: "cost", ID: "cee", Zone: rome}),
			`cost:2: account "cee" has no row in accounts, which stands for time_zone UTC: it is Europe/Rome here`},
		{"its basis", table(Account{Name: "cost", ID: "cee", Zone: utc, Basis: BasisDelivered}),
			`cost:2: account "cee" has no row in accounts, which stands for basis sent: it is delivered here`},
		{"all others that are not sold to", table(Account{ID: "acme", Zone: rome}, Account{ID: "bee", Zone: utc, Basis: BasisDelivered}, Account{Name: "cost", ID: "*", Zone: rome}),
			`cost:4: account "*" has no row in accounts, which stands for time_zone UTC: it is Europe/Rome here`},
		{"zone", table(Account{Name: "cost", ID: "acme", Zone: utc}), `cost:2: disagrees with sell:2: time_zone of account "acme" is UTC here and Europe/Rome there`},
		{"basis", table(Account{Name: "cost", ID: "bee", Zone: utc}), `cost:2: disagrees with sell:3: basis of account "bee" is sent here and delivered there`},
		{"all that have none", table(Account{Name: "cost", ID: "acme", Zone: rome}, Account{Name: "cost", ID: "*", Zone: rome}),
			`cost:3: disagrees with sell:3: time_zone of account "bee" is Europe/Rome here and UTC there`},
	} {
		got := ""
		if err := sold.Agrees(c.cost); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	all := table(Account{Name: "sell", ID: "*", Zone: rome})
	if err := all.Agrees(table(Account{ID: "cee", Zone: rome}, Account{ID: "*", Zone: rome})); err != nil {
		t.Errorf("sold to all: %v", err)
	}
	want := `cost:2: disagrees with sell:2: time_zone of account "cee" is UTC here and Europe/Rome there`
	if err := all.Agrees(table(Account{Name: "cost", ID: "cee", Zone: utc})); err == nil || err.Error() != want {
		t.Errorf("sold to all: %v, want %s", err, want)
	}
}
