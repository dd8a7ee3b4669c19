package reconcile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// ErrBilledVAT is matched where it cannot be known at which VAT rate a charge
// was billed.
var ErrBilledVAT = errors.New("the VAT rate that was billed cannot be known")

// VATRate is a VAT rate of at most six decimals, as a table has it. The zero
// value stands for null.
type VATRate struct {
	Rate  Micros // a fraction
	Given bool
}

// VATRateOf takes a rate of the accounts table; nil stands for null.
func VATRateOf(d *decimal.Decimal) VATRate {
	if d == nil {
		return VATRate{}
	}
	return VATRate{Micros(d.Shift(-microsExponent).IntPart()), true}
}

// Decimal is nil for null.
func (v VATRate) Decimal() *decimal.Decimal {
	if !v.Given {
		return nil
	}
	return new(v.Rate.Decimal())
}

func (v VATRate) String() string {
	if !v.Given {
		return "none"
	}
	return v.Rate.Decimal().String()
}

// Compare puts null first.
func (v VATRate) Compare(other VATRate) int { return compareAbsent(v.Decimal(), other.Decimal()) }

// BilledVAT finds the VAT rates that a sealed run billed its charges at. Its
// tables do not say so charge by charge: its statements have the rates of each
// account, and its summary what the account was charged on each date.
type BilledVAT struct {
	now     func(account string, d Date) VATRate // by the accounts table of today
	stated  map[vatTerms]map[VATRate]statedNet
	charged map[vatTerms]map[Date]decimal.Decimal
	proven  map[vatTerms]error // whether the accounts table of today explains the statements
}

type vatTerms struct{ account, currency string }

// statedNet is the net of a statement; it is of so many sums that were rounded.
type statedNet struct {
	net     decimal.Decimal
	rounded int64
}

// NewBilledVAT starts with no statement. now is the rate of an account on a
// billing date by the accounts table of the run that adjusts.
func NewBilledVAT(now func(account string, d Date) VATRate) *BilledVAT {
	return &BilledVAT{
		now:     now,
		stated:  make(map[vatTerms]map[VATRate]statedNet),
		charged: make(map[vatTerms]map[Date]decimal.Decimal),
		proven:  make(map[vatTerms]error),
	}
}

// State adds a statement of the sealed run for its own period.
func (b *BilledVAT) State(account, currency string, rate VATRate, payable, prepaid decimal.Decimal) {
	s := statedNet{net: payable.Add(prepaid)}
	for _, side := range []decimal.Decimal{payable, prepaid} {
		if !side.IsZero() {
			s.rounded++
		}
	}
	put(b.stated, account, currency, rate, s)
}

// Charge adds what an account is charged in a currency on a billing date, by
// the summary of the sealed run.
func (b *BilledVAT) Charge(account, currency string, d Date, net decimal.Decimal) {
	if !net.IsZero() {
		put(b.charged, account, currency, d, b.charged[vatTerms{account, currency}][d].Add(net))
	}
}

func put[K comparable, V any](of map[vatTerms]map[K]V, account, currency string, k K, v V) {
	terms := vatTerms{account, currency}
	if of[terms] == nil {
		// The texts may be small parts of much larger ones.
		of[vatTerms{strings.Clone(account), strings.Clone(currency)}] = make(map[K]V)
	}
	of[terms][k] = v
}

// Rate is the rate that a charge of the sealed run was billed at: the one of
// its account's statements in its currency or, where these have several, the
// one of today's accounts table on its date. That table must then explain the
// statements: what was charged on the dates of each rate must come to what was
// stated at it. Else the error matches ErrBilledVAT. A charge of no amount
// bears no VAT at any rate, and is taken for one at today's where several are
// possible.
func (b *BilledVAT) Rate(c *BilledCharge) (VATRate, error) {
	terms := vatTerms{c.Account, c.Currency}
	if len(b.stated[terms]) == 1 {
		for rate := range b.stated[terms] {
			return rate, nil
		}
	}
	rate := b.now(c.Account, c.Date)
	if c.Amount == 0 {
		return rate, nil
	}
	return rate, b.explained(terms)
}

// explained says whether today's accounts table explains the statements.
func (b *BilledVAT) explained(terms vatTerms) error {
	if err, known := b.proven[terms]; known {
		return err
	}
	sums := make(map[VATRate]decimal.Decimal)
	for d, net := range b.charged[terms] {
		rate := b.now(terms.account, d)
		sums[rate] = sums[rate].Add(net)
	}
	rates := slices.AppendSeq(slices.Collect(maps.Keys(sums)), maps.Keys(b.stated[terms]))
	slices.SortFunc(rates, VATRate.Compare)
	minorUnits, _ := MinorUnits(terms.currency)
	var err error
	for _, rate := range rates {
		stated := b.stated[terms][rate]
		halves := decimal.New(5, -minorUnits-1).Mul(decimal.NewFromInt(stated.rounded))
		if stated.net.Sub(sums[rate]).Abs().GreaterThan(halves) {
			err = fmt.Errorf("%w: account %q has statements in %s at several, %s of them at %s, which by the accounts table would be %s",
				ErrBilledVAT, terms.account, terms.currency, stated.net, rate, sums[rate])
			break
		}
	}
	b.proven[vatTerms{strings.Clone(terms.account), strings.Clone(terms.currency)}] = err
	return err
}

// Dates are the billing dates on which the sealed run charged something at
// another rate than today's, or may have.
func (b *BilledVAT) Dates() map[Date]bool {
	changed := make(map[Date]bool)
	for terms, dates := range b.charged {
		for d := range dates {
			billed, err := b.Rate(&BilledCharge{Account: terms.account, Currency: terms.currency, Date: d, Amount: 1})
			if err != nil || billed != b.now(terms.account, d) {
				changed[d] = true
			}
		}
	}
	return changed
}
