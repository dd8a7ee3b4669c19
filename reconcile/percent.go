package reconcile

import "github.com/shopspring/decimal"

// percentPlaces are the decimals of a percentage, which only ever is shown.
const percentPlaces = 2

// percent is by how much a figure is more than another, of that other, which is
// not 0: with two decimals, half away from zero.
func percent(figure, than decimal.Decimal) decimal.Decimal {
	const hundred = 2 // as a shift of decimals
	return figure.Sub(than).Shift(hundred).DivRound(than, percentPlaces)
}
