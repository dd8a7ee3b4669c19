package reader_test

import (
	"encoding/csv"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"waconcile/reader"
	"waconcile/reconcile"
)

// printed is rows as a CSV file that reads back to the same.
func printed(t *testing.T, header string, rows [][]string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(header)
	w := csv.NewWriter(&b)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// openDate is a date of validity, empty where it is open.
func openDate(d reconcile.Date) string {
	if d == reconcile.MinDate || d == reconcile.MaxDate {
		return ""
	}
	return d.String()
}

// inputRead says whether a text was read. What was not must be refused.
func inputRead(t *testing.T, err error) bool {
	t.Helper()
	if err != nil && !errors.Is(err, reader.ErrInput) {
		t.Fatalf("error %v does not match ErrInput", err)
	}
	return err == nil
}

func FuzzRates(f *testing.F) {
	for _, name := range []string{"meta-usd", "reseller-eur"} {
		data, err := os.ReadFile("testdata/rates/" + name + ".csv")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data[:1000]))
	}
	f.Add(ratesHeader + "p,\"I\nT\",service,message,0.1,EUR,2024-01-01,\n\np,*,utility,message,n/a,JPY,,\n")
	f.Add("\xef\xbb\xbfplan,market,category,unit,price,currency\r\n\r\np,it,UTILITY,conversation,1,kwd\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) ([]reconcile.Rate, error) {
			book, _, err := reader.ReadRates(t.Context(), files(map[string]string{"r.csv": text}))
			if err != nil {
				return nil, err
			}
			return book.Rates(), nil
		}
		rates, err := read(text)
		if !inputRead(t, err) {
			return
		}
		var rows [][]string
		for _, r := range rates {
			price := r.Price.Decimal().String()
			if r.NoPrice {
				price = "n/a"
			}
			rows = append(rows, []string{
				r.Plan, r.Market, r.Category.String(), r.Unit.String(), price, r.Currency,
				openDate(r.From), openDate(r.To),
			})
		}
		again, err := read(printed(t, ratesHeader, rows))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rates, again, cmpopts.IgnoreFields(reconcile.Rate{}, "Where")); diff != "" {
			t.Errorf("read, printed and read again (-first +again):\n%s", diff)
		}
	})
}

func FuzzAccounts(f *testing.F) {
	f.Add(accountsHeader + "acme,Acme S.p.A.,p,conversation,sent,Europe/Rome,0.22,,2024-01-01,2024-07-01\n*,,p,,,,,,,\n")
	f.Add("account_id,plan\nacme,p\n")
	f.Add(accountsHeader + "acme,,p,meta,,,,,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		accounts, _, err := reader.ReadAccounts(t.Context(), files(map[string]string{"a.csv": text}))
		if !inputRead(t, err) {
			return
		}
		for _, z := range accounts.Zones() {
			if z == nil {
				t.Error("an account has no time zone")
			}
		}
	})
}

func FuzzMarkets(f *testing.F) {
	f.Add(marketsHeader+"39,IT,Italy,,\n7,RU,Russia,,\n77,KZ,Other,,2026-10-01\n77,KZ,Kazakhstan,2026-10-01,\n", uint64(77012345678))
	f.Add("market,prefix,country\nItaly,39,it\n", uint64(393331234567))
	f.Fuzz(func(t *testing.T, text string, number uint64) {
		markets, _, err := reader.ReadMarkets(t.Context(), files(map[string]string{"m.csv": text}))
		if !inputRead(t, err) {
			return
		}
		c, ok := reconcile.PhoneContact([]byte(reconcile.Micros(int64(number >> 1)).Decimal().Shift(6).String()))
		if !ok {
			return
		}
		place, known := markets.OfContact(c, "", 0)
		if known != (place != reconcile.Place{}) || known && (!markets.IsCountry(place.Country) || !markets.IsMarket(place.Market)) {
			t.Errorf("place %v, known %v", place, known)
		}
	})
}

func FuzzInvoices(f *testing.F) {
	f.Add(invoicesHeader + "I1,1,acme,+39 06-1,2024-07-01,2024-07-31,it,marketing,,100,0.0691,,eur\nI1,2,acme,,2024-07-01,2024-07-31,,,credit,-5,,-1.50,EUR\n")
	f.Add("invoice_id,account_id,date_from,date_to,amount,currency\nI,acme,2024-07-01,2024-07-01,1,USD\n")
	f.Add(string(parquetFile(f, parquetLines(f))))
	f.Fuzz(func(t *testing.T, text string) {
		read := func(text string) ([]reconcile.InvoiceLine, error) {
			lines, _, err := reader.ReadInvoices(t.Context(), files(map[string]string{"i.csv": text}))
			return lines, err
		}
		lines, err := read(text)
		if !inputRead(t, err) {
			return
		}
		again, err := read(printed(t, invoicesHeader, invoiceRows(lines)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(lines, again, cmpopts.IgnoreFields(reconcile.InvoiceLine{}, "Where"), sameDecimal()); diff != "" {
			t.Errorf("read, printed and read again (-first +again):\n%s", diff)
		}
	})
}

func invoiceRows(lines []reconcile.InvoiceLine) [][]string {
	var rows [][]string
	for _, l := range lines {
		var quantity, price, amount string
		if l.Quantity != nil {
			quantity = l.Quantity.String()
		}
		if l.UnitPrice != nil {
			price = l.UnitPrice.String()
		}
		if l.AmountGiven {
			amount = l.Amount.String()
		}
		rows = append(rows, []string{
			l.InvoiceID, l.LineID, l.Account, l.Business, l.From.String(), l.To.String(), l.Market, l.Category.String(),
			l.Kind.String(), quantity, price, amount, l.Currency,
		})
	}
	return rows
}
