package reconcile

import "testing"

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
