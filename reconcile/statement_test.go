package reconcile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// alike is n charges of account A in EUR at 22 % VAT.
func alike(n int64, net string, change func(*StatementGroup)) StatementGroup {
	g := StatementGroup{Account: "A", Currency: "EUR", VATRate: optional("0.22"), Status: Charged, Quantity: n, Net: dec(net)}
	if change != nil {
		change(&g)
	}
	return g
}

func unrated(g *StatementGroup) { g.Currency, g.Status = "", Unrated }

func TestStatements(t *testing.T) {
	t.Parallel()
	statement := func(currency, rate string, charges int64, payable, vat, gross string) Statement {
		return Statement{
			Account: "A", Currency: currency, VATRate: optional(rate), Charges: charges,
			Net: dec(payable), Payable: dec(payable), VAT: dec(vat), Gross: dec(gross),
		}
	}
	for _, c := range []struct {
		name   string
		vatAt  map[string]VATAt
		groups []StatementGroup
		want   []Statement
	}{
		{
			name:   "exact sums are rounded once",
			groups: []StatementGroup{alike(1, "0.004", nil), alike(1, "0.004", nil), alike(1, "0.004", nil)},
			want:   []Statement{statement("EUR", "0.22", 3, "0.01", "0", "0.01")},
		},
		{
			name:   "half a cent goes up, of the VAT too", // 0.25 × 0.22 = 0.055
			groups: []StatementGroup{alike(1, "0.245", nil)},
			want:   []Statement{statement("EUR", "0.22", 1, "0.25", "0.06", "0.31")},
		},
		{
			name:   "VAT is on the rounded net", // 0.02 × 0.25 = 0.005, but 0.0151 × 0.25 = 0.003775
			groups: []StatementGroup{alike(1, "0.0151", func(g *StatementGroup) { g.VATRate = optional("0.25") })},
			want:   []Statement{statement("EUR", "0.25", 1, "0.02", "0.01", "0.03")},
		},
		{
			name: "minor units of the currency",
			groups: []StatementGroup{
				alike(1, "10.5", func(g *StatementGroup) { g.Currency = "JPY" }),
				alike(1, "1.0005", func(g *StatementGroup) { g.Currency = "KWD" }),
			},
			want: []Statement{statement("JPY", "0.22", 1, "11", "2", "13"), statement("KWD", "0.22", 1, "1.001", "0.22", "1.221")},
		},
		{
			name: "VAT rates: none, 0 and equal ones written differently",
			groups: []StatementGroup{
				alike(1, "1", nil),
				alike(1, "1", func(g *StatementGroup) { g.VATRate = optional("0.220") }),
				alike(1, "1", func(g *StatementGroup) { g.VATRate = optional("0") }),
				alike(1, "1", func(g *StatementGroup) { g.VATRate = nil }),
			},
			want: []Statement{
				statement("EUR", "", 1, "1", "0", "1"),
				statement("EUR", "0", 1, "1", "0", "1"),
				statement("EUR", "0.22", 2, "2", "0.44", "2.44"),
			},
		},
		{
			name: "recharges are rounded apart and bear no VAT",
			groups: []StatementGroup{
				alike(1, "0.345", nil),
				alike(2, "0.345", func(g *StatementGroup) { g.Prepaid = true }),
			},
			want: []Statement{{
				Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: 3,
				Net: dec("0.7"), Prepaid: dec("0.35"), Payable: dec("0.35"), VAT: dec("0.08"), Gross: dec("0.43"),
			}},
		},
		{
			name:   "where VAT is due at usage, recharges bear it with the rest, rounded once", // 0.70 × 0.22 = 0.154
			vatAt:  map[string]VATAt{"": VATAtUsage},
			groups: []StatementGroup{alike(1, "0.345", nil), alike(2, "0.345", func(g *StatementGroup) { g.Prepaid = true })},
			want: []Statement{{
				Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: 3,
				Net: dec("0.7"), Prepaid: dec("0.35"), Payable: dec("0.35"), VAT: dec("0.15"), Gross: dec("0.5"),
			}},
		},
		{
			name:  "a closed month's adjustments bear VAT as it does",
			vatAt: map[string]VATAt{"2024-06": VATAtUsage},
			groups: []StatementGroup{
				alike(1, "100", func(g *StatementGroup) { g.Prepaid = true }),
				alike(1, "100", func(g *StatementGroup) { g.Prepaid, g.Adjusted = true, "2024-05" }),
				alike(-1, "-100", func(g *StatementGroup) { g.Prepaid, g.Adjusted = true, "2024-06" }),
			},
			want: []Statement{
				{Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: 1, Net: dec("100"), Prepaid: dec("100")},
				{Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: 1, Net: dec("100"), Prepaid: dec("100"), Adjusted: "2024-05"},
				{Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: -1, Net: dec("-100"), Prepaid: dec("-100"), VAT: dec("-22"), Gross: dec("-22"), Adjusted: "2024-06"},
			},
		},
		{
			name: "unrated charges prefer their VAT rate",
			groups: []StatementGroup{
				alike(1, "1", func(g *StatementGroup) { g.VATRate = optional("0.1") }),
				alike(1, "1", nil),
				alike(5, "0", unrated),
			},
			want: []Statement{
				statement("EUR", "0.1", 1, "1", "0.1", "1.1"),
				{
					Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: 6, Unrated: 5,
					Net: dec("1"), Payable: dec("1"), VAT: dec("0.22"), Gross: dec("1.22"),
				},
			},
		},
		{
			name: "unrated charges of another VAT rate are on the first statement",
			groups: []StatementGroup{
				alike(1, "1", func(g *StatementGroup) { g.Currency = "USD" }),
				alike(1, "1", nil),
				alike(5, "0", func(g *StatementGroup) { unrated(g); g.VATRate = nil }),
			},
			want: []Statement{
				{
					Account: "A", Currency: "EUR", VATRate: optional("0.22"), Charges: 6, Unrated: 5,
					Net: dec("1"), Payable: dec("1"), VAT: dec("0.22"), Gross: dec("1.22"),
				},
				statement("USD", "0.22", 1, "1", "0.22", "1.22"),
			},
		},
		{
			name:   "nothing but unrated charges",
			groups: []StatementGroup{alike(5, "0", unrated), alike(1, "1", func(g *StatementGroup) { g.Account = "0" })},
			want: []Statement{
				{
					Account: "0", Currency: "EUR", VATRate: optional("0.22"), Charges: 1,
					Net: dec("1"), Payable: dec("1"), VAT: dec("0.22"), Gross: dec("1.22"),
				},
				{Account: "A", VATRate: optional("0.22"), Charges: 5, Unrated: 5},
			},
		},
		{
			name: "free charges count",
			groups: []StatementGroup{
				alike(1, "1", nil),
				alike(2, "0", func(g *StatementGroup) { g.Status = Free }),
				alike(4, "0", func(g *StatementGroup) { g.Status, g.Currency = Free, "" }),
			},
			want: []Statement{statement("EUR", "0.22", 7, "1", "0.22", "1.22")},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := Statements{VATAt: c.vatAt}
			for _, g := range c.groups {
				s.Add(g)
			}
			got, err := s.Rows()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
			again, err := s.Rows()
			if diff := cmp.Diff(got, again); diff != "" || err != nil {
				t.Errorf("second call: %v\n%s", err, diff)
			}
		})
	}
}

