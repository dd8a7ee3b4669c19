package reconcile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// LineKind says what an invoice line bills.
type LineKind uint8

// The kinds of invoice lines. Usage and credit lines are compared with the
// charges, the others are only counted.
const (
	UsageLine LineKind = iota
	FeeLine
	TaxLine
	CreditLine
	RechargeLine
	TotalLine
)

// LineKindCount is the number of LineKind values, for tables indexed by them.
const LineKindCount = 6

func (k LineKind) String() string {
	return [LineKindCount]string{"usage", "fee", "tax", "credit", "recharge", "total"}[k]
}

// ParseLineKind reads a kind without regard to case; the empty text is usage.
func ParseLineKind(s string) (LineKind, bool) {
	if s == "" {
		return UsageLine, true
	}
	for k := range LineKind(LineKindCount) {
		if strings.EqualFold(s, k.String()) {
			return k, true
		}
	}
	return 0, false
}

// InvoiceLine is one line of a provider's invoice in canonical form (contract,
// invoices).
type InvoiceLine struct {
	Where     string // file and line in the file, for messages
	InvoiceID string
	LineID    string
	Account   string
	Business  string   // normalised; empty covers all
	From, To  Date     // billing dates, both included
	Market    string   // a country or a market; empty covers all
	Category  Category // NoCategory covers all
	Kind      LineKind

	Quantity  *decimal.Decimal // nil where the file has none
	UnitPrice *decimal.Decimal // nil where the file has none
	Amount    *decimal.Decimal // as given, else quantity × unit price

	AmountGiven bool // Amount stood in the file
	Currency    string
}

// compared says whether the line is held against the charges.
func (l *InvoiceLine) compared() bool { return l.Kind == UsageLine || l.Kind == CreditLine }

// validate checks what a comparison takes for granted.
func (l *InvoiceLine) validate() error {
	_, known := MinorUnits(l.Currency)
	var err error
	switch {
	case l.Account == "":
		err = errors.New("account_id is empty")
	case l.From > l.To:
		err = fmt.Errorf("date_from %s lies after date_to %s", l.From, l.To)
	case !known:
		err = fmt.Errorf("currency %q is not known", l.Currency)
	case l.Amount == nil && (l.Quantity == nil || l.UnitPrice == nil):
		err = errors.New("amount is empty, and so is quantity or unit_price")
	case l.Quantity != nil && !withinPlaces(*l.Quantity):
		err = fmt.Errorf("quantity %s has more than %d decimals", l.Quantity, AmountPlaces)
	case l.AmountGiven && l.Amount != nil && !withinPlaces(*l.Amount):
		err = fmt.Errorf("amount %s has more than %d decimals", l.Amount, AmountPlaces)
	default:
		return nil
	}
	return &RowError{Where: l.Where, Err: err}
}

// computed is what the line comes to by its own quantity and unit price, and
// its amount where it lacks one of them. A product may have more decimals than
// are published: it is rounded here, line by line, so that sums of lines,
// effects and control totals agree to the last digit.
func (l *InvoiceLine) computed() decimal.Decimal {
	if l.Quantity == nil || l.UnitPrice == nil {
		return *l.Amount
	}
	return roundAmount(l.Quantity.Mul(*l.UnitPrice))
}

// billed is the amount that the line asks for.
func (l *InvoiceLine) billed() decimal.Decimal {
	if l.Amount == nil {
		return l.computed()
	}
	return roundAmount(*l.Amount)
}
