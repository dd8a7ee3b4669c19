package reconcile

import (
	"cmp"

	"github.com/shopspring/decimal"
)

// AmountPlaces is how many decimals an amount has where it is published.
const AmountPlaces = 6

// roundAmount brings an amount to the decimals that are published, half even.
func roundAmount(d decimal.Decimal) decimal.Decimal {
	if d.Exponent() >= -AmountPlaces {
		return d
	}
	return d.RoundBank(AmountPlaces)
}

// roundMinor brings an amount to a currency's minor unit, half away from zero
// (contract, statements).
func roundMinor(d decimal.Decimal, minorUnits int32) decimal.Decimal { return d.Round(minorUnits) }

// quotient is numerator ÷ denominator, half even to the decimals that are
// published. denominator is not 0.
func quotient(numerator, denominator decimal.Decimal) decimal.Decimal {
	q, rest := numerator.QuoRem(denominator, AmountPlaces)
	step := decimal.New(1, -AmountPlaces)
	// q was cut towards zero: what is left, doubled, is held against one step
	// of the denominator.
	against := rest.Abs().Mul(decimal.New(2, 0)).Cmp(denominator.Abs().Mul(step))
	odd := q.Coefficient().Bit(0) == 1
	if against < 0 || against == 0 && !odd {
		return q
	}
	if numerator.Sign() != denominator.Sign() {
		return q.Sub(step)
	}
	return q.Add(step)
}

// withinPlaces says whether d has no more than the published decimals.
func withinPlaces(d decimal.Decimal) bool {
	return d.Exponent() >= -AmountPlaces || d.Equal(d.Truncate(AmountPlaces))
}

// compareAbsent orders optional numbers: the absent one first, then by value.
func compareAbsent(a, b *decimal.Decimal) int {
	switch {
	case a == nil || b == nil:
		return cmp.Compare(present(a), present(b))
	default:
		return a.Cmp(*b)
	}
}

func present(d *decimal.Decimal) int {
	if d == nil {
		return 0
	}
	return 1
}
