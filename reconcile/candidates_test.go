package reconcile

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The row that Candidates puts first is the one that Lookup finds, no other
// holds, and no row of the plan, place and category is left out.
func TestRateCandidatesAgreeWithLookup(t *testing.T) {
	t.Parallel()
	around := date(t, "2024-07-01")
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRates(t, around, "a")
		book, err := NewRateBook(rows)
		if err != nil {
			t.Fatal(err)
		}
		place := rapid.SampledFrom([]Place{{"IT", "Italy"}, {"VA", "Italy"}, {"DE", "Germany"}}).Draw(t, "place")
		unit := rapid.SampledFrom([]Unit{UnitConversation, UnitMessage}).Draw(t, "unit")
		on := around + Date(rapid.IntRange(-1, 8).Draw(t, "on"))
		all := book.Candidates("p", place, Utility, unit, on)
		var holds *Rate
		for i, c := range all {
			if c.Verdict != CandidateHolds {
				continue
			}
			if i > 0 {
				t.Fatalf("candidate %d holds: %+v", i, all)
			}
			if !c.Rate.NoPrice {
				holds = c.Rate
			}
		}
		if want := book.Lookup("p", place, Utility, unit, on); holds != want {
			t.Errorf("the row that holds is %+v, and Lookup finds %+v", holds, want)
		}
		count := 0
		for _, r := range rows {
			if r.Plan == "p" && r.Category == Utility && (r.Market == place.Country || r.Market == place.Market || r.Market == "*") {
				count++
			}
		}
		if len(all) != count {
			t.Errorf("%d candidates, want %d", len(all), count)
		}
	})
}

func TestRateCandidatesVerdicts(t *testing.T) {
	t.Parallel()
	july := date(t, "2024-07-01")
	row := func(where, market string, unit Unit, from, to Date) Rate {
		return Rate{Where: where, Plan: "p", Market: market, Category: Utility, Unit: unit, From: from, To: to}
	}
	b, err := NewRateBook([]Rate{
		row("any", "*", UnitConversation, MinDate, MaxDate),
		row("message", "IT", UnitMessage, MinDate, MaxDate),
		row("market", "Italy", UnitConversation, july, july+1),
		row("later", "IT", UnitConversation, july+1, MaxDate),
		row("earlier", "IT", UnitConversation, MinDate, july),
		row("elsewhere", "DE", UnitConversation, MinDate, MaxDate),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range b.Candidates("p", Place{"IT", "Italy"}, Utility, UnitConversation, july) {
		got = append(got, c.Rate.Where+": "+c.Verdict.String())
	}
	want := []string{
		"market: holds", "earlier: no longer valid", "later: not valid yet", "any: less specific", "message: other unit",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
}

// The row that Candidates puts first leads to the place that OfContact gives,
// for numbers and for contacts with a country alone.
func TestMarketCandidatesAgreeWithOfContact(t *testing.T) {
	t.Parallel()
	around := date(t, "2024-07-01")
	rapid.Check(t, func(t *rapid.T) {
		var rows []MarketRow
		dates := []Date{MinDate, around, around + 2, MaxDate}
		for i := range rapid.IntRange(0, 10).Draw(t, "rows") {
			ends := rapid.SampledFrom([][2]int{{0, 3}, {0, 1}, {1, 2}, {2, 3}, {1, 3}}).Draw(t, "dates")
			row := MarketRow{
				Where:   fmt.Sprintf("m.csv:%d", i+2),
				Prefix:  rapid.SampledFrom([]string{"7", "77", "771", "1", "18"}).Draw(t, "prefix"),
				Country: rapid.SampledFrom([]string{"RU", "KZ"}).Draw(t, "country"),
				Market:  rapid.SampledFrom([]string{"Russia", "Other"}).Draw(t, "market"),
				From:    dates[ends[0]], To: dates[ends[1]],
			}
			if _, err := NewMarkets(append(rows[:len(rows):len(rows)], row)); err == nil {
				rows = append(rows, row)
			}
		}
		m, err := NewMarkets(rows)
		if err != nil {
			t.Fatal(err)
		}
		contact := OpaqueContact(1)
		if digits := rapid.SampledFrom([]string{"", "77112345", "79012345", "18091234"}).Draw(t, "contact"); digits != "" {
			contact, _ = PhoneContact([]byte(digits))
		}
		on := around + Date(rapid.IntRange(-1, 3).Draw(t, "on"))
		want, known := m.OfContact(contact, "KZ", on)
		all := m.Candidates(contact, "kz", on)
		for i, c := range all {
			if (c.Verdict == CandidateHolds) != (i == 0 && known) {
				t.Fatalf("candidate %d of %+v, known %v", i, all, known)
			}
		}
		if known && (len(all) == 0 || (Place{all[0].Row.Country, all[0].Row.Market}) != want) {
			t.Errorf("candidates %+v, and OfContact gives %v", all, want)
		}
	})
}

func TestMarketCandidatesVerdicts(t *testing.T) {
	t.Parallel()
	july := date(t, "2024-07-01")
	m, err := NewMarkets([]MarketRow{
		{Where: "russia", Prefix: "7", Country: "RU", Market: "Russia", From: MinDate, To: MaxDate},
		{Where: "later", Prefix: "77", Country: "KZ", Market: "Kazakhstan", From: july + 1, To: MaxDate},
		{Where: "earlier", Prefix: "77", Country: "KZ", Market: "Other", From: MinDate, To: july},
		{Where: "narrow", Prefix: "771", Country: "KZ", Market: "Other", From: MinDate, To: MaxDate},
		{Where: "wide", Prefix: "997", Country: "KZ", Market: "Far", From: MinDate, To: MaxDate},
		{Where: "italy", Prefix: "39", Country: "IT", Market: "Italy", From: MinDate, To: MaxDate},
	})
	if err != nil {
		t.Fatal(err)
	}
	number, _ := PhoneContact([]byte("77112345678"))
	for _, c := range []struct {
		contact Contact
		on      Date
		want    []string
	}{
		{number, july, []string{"narrow: holds", "earlier: no longer valid", "later: not valid yet", "russia: shorter prefix"}},
		{number, july + 1, []string{"narrow: holds", "earlier: no longer valid", "later: shorter prefix", "russia: shorter prefix"}},
		{OpaqueContact(1), july + 1, []string{"later: holds", "earlier: no longer valid", "narrow: longer prefix", "wide: longer prefix"}},
	} {
		var got []string
		for _, candidate := range m.Candidates(c.contact, "KZ", c.on) {
			got = append(got, candidate.Row.Where+": "+candidate.Verdict.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("candidates on %v (-want +got):\n%s", c.on, diff)
		}
	}
}
