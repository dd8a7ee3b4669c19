package reconcile

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func phone(t testing.TB, digits string) Contact {
	t.Helper()
	c, ok := PhoneContact([]byte(digits))
	if !ok {
		t.Fatalf("%q is no phone number", digits)
	}
	return c
}

func loadZone(t testing.TB, name string) *Zone {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return NewZone(loc)
}

// wantRowError holds an error against the places and the text it must name.
func wantRowError(t *testing.T, err error, where, other, text string) {
	t.Helper()
	row, ok := errors.AsType[*RowError](err)
	if !ok {
		t.Fatalf("error is %v, want a RowError", err)
	}
	if row.Where != where || row.Other != other || row.Error() != text {
		t.Errorf("error is %q at %q and %q\nwant     %q at %q and %q", row, row.Where, row.Other, text, where, other)
	}
}

// The property of every table with validity: a set of rows is taken if and
// only if no date has two rows of one key, and then every date finds its row.
func TestTimelinesAgreeWithEachDate(t *testing.T) {
	t.Parallel()
	type row struct {
		key      int
		from, to Date
	}
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
			from := rapid.Int32Range(0, 20).Draw(t, "from")
			return row{rapid.IntRange(0, 2).Draw(t, "key"), Date(from), Date(from + rapid.Int32Range(1, 8).Draw(t, "days"))}
		}), 0, 8).Draw(t, "rows")
		lines, err := timelines(rows,
			func(r row) int { return r.key },
			func(r row) (Date, Date) { return r.from, r.to },
			func(row) string { return "row" }, func(row) string { return "here" })
		overlap := false
		for key := range 3 {
			for d := range Date(30) {
				want := -1
				for i, r := range rows {
					if r.key == key && r.from <= d && d < r.to {
						overlap = overlap || want >= 0
						want = i
					}
				}
				if overlap || err != nil {
					continue
				}
				if got, ok := lines[key].on(d); ok != (want >= 0) || ok && got != want {
					t.Fatalf("key %d on %v: row %d, %v; want %d", key, d, got, ok, want)
				}
			}
		}
		if overlap != (err != nil) {
			t.Fatalf("overlap %v, error %v", overlap, err)
		}
	})
}

func TestAccountTerms(t *testing.T) {
	t.Parallel()
	rome := loadZone(t, "Europe/Rome")
	lima := loadZone(t, "America/Lima")
	march, june := date(t, "2024-03-01"), date(t, "2024-06-01")
	rows := []Account{
		{Where: "a:2", ID: "acme", Plan: "new", Zone: rome, From: june, To: MaxDate},
		{Where: "a:3", ID: "acme", Plan: "old", Zone: rome, From: MinDate, To: march},
		{Where: "a:4", ID: "*", Plan: "any", Zone: lima, Basis: BasisDelivered, From: MinDate, To: MaxDate},
	}
	a, err := NewAccounts(rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ id, date, plan string }{
		{"acme", "2024-02-29", "old"},
		{"acme", "2024-03-01", ""}, // a listed id never takes the terms of "*"
		{"acme", "2024-05-31", ""},
		{"acme", "2024-06-01", "new"},
		{"other", "2024-04-01", "any"},
	} {
		plan := ""
		if r := a.Of(c.id).On(date(t, c.date)); r != nil {
			plan = r.Plan
		}
		if plan != c.plan {
			t.Errorf("plan of %s on %s is %q, want %q", c.id, c.date, plan, c.plan)
		}
	}
	if a.Of("x") != a.Of("y") || a.Of("acme").Zone != rome || a.Of("x").Basis != BasisDelivered {
		t.Error("terms are not those of the rows")
	}
	if z := a.Zones(); len(z) != 2 || z[0] != lima || z[1] != rome || !a.AnyDelivered() {
		t.Errorf("zones %v, any delivered %v", z, a.AnyDelivered())
	}
}

func TestAccountsEmpty(t *testing.T) {
	t.Parallel()
	a, err := NewAccounts(nil)
	if err != nil {
		t.Fatal(err)
	}
	terms := a.Of("acme")
	if terms.Zone.Name() != "UTC" || terms.Basis != BasisSent || terms.On(0) != nil {
		t.Errorf("terms of an unknown account are %+v", terms)
	}
	if z := a.Zones(); len(z) != 1 || z[0].Name() != "UTC" || a.AnyDelivered() {
		t.Errorf("zones %v, any delivered %v", z, a.AnyDelivered())
	}
}

