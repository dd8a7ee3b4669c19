package reconcile

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// Micros is an amount or a price in millionths of a currency's unit, the
// finest a price may be. It is the form that hot loops carry; sums over many
// charges are made in decimal.
type Micros int64

// microsExponent is the exponent of a Micros in decimal form.
const microsExponent = -6

// Decimal is m as a decimal.
func (m Micros) Decimal() decimal.Decimal { return decimal.New(int64(m), microsExponent) }

// ParseMicros reads a plain decimal number with at most six decimals, trailing
// zeros included, such as 0.0618: digits, at most one point, a leading minus;
// no exponent.
func ParseMicros(s string) (Micros, error) {
	d, err := ParseDecimal(s)
	if err != nil {
		return 0, err
	}
	if d.Exponent() < microsExponent {
		return 0, fmt.Errorf("%q has more than 6 decimals", s)
	}
	scaled := d.Shift(-microsExponent)
	if !scaled.BigInt().IsInt64() {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return Micros(scaled.IntPart()), nil
}

// decimalTextMax bounds the length of a number read from an input, so that no
// text can ask for a number of a million digits.
const decimalTextMax = 40

// ParseDecimal reads a plain decimal number: an optional minus, digits, and
// optionally a point and digits. Exponents, blanks and thousands separators
// are refused.
func ParseDecimal(s string) (decimal.Decimal, error) {
	digits, point := 0, false
	for i, c := range []byte(s) {
		switch {
		case c == '-' && i == 0:
		case c == '.' && !point && digits > 0:
			point = true
		case c >= '0' && c <= '9':
			digits++
		default:
			return decimal.Decimal{}, fmt.Errorf("%q is no plain decimal number", s)
		}
	}
	if digits == 0 || len(s) > decimalTextMax || s[len(s)-1] == '.' {
		return decimal.Decimal{}, fmt.Errorf("%q is no plain decimal number", s)
	}
	return decimal.NewFromString(s)
}
