package reader_test

import (
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"
)

const fxHeader = "date,from,to,rate\n"

func TestExchangeRates(t *testing.T) {
	t.Parallel()
	rates, read, err := reader.ReadExchangeRates(t.Context(), files(map[string]string{
		"a.csv": fxHeader + "2024-07-03,usd,EUR,0.930\n2024-07-01,USD,EUR,0.92\n",
		"b.csv": "rate,to,from,date,source\n0.0000613,USD,IDR,2024-07-02,bank\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != 2 || read[0].Rows != 2 || read[1].Rows != 1 {
		t.Errorf("read %+v", read)
	}
	for _, c := range []struct{ from, to, on, want string }{
		{"USD", "EUR", "2024-06-30", "none"},
		{"USD", "EUR", "2024-07-01", "0.92"},
		{"USD", "EUR", "2024-07-02", "0.92"},
		{"USD", "EUR", "2024-07-03", "0.93"},
		{"USD", "EUR", "2030-01-01", "0.93"},
		{"EUR", "USD", "2024-07-03", "none"}, // the inverse pair says nothing
		{"IDR", "USD", "2024-07-02", "0.0000613"},
	} {
		got := "none"
		if rate, ok := rates.On(c.from, c.to, mustDate(t, c.on)); ok {
			got = rate.String()
		}
		if got != c.want {
			t.Errorf("%s to %s on %s: %s, want %s", c.from, c.to, c.on, got, c.want)
		}
	}
}

func TestExchangeRatesRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, rows, want string }{
		{"no date", ",USD,EUR,1\n", "x.csv:2 column date: value is missing"},
		{"bad date", "3 July,USD,EUR,1\n", `x.csv:2 column date: "3 July" is no date of the form YYYY-MM-DD`},
		{"no currency", "2024-07-03,,EUR,1\n", "x.csv:2 column from: value is missing"},
		{"bad currency", "2024-07-03,USD,EURO,1\n", `x.csv:2 column to: "EURO" is no currency of ISO 4217`},
		{"from itself", "2024-07-03,EUR,eur,1\n", "x.csv:2 column to: EUR is also what it is from"},
		{"no rate", "2024-07-03,USD,EUR,\n", "x.csv:2 column rate: value is missing"},
		{"rate of 0", "2024-07-03,USD,EUR,0.00\n", "x.csv:2 column rate: 0.00 is not above 0"},
		{"negative", "2024-07-03,USD,EUR,-1\n", "x.csv:2 column rate: -1 is not above 0"},
		{"too large", "2024-07-03,USD,EUR,1000000000000.5\n", "x.csv:2 column rate: 1000000000000.5 is too large"},
		{"exponent", "2024-07-03,USD,EUR,1e3\n", `x.csv:2 column rate: "1e3" is no plain decimal number`},
		{"twice", "2024-07-03,USD,EUR,1\n2024-07-03,EUR,USD,1\n2024-07-03,usd,eur,1\n", "x.csv:4: repeats x.csv:2: the rate from USD to EUR of 2024-07-03"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := reader.ReadExchangeRates(t.Context(), files(map[string]string{"x.csv": fxHeader + c.rows}))
			wantRefused(t, err, c.want)
		})
	}
	_, _, err := reader.ReadExchangeRates(t.Context(), files(nil))
	wantRefused(t, err, "no .csv file there")
}

func FuzzExchangeRates(f *testing.F) {
	f.Add(fxHeader+"2024-07-03,usd,EUR,0.93\n2024-07-01,USD,EUR,0.92\n", "USD", "EUR", 19_910)
	f.Add("rate,to,from,date\n0.0000613,USD,IDR,2024-07-02\n", "IDR", "USD", 0)
	f.Fuzz(func(t *testing.T, text, from, to string, day int) {
		rates, _, err := reader.ReadExchangeRates(t.Context(), files(map[string]string{"x.csv": text}))
		if !inputRead(t, err) {
			return
		}
		d := mustDate(t, "2024-07-01") + reconcile.Date(day%10_000)
		if rate, ok := rates.On(from, to, d); ok && !rate.IsPositive() {
			t.Errorf("rate %s from %s to %s on %s", rate, from, to, d)
		}
		if _, ok := rates.On(from, from, d); ok {
			t.Errorf("a rate from %s to itself", from)
		}
	})
}
