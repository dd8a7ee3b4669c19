package reader

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

func exchangeRateColumns() []column {
	return []column{{name: "date"}, {name: "from"}, {name: "to"}, {name: "rate"}}
}

// ReadExchangeRates reads all .csv files of src as one table of the columns
// date, from, to and rate, and says which files they are. What cannot be used
// matches ErrInput and names file, line and column; so does a place without
// any file.
func ReadExchangeRates(ctx context.Context, src Source) (*reconcile.ExchangeRates, []InputFile, error) {
	rates, files, err := readExchangeRates(ctx, src)
	if err != nil {
		return nil, nil, fmt.Errorf("read exchange rates in %v: %w", src, err)
	}
	return rates, files, nil
}

func readExchangeRates(ctx context.Context, src Source) (*reconcile.ExchangeRates, []InputFile, error) {
	var rows []reconcile.ExchangeRate
	files, err := readInputs(ctx, src, inputTable{columns: exchangeRateColumns(), each: func(r *record) {
		rows = append(rows, exchangeRateOf(r))
	}})
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, noFile()
	}
	rates, err := reconcile.NewExchangeRates(rows)
	return rates, files, refused(err)
}

func exchangeRateOf(r *record) reconcile.ExchangeRate {
	r.required("date")
	rate := reconcile.ExchangeRate{
		Where: r.where,
		Date:  r.dateOr("date", reconcile.MinDate),
		From:  r.currencyIn("from"),
		To:    r.currencyIn("to"),
		Rate:  r.exchangeRate(),
	}
	if r.err == nil && rate.From == rate.To {
		r.fail("to", errors.New(rate.To+" is also what it is from"))
	}
	return rate
}

// exchangeRateDigits is how many digits a rate may have before its point: far
// more than any has, and few enough that every amount still fits its column.
const exchangeRateDigits = 12

func (r *record) exchangeRate() decimal.Decimal {
	text := r.required("rate")
	rate, err := reconcile.ParseDecimal(text)
	switch {
	case err != nil:
		r.fail("rate", err)
	case !rate.IsPositive():
		r.fail("rate", errors.New(text+" is not above 0"))
	case rate.NumDigits()+int(rate.Exponent()) > exchangeRateDigits:
		r.fail("rate", errors.New(text+" is too large"))
	}
	return rate
}

// currencyIn is an ISO 4217 code in upper case.
func (r *record) currencyIn(column string) string {
	s := strings.ToUpper(r.required(column))
	if _, ok := reconcile.MinorUnits(s); !ok {
		r.fail(column, fmt.Errorf("%q is no currency of ISO 4217", s))
	}
	return s
}
