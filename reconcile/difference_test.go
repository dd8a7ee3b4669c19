package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// The period of every example, and the accounts' market table.
var (
	july1  = mustDate("2024-07-01")
	july31 = mustDate("2024-07-31")
)

func mustDate(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// optional reads a number that may be empty.
func optional(s string) *decimal.Decimal {
	if s == "" {
		return nil
	}
	return new(dec(s))
}

// exampleMarkets has IT in a market of that very name, FR and BE around a
// market, and SM that moves from one to the other on 16 July.
func exampleMarkets(t testing.TB) *Markets {
	t.Helper()
	m, err := NewMarkets([]MarketRow{
		{Prefix: "39", Country: "IT", Market: "IT", From: MinDate, To: MaxDate},
		{Prefix: "33", Country: "FR", Market: "West", From: MinDate, To: MaxDate},
		{Prefix: "32", Country: "BE", Market: "West", From: MinDate, To: MaxDate},
		{Prefix: "378", Country: "SM", Market: "West", From: MinDate, To: mustDate("2024-07-16")},
		{Prefix: "378", Country: "SM", Market: "IT", From: mustDate("2024-07-16"), To: MaxDate},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// line is a usage line of account A over all of July in EUR.
func line(id, quantity, unitPrice, amount string) InvoiceLine {
	l := InvoiceLine{
		Where: "july.csv:" + id, InvoiceID: "I", LineID: id, Account: "A", From: july1, To: july31,
		Quantity: optional(quantity), UnitPrice: optional(unitPrice), Amount: optional(amount),
		AmountGiven: amount != "", Currency: "EUR",
	}
	if amount == "" {
		l.Amount = new(l.Quantity.Mul(*l.UnitPrice))
	}
	return l
}

// with changes a line.
func with(l InvoiceLine, change func(*InvoiceLine)) InvoiceLine {
	change(&l)
	return l
}

// charges is a part of the usage of account A: Italian marketing on 3 July.
type charges struct {
	quantity int64
	amount   string
	change   func(*CellKey)
}

func usageOf(pool *Pool, all []charges) *Usage {
	u := pool.Usage()
	for _, c := range all {
		key := CellKey{
			Account: "A", Business: "391", Date: july1 + 2, Country: "IT", Market: "IT",
			Category: Marketing, Currency: "EUR", Status: Charged,
		}
		if c.change != nil {
			c.change(&key)
		}
		u.Add(key, c.quantity, dec(c.amount))
	}
	return u
}

// brief is a row in short.
type brief struct {
	class                                 DifferenceClass
	ours                                  int64
	theirs                                string // quantity, empty for null
	difference                            string
	quantity, price, arithmetic, rounding string
	detail                                string
}

func briefly(d Difference) brief {
	b := brief{class: d.Class, detail: d.Detail}
	if e := d.Effects; e != nil {
		b.ours = e.OurQuantity
		if e.TheirQuantity != nil {
			b.theirs = e.TheirQuantity.String()
		}
		b.difference, b.quantity, b.price = e.AmountDifference.String(), e.QuantityEffect.String(), e.PriceEffect.String()
		b.arithmetic, b.rounding = e.ArithmeticEffect.String(), e.RoundingEffect.String()
	}
	return b
}

func TestDifferenceClasses(t *testing.T) {
	t.Parallel()
	hundred := []charges{{quantity: 100, amount: "14"}}
	for _, c := range []struct {
		name   string
		lines  []InvoiceLine
		usage  []charges
		noData bool
		want   []brief
	}{
		{
			name: "match", lines: []InvoiceLine{line("1", "100", "0.14", "")}, usage: hundred,
			want: []brief{{Match, 100, "100", "0", "0", "0", "0", "0", "billed 100 for 14.00 EUR, rated 100 for 14.00 EUR"}},
		},
		{
			name: "match without their quantity", lines: []InvoiceLine{line("1", "", "", "14")}, usage: hundred,
			want: []brief{{Match, 100, "", "0", "0", "0", "0", "0", "billed 14.00 EUR, rated 100 for 14.00 EUR"}},
		},
		{
			name: "price 0 is a price", lines: []InvoiceLine{line("1", "100", "0", "")}, usage: []charges{{quantity: 100, amount: "0"}},
			want: []brief{{Match, 100, "100", "0", "0", "0", "0", "0", "billed 100 for 0.00 EUR, rated 100 for 0.00 EUR"}},
		},
		{
			name: "free charges are not on our side", lines: []InvoiceLine{line("1", "100", "0.14", "")},
			usage: []charges{{quantity: 100, amount: "0", change: func(k *CellKey) { k.Status = Free }}},
			want:  []brief{{MissingOurs, 0, "100", "14", "14", "0", "0", "0", "billed 100 for 14.00 EUR, no charge found"}},
		},
		{
			name: "quantity", lines: []InvoiceLine{line("1", "110", "0.14", "")}, usage: hundred,
			want: []brief{{WrongQuantity, 100, "110", "1.4", "1.4", "0", "0", "0", "billed 110, rated 100; at 0.14 each that is 1.40 EUR too much"}},
		},
		{
			name: "quantity too small", lines: []InvoiceLine{line("1", "90", "0.14", "")}, usage: hundred,
			want: []brief{{WrongQuantity, 100, "90", "-1.4", "-1.4", "0", "0", "0", "billed 90, rated 100; at 0.14 each that is 1.40 EUR too little"}},
		},
		{
			name: "quantity of charges at price 0", lines: []InvoiceLine{line("1", "110", "0", "")}, usage: []charges{{quantity: 100, amount: "0"}},
			want: []brief{{WrongQuantity, 100, "110", "0", "0", "0", "0", "0", "billed 110, rated 100; at 0.00 each that is nothing"}},
		},
		{
			// 110 × 0.16 = 17.60: ten more at our 0.14, and 2 cents on each of 110.
			name: "quantity and price", lines: []InvoiceLine{line("1", "110", "0.16", "")}, usage: hundred,
			want: []brief{{
				QuantityAndPrice, 100, "110", "3.6", "1.4", "2.2", "0", "0",
				"billed 110 at 0.16 each, rated 100 at 0.14 each; the quantity makes 1.40 EUR too much, the price 2.20 EUR too much",
			}},
		},
		{
			name: "price", lines: []InvoiceLine{line("1", "100", "0.16", "")}, usage: hundred,
			want: []brief{{WrongPrice, 100, "100", "2", "0", "2", "0", "0", "billed 100 at 0.16 each, rated at 0.14 each; that is 2.00 EUR too much"}},
		},
		{
			name: "price without their quantity", lines: []InvoiceLine{line("1", "", "", "13")}, usage: hundred,
			want: []brief{{WrongPrice, 100, "", "-1", "0", "-1", "0", "0", "billed 13.00 EUR, rated 100 at 0.14 each; that is 1.00 EUR too little"}},
		},
		{
			name: "price at the tolerance", lines: []InvoiceLine{line("1", "100", "0.14005", "")}, usage: hundred,
			want: []brief{{WithinRounding, 100, "100", "0.005", "0", "0.005", "0", "0", "billed 100 for 14.005 EUR, rated 100 for 14.00 EUR; that is 0.005 EUR too much, which is rounding"}},
		},
		{
			name: "price above the tolerance", lines: []InvoiceLine{line("1", "100", "0.1400501", "")}, usage: hundred,
			want: []brief{{WrongPrice, 100, "100", "0.00501", "0", "0.00501", "0", "0", "billed 100 at about 0.14005 each, rated at 0.14 each; that is 0.00501 EUR too much"}},
		},
		{
			name: "rounding at the tolerance", lines: []InvoiceLine{line("1", "3", "0.115", "0.35")}, usage: []charges{{quantity: 3, amount: "0.345"}},
			want: []brief{{WithinRounding, 3, "3", "0.005", "0", "0", "0", "0.005", "billed 3 for 0.35 EUR, rated 3 for 0.345 EUR; that is 0.005 EUR too much, which is rounding"}},
		},
		{
			name: "arithmetic", lines: []InvoiceLine{line("1", "100", "0.14", "15")}, usage: hundred,
			want: []brief{{WrongArithmetic, 100, "100", "1", "0", "0", "1", "0", "billed 15.00 EUR where quantity times unit price is 14.00 EUR; that is 1.00 EUR too much"}},
		},
		{
			name: "arithmetic before quantity and price", lines: []InvoiceLine{line("1", "110", "0.16", "17")}, usage: hundred,
			want: []brief{{WrongArithmetic, 100, "110", "3", "1.4", "2.2", "-0.6", "0", "billed 17.00 EUR where quantity times unit price is 17.60 EUR; that is 0.60 EUR too little"}},
		},
		{
			// Half even to 6 decimals: (101 − 3) × 0.0005 ÷ 3 = 0.016333…
			name: "quantity effect is rounded, price effect takes the rest", lines: []InvoiceLine{line("1", "101", "0.000166", "0.02")},
			usage: []charges{{quantity: 3, amount: "0.0005"}},
			want: []brief{{
				WrongQuantity, 3, "101", "0.0195", "0.016333", "-0.000067", "0", "0.003234",
				"billed 101, rated 3; at about 0.000167 each that is 0.016333 EUR too much",
			}},
		},
		{
			name: "missing ours", lines: []InvoiceLine{line("1", "15", "0.14", "")},
			want: []brief{{MissingOurs, 0, "15", "2.1", "2.1", "0", "0", "0", "billed 15 for 2.10 EUR, no charge found"}},
		},
		{
			name: "missing ours without a quantity", lines: []InvoiceLine{line("1", "", "", "2.1")},
			want: []brief{{MissingOurs, 0, "", "2.1", "2.1", "0", "0", "0", "billed 2.10 EUR, no charge found"}},
		},
		{
			name:  "missing theirs",
			lines: []InvoiceLine{with(line("1", "100", "0.14", ""), func(l *InvoiceLine) { l.Market = "it" })},
			usage: []charges{
				{quantity: 100, amount: "14"},
				{quantity: 30, amount: "4.2", change: func(k *CellKey) { k.Country, k.Market = "FR", "West" }},
				{quantity: 10, amount: "1.4", change: func(k *CellKey) { k.Country, k.Market, k.Business = "FR", "West", "392" }},
				{quantity: 7, amount: "0.7", change: func(k *CellKey) { k.Account = "not on any invoice" }},
			},
			want: []brief{
				{MissingTheirs, 40, "0", "-5.6", "-5.6", "0", "0", "0", "rated 40 for 5.60 EUR, no invoice line covers them"},
				{Match, 100, "100", "0", "0", "0", "0", "0", "billed 100 for 14.00 EUR, rated 100 for 14.00 EUR"},
			},
		},
		{
			name:  "currency",
			lines: []InvoiceLine{with(line("1", "100", "0.15", ""), func(l *InvoiceLine) { l.Currency = "USD" })}, usage: hundred,
			want: []brief{
				{MissingTheirs, 100, "0", "-14", "-14", "0", "0", "0", "rated 100 for 14.00 EUR, no invoice line covers them"},
				{OtherCurrency, 0, "100", "15", "15", "0", "0", "0", "billed 100 for 15.00 USD, but the charges here are in another currency: 100 for 14.00 EUR"},
			},
		},
		{
			name: "currency with a line in each",
			lines: []InvoiceLine{
				line("1", "100", "0.14", ""),
				with(line("2", "100", "0.15", ""), func(l *InvoiceLine) { l.Currency = "USD" }),
			},
			usage: hundred,
			want: []brief{
				{Match, 100, "100", "0", "0", "0", "0", "0", "billed 100 for 14.00 EUR, rated 100 for 14.00 EUR"},
				{OtherCurrency, 0, "100", "15", "15", "0", "0", "0", "billed 100 for 15.00 USD, but the charges here are in another currency: 100 for 14.00 EUR"},
			},
		},
		{
			name: "unrated", lines: []InvoiceLine{line("1", "103", "0.14", "")},
			usage: []charges{
				{quantity: 100, amount: "14"},
				{quantity: 3, amount: "0", change: func(k *CellKey) { k.Status, k.Currency = Unrated, "" }},
			},
			want: []brief{{UnratedCharges, 100, "103", "0.42", "0.42", "0", "0", "0", "billed 103 for 14.42 EUR, rated 100 for 14.00 EUR, and 3 more have no price"}},
		},
		{
			name: "unrated before missing ours", lines: []InvoiceLine{line("1", "3", "0.14", "")},
			usage: []charges{{quantity: 3, amount: "0", change: func(k *CellKey) { k.Status, k.Currency = Unrated, "" }}},
			want:  []brief{{UnratedCharges, 0, "3", "0.42", "0.42", "0", "0", "0", "billed 3 for 0.42 EUR, rated 0 for 0.00 EUR, and 3 more have no price"}},
		},
		{
			name: "no data before all", lines: []InvoiceLine{line("1", "100", "0.14", "15")}, usage: hundred, noData: true,
			want: []brief{{NoData, 100, "100", "1", "0", "0", "1", "0", "billed 100 for 15.00 EUR, rated 100 for 14.00 EUR, but days of these dates have no export"}},
		},
		{
			name: "credit of its own",
			lines: []InvoiceLine{
				line("1", "100", "0.14", ""),
				with(line("2", "", "", "-5"), func(l *InvoiceLine) { l.Kind, l.Market = CreditLine, "IT" }),
			},
			usage: hundred,
			want: []brief{
				{Match, 100, "100", "0", "0", "0", "0", "0", "billed 100 for 14.00 EUR, rated 100 for 14.00 EUR"},
				{CreditAlone, 0, "", "-5", "-5", "0", "0", "0", "billed -5.00 EUR as a credit, no usage line names the same cell"},
			},
		},
		{
			name: "no data before a credit of its own", noData: true,
			lines: []InvoiceLine{
				with(line("1", "", "", "-5"), func(l *InvoiceLine) { l.Kind = CreditLine }),
			},
			usage: hundred,
			want:  []brief{{NoData, 0, "", "-5", "-5", "0", "0", "0", "billed -5.00 EUR as a credit, no usage line names the same cell, and days of these dates have no export"}},
		},
		{
			name: "credit added to its usage cell",
			lines: []InvoiceLine{
				with(line("2", "-10", "0.14", ""), func(l *InvoiceLine) { l.Kind = CreditLine }),
				line("1", "110", "0.14", ""),
			},
			usage: hundred,
			want:  []brief{{Match, 100, "100", "0", "0", "0", "0", "0", "billed 100 for 14.00 EUR, rated 100 for 14.00 EUR"}},
		},
		{
			name: "credit without usage leaves the account out of scope",
			lines: []InvoiceLine{
				with(line("1", "", "", "-5"), func(l *InvoiceLine) { l.Kind = CreditLine }),
			},
			usage: hundred,
			want:  []brief{{CreditAlone, 0, "", "-5", "-5", "0", "0", "0", "billed -5.00 EUR as a credit, no usage line names the same cell"}},
		},
		{
			// Two lines: the tolerance is a whole cent.
			name: "lines of one cell are added up", lines: []InvoiceLine{line("1", "60", "0.14", "8.41"), line("2", "40", "0.14", "")}, usage: hundred,
			want: []brief{{WithinRounding, 100, "100", "0.01", "0", "0", "0", "0.01", "billed 100 for 14.01 EUR, rated 100 for 14.00 EUR; that is 0.01 EUR too much, which is rounding"}},
		},
		{
			name: "outside the period", lines: []InvoiceLine{with(line("1", "100", "0.14", ""), func(l *InvoiceLine) { l.From-- })}, usage: hundred,
			want: []brief{
				{MissingTheirs, 100, "0", "-14", "-14", "0", "0", "0", "rated 100 for 14.00 EUR, no invoice line covers them"},
				{class: OutsidePeriod, detail: "billed 100 for 14.00 EUR, not compared: the dates are not wholly inside the period 2024-07-01 to 2024-07-31"},
			},
		},
		{
			name:  "credit outside the period leaves the account out of scope",
			lines: []InvoiceLine{with(line("1", "", "", "-5"), func(l *InvoiceLine) { l.Kind, l.From = CreditLine, l.From-1 })},
			usage: hundred,
			want:  []brief{{class: OutsidePeriod, detail: "billed -5.00 EUR, not compared: the dates are not wholly inside the period 2024-07-01 to 2024-07-31"}},
		},
		{
			name:  "authentication_international is a category of its own",
			lines: []InvoiceLine{with(line("1", "5", "0.1", ""), func(l *InvoiceLine) { l.Category = AuthenticationInternational })},
			usage: []charges{{quantity: 5, amount: "0.5", change: func(k *CellKey) { k.Category = Authentication }}},
			want: []brief{
				{MissingTheirs, 5, "0", "-0.5", "-0.5", "0", "0", "0", "rated 5 for 0.50 EUR, no invoice line covers them"},
				{MissingOurs, 0, "5", "0.5", "0.5", "0", "0", "0", "billed 5 for 0.50 EUR, no charge found"},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pool, err := NewPool(c.lines, july1, july31, exampleMarkets(t))
			if err != nil {
				t.Fatal(err)
			}
			got := pool.Compare(usageOf(pool, c.usage), func(string, Date, Date) bool { return c.noData })
			var briefs []brief
			for _, row := range got.Rows {
				briefs = append(briefs, briefly(row))
			}
			if diff := cmp.Diff(c.want, briefs, cmp.AllowUnexported(brief{})); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			for _, total := range got.Totals {
				if !total.Holds() {
					t.Errorf("control total does not hold: %+v", total)
				}
			}
		})
	}
}

// TestDifferenceColumns checks every column of a row made of two invoices.
func TestDifferenceColumns(t *testing.T) {
	t.Parallel()
	cell := func(l *InvoiceLine) { l.Business, l.Market, l.Category = "391", "IT", Marketing }
	lines := []InvoiceLine{
		with(line("9", "60", "0.14", ""), cell),
		with(with(line("10", "50", "0.14", ""), cell), func(l *InvoiceLine) { l.InvoiceID = "J" }),
		with(with(line("9", "", "", "-1.4"), cell), func(l *InvoiceLine) { l.Kind = CreditLine }),
		with(line("11", "", "", "99"), func(l *InvoiceLine) { l.Kind = TotalLine }),
	}
	pool, err := NewPool(lines, july1, july31, exampleMarkets(t))
	if err != nil {
		t.Fatal(err)
	}
	got := pool.Compare(usageOf(pool, []charges{{quantity: 100, amount: "14"}}), func(string, Date, Date) bool { return false })
	want := &Comparison{
		Rows: []Difference{{
			InvoiceID: "I J", LineIDs: "9 10", Account: "A", Business: "391", From: july1, To: july31,
			Market: "IT", Category: Marketing, Currency: "EUR",
			Effects: &Effects{
				OurQuantity: 100, TheirQuantity: optional("110"), OurAmount: dec("14"), TheirAmount: dec("14"),
				QuantityEffect: dec("1.4"), PriceEffect: dec("-1.4"),
			},
			Class:  QuantityAndPrice,
			Detail: "billed 110 at about 0.127273 each, rated 100 at 0.14 each; the quantity makes 1.40 EUR too much, the price 1.40 EUR too little",
		}},
		Totals: []CurrencyTotal{{Currency: "EUR", Theirs: dec("14"), Ours: dec("14"), OurQuantity: 100, RowQuantity: 100}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("comparison (-want +got):\n%s", diff)
	}
	for kind, want := range map[LineKind]int64{UsageLine: 2, CreditLine: 1, TotalLine: 1, FeeLine: 0} {
		if got := pool.LineCount(kind); got != want {
			t.Errorf("LineCount(%v) = %d, want %d", kind, got, want)
		}
	}
}
