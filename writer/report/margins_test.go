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

// What is sold below its cost has a share of less than nothing.
func TestNegativeMargin(t *testing.T) {
	t.Parallel()
	d := Data{Summary: []SummaryRow{{
		Account: "bottega", Market: "Italy", Category: "marketing", Currency: "EUR", Status: "charged", Quantity: 10, Net: dec("100"),
		Cost: &Cost{Currency: "EUR", Status: "charged", Amount: dec("1350.5"), Margin: some("-1250.5"), MarginCurrency: "EUR"},
	}}}
	want := []marginRow{{
		Name: "bottega", Charges: "10", Net: "100.00 EUR", Cost: "1,350.50 EUR",
		Margin: minusSign + "1,250.50 EUR", Share: minusSign + "1,250.5 %",
	}}
	if diff := cmp.Diff(want, marginTables(&d)[0].Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// Each pair of currencies without a rate is named with its days, in any order
// of the rows.
func TestMissingRates(t *testing.T) {
	t.Parallel()
	row := func(date, sold, status, bought, costStatus, margin string) SummaryRow {
		return SummaryRow{Date: date, Currency: sold, Status: status, Cost: &Cost{Currency: bought, Status: costStatus, MarginCurrency: margin}}
	}
	d := Data{Summary: []SummaryRow{
		row("2024-07-05", "EUR", "charged", "USD", "charged", ""),
		row("2024-07-03", "EUR", "charged", "USD", "charged", ""),
		row("2024-07-05", "EUR", "charged", "USD", "charged", ""),
		row("2024-07-01", "EUR", "charged", "USD", "charged", "EUR"), // a cost of 0
		row("2024-07-04", "USD", "charged", "EUR", "charged", ""),
		row("2024-07-02", "EUR", "charged", "GBP", "unrated", ""),
		row("2024-07-02", "JPY", "unrated", "GBP", "charged", ""),
		row("2024-07-02", "EUR", "charged", "", "free", ""),
		row("2024-07-02", "", "free", "EUR", "charged", ""),
		{Date: "2024-07-02", Currency: "EUR", Status: "charged"},
	}}
	want := []string{"EUR to USD: 1 day, the first 2024-07-04", "USD to EUR: 2 days, the first 2024-07-03"}
	if diff := cmp.Diff(want, missingRates(&d)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
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
		"no exchange rate", "<li>USD to EUR: 1 day, the first ", "<p>Theirs less ours, by the cost book: a positive",
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
