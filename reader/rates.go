package reader

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"waconcile/reconcile"
)

// noPrice in the price column says that there is no price, which is not a
// price of zero (M14).
const noPrice = "n/a"

func rateColumns() []column {
	return []column{
		{name: "plan"}, {name: "market"}, {name: "category"}, {name: "unit"}, {name: "price"}, {name: "currency"},
		{name: "valid_from", optional: true}, {name: "valid_to", optional: true},
	}
}

// ReadRates reads all .csv files of src as one table (contract, Rates), and
// says which files they are. What cannot be used matches ErrInput and names
// file, line and column; so does a place without any file.
func ReadRates(ctx context.Context, src Source) (*reconcile.RateBook, []InputFile, error) {
	book, files, err := readRates(ctx, src)
	if err != nil {
		return nil, nil, fmt.Errorf("read rates in %v: %w", src, err)
	}
	return book, files, nil
}

func readRates(ctx context.Context, src Source) (*reconcile.RateBook, []InputFile, error) {
	var rows []reconcile.Rate
	files, err := readInputs(ctx, src, inputTable{columns: rateColumns(), each: func(r *record) {
		rows = append(rows, rateOf(r))
	}})
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, noFile()
	}
	book, err := reconcile.NewRateBook(rows)
	return book, files, refused(err)
}

func rateOf(r *record) reconcile.Rate {
	rate := reconcile.Rate{
		Where:    r.where,
		Plan:     r.required("plan"),
		Market:   reconcile.MarketKey(r.required("market")),
		Category: r.category(),
		Unit:     unitOf(r),
		Currency: r.currency(),
	}
	r.required("category")
	rate.From, rate.To = r.validity()
	price := r.required("price")
	if strings.EqualFold(price, noPrice) {
		rate.NoPrice = true
		return rate
	}
	var err error
	if rate.Price, err = reconcile.ParseMicros(price); err != nil {
		r.fail("price", err)
	} else if rate.Price < 0 {
		r.fail("price", errors.New(price+" is negative"))
	}
	return rate
}

func unitOf(r *record) reconcile.Unit {
	s := r.required("unit")
	u, ok := reconcile.ParseUnit(s)
	if !ok {
		r.fail("unit", fmt.Errorf("%q is no unit: conversation or message", s))
	}
	return u
}
