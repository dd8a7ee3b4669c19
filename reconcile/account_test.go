package reconcile

import "testing"

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
		{Where: "a.csv:3", ID: "acme", Zone: utc, Rules: RulesMeta, From: june, To: MaxDate},
	})
	wantRowError(t, err, "a.csv:3", "a.csv:2",
		`a.csv:3: disagrees with a.csv:2: rules of account "acme" is meta here and conversation there`)
	_, err = NewAccounts([]Account{
		{Where: "a.csv:2", ID: "acme", Zone: utc, From: march, To: june},
		{Where: "a.csv:3", ID: "acme", Zone: utc, Basis: BasisDelivered, From: june, To: MaxDate},
	})
	wantRowError(t, err, "a.csv:3", "a.csv:2",
		`a.csv:3: disagrees with a.csv:2: basis of account "acme" is delivered here and sent there`)
}
