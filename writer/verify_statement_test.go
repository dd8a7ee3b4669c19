package writer

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// atUsage makes VAT due on what recharges paid, in all that a run publishes.
func (p *parts) atUsage() {
	s, f := StatementsSchema(), p.tables[StatementsTable]
	p.m.Settings.VATAt = "usage"
	for row := range f.Rows {
		minor, _ := reconcile.MinorUnits(at(f, s, "currency").textAt(row))
		vat := at(f, s, "net_amount").Wide[row].Mul(wide("0.22")).Round(minor)
		at(f, s, "vat_amount").Wide[row] = vat
		at(f, s, "gross_amount").Wide[row] = at(f, s, "payable_net").Wide[row].Add(vat)
	}
	p.totals()
}

// totals makes those of the manifest agree with the statements.
func (p *parts) totals() {
	s, f := StatementsSchema(), p.tables[StatementsTable]
	for i := range p.m.Totals {
		t := &p.m.Totals[i]
		sum := func(column string) string {
			all := decimal.Zero
			for row := range f.Rows {
				if at(f, s, "currency").textAt(row) == t.Currency {
					all = all.Add(at(f, s, column).Wide[row])
				}
			}
			return all.String()
		}
		t.Net, t.Prepaid, t.Payable = sum("net_amount"), sum("prepaid_net"), sum("payable_net")
		t.VAT, t.Gross = sum("vat_amount"), sum("gross_amount")
	}
}

// prepaidRow is a statement on which recharges paid so much that VAT on it shows.
func (p *parts) prepaidRow() int {
	s, f := StatementsSchema(), p.tables[StatementsTable]
	for row := range f.Rows {
		if at(f, s, "currency").textAt(row) == "EUR" && at(f, s, "prepaid_net").Wide[row].GreaterThan(wide("0.05")) {
			return row
		}
	}
	panic("no such row")
}

// damagedStatements are statements that are wrong by themselves. The totals of
// the manifest are made to agree, so that nothing else tells.
func damagedStatements() (all []damage) {
	row := func(name string, change func(p *parts, s Schema, f *Frame, row int)) {
		all = append(all, damage{name: "statement: " + name, check: "statement rows", tables: func(p *parts) {
			change(p, StatementsSchema(), p.tables[StatementsTable], p.prepaidRow())
			p.totals()
		}})
	}
	row("VAT and gross", func(_ *parts, s Schema, f *Frame, row int) {
		for _, column := range []string{"vat_amount", "gross_amount"} {
			at(f, s, column).Wide[row] = at(f, s, column).Wide[row].Add(wide("0.01"))
		}
	})
	row("gross with what recharges paid", func(_ *parts, s Schema, f *Frame, row int) {
		at(f, s, "gross_amount").Wide[row] = at(f, s, "net_amount").Wide[row].Add(at(f, s, "vat_amount").Wide[row])
	})
	row("net without what recharges paid", func(_ *parts, s Schema, f *Frame, row int) {
		at(f, s, "net_amount").Wide[row] = at(f, s, "payable_net").Wide[row]
	})
	row("VAT at usage that is due at the recharge", func(p *parts, _ Schema, _ *Frame, _ int) {
		p.atUsage()
		p.m.Settings.VATAt = "recharge"
	})
	row("VAT at the recharge that is due at usage", func(p *parts, _ Schema, _ *Frame, _ int) { p.m.Settings.VATAt = "usage" })
	row("another rate", func(_ *parts, s Schema, f *Frame, row int) { at(f, s, "vat_rate").Micros[row] = 100_000 })
	row("no rate", func(_ *parts, s Schema, f *Frame, row int) { at(f, s, "vat_rate").Null[row] = true })
	row("a note of reverse charge at a rate", func(_ *parts, s Schema, f *Frame, row int) {
		at(f, s, "note").Text[row], at(f, s, "note").Null[row] = reconcile.ReverseCharge, false
	})
	row("no note of reverse charge", func(_ *parts, s Schema, f *Frame, row int) { noVAT(s, f, row) })
	row("another note", func(_ *parts, s Schema, f *Frame, row int) {
		noVAT(s, f, row)
		at(f, s, "note").Text[row], at(f, s, "note").Null[row] = "Reverse charge", false
	})
	row("an empty note", func(_ *parts, s Schema, f *Frame, row int) { at(f, s, "note").Null[row] = false })
	row("another period", func(_ *parts, s Schema, f *Frame, row int) { at(f, s, "period").Text[row] = "2024-06" })
	for _, side := range []string{"payable_net", "prepaid_net"} {
		row("a tenth of a cent, "+side, func(_ *parts, s Schema, f *Frame, row int) { // as if several VAT rates let it pass
			for _, column := range []string{side, "net_amount"} {
				at(f, s, column).Wide[row] = at(f, s, column).Wide[row].Add(wide("0.001"))
			}
			payable := at(f, s, "payable_net").Wide[row]
			vat := payable.Mul(wide("0.22")).Round(2)
			at(f, s, "vat_amount").Wide[row], at(f, s, "gross_amount").Wide[row] = vat, payable.Add(vat)
		})
	}
	for _, figure := range []struct {
		name string
		of   func(*CurrencyTotals) *string
	}{
		{"prepaid", func(t *CurrencyTotals) *string { return &t.Prepaid }},
		{"payable", func(t *CurrencyTotals) *string { return &t.Payable }},
	} {
		all = append(all, damage{name: "total " + figure.name, check: "totals by currency", written: func(p *parts) { *figure.of(&p.m.Totals[0]) = "1.00" }})
	}
	return all
}

