package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withCosts is small with the provider's book.
func withCosts() Data {
	d := small()
	d.InvoiceBook = "cost"
	costs := []Cost{
		{Currency: "EUR", Status: "charged", Amount: dec("400"), Margin: some("600"), MarginCurrency: "EUR"},
		{Currency: "USD", Status: "charged", Amount: dec("100"), Margin: some("107.4"), MarginCurrency: "EUR"},
		{Currency: "USD", Status: "charged", Amount: dec("50")},
		{Status: "unrated"},
		{Currency: "USD", Status: "charged", Amount: dec("1")},
	}
	for i := range d.Summary {
		d.Summary[i].Account = []string{"bottega", "bottega", "bottega", "hudson", "sandbox"}[i]
		d.Summary[i].Cost = &costs[i]
	}
	return d
}

// Currencies are never added up, nor what has a margin with what has none.
func TestMargins(t *testing.T) {
	t.Parallel()
	d := withCosts()
	want := []marginTable{
		{By: "account", Rows: []marginRow{
			{Name: "bottega", Charges: "1,000", Net: "1,000.00 EUR", Cost: "400.00 EUR", Margin: "600.00 EUR", Share: "60.0 %"},
			{Name: "bottega", Charges: "100", Net: "34.10 EUR", Cost: "50.00 USD", Note: "no exchange rate"},
			{Name: "bottega", Charges: "200", Net: "200.40 EUR", Cost: "100.00 USD", Margin: "107.40 EUR", Share: "53.6 %"},
			{Name: "hudson", Charges: "40", Net: "2.40 USD", Note: "40 without a price"},
			{Name: "sandbox", Charges: "9", Cost: "1.00 USD", Note: "9 without a price"},
		}},
		{By: "market", Rows: []marginRow{
			{Charges: "9", Cost: "1.00 USD", Note: "9 without a price"},
			{Name: "Italy", Charges: "1,000", Net: "1,000.00 EUR", Cost: "400.00 EUR", Margin: "600.00 EUR", Share: "60.0 %"},
			{Name: "Italy", Charges: "200", Net: "200.40 EUR", Cost: "100.00 USD", Margin: "107.40 EUR", Share: "53.6 %"},
			{Name: "Mexico", Charges: "40", Net: "2.40 USD", Note: "40 without a price"},
			{Name: "Spain", Charges: "100", Net: "34.10 EUR", Cost: "50.00 USD", Note: "no exchange rate"},
		}},
		{By: "category", Rows: []marginRow{
			{Name: "marketing", Charges: "1,000", Net: "1,000.00 EUR", Cost: "400.00 EUR", Margin: "600.00 EUR", Share: "60.0 %"},
			{Name: "service", Charges: "9", Cost: "1.00 USD", Note: "9 without a price"},
			{Name: "service", Charges: "100", Net: "34.10 EUR", Cost: "50.00 USD", Note: "no exchange rate"},
			{Name: "service", Charges: "200", Net: "200.40 EUR", Cost: "100.00 USD", Margin: "107.40 EUR", Share: "53.6 %"},
			{Name: "utility", Charges: "40", Net: "2.40 USD", Note: "40 without a price"},
		}},
	}
	if diff := cmp.Diff(want, marginTables(&d)); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	one := small()
	if tables := marginTables(&one); tables != nil {
		t.Errorf("margins of one book: %+v", tables)
	}
}

func TestWriteMargins(t *testing.T) {
	t.Parallel()
	html := render(t, withCosts())
	for _, want := range []string{
		`<a href="#margins">Margin</a>`, `<section id="margins">`, "<caption>By account</caption>", "<b>107.40 EUR</b>",
		"no exchange rate", "<p>Theirs less ours, by the cost book: a positive",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if html := render(t, small()); strings.Contains(html, "argin\"") || strings.Contains(html, "book") {
		t.Error("a page of one book tells of two")
	}
	d := withCosts()
	slices.Reverse(d.Summary)
	if render(t, d) != html {
		t.Error("another order of the summary gave another page")
	}
}