func TestAccountsThatClash(t *testing.T) {
	t.Parallel()
	utc, rome := loadZone(t, "UTC"), loadZone(t, "Europe/Rome")
	march, june := date(t, "2024-03-01"), date(t, "2024-06-01")
	_, err := NewAccounts([]Account{
		{Where: "a.csv:2", ID: "acme", Zone: utc, From: march, To: MaxDate},
		{Where: "a.csv:3", ID: "other", Zone: utc, From: MinDate, To: MaxDate},
		{Where: "b.csv:2", ID: "acme", Zone: utc, From: MinDate, To: june},
	})
	wantRowError(t, err, "b.csv:2", "a.csv:2",
		`b.csv:2: overlaps a.csv:2: account "acme" is valid [the beginning, 2024-06-01) here and [2024-03-01, open) there`)
	_, err = NewAccounts([]Account{
		{Where: "a.csv:2", ID: "acme", Zone: utc, From: march, To: june},
		{Where: "a.csv:3", ID: "acme", Zone: rome, From: june, To: MaxDate},
	})
	wantRowError(t, err, "a.csv:3", "a.csv:2",
		`a.csv:3: disagrees with a.csv:2: time_zone of account "acme" is Europe/Rome here and UTC there`)
	_, err = NewAccounts([]Account{
		{Where: "a.csv:2", ID: "acme", Zone: utc, From: march, To: june},
		{Where: "a.csv:3", ID: "acme", Zone: utc, Basis: BasisDelivered, From: june, To: MaxDate},
	})
	wantRowError(t, err, "a.csv:3", "a.csv:2",
		`a.csv:3: disagrees with a.csv:2: basis of account "acme" is delivered here and sent there`)
}

