package reader_test

import (
	"os"
	"testing"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
)

const marketsHeader = "prefix,country,market,valid_from,valid_to\n"

func TestBuiltinMarkets(t *testing.T) {
	t.Parallel()
	markets, read, err := reader.BuiltinMarkets()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("markets.csv")
	if err != nil {
		t.Fatal(err)
	}
	var m readertest.Mem
	m.Put("markets.csv", data)
	_, again, err := reader.ReadMarkets(t.Context(), &m)
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != 1 || len(again) != 1 || read[0] != again[0] {
		t.Errorf("built in %+v, read %+v", read, again)
	}
	place, ok := markets.OfContact(reconcile.OpaqueContact(1), "CA", 0)
	if want := (reconcile.Place{Country: "CA", Market: "North America"}); !ok || place != want {
		t.Errorf("CA is %v, %v; want %v", place, ok, want)
	}
	if !markets.IsCountry("ZW") || !markets.IsMarket("Rest of Africa") || markets.IsMarket("ZW") {
		t.Error("countries and markets are not those of the table")
	}
}

func TestMarketsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rows, want string }{
		{"no prefix", ",IT,Italy,,\n", "m.csv:2 column prefix: value is missing"},
		{"prefix with a plus", "+39,IT,Italy,,\n", `m.csv:2: prefix "+39" is not digits`},
		{"prefix too long", "1234567890123456,IT,Italy,,\n", "m.csv:2: prefix is longer than a phone number"},
		{"no country", "39,,Italy,,\n", "m.csv:2 column country: value is missing"},
		{"long country", "39,ITA,Italy,,\n", `m.csv:2 column country: "ITA" is no ISO 3166 country code`},
		{"no market", "39,IT,,,\n", "m.csv:2 column market: value is missing"},
		{"market for all", "39,IT,*,,\n", `m.csv:2 column market: "*" stands for all markets in rates and cannot be one`},
		{"bad date", "39,IT,Italy,01.02.2024,\n", `m.csv:2 column valid_from: "01.02.2024" is no date of the form YYYY-MM-DD`},
		{"ends before it begins", "39,IT,Italy,2024-02-01,2024-01-01\n", "m.csv:2 column valid_to: 2024-01-01 is not after valid_from 2024-02-01"},
		{"overlap", "39,IT,Italy,,\n39,VA,Other,2024-02-01,\n",
			"m.csv:3: overlaps m.csv:2: prefix 39 is valid [2024-02-01, open) here and [the beginning, open) there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := reader.ReadMarkets(t.Context(), files(map[string]string{"m.csv": marketsHeader + c.rows}))
			wantRefused(t, err, c.want)
		})
	}
	_, _, err := reader.ReadMarkets(t.Context(), files(map[string]string{"m.csv": "prefix,country\n"}))
	wantRefused(t, err, "m.csv:1: header lacks column market")
}

func BenchmarkOfContact(b *testing.B) {
	markets, _, err := reader.BuiltinMarkets()
	if err != nil {
		b.Fatal(err)
	}
	on := mustDate(b, "2025-10-01")
	for name, digits := range map[string]string{"italy": "393331234567", "canada": "12045550123", "nowhere": "9991234567"} {
		b.Run(name, func(b *testing.B) {
			c := mustContact(b, digits)
			b.ReportAllocs()
			for b.Loop() {
				markets.OfContact(c, "", on)
			}
		})
	}
	b.Run("opaque", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			markets.OfContact(reconcile.OpaqueContact(1), "IT", on)
		}
	})
}
