package reconcile

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawRates draws rows of few keys, prices and dates around a day, so that
// they meet often. Rows that would overlap are left out.
func drawRates(t *rapid.T, around Date, label string) []Rate {
	dates := []Date{MinDate, around, around + 1, around + 3, around + 4, around + 7, MaxDate}
	var rows []Rate
	for i := range rapid.IntRange(0, 12).Draw(t, label) {
		from := rapid.SampledFrom(dates[:len(dates)-1]).Draw(t, "from")
		to := rapid.SampledFrom(dates[1:]).Draw(t, "to")
		if to <= from {
			continue
		}
		row := Rate{
			Where: fmt.Sprintf("%s.csv:%d", label, i+2), From: from, To: to,
			Plan:     rapid.SampledFrom([]string{"p", "q"}).Draw(t, "plan"),
			Market:   rapid.SampledFrom([]string{"IT", "Italy", "Other", "*"}).Draw(t, "market"),
			Category: rapid.SampledFrom([]Category{Utility, Service, AuthenticationInternational}).Draw(t, "category"),
			Unit:     rapid.SampledFrom([]Unit{UnitConversation, UnitMessage}).Draw(t, "unit"),
			Price:    rapid.SampledFrom([]Micros{0, 100_000, 150_000}).Draw(t, "price"),
			Currency: rapid.SampledFrom([]string{"EUR", "EUR", "USD"}).Draw(t, "currency"),
			NoPrice:  rapid.IntRange(0, 5).Draw(t, "n/a") == 0,
		}
		if row.NoPrice {
			row.Price = 0
		}
		if _, err := NewRateBook(append(rows[:len(rows):len(rows)], row)); err == nil {
			rows = append(rows, row)
		}
	}
	return rows
}

// holding is what the rows of a key come to on a day, read one by one.
func holding(rows []Rate, key rateKey, d Date) string {
	for _, r := range rows {
		if (rateKey{r.Plan, r.Market, r.Category, r.Unit}) != key || d < r.From || d >= r.To {
			continue
		}
		if r.NoPrice {
			return "n/a"
		}
		return r.Price.Decimal().String() + " " + r.Currency
	}
	return "none"
}

func rateText(r *Rate) string {
	switch {
	case r == nil:
		return "none"
	case r.NoPrice:
		return "n/a"
	}
	return r.Price.Decimal().String() + " " + r.Currency
}

// The comparison of two books says of every day, and the days before and after
// all dates, what a day-by-day reading says.
func TestDiffRatesDayByDay(t *testing.T) {
	t.Parallel()
	around := date(t, "2024-07-01")
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawRates(t, around, "a"), drawRates(t, around, "b")
		bookA, errA := NewRateBook(a)
		bookB, errB := NewRateBook(b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		got := map[string]string{}
		for _, c := range DiffRates(bookA, bookB) {
			key := rateKey{c.Plan, c.Market, c.Category, c.Unit}
			for i, s := range c.Spans {
				for d := around - 2; d < around+10; d++ {
					if s.From <= d && d < s.To {
						got[fmt.Sprint(key, d)] = rateText(s.Old) + " → " + rateText(s.New)
					}
				}
				if i > 0 && c.Spans[i-1].To == s.From && rateText(c.Spans[i-1].Old) == rateText(s.Old) && rateText(c.Spans[i-1].New) == rateText(s.New) {
					t.Errorf("%v is cut at %v", key, s.From)
				}
			}
			_, inA := bookA.lines[key]
			_, inB := bookB.lines[key]
			if want := map[[2]bool]RateChangeKind{{false, true}: RateAdded, {true, false}: RateRemoved, {true, true}: RateChanged}[[2]bool{inA, inB}]; c.Kind != want {
				t.Errorf("%v is %v, want %v", key, c.Kind, want)
			}
		}
		want := map[string]string{}
		for _, r := range append(a[:len(a):len(a)], b...) {
			key := rateKey{r.Plan, r.Market, r.Category, r.Unit}
			for d := around - 2; d < around+10; d++ {
				if before, after := holding(a, key, d), holding(b, key, d); before != after {
					want[fmt.Sprint(key, d)] = before + " → " + after
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("differences by day (-want +got):\n%s", diff)
		}
	})
}

// A row cut into halves, in another order and another file, is no difference.
func TestDiffRatesOfHalves(t *testing.T) {
	t.Parallel()
	june, july := date(t, "2024-06-01"), date(t, "2024-07-01")
	whole, err := NewRateBook([]Rate{{Where: "a:2", Plan: "p", Market: "IT", Price: 7, Currency: "EUR", From: june, To: MaxDate}})
	if err != nil {
		t.Fatal(err)
	}
	halves, err := NewRateBook([]Rate{
		{Where: "b:2", Plan: "p", Market: "it", Price: 7, Currency: "EUR", From: july, To: MaxDate},
		{Where: "b:3", Plan: "p", Market: "IT", Price: 7, Currency: "EUR", From: june, To: july},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := DiffRates(whole, halves); len(got) != 0 {
		t.Errorf("halves differ: %+v", got)
	}
}

func TestRatePercent(t *testing.T) {
	t.Parallel()
	price := func(p Micros) *Rate { return &Rate{Price: p, Currency: "EUR"} }
	for _, c := range []struct {
		old, new *Rate
		want     string // empty: none
	}{
		{price(80_000), price(100_000), "25.00"},
		{price(100_000), price(80_000), "-20.00"},
		{price(69_100), price(79_500), "15.05"}, // 15.0506…
		{price(30_000), price(0), "-100.00"},
		{price(800_000), price(800_100), "0.01"},  // 0.0125
		{price(800_000), price(799_880), "-0.02"}, // −0.015, half away from zero
		{price(100_000), price(99_999), "-0.00"},  // less, though it does not show
		{price(0), price(30_000), ""},             // of nothing
		{price(1), &Rate{Price: 1}, ""},           // another currency
		{price(1), &Rate{NoPrice: true}, ""},      // n/a is not zero (M14)
		{&Rate{NoPrice: true}, price(1), ""},      //
		{nil, price(1), ""}, {price(1), nil, ""},  //
	} {
		got := ""
		if p, ok := (RateSpan{Old: c.old, New: c.new}).Percent(); ok {
			got = p.String()
		}
		if got != c.want {
			t.Errorf("from %s to %s is %q percent, want %q", rateText(c.old), rateText(c.new), got, c.want)
		}
	}
}
