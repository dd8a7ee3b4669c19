package writer

import (
	"fmt"
	"maps"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// rateSums is the net of accounts by currency and VAT rate.
type rateSums map[owedKey]*rateSum

type rateSum struct {
	net     decimal.Decimal
	rounded int64 // of so many sums that were rounded
}

func (s *rateSums) at(k owedKey) *rateSum {
	if *s == nil {
		*s = rateSums{}
	}
	if (*s)[k] == nil {
		(*s)[k] = &rateSum{}
	}
	return (*s)[k]
}

// addStatements adds the statements of a period's own charges.
func (s *rateSums) addStatements(schema Schema, f *Frame) {
	for row := range StatedRows(schema, f) {
		if row.Adjusted != "" {
			continue
		}
		sum := s.at(owedKey{account: row.Account, currency: row.Currency, vat: row.VAT})
		sum.net = sum.net.Add(row.Payable).Add(row.Prepaid)
		sum.rounded += 2
	}
}

func (s *rateSums) addAdjustments(f *Frame) {
	sums := map[owedKey]*total{}
	for a := range Adjustments(f) {
		key := owedKey{account: a.Account, currency: a.Currency, vat: a.VAT}
		t := sums[key]
		if t == nil {
			t = &total{spec: ColumnSpec{Type: Money}}
			sums[key] = t
		}
		t.add(int64(a.Amount))
	}
	for key, t := range sums {
		sum := s.at(key)
		sum.net = sum.net.Add(t.sum())
	}
}

// checkAdjustmentVAT: the adjustments move money from the VAT rates of the
// sealed run to those of this one, and VAT is due as it was in the sealed run.
// Statements are rounded, so that each of their sums may be half a minor unit
// off.
func (v *verifier) checkAdjustmentVAT(made *rateSums, statements *table) error {
	if at, was := v.manifest.Settings.VATDue(), v.ground.sealedVATDue; at != was {
		return fmt.Errorf("VAT is due at %s, the month was billed with %s", at, was)
	}
	var now rateSums
	for i := range statements.frames {
		now.addStatements(statements.schema, &statements.frames[i])
	}
	was := v.ground.rates
	all := rateSums{}
	maps.Copy(all, now)
	for _, side := range []rateSums{was, *made} {
		for key := range side {
			all.at(key)
		}
	}
	for _, key := range sortedOwed(all, all) {
		minor, known := reconcile.MinorUnits(key.currency)
		if key.currency != "" && !known {
			return fmt.Errorf("%s: the currency is not known", key)
		}
		got, want := was.at(key), now.at(key)
		net := got.net.Add(made.at(key).net)
		halves := decimal.New(5, -minor-1).Mul(decimal.NewFromInt(got.rounded + want.rounded))
		if net.Sub(want.net).Abs().GreaterThan(halves) {
			return fmt.Errorf("%s: what was stated and the adjustments come to %s, the run states %s", key, net, want.net)
		}
	}
	return nil
}
