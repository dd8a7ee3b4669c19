package writer

import (
	"errors"
	"fmt"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// checkStatement computes a row of the statements anew, but for the sums that
// stand at its beginning: what is to pay and what recharges paid.
func (v *verifier) checkStatement(r tableRow) error {
	payable, prepaid := r.wide("payable_net"), r.wide("prepaid_net")
	minor, _ := reconcile.MinorUnits(r.text("currency"))
	net := payable.Add(prepaid)
	taxed := payable
	if v.vatDue(r.adjustedPeriod()) == reconcile.VATAtUsage {
		taxed = net
	}
	vat := taxed.Mul(r.column("vat_rate").microsAt(r.row).Decimal()).Round(minor)
	return errors.Join(
		unequalMoney("payable_net in whole minor units", payable, payable.Round(minor)),
		unequalMoney("prepaid_net in whole minor units", prepaid, prepaid.Round(minor)),
		unequalMoney("net_amount", r.wide("net_amount"), net),
		unequalMoney("vat_amount", r.wide("vat_amount"), vat),
		unequalMoney("gross_amount", r.wide("gross_amount"), payable.Add(vat)),
		v.checkStatementTexts(r),
	)
}

// checkStatementTexts looks at the columns that came with format 4.
func (v *verifier) checkStatementTexts(r tableRow) error {
	if !r.schema.has("note") {
		return nil
	}
	note := ""
	if rate := r.vat(); rate.Given && rate.Rate == 0 {
		note = reconcile.ReverseCharge
	}
	switch {
	case r.text("note") != note || r.null("note") != (note == ""):
		return fmt.Errorf("note is %q, want %q at a VAT rate of %s", r.text("note"), note, r.vat())
	case r.text("period") != v.manifest.Period:
		return fmt.Errorf("period is %q, want %q", r.text("period"), v.manifest.Period)
	}
	return nil
}

// vatDue is when VAT is due on what recharges paid, on the statements of the
// run's own charges or of a closed month's adjustments.
func (v *verifier) vatDue(adjusted string) reconcile.VATAt {
	if adjusted == "" {
		return v.manifest.Settings.VATDue()
	}
	return v.ground.vatDue[adjusted]
}

// statementIdentity is what checkStatement holds, in words.
func (v *verifier) statementIdentity() string {
	taxed := "payable"
	if v.vatDue("") == reconcile.VATAtUsage {
		taxed = "net"
	}
	return "net = prepaid + payable, VAT = " + taxed + " × rate, gross = payable + VAT"
}

// noteVATDue remembers when VAT is due on what recharges paid of a closed
// month; all runs that adjust it agree.
func (g *ground) noteVATDue(m *Manifest) error {
	at := m.Settings.VATDue()
	if was, known := g.vatDue[m.Period]; known && was != at {
		return fmt.Errorf("read %s: %w: VAT is due at %s, by another run that adjusts %s at %s", m.RunKey(), ErrVerify, at, m.Period, was)
	}
	g.vatDue[m.Period] = at
	return nil
}

// statementSums is what statements in one currency come to.
type statementSums struct{ net, prepaid, payable, vat, gross decimal.Decimal }

// unequalTotals holds the totals of the manifest against the statements.
func (v *verifier) unequalTotals(statements *table) error {
	want := map[string]statementSums{}
	for _, row := range statements.rows() {
		if currency := row.text("currency"); currency != "" {
			s := want[currency]
			want[currency] = statementSums{
				s.net.Add(row.wide("net_amount")), s.prepaid.Add(row.wide("prepaid_net")), s.payable.Add(row.wide("payable_net")),
				s.vat.Add(row.wide("vat_amount")), s.gross.Add(row.wide("gross_amount")),
			}
		}
	}
	for _, t := range v.manifest.Totals {
		s, ok := want[t.Currency]
		if !ok {
			return fmt.Errorf("%s: no statement is in this currency", t.Currency)
		}
		delete(want, t.Currency)
		if err := v.unequalTotal(&t, &s); err != nil {
			return err
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("%s: not in the manifest", sortedKeys(want, want)[0])
	}
	return nil
}

func (v *verifier) unequalTotal(t *CurrencyTotals, want *statementSums) error {
	for _, figure := range []struct {
		name, text string
		want       decimal.Decimal
		since      int // the first format that has it
	}{
		{"net", t.Net, want.net, oldestFormat}, {"prepaid", t.Prepaid, want.prepaid, 4}, {"payable", t.Payable, want.payable, 4},
		{"vat", t.VAT, want.vat, oldestFormat}, {"gross", t.Gross, want.gross, oldestFormat},
	} {
		if v.manifest.FormatVersion < figure.since {
			continue
		}
		got, err := reconcile.ParseDecimal(figure.text)
		if err != nil {
			return fmt.Errorf("%s %s: %w", t.Currency, figure.name, err)
		}
		if err := unequalMoney(t.Currency+" "+figure.name, got, figure.want); err != nil {
			return err
		}
	}
	return nil
}