func TestMarketsLongestPrefix(t *testing.T) {
	t.Parallel()
	autumn := date(t, "2025-10-01")
	m, err := NewMarkets([]MarketRow{
		{Prefix: "7", Country: "RU", Market: "Russia", From: MinDate, To: MaxDate},
		{Prefix: "77", Country: "KZ", Market: "Kazakhstan", From: autumn, To: MaxDate},
		{Prefix: "1", Country: "US", Market: "North America", From: MinDate, To: MaxDate},
		{Prefix: "1204", Country: "CA", Market: "Canada", From: MinDate, To: MaxDate},
		{Prefix: "00", Country: "ZZ", Market: "Odd", From: MinDate, To: MaxDate},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		contact, on string
		want        Place
	}{
		{"77012345678", "2025-09-30", Place{"RU", "Russia"}}, // the longer prefix is not valid yet
		{"77012345678", "2025-10-01", Place{"KZ", "Kazakhstan"}},
		{"79012345678", "2025-10-01", Place{"RU", "Russia"}},
		{"12041234567", "2025-10-01", Place{"CA", "Canada"}},
		{"12031234567", "2025-10-01", Place{"US", "North America"}},
		{"1204123", "2025-10-01", Place{"CA", "Canada"}}, // as short as a number can be
		{"120412345678901", "2025-10-01", Place{"CA", "Canada"}},
		{"0012345", "2025-10-01", Place{"ZZ", "Odd"}}, // leading zeros are digits
		{"0112345", "2025-10-01", Place{}},
		{"9912345678", "2025-10-01", Place{}},
	} {
		// The export's country never beats the number.
		got, ok := m.OfContact(phone(t, c.contact), "IT", date(t, c.on))
		if got != c.want || ok != (c.want != Place{}) {
			t.Errorf("%s on %s lies in %v, %v; want %v", c.contact, c.on, got, ok, c.want)
		}
	}
}

func TestMarketsOpaqueContact(t *testing.T) {
	t.Parallel()
	autumn := date(t, "2025-10-01")
	m, err := NewMarkets([]MarketRow{
		{Prefix: "1787", Country: "PR", Market: "Late", From: MinDate, To: MaxDate},
		{Prefix: "39", Country: "it", Market: "Europe", From: MinDate, To: autumn},
		{Prefix: "39", Country: "IT", Market: "Italy", From: autumn, To: MaxDate},
		{Prefix: "178", Country: "PR", Market: "Short", From: autumn, To: MaxDate},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		country, on string
		want        Place
		ok          bool
	}{
		{"IT", "2025-09-30", Place{"IT", "Europe"}, true},
		{"it", "2025-10-01", Place{"IT", "Italy"}, true},
		{"PR", "2025-09-30", Place{"PR", "Late"}, true},
		{"PR", "2025-10-01", Place{"PR", "Short"}, true},
		{"ZZ", "2025-10-01", Place{Country: "ZZ"}, false},
		{"Italy", "2025-10-01", Place{}, false},
		{"", "2025-10-01", Place{}, false},
	} {
		got, ok := m.OfContact(OpaqueContact(3), c.country, date(t, c.on))
		if got != c.want || ok != c.ok {
			t.Errorf("%q on %s is %v, %v; want %v, %v", c.country, c.on, got, ok, c.want, c.ok)
		}
	}
	if !m.IsCountry("pr") || m.IsCountry("ZZ") || !m.IsMarket("Late") || m.IsMarket("late") {
		t.Error("countries and markets are not those of the rows")
	}
}

func TestMarketsThatClash(t *testing.T) {
	t.Parallel()
	_, err := NewMarkets([]MarketRow{
		{Where: "m.csv:2", Prefix: "39", Country: "IT", Market: "Italy", From: MinDate, To: MaxDate},
		{Where: "m.csv:3", Prefix: "39", Country: "VA", Market: "Other", From: MinDate, To: date(t, "2024-02-01")},
	})
	wantRowError(t, err, "m.csv:3", "m.csv:2",
		`m.csv:3: overlaps m.csv:2: prefix 39 is valid [the beginning, 2024-02-01) here and [the beginning, open) there`)
	_, err = NewMarkets([]MarketRow{{Where: "m.csv:2", Prefix: "+39", From: MinDate, To: MaxDate}})
	wantRowError(t, err, "m.csv:2", "", `m.csv:2: prefix "+39" is not digits`)
	_, err = NewMarkets([]MarketRow{{Where: "m.csv:2", Prefix: "1234567890123456", From: MinDate, To: MaxDate}})
	wantRowError(t, err, "m.csv:2", "", "m.csv:2: prefix is longer than a phone number")
}

func TestRatesMostSpecific(t *testing.T) {
	t.Parallel()
	july := date(t, "2024-07-01")
	row := func(where, market string, from, to Date) Rate {
		return Rate{Where: where, Plan: "p", Market: market, Category: Utility, From: from, To: to}
	}
	b, err := NewRateBook([]Rate{
		row("any", "*", MinDate, MaxDate),
		row("market", "Italy", MinDate, MaxDate),
		row("country", "it", july, MaxDate),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		plan  string
		place Place
		c     Category
		on    Date
		want  string
	}{
		{"p", Place{"IT", "Italy"}, Utility, july - 1, "market"},
		{"p", Place{"IT", "Italy"}, Utility, july, "country"},
		{"p", Place{"VA", "Italy"}, Utility, july, "market"},
		{"p", Place{"DE", "Germany"}, Utility, july, "any"},
		{"p", Place{"DE", "Germany"}, Marketing, july, ""},
		{"q", Place{"DE", "Germany"}, Utility, july, ""},
	} {
		where := ""
		if r := b.Lookup(c.plan, c.place, c.c, UnitConversation, c.on); r != nil {
			where = r.Where
		}
		if where != c.want {
			t.Errorf("%s %v %v on %v is rate %q, want %q", c.plan, c.place, c.c, c.on, where, c.want)
		}
	}
	if b.Lookup("p", Place{"IT", "Italy"}, Utility, UnitMessage, july) != nil {
		t.Error("a price for a conversation was taken for a message")
	}
}

func TestRatesThatClash(t *testing.T) {
	t.Parallel()
	// Neither the currency nor the case of a country is part of the key.
	_, err := NewRateBook([]Rate{
		{Where: "r.csv:2", Plan: "p", Market: "IT", Category: Service, Currency: "EUR", From: MinDate, To: MaxDate},
		{Where: "r.csv:9", Plan: "p", Market: "it", Category: Service, Currency: "USD", From: date(t, "2024-07-01"), To: MaxDate},
	})
	wantRowError(t, err, "r.csv:9", "r.csv:2", `r.csv:9: overlaps r.csv:2: plan "p", market "it", service, conversation `+
		`is valid [2024-07-01, open) here and [the beginning, open) there`)
}

// onePricer is a Pricer over one account, one prefix and one rate, all from
// July 2024 on.
func onePricer(t testing.TB) (*Pricer, Date) {
	t.Helper()
	july := date(t, "2024-07-01")
	accounts, err := NewAccounts([]Account{{ID: "acme", Plan: "p", Zone: loadZone(t, "UTC"), From: july, To: MaxDate}})
	if err != nil {
		t.Fatal(err)
	}
	markets, err := NewMarkets([]MarketRow{{Prefix: "39", Country: "IT", Market: "Italy", From: MinDate, To: MaxDate}})
	if err != nil {
		t.Fatal(err)
	}
	book, err := NewRateBook([]Rate{{Plan: "p", Market: "*", Category: Service, Currency: "EUR", From: july, To: MaxDate}})
	if err != nil {
		t.Fatal(err)
	}
	return NewPricer(accounts, markets, book), july
}

func TestPriceReasons(t *testing.T) {
	t.Parallel()
	p, july := onePricer(t)
	terms := p.Terms("acme")
	for _, c := range []struct {
		name     string
		contact  string
		category Category
		on       Date
		status   ChargeStatus
		reason   Reason
	}{
		{"a price of 0 is a price", "393331234567", Service, july, Charged, NoReason},
		{"no row of the account", "491711234567", Marketing, july - 1, Unrated, ReasonUnknownAccount},
		{"no market, whatever * says", "491711234567", Service, july, Unrated, ReasonUnknownMarket},
		{"no price", "393331234567", Marketing, july, Unrated, ReasonNoPrice},
	} {
		place, known := p.Place(phone(t, c.contact), "", c.on)
		r := p.Price(terms, place, known, c.category, UnitConversation, c.on)
		if r.Status != c.status || r.Reason != c.reason {
			t.Errorf("%s: %v %q, want %v %q", c.name, r.Status, r.Reason, c.status, c.reason)
		}
		if (r.Account == nil) != (c.reason == ReasonUnknownAccount) || (r.Rate == nil) != (c.status != Charged) {
			t.Errorf("%s: account %v, rate %v", c.name, r.Account, r.Rate)
		}
		if r != p.Price(terms, place, known, c.category, UnitConversation, c.on) {
			t.Errorf("%s: asked twice, another pointer", c.name)
		}
	}
}

func TestMinorUnits(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int32{"EUR": 2, "USD": 2, "INR": 2, "JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "CLF": 4} {
		if got, ok := MinorUnits(code); !ok || got != want {
			t.Errorf("minor units of %s are %d, %v; want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{"", "E", "EURO", "eur", "XAU", "XXX", "D A", "US ", "$US", "GBD"} {
		if got, ok := MinorUnits(code); ok {
			t.Errorf("%q is a currency with %d decimals", code, got)
		}
	}
}

func TestEnumerationNames(t *testing.T) {
	t.Parallel()
	for _, u := range []Unit{UnitConversation, UnitMessage} {
		if got, ok := ParseUnit(u.String()); !ok || got != u {
			t.Errorf("unit %v reads back as %v, %v", u, got, ok)
		}
	}
	for _, b := range []Basis{BasisSent, BasisDelivered} {
		if got, ok := ParseBasis(b.String()); !ok || got != b {
			t.Errorf("basis %v reads back as %v, %v", b, got, ok)
		}
	}
	names := []string{Charged.String(), Free.String(), Unrated.String()}
	if diff := cmp.Diff([]string{"charged", "free", "unrated"}, names); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

func BenchmarkPrice(b *testing.B) {
	p, july := onePricer(b)
	terms, place := p.Terms("acme"), Place{"IT", "Italy"}
	b.ReportAllocs()
	for b.Loop() {
		p.Price(terms, place, true, Service, UnitConversation, july)
	}
}

// Past 2037 a zone follows its rule, which package time cuts at the end of
// each year, in leap years a day early.
func TestZonePastItsTable(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Rome", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "America/Lima", "UTC"} {
		zone := loadZone(t, name)
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC); at.Year() < 2099; at = at.Add(11 * time.Hour) {
			want := at.In(loc).Format("2006-01-02")
			if got := zone.Date(at.UnixMilli()).String(); got != want {
				t.Fatalf("date in %s at %v is %s, want %s", name, at, got, want)
			}
		}
	}
}
