package reconcile

import "testing"

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

// A row without a price ends the search for one (M14).
func TestRatesWithoutPrice(t *testing.T) {
	t.Parallel()
	july := date(t, "2024-07-01")
	b, err := NewRateBook([]Rate{
		{Where: "any", Plan: "p", Market: "*", From: MinDate, To: MaxDate},
		{Where: "market", Plan: "p", Market: "Germany", NoPrice: true, From: MinDate, To: july},
		{Where: "country", Plan: "p", Market: "IT", NoPrice: true, From: july, To: MaxDate},
		{Where: "narrower", Plan: "p", Market: "DE", From: MinDate, To: MaxDate},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		place Place
		on    Date
		want  string
	}{
		{Place{"IT", "Italy"}, july - 1, "any"},
		{Place{"IT", "Italy"}, july, ""},
		{Place{"AT", "Germany"}, july - 1, ""},
		{Place{"AT", "Germany"}, july, "any"},
		{Place{"DE", "Germany"}, july - 1, "narrower"},
	} {
		where := ""
		if r := b.Lookup("p", c.place, NoCategory, UnitConversation, c.on); r != nil {
			where = r.Where
		}
		if where != c.want {
			t.Errorf("%v on %v is rate %q, want %q", c.place, c.on, where, c.want)
		}
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
