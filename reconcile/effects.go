package reconcile

import "github.com/shopspring/decimal"

// Effects is what a row of the differences says in figures. The four effects
// add up to AmountDifference exactly, and that is TheirAmount − OurAmount.
type Effects struct {
	OurQuantity      int64
	TheirQuantity    *decimal.Decimal // nil where no line of the cell has one
	OurAmount        decimal.Decimal
	TheirAmount      decimal.Decimal
	AmountDifference decimal.Decimal // positive where too much was billed

	QuantityEffect   decimal.Decimal
	PriceEffect      decimal.Decimal
	ArithmeticEffect decimal.Decimal
	RoundingEffect   decimal.Decimal
}

// bill is their side of a row.
type bill struct {
	quantity  *decimal.Decimal
	amount    decimal.Decimal
	computed  decimal.Decimal // quantity × unit price, line by line
	tolerance decimal.Decimal
}

func (c *cell) bill() bill {
	return bill{quantity: c.quantity, amount: c.amount, computed: c.computed, tolerance: c.tolerance()}
}

// effectsOf splits the difference of one row (contract, differences). All
// amounts have the published decimals already, and so have the effects.
func effectsOf(ours Total, theirs bill) *Effects {
	e := &Effects{
		OurQuantity:      ours.Quantity,
		TheirQuantity:    theirs.quantity,
		OurAmount:        ours.Amount,
		TheirAmount:      theirs.amount,
		AmountDifference: theirs.amount.Sub(ours.Amount),
		QuantityEffect:   quantityEffect(ours, theirs),
	}
	e.PriceEffect = theirs.computed.Sub(ours.Amount).Sub(e.QuantityEffect)
	residual := theirs.amount.Sub(theirs.computed)
	if exceeds(residual, theirs.tolerance) {
		e.ArithmeticEffect = residual
	} else {
		e.RoundingEffect = residual
	}
	return e
}

// quantityEffect is what the difference in quantity comes to at our price.
// Without a charge of ours there is no price to take: then it is all that was
// billed, with or without a quantity.
func quantityEffect(ours Total, theirs bill) decimal.Decimal {
	if ours.Quantity == 0 {
		return theirs.computed
	}
	if theirs.quantity == nil {
		return decimal.Decimal{}
	}
	count := decimal.NewFromInt(ours.Quantity)
	return quotient(theirs.quantity.Sub(count).Mul(ours.Amount), count)
}

// sameQuantity says whether the quantities agree. A bill without a quantity
// does not contradict ours.
func (e *Effects) sameQuantity() bool {
	return e.TheirQuantity == nil || e.TheirQuantity.Equal(decimal.NewFromInt(e.OurQuantity))
}

// exceeds says whether d is farther from 0 than the tolerance.
func exceeds(d, tolerance decimal.Decimal) bool { return d.Abs().GreaterThan(tolerance) }
