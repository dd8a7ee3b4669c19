package reader_test

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

const ratesHeader = "plan,market,category,unit,price,currency,valid_from,valid_to\n"

// files is a Source of the given texts.
func files(texts map[string]string) *readertest.Mem {
	var m readertest.Mem
	for key, text := range texts {
		m.Put(key, []byte(text))
	}
	return &m
}

// oneFile is a Source that is one file.
type oneFile struct {
	*readertest.Mem
	name string
}

func (f oneFile) String() string { return "somewhere/" + f.name }

// wantRefused holds an error of a reader against what it must say after the
// name of the place.
func wantRefused(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, reader.ErrInput) {
		t.Fatalf("error %v does not match ErrInput", err)
	}
	_, text, _ := strings.Cut(err.Error(), " in memory: ")
	if text != want {
		t.Errorf("error says %q\nwant       %q", text, want)
	}
}

func mustDate(t testing.TB, s string) reconcile.Date {
	t.Helper()
	d, err := reconcile.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func mustContact(t testing.TB, digits string) reconcile.Contact {
	t.Helper()
	c, ok := reconcile.PhoneContact([]byte(digits))
	if !ok {
		t.Fatalf("%q is no phone number", digits)
	}
	return c
}

// published reads the rate cards of testdata as one table.
func published(t testing.TB) *reconcile.RateBook {
	t.Helper()
	var m readertest.Mem
	names, err := filepath.Glob("testdata/rates/*.csv")
	if err != nil || len(names) == 0 {
		t.Fatalf("testdata/rates: %d files, %v", len(names), err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m.Put(path.Base(filepath.ToSlash(name)), data)
	}
	book, read, err := reader.ReadRates(t.Context(), &m)
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != len(names) || len(book.Rates()) != 804+378 {
		t.Fatalf("%d files with %d rates, want %d with %d", len(read), len(book.Rates()), len(names), 804+378)
	}
	return book
}

// Prices looked up by hand in the published rate cards.
func TestPublishedPrices(t *testing.T) {
	t.Parallel()
	book := published(t)
	markets, _, err := reader.BuiltinMarkets()
	if err != nil {
		t.Fatal(err)
	}
	const none = ""
	for _, c := range []struct {
		contact, on     string
		country         string
		market          string
		plan            string
		category        reconcile.Category
		unit            reconcile.Unit
		price, currency string
	}{
		{"393331234567", "2024-08-01", "IT", "Italy", "meta-usd", reconcile.Marketing, reconcile.UnitConversation, "0.0691", "USD"},
		{"393331234567", "2024-07-31", "IT", "Italy", "meta-usd", reconcile.Marketing, reconcile.UnitConversation, none, none},
		{"393331234567", "2024-10-31", "IT", "Italy", "meta-usd", reconcile.Service, reconcile.UnitConversation, "0.0386", "USD"},
		{"393331234567", "2024-11-01", "IT", "Italy", "meta-usd", reconcile.Service, reconcile.UnitConversation, "0", "USD"},
		{"393331234567", "2025-07-01", "IT", "Italy", "meta-usd", reconcile.Service, reconcile.UnitConversation, none, none},
		{"393331234567", "2026-06-30", "IT", "Italy", "meta-usd", reconcile.Marketing, reconcile.UnitMessage, "0.0691", "USD"},
		{"393331234567", "2026-07-01", "IT", "Italy", "meta-usd", reconcile.Marketing, reconcile.UnitMessage, "0.0795", "USD"},
		{"393331234567", "2024-07-03", "IT", "Italy", "recharge-small", reconcile.Marketing, reconcile.UnitConversation, "0.14", "EUR"},
		{"393331234567", "2024-07-03", "IT", "Italy", "recharge-large", reconcile.Service, reconcile.UnitConversation, "0.10", "EUR"},
		{"4917112345678", "2024-09-15", "DE", "Germany", "meta-usd", reconcile.Authentication, reconcile.UnitConversation, "0.0768", "USD"},
		{"4917112345678", "2025-07-01", "DE", "Germany", "meta-usd", reconcile.Authentication, reconcile.UnitMessage, "0.0550", "USD"},
		{"4917112345678", "2024-07-03", "DE", "Germany", "recharge-medium", reconcile.Marketing, reconcile.UnitConversation, "0.1831", "EUR"},
		{"12125550123", "2024-08-01", "US", "North America", "meta-usd", reconcile.Utility, reconcile.UnitConversation, "0.0040", "USD"},
		{"12045550123", "2024-08-01", "CA", "North America", "meta-usd", reconcile.Utility, reconcile.UnitConversation, "0.0040", "USD"},
		{"12045550123", "2024-07-03", "CA", "North America", "recharge-small", reconcile.Service, reconcile.UnitConversation, "0.0973", "EUR"},
		{"18095550123", "2024-08-01", "DO", "Rest of Latin America", "meta-usd", reconcile.Marketing, reconcile.UnitConversation, "0.0740", "USD"},
		{"18095550123", "2024-07-03", "DO", "Rest of Latin America", "recharge-small", reconcile.Marketing, reconcile.UnitConversation, "0.1513", "EUR"},
		{"77012345678", "2026-09-30", "KZ", "Other", "meta-usd", reconcile.Utility, reconcile.UnitMessage, "0.0077", "USD"},
		{"77012345678", "2026-10-01", "KZ", "Kazakhstan", "meta-usd", reconcile.Utility, reconcile.UnitMessage, "0.0180", "USD"},
		{"79012345678", "2026-09-30", "RU", "Russia", "meta-usd", reconcile.Utility, reconcile.UnitMessage, "0.0400", "USD"},
		{"77012345678", "2024-07-03", "KZ", "Other", "recharge-small", reconcile.Utility, reconcile.UnitConversation, "0.0964", "EUR"},
		{"263771234567", "2025-09-30", "ZW", "Other", "meta-usd", reconcile.Marketing, reconcile.UnitMessage, "0.0604", "USD"},
		{"263771234567", "2025-10-01", "ZW", "Rest of Africa", "meta-usd", reconcile.Marketing, reconcile.UnitMessage, "0.0225", "USD"},
		{"263771234567", "2025-09-30", "ZW", "Other", "recharge-small", reconcile.Marketing, reconcile.UnitConversation, "0.1400", "EUR"},
		{"263771234567", "2025-10-01", "ZW", "Rest of Africa", "recharge-small", reconcile.Marketing, reconcile.UnitConversation, "0.1086", "EUR"},
	} {
		on := mustDate(t, c.on)
		place, ok := markets.OfContact(mustContact(t, c.contact), "", on)
		if want := (reconcile.Place{Country: c.country, Market: c.market}); !ok || place != want {
			t.Errorf("%s on %s lies in %v, %v; want %v", c.contact, c.on, place, ok, want)
			continue
		}
		rate := book.Lookup(c.plan, place, c.category, c.unit, on)
		if c.price == none {
			if rate != nil {
				t.Errorf("%s %s %v on %s costs %v, want no price", c.plan, c.contact, c.category, c.on, rate.Price.Decimal())
			}
			continue
		}
		want, err := reconcile.ParseMicros(c.price)
		if err != nil {
			t.Fatal(err)
		}
		if rate == nil || rate.Price != want || rate.Currency != c.currency {
			t.Errorf("%s %s %v on %s is %+v, want %s %s", c.plan, c.contact, c.category, c.on, rate, c.price, c.currency)
		}
	}
}

func TestReadRates(t *testing.T) {
	t.Parallel()
	src := files(map[string]string{
		// Byte order mark, CRLF, blank lines, columns in another order, one too
		// many, quotes, white space and case.
		"b.csv":      "\xef\xbb\xbfcurrency,plan,note,market,category,unit,price\r\n\r\neur, p ,\"two\r\nlines\",it,Utility,MESSAGE,\"0.100000\"\r\n \r\nJPY,p,,*,authentication-international,conversation,3\r\n",
		"a/x.CSV":    ratesHeader + "p,IT,service,conversation,N/A,EUR,2024-02-01,\np,IT,service,conversation,0,EUR,2024-01-01,2024-02-01\n",
		"_tmp/c.csv": "no rates", ".d.csv": "no rates", "readme.txt": "no rates",
	})
	book, read, err := reader.ReadRates(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	want := []reconcile.Rate{
		{Where: "a/x.CSV:2", Plan: "p", Market: "IT", Category: reconcile.Service, NoPrice: true, Currency: "EUR", From: mustDate(t, "2024-02-01"), To: reconcile.MaxDate},
		{Where: "a/x.CSV:3", Plan: "p", Market: "IT", Category: reconcile.Service, Currency: "EUR", From: mustDate(t, "2024-01-01"), To: mustDate(t, "2024-02-01")},
		{Where: "b.csv:3", Plan: "p", Market: "IT", Category: reconcile.Utility, Unit: reconcile.UnitMessage, Price: 100_000, Currency: "EUR", From: reconcile.MinDate, To: reconcile.MaxDate},
		{Where: "b.csv:6", Plan: "p", Market: "*", Category: reconcile.AuthenticationInternational, Price: 3_000_000, Currency: "JPY", From: reconcile.MinDate, To: reconcile.MaxDate},
	}
	if diff := cmp.Diff(want, book.Rates()); diff != "" {
		t.Errorf("rates (-want +got):\n%s", diff)
	}
	if len(read) != 2 || read[0].Key != "a/x.CSV" || read[1].Key != "b.csv" || read[1].Size == 0 || len(read[0].SHA256) != 64 || read[0].SHA256 == read[1].SHA256 {
		t.Errorf("files read are %+v", read)
	}
}

func TestReadOneFileOfAnyName(t *testing.T) {
	t.Parallel()
	src := oneFile{files(map[string]string{"_prices": ratesHeader}), "_prices"}
	book, read, err := reader.ReadRates(t.Context(), src)
	if err != nil || len(read) != 1 || len(book.Rates()) != 0 {
		t.Errorf("%v, %+v", err, read)
	}
}

func TestRatesRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"empty file", "", "r.csv:1: header is missing"},
		{"blank file", "\n \n", "r.csv:1: header is missing"},
		{"column missing", "plan,market,category,unit,currency\n", "r.csv:1: header lacks column price"},
		{"columns missing", "plan,market,Category,unit\n", "r.csv:1: header lacks column category, price, currency"},
		{"column twice", "plan,market,category,unit,price,currency,plan\n", `r.csv:1: column "plan" is there twice`},
		{"semicolons", "\nplan;market;category;unit;price;currency\n", "r.csv:2: header lacks column plan, market, category, unit, price, currency; fields are separated by commas"},
		{"too few fields", ratesHeader + "p,IT,service,conversation,1,EUR,\n", "r.csv:2: 7 fields where the header has 8"},
		{"too many fields", ratesHeader + "p,IT,service,conversation,1,EUR,,,\n", "r.csv:2: 9 fields where the header has 8"},
		{"bad quote", ratesHeader + "p,IT,service,conversation,1,EUR,,\np,I\"T,service,conversation,1,EUR,,\n", `r.csv:3: bare " in non-quoted-field`},
		{"open quote", ratesHeader + "\np,\"IT,service\n,conversation,1,EUR,,\n", `r.csv:3: extraneous or missing " in quoted-field`},
		{"not UTF-8", ratesHeader + "p,\xe8,service,conversation,1,EUR,,\n", "r.csv:2 column market: text is not UTF-8"},
		{"no plan", ratesHeader + " ,IT,service,conversation,1,EUR,,\n", "r.csv:2 column plan: value is missing"},
		{"no market", ratesHeader + "p,,service,conversation,1,EUR,,\n", "r.csv:2 column market: value is missing"},
		{"no category", ratesHeader + "p,IT,,conversation,1,EUR,,\n", "r.csv:2 column category: value is missing"},
		{"bad category", ratesHeader + "p,IT,promo,conversation,1,EUR,,\n", `r.csv:2 column category: "promo" is no category`},
		{"bad unit", ratesHeader + "p,IT,service,minute,1,EUR,,\n", `r.csv:2 column unit: "minute" is no unit: conversation or message`},
		{"no price", ratesHeader + "p,IT,service,message,,EUR,,\n", "r.csv:2 column price: value is missing"},
		{"seven decimals", ratesHeader + "p,IT,service,message,0.1234567,EUR,,\n", `r.csv:2 column price: "0.1234567" has more than 6 decimals`},
		{"negative price", ratesHeader + "p,IT,service,message,-0.1,EUR,,\n", "r.csv:2 column price: -0.1 is negative"},
		{"comma for point", ratesHeader + "p,IT,service,message,\"0,1\",EUR,,\n", `r.csv:2 column price: "0,1" is no plain decimal number`},
		{"exponent", ratesHeader + "p,IT,service,message,1e2,EUR,,\n", `r.csv:2 column price: "1e2" is no plain decimal number`},
		{"huge price", ratesHeader + "p,IT,service,message,9223372036855,EUR,,\n", `r.csv:2 column price: "9223372036855" is too large`},
		{"bad currency", ratesHeader + "p,IT,service,message,1,$US,,\n", `r.csv:2 column currency: "$US" is no currency of ISO 4217`},
		{"bad currency of no price", ratesHeader + "p,IT,service,message,n/a,EURO,,\n", `r.csv:2 column currency: "EURO" is no currency of ISO 4217`},
		{"bad date", ratesHeader + "p,IT,service,message,1,EUR,2024-02-30,\n", `r.csv:2 column valid_from: "2024-02-30" is no date of the form YYYY-MM-DD`},
		{"bad end", ratesHeader + "p,IT,service,message,1,EUR,,1/2/2024\n", `r.csv:2 column valid_to: "1/2/2024" is no date of the form YYYY-MM-DD`},
		{"ends as it begins", ratesHeader + "p,IT,service,message,1,EUR,2024-02-01,2024-02-01\n", "r.csv:2 column valid_to: 2024-02-01 is not after valid_from 2024-02-01"},
		{"overlap", ratesHeader + "p,IT,service,message,1,EUR,,\np,DE,service,message,1,EUR,,\np,it,service,message,1,USD,2024-02-01,\n",
			`r.csv:4: overlaps r.csv:2: plan "p", market "IT", service, message is valid [2024-02-01, open) here and [the beginning, open) there`},
		{"overlap of no price", ratesHeader + "p,IT,service,message,n/a,EUR,,\np,IT,service,message,1,EUR,2024-02-01,\n",
			`r.csv:3: overlaps r.csv:2: plan "p", market "IT", service, message is valid [2024-02-01, open) here and [the beginning, open) there`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := reader.ReadRates(t.Context(), files(map[string]string{"r.csv": c.text}))
			wantRefused(t, err, c.want)
		})
	}
}