func TestNote(t *testing.T) {
	t.Parallel()
	for rate, want := range map[string]string{"": "", "0": "reverse charge", "0.000": "reverse charge", "0.000001": "", "0.22": ""} {
		if got := (&Statement{VATRate: optional(rate)}).Note(); got != want {
			t.Errorf("VAT rate %q: note %q, want %q", rate, got, want)
		}
	}
}

func TestParseVATAt(t *testing.T) {
	t.Parallel()
	for _, at := range []VATAt{VATAtRecharge, VATAtUsage} {
		if got, ok := ParseVATAt(at.String()); got != at || !ok {
			t.Errorf("%s is %s, %v", at, got, ok)
		}
	}
	if _, ok := ParseVATAt("Usage"); !ok {
		t.Error("Usage is not known")
	}
	for _, text := range []string{"", "recharges", "none"} {
		if _, ok := ParseVATAt(text); ok {
			t.Errorf("%q is known", text)
		}
	}
}

func TestStatementsRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, currency, want string }{
		{"unknown currency", "ABC", `state account "A": currency "ABC" is not known`},
		{"no currency", "", `state account "A": charges without a currency come to 1.5`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s Statements
			s.Add(alike(1, "1.5", func(g *StatementGroup) { g.Currency = c.currency }))
			if _, err := s.Rows(); err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestRounding(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ numerator, denominator, want string }{
		{"1", "3", "0.333333"},
		{"2", "3", "0.666667"},
		{"-2", "3", "-0.666667"},
		{"2", "-3", "-0.666667"},
		{"0.000001", "2", "0"},
		{"0.000003", "2", "0.000002"},
		{"0.000005", "2", "0.000002"},
		{"-0.000005", "2", "-0.000002"},
		{"-0.000003", "2", "-0.000002"},
		{"0.000001", "-2", "0"},
		{"0.0000011", "2", "0.000001"},
		{"-0.0000011", "2", "-0.000001"},
		{"14", "100", "0.14"},
		{"0", "7", "0"},
	} {
		if got := quotient(dec(c.numerator), dec(c.denominator)); !got.Equal(dec(c.want)) {
			t.Errorf("%s ÷ %s = %s, want %s", c.numerator, c.denominator, got, c.want)
		}
	}
	for in, want := range map[string]string{"0.0000005": "0", "0.0000015": "0.000002", "-0.0000005": "0", "-0.0000025": "-0.000002", "1.00000051": "1.000001"} {
		if got := roundAmount(dec(in)); !got.Equal(dec(want)) {
			t.Errorf("roundAmount(%s) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{"0.005": "0.01", "-0.005": "-0.01", "0.0049999": "0", "2.675": "2.68"} {
		if got := roundMinor(dec(in), 2); !got.Equal(dec(want)) {
			t.Errorf("roundMinor(%s) = %s, want %s", in, got, want)
		}
	}
	if got := roundMinor(decimal.Decimal{}, 0); !got.IsZero() {
		t.Errorf("roundMinor of the zero value = %s", got)
	}
}
