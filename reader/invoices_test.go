package reader_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"waconcile/reader"
	"waconcile/reconcile"
)

const invoicesHeader = "invoice_id,line_id,account_id,business_number,date_from,date_to,market,category,kind,quantity,unit_price,amount,currency\n"

// dec is a number as a line holds it.
func dec(s string) *decimal.Decimal { return new(decimal.RequireFromString(s)) }

// sameDecimal compares numbers by value: 1.5 is 1.50.
func sameDecimal() cmp.Option {
	return cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) })
}

func TestReadInvoices(t *testing.T) {
	t.Parallel()
	lines, read, err := reader.ReadInvoices(t.Context(), files(map[string]string{
		"july.csv": invoicesHeader +
			"I1,1,acme,+39 06-123 4567,2024-07-01,2024-07-31,it,marketing,,100,0.0691,,eur\n" +
			"I1,2,acme,,2024-07-01,2024-07-31,Rest of Africa,,usage,-5,,-1.50,EUR\n" +
			"I1,3,acme,,2024-07-31,2024-07-31,,,Tax,,,0.0,EUR\n",
		"sub/august.csv": "currency,amount,date_to,date_from,account_id,invoice_id\nUSD,7,2024-08-31,2024-08-01,acme,I2\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	july, end := mustDate(t, "2024-07-01"), mustDate(t, "2024-07-31")
	want := []reconcile.InvoiceLine{
		{
			Where: "july.csv:2", InvoiceID: "I1", LineID: "1", Account: "acme", Business: "39061234567", From: july, To: end,
			Market: "IT", Category: reconcile.Marketing, Quantity: dec("100"), UnitPrice: dec("0.0691"), Amount: dec("6.91"), Currency: "EUR",
		},
		{
			Where: "july.csv:3", InvoiceID: "I1", LineID: "2", Account: "acme", From: july, To: end, Market: "Rest of Africa",
			Quantity: dec("-5"), Amount: dec("-1.5"), AmountGiven: true, Currency: "EUR",
		},
		{
			Where: "july.csv:4", InvoiceID: "I1", LineID: "3", Account: "acme", From: end, To: end, Kind: reconcile.TaxLine,
			Amount: dec("0"), AmountGiven: true, Currency: "EUR",
		},
		{
			Where: "sub/august.csv:2", InvoiceID: "I2", Account: "acme", From: mustDate(t, "2024-08-01"), To: mustDate(t, "2024-08-31"),
			Amount: dec("7"), AmountGiven: true, Currency: "USD",
		},
	}
	if diff := cmp.Diff(want, lines, sameDecimal()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if len(read) != 2 || read[0].Key != "july.csv" || read[1].Key != "sub/august.csv" {
		t.Errorf("files read are %+v", read)
	}
}

func TestNoInvoices(t *testing.T) {
	t.Parallel()
	lines, read, err := reader.ReadInvoices(t.Context(), files(nil))
	if err != nil || len(lines) != 0 || len(read) != 0 {
		t.Errorf("%d lines of %d files, %v", len(lines), len(read), err)
	}
}

func TestInvoicesRefused(t *testing.T) {
	t.Parallel()
	const dates = "2024-07-01,2024-07-31"
	for _, c := range []struct{ name, rows, want string }{
		{"no invoice", ",1,acme,," + dates + ",,,,,,1,EUR\n", "i.csv:2 column invoice_id: value is missing"},
		{"no account", "I,1,,," + dates + ",,,,,,1,EUR\n", "i.csv:2 column account_id: value is missing"},
		{"no beginning", "I,1,acme,,,2024-07-31,,,,,,1,EUR\n", "i.csv:2 column date_from: value is missing"},
		{"no end", "I,1,acme,,2024-07-31,,,,,,,1,EUR\n", "i.csv:2 column date_to: value is missing"},
		{"bad date", "I,1,acme,,2024-07-32,2024-07-31,,,,,,1,EUR\n", `i.csv:2 column date_from: "2024-07-32" is no date of the form YYYY-MM-DD`},
		{"ends before it begins", "I,1,acme,,2024-07-31,2024-07-01,,,,,,1,EUR\n", "i.csv:2 column date_to: 2024-07-01 lies before date_from 2024-07-31"},
		{"bad category", "I,1,acme,," + dates + ",,spam,,,,1,EUR\n", `i.csv:2 column category: "spam" is no category`},
		{"bad kind", "I,1,acme,," + dates + ",,,gift,,,1,EUR\n", `i.csv:2 column kind: "gift" is no kind of line: usage, fee, tax, credit, recharge or total`},
		{"bad quantity", "I,1,acme,," + dates + ",,,,ten,,1,EUR\n", `i.csv:2 column quantity: "ten" is no plain decimal number`},
		{"bad unit price", "I,1,acme,," + dates + ",,,,,1.5e3,1,EUR\n", `i.csv:2 column unit_price: "1.5e3" is no plain decimal number`},
		{"bad amount", "\nI,1,acme,," + dates + ",,,,,,\"1,000.00\",EUR\n", `i.csv:3 column amount: "1,000.00" is no plain decimal number`},
		{"seven decimals", "I,1,acme,," + dates + ",,,,,,0.0000001,EUR\n", "i.csv:2 column amount: 0.0000001 has more than 6 decimals"},
		{"huge amount", "I,1,acme,," + dates + ",,,,,,-1000000000000000,EUR\n", "i.csv:2 column amount: -1000000000000000 is too large"},
		{"no amount", "I,1,acme,," + dates + ",,,,5,,,EUR\n", "i.csv:2 column amount: value is missing, and so is quantity or unit_price"},
		{"no currency", "I,1,acme,," + dates + ",,,,,,1,\n", "i.csv:2 column currency: value is missing"},
		{"bad currency", "I,1,acme,," + dates + ",,,,,,1,EURO\n", `i.csv:2 column currency: "EURO" is no currency of ISO 4217`},
		{"too few fields", "I,1,acme\n", "i.csv:2: 3 fields where the header has 13"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := reader.ReadInvoices(t.Context(), files(map[string]string{"i.csv": invoicesHeader + c.rows}))
			wantRefused(t, err, c.want)
		})
	}
	_, _, err := reader.ReadInvoices(t.Context(), files(map[string]string{"i.csv": "invoice_id,amount\n"}))
	wantRefused(t, err, "i.csv:1: header lacks column account_id, date_from, date_to, currency")
}
