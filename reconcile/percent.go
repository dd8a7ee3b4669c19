package reconcile

import "github.com/shopspring/decimal"

// percentPlaces are the decimals of a percentage, which only ever is shown.
const percentPlaces = 2

// Percent is by how much a figure is more than another, in hundredths of that
// other: with two decimals, half away from zero.
type Percent struct {
	rounded decimal.Decimal
	less    bool
}

// percent compares a figure with another, which is not 0.
func percent(figure, than decimal.Decimal) Percent {
	const hundred = 2 // as a shift of decimals
	more := figure.Sub(than)
	return Percent{more.Shift(hundred).DivRound(than, percentPlaces), more.Sign()*than.Sign() < 0}
}

// String has both decimals always, and the sign of a figure that is less, also
// where the difference is too small to show: -0.00.
func (p Percent) String() string {
	text := p.rounded.Abs().StringFixed(percentPlaces)
	if p.less {
		return "-" + text
	}
	return text
}

// MarshalText is String.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
