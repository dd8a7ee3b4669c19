package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