func TestRatesOverlapAcrossFiles(t *testing.T) {
	t.Parallel()
	row := "p,IT,service,message,1,EUR,,\n"
	_, _, err := reader.ReadRates(t.Context(), files(map[string]string{"2.csv": ratesHeader + row, "1.csv": ratesHeader + row}))
	wantRefused(t, err, `2.csv:2: overlaps 1.csv:2: plan "p", market "IT", service, message is valid [the beginning, open) here and [the beginning, open) there`)
}

func TestNoFileAtAll(t *testing.T) {
	t.Parallel()
	src := files(map[string]string{"readme.txt": "", "_old.csv": ratesHeader})
	_, _, err := reader.ReadRates(t.Context(), src)
	wantRefused(t, err, "no .csv file there")
	_, _, err = reader.ReadAccounts(t.Context(), src)
	wantRefused(t, err, "no .csv file there")
	_, _, err = reader.ReadMarkets(t.Context(), src)
	wantRefused(t, err, "no .csv file there")
}

// What the store says is not the input's fault.
func TestStoreErrorsPass(t *testing.T) {
	t.Parallel()
	broken := errors.New("cable cut")
	src := files(map[string]string{"r.csv": ratesHeader})
	src.OnRead = func(string, int64, int) error { return broken }
	if _, _, err := reader.ReadRates(t.Context(), src); !errors.Is(err, broken) || errors.Is(err, reader.ErrInput) {
		t.Errorf("a read that fails gives %v", err)
	}
	src = files(nil)
	src.OnList = func(string) error { return broken }
	if _, _, err := reader.ReadRates(t.Context(), src); !errors.Is(err, broken) || errors.Is(err, reader.ErrInput) {
		t.Errorf("a listing that fails gives %v", err)
	}
}

func TestInputThatChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	src := files(map[string]string{"r.csv": ratesHeader})
	src.OnRead = func(key string, _ int64, _ int) error {
		src.Put(key, []byte(ratesHeader+ratesHeader))
		return nil
	}
	if _, _, err := reader.ReadRates(t.Context(), src); !errors.Is(err, reader.ErrChanged) || errors.Is(err, reader.ErrInput) {
		t.Errorf("a file that changes gives %v", err)
	}
}

// hugeFiles claims that every file is larger than it is.
type hugeFiles struct{ *readertest.Mem }

func (f hugeFiles) List(ctx context.Context, prefix string) ([]reader.Object, error) {
	objects, err := f.Mem.List(ctx, prefix)
	for i := range objects {
		objects[i].Size = 256<<20 + 1
	}
	return objects, err
}

func TestInputTooLarge(t *testing.T) {
	t.Parallel()
	_, _, err := reader.ReadRates(t.Context(), hugeFiles{files(map[string]string{"r.csv": ratesHeader})})
	wantRefused(t, err, "r.csv: 268435457 bytes are more than the 268435456 that an input may have")
}