// noVAT gives a statement a rate of 0.
func noVAT(s Schema, f *Frame, row int) {
	at(f, s, "vat_rate").Micros[row] = 0
	at(f, s, "vat_amount").Wide[row] = decimal.Zero
	at(f, s, "gross_amount").Wide[row] = at(f, s, "payable_net").Wide[row]
}

// TestVerifyStatements: what a run may state otherwise is no damage.
func TestVerifyStatements(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*parts){
		"VAT at usage": (*parts).atUsage,
		"reverse charge": func(p *parts) {
			s, f, row := StatementsSchema(), p.tables[StatementsTable], p.prepaidRow()
			noVAT(s, f, row)
			at(f, s, "note").Text[row], at(f, s, "note").Null[row] = reconcile.ReverseCharge, false
			p.totals()
		},
		"no VAT rate": func(p *parts) {
			s, f, row := StatementsSchema(), p.tables[StatementsTable], p.prepaidRow()
			noVAT(s, f, row)
			at(f, s, "vat_rate").Null[row] = true
			p.totals()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := aRun()
			change(p)
			p.write(t)
			p.seal(t)
			checks, err := Verify(t.Context(), p.store, "", "2024-07")
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(checks, func(c Check) bool { return c.Name == "statement rows" })
			if atUsage := p.m.Settings.VATAt == "usage"; strings.Contains(checks[i].Detail, "VAT = net × rate") != atUsage {
				t.Errorf("statement rows: %s", checks[i].Detail)
			}
		})
	}
}

// Of a closed month's adjustments VAT is due as the runs that adjust it say,
// whatever the run that takes them in has.
func TestStatementOfAClosedMonth(t *testing.T) {
	t.Parallel()
	s := StatementsSchema()
	row := func(vat, gross string) tableRow {
		f := &Frame{Rows: 1, Columns: []Column{
			{Text: []string{"a"}}, textColumn("EUR"), {Micros: []reconcile.Micros{220_000}}, {Int: []int64{2}},
			{Wide: []decimal.Decimal{wide("3")}}, {Wide: []decimal.Decimal{wide("2")}}, {Wide: []decimal.Decimal{wide("1")}},
			{Wide: []decimal.Decimal{wide(vat)}}, {Wide: []decimal.Decimal{wide(gross)}},
			{Int: []int64{0}}, textColumn("2024-06"), {Text: []string{"2024-07"}}, textColumn(""),
		}}
		return tableRow{s, f, 0}
	}
	for _, own := range []string{"recharge", "usage"} {
		for _, month := range []string{"recharge", "usage"} {
			v := &verifier{manifest: testManifest(), ground: &ground{vatDue: map[string]reconcile.VATAt{}}}
			v.manifest.Settings.VATAt = own
			june := testManifest()
			june.Period, june.Settings.VATAt = "2024-06", month
			if err := v.ground.noteVATDue(june); err != nil {
				t.Fatal(err)
			}
			right, wrong := row("0.22", "1.22"), row("0.66", "1.66")
			if month == "usage" {
				right, wrong = wrong, right
			}
			if err := v.checkStatement(right); err != nil {
				t.Errorf("%s in a run with %s: %v", month, own, err)
			}
			if v.checkStatement(wrong) == nil {
				t.Errorf("%s in a run with %s: nothing was noticed", month, own)
			}
		}
	}
	g := &ground{vatDue: map[string]reconcile.VATAt{"2024-07": reconcile.VATAtUsage}}
	if err := g.noteVATDue(testManifest()); !errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), "VAT is due at recharge") {
		t.Errorf("two runs that disagree: %v", err)
	}
}

// TestMinorText: money in a CSV file has the decimals of its currency, and is
// never another number.
func TestMinorText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ amount, currency, want string }{
		{"1.5", "EUR", "1.50"},
		{"-0.07", "EUR", "-0.07"},
		{"11", "JPY", "11"},
		{"0", "JPY", "0"},
		{"1.221", "KWD", "1.221"},
		{"1", "CLF", "1.0000"},
		{"0", "", "0"},
		{"0.005", "EUR", "0.005000"},
		{"0.5", "JPY", "0.500000"},
		{"1.25", "", "1.250000"},
	} {
		if got := minorText(wide(c.amount), c.currency); got != c.want {
			t.Errorf("%s %s is %s, want %s", c.amount, c.currency, got, c.want)
		}
	}
}
