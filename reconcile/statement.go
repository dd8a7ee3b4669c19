package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// StatementGroup is charges of one account that are alike to a statement.
type StatementGroup struct {
	Account  string
	Currency string           // empty for charges without a price
	VATRate  *decimal.Decimal // a fraction; nil where the account has none
	Status   ChargeStatus
	Prepaid  bool            // paid by a recharge (R12)
	Quantity int64           // below 0 for charges that are taken back
	Net      decimal.Decimal // exact, 0 unless charged
	Adjusted string          // the closed month that the charges belong to; empty: the statement's own period
}

// Statement is one row of the statements table: what an account owes in one
// currency at one VAT rate (R13), for the charges of the period or for the
// adjustments of one closed month. Of adjustments the counts are replacements
// less reversals, and any figure may be negative.
type Statement struct {
	Account  string
	Currency string           // empty stands for null: nothing on it has a price
	VATRate  *decimal.Decimal // nil stands for null
	Charges  int64            // of every status
	Net      decimal.Decimal  // PrepaidNet + PayableNet
	Prepaid  decimal.Decimal  // net, paid by recharges
	Payable  decimal.Decimal  // net, still to pay
	VAT      decimal.Decimal  // on Payable, and on Prepaid where it is due at usage
	Gross    decimal.Decimal  // Payable + VAT
	Unrated  int64            // of Charges, those without a price
	Adjusted string           // the closed month, as 2024-07; empty stands for null
}

// ReverseCharge is the note of a statement on which the customer owes the VAT.
const ReverseCharge = "reverse charge"

// Note is what an invoice of the statement has to say: ReverseCharge where the
// account's VAT rate is given as 0, and nothing where it is another or absent.
func (s *Statement) Note() string {
	if s.VATRate != nil && s.VATRate.IsZero() {
		return ReverseCharge
	}
	return ""
}

// Statements adds up charges without rounding. The zero value is empty.
type Statements struct {
	// VATAt is when VAT is due on what recharges pay of the charges of a closed
	// month, under its name, and of the statements' own period, under the empty
	// one. What it does not name bore VAT when the recharge was sold.
	VATAt map[string]VATAt

	sums map[statementKey]*statementSum
}

// statementKey names a statement; rateText is the VAT rate's shortest text, empty for none.
type statementKey struct{ account, adjusted, currency, rateText string }

type statementSum struct {
	statementKey
	vatRate          *decimal.Decimal
	charges, unrated int64
	payable, prepaid decimal.Decimal // exact
}

// Add counts a group.
func (s *Statements) Add(g StatementGroup) {
	key := statementKey{account: g.Account, adjusted: g.Adjusted, currency: g.Currency}
	if g.VATRate != nil {
		key.rateText = g.VATRate.String()
	}
	if s.sums == nil {
		s.sums = make(map[statementKey]*statementSum)
	}
	sum := s.sums[key]
	if sum == nil {
		// The texts may be small parts of much larger ones.
		key.account, key.currency = strings.Clone(key.account), strings.Clone(key.currency)
		sum = &statementSum{statementKey: key, vatRate: g.VATRate}
		s.sums[key] = sum
	}
	sum.charges += g.Quantity
	if g.Status == Unrated {
		sum.unrated += g.Quantity
	}
	if g.Prepaid {
		sum.prepaid = sum.prepaid.Add(g.Net)
	} else {
		sum.payable = sum.payable.Add(g.Net)
	}
}

// Rows are sorted by account, currency, VAT rate and adjusted month, null
// first. Amounts are rounded here and nowhere before, to the currency's minor
// unit, half away from zero. It fails where a currency is not known, and where
// money has none.
func (s *Statements) Rows() ([]Statement, error) {
	sums := s.sorted()
	for _, sum := range sums {
		if err := sum.check(); err != nil {
			return nil, err
		}
	}
	var rows []Statement
	for start := 0; start < len(sums); {
		end := start
		for end < len(sums) && sums[end].account == sums[start].account && sums[end].adjusted == sums[start].adjusted {
			end++
		}
		for _, sum := range placeUnpriced(sums[start:end]) {
			rows = append(rows, sum.statement(s.VATAt[sum.adjusted]))
		}
		start = end
	}
	slices.SortStableFunc(rows, func(a, b Statement) int {
		return cmp.Or(
			cmp.Compare(a.Account, b.Account),
			cmp.Compare(a.Currency, b.Currency),
			compareAbsent(a.VATRate, b.VATRate),
			cmp.Compare(a.Adjusted, b.Adjusted),
		)
	})
	return rows, nil
}

// sorted brings the sums of one account and month together, in the order of
// the table.
func (s *Statements) sorted() []statementSum {
	all := make([]statementSum, 0, len(s.sums))
	for _, sum := range s.sums {
		all = append(all, *sum)
	}
	slices.SortFunc(all, func(a, b statementSum) int {
		return cmp.Or(
			cmp.Compare(a.account, b.account),
			cmp.Compare(a.adjusted, b.adjusted),
			cmp.Compare(a.currency, b.currency),
			compareAbsent(a.vatRate, b.vatRate),
		)
	})
	return all
}

// placeUnpriced takes the sums of one account and month in order, those
// without a currency first, and counts these on the first statement of the same VAT
// rate, else on the first. An account with nothing else keeps them.
func placeUnpriced(sums []statementSum) []statementSum {
	unpriced := 0
	for unpriced < len(sums) && sums[unpriced].currency == "" {
		unpriced++
	}
	rest := sums[unpriced:]
	if len(rest) == 0 {
		return sums
	}
	for _, sum := range sums[:unpriced] {
		home := max(0, slices.IndexFunc(rest, func(other statementSum) bool {
			return other.rateText == sum.rateText
		}))
		rest[home].charges += sum.charges
		rest[home].unrated += sum.unrated
	}
	return rest
}

// check says whether the sum can be rounded.
func (s *statementSum) check() error {
	_, known := MinorUnits(s.currency)
	switch {
	case s.currency == "" && !(s.payable.IsZero() && s.prepaid.IsZero()):
		return fmt.Errorf("state account %q: charges without a currency come to %s", s.account, s.payable.Add(s.prepaid))
	case s.currency != "" && !known:
		return fmt.Errorf("state account %q: currency %q is not known", s.account, s.currency)
	}
	return nil
}

// statement rounds the sum.
func (s *statementSum) statement(at VATAt) Statement {
	minorUnits, _ := MinorUnits(s.currency)
	row := Statement{
		Account: s.account, Currency: s.currency, VATRate: s.vatRate, Adjusted: s.adjusted,
		Charges: s.charges, Unrated: s.unrated,
		Payable: roundMinor(s.payable, minorUnits),
		Prepaid: roundMinor(s.prepaid, minorUnits),
	}
	row.Net = row.Payable.Add(row.Prepaid)
	taxed := row.Payable
	if at == VATAtUsage {
		taxed = row.Net
	}
	if s.vatRate != nil {
		row.VAT = roundMinor(taxed.Mul(*s.vatRate), minorUnits)
	}
	row.Gross = row.Payable.Add(row.VAT)
	return row
}
