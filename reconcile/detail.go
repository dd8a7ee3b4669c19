package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// money is an amount as people write it: with the decimals of the currency's
// minor unit, and more only where it has more.
func money(d decimal.Decimal, currency string) string {
	return figure(d, currency) + " " + currency
}

// figure is money without the currency.
func figure(d decimal.Decimal, currency string) string {
	minorUnits, _ := MinorUnits(currency)
	if d.Equal(d.Truncate(minorUnits)) {
		return d.StringFixed(minorUnits)
	}
	return d.String()
}

// tooMuch is a difference as people say it.
func tooMuch(d decimal.Decimal, currency string) string {
	switch d.Sign() {
	case 1:
		return money(d, currency) + " too much"
	case -1:
		return money(d.Neg(), currency) + " too little"
	}
	return "nothing"
}

// each is the price of one, marked where it does not come out even.
func each(amount, quantity decimal.Decimal, currency string) string {
	price := quotient(amount, quantity)
	if price.Mul(quantity).Equal(amount) {
		return figure(price, currency) + " each"
	}
	return "about " + figure(price, currency) + " each"
}

// billedText is a quantity and an amount that were billed.
func billedText(quantity *decimal.Decimal, amount decimal.Decimal, currency string) string {
	if quantity == nil {
		return "billed " + money(amount, currency)
	}
	return fmt.Sprintf("billed %s for %s", quantity, money(amount, currency))
}

func (p *Pool) outsideDetail(c *cell) string {
	return fmt.Sprintf("%s, not compared: the dates are not wholly inside the period %s to %s",
		billedText(c.quantity, c.amount, c.currency), p.from, p.to)
}

func missingTheirsDetail(e *Effects, currency string) string {
	return fmt.Sprintf("rated %d for %s, no invoice line covers them", e.OurQuantity, money(e.OurAmount, currency))
}

// cellDetail is the figures that explain the class of a cell.
func cellDetail(c *cell, t *taken, e *Effects, class DifferenceClass) string {
	billed := billedText(c.quantity, c.amount, c.currency)
	rated := fmt.Sprintf("rated %d for %s", e.OurQuantity, money(e.OurAmount, c.currency))
	switch class {
	case NoData:
		if !c.usage {
			return billed + " as a credit, no usage line names the same cell, and days of these dates have no export"
		}
		return fmt.Sprintf("%s, %s, but days of these dates have no export", billed, rated)
	case OtherCurrency:
		return fmt.Sprintf("%s, but the charges here are in another currency: %s", billed, t.othersText())
	case UnratedCharges:
		return fmt.Sprintf("%s, %s, and %d more have no price", billed, rated, t.unrated)
	case MissingOurs:
		return billed + ", no charge found"
	case CreditAlone:
		return billed + " as a credit, no usage line names the same cell"
	case Match:
		return fmt.Sprintf("%s, %s", billed, rated)
	case WrongArithmetic:
		return fmt.Sprintf("billed %s where quantity times unit price is %s; that is %s",
			money(c.amount, c.currency), money(c.computed, c.currency), tooMuch(e.ArithmeticEffect, c.currency))
	case WithinRounding:
		return fmt.Sprintf("%s, %s; that is %s, which is rounding", billed, rated, tooMuch(e.AmountDifference, c.currency))
	}
	return priceAndQuantityDetail(c, e, class)
}

// priceAndQuantityDetail is the detail of the three classes in which prices
// are set against each other. Our quantity is not 0 there.
func priceAndQuantityDetail(c *cell, e *Effects, class DifferenceClass) string {
	ours := each(e.OurAmount, decimal.NewFromInt(e.OurQuantity), c.currency)
	if c.quantity == nil {
		return fmt.Sprintf("billed %s, rated %d at %s; that is %s",
			money(c.amount, c.currency), e.OurQuantity, ours, tooMuch(e.PriceEffect, c.currency))
	}
	if class == WrongQuantity {
		return fmt.Sprintf("billed %s, rated %d; at %s that is %s",
			c.quantity, e.OurQuantity, ours, tooMuch(e.QuantityEffect, c.currency))
	}
	theirs := c.quantity.String()
	if !c.quantity.IsZero() {
		theirs += " at " + each(c.computed, *c.quantity, c.currency)
	}
	if class == WrongPrice {
		return fmt.Sprintf("billed %s, rated at %s; that is %s", theirs, ours, tooMuch(e.PriceEffect, c.currency))
	}
	return fmt.Sprintf("billed %s, rated %d at %s; the quantity makes %s, the price %s",
		theirs, e.OurQuantity, ours, tooMuch(e.QuantityEffect, c.currency), tooMuch(e.PriceEffect, c.currency))
}

// othersText lists charges of other currencies by currency.
func (t *taken) othersText() string {
	var texts []string
	for _, currency := range slices.Sorted(maps.Keys(t.others)) {
		total := t.others[currency]
		texts = append(texts, fmt.Sprintf("%d for %s", total.Quantity, money(total.Amount, currency)))
	}
	return strings.Join(texts, ", ")
}
