package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"waconcile/reconcile"
)

// refusalsMax bounds how many refused rows of one table are listed.
const refusalsMax = 100

// RefusedRates lists what ReadRates refuses the rates of src for: where that
// names the first row alone, this goes on to the others, each by itself, up to
// a hundred. It is empty where nothing is refused. Each matches ErrInput. A row
// that has not as many fields as the header, and a header without a column,
// end the list. Where it ends before all rows are looked at, its last error says
// so, and from which row on. The error beside it is the store's.
func RefusedRates(ctx context.Context, src Source) ([]error, error) {
	return refusals(ctx, src, rateColumns(), rateOf,
		func(r reconcile.Rate) string { return r.Where },
		func(rows []reconcile.Rate) error { _, err := reconcile.NewRateBook(rows); return err })
}

// RefusedAccounts is RefusedRates for ReadAccounts.
func RefusedAccounts(ctx context.Context, src Source) ([]error, error) {
	zones := make(zones)
	return refusals(ctx, src, accountColumns(), func(r *record) reconcile.Account { return accountOf(r, zones) },
		func(r reconcile.Account) string { return r.Where },
		func(rows []reconcile.Account) error { _, err := reconcile.NewAccounts(rows); return err })
}

// RefusedMarkets is RefusedRates for ReadMarkets.
func RefusedMarkets(ctx context.Context, src Source) ([]error, error) {
	return refusals(ctx, src, marketColumns(), marketOf,
		func(r reconcile.MarketRow) string { return r.Where },
		func(rows []reconcile.MarketRow) error { _, err := reconcile.NewMarkets(rows); return err })
}

// RefusedRecharges is RefusedRates for ReadRecharges.
func RefusedRecharges(ctx context.Context, src Source) ([]error, error) {
	return refusals(ctx, src, rechargeColumns(), rechargeOf,
		func(r reconcile.Recharge) string { return r.Where },
		func(rows []reconcile.Recharge) error { _, err := reconcile.NewRecharges(rows); return err })
}

// refusals reads a table row by row, and then makes it again and again without
// the rows that it is refused for.
func refusals[R any](ctx context.Context, src Source, columns []column, of func(*record) R, where func(R) string, table func([]R) error) ([]error, error) {
	var rows []R
	var refused []error
	_, err := readInputs(ctx, src, inputTable{columns: columns, each: func(r *record) {
		row := of(r)
		switch {
		case r.err == nil:
			rows = append(rows, row)
		case len(refused) < refusalsMax:
			refused = append(refused, r.err)
			r.err = nil // so that reading goes on
		}
	}})
	if ends, ok := errors.AsType[*InputError](err); ok {
		return endOfReading(refused, ends), nil
	}
	if err != nil {
		return nil, err
	}
	for {
		clash, ok := errors.AsType[*reconcile.RowError](table(rows))
		if !ok {
			return refused, nil
		}
		if len(refused) == refusalsMax {
			return append(refused, moreRefused(clash.Where)), nil
		}
		refused = append(refused, &InputError{Err: clash})
		rows = slices.DeleteFunc(rows, func(r R) bool { return where(r) == clash.Where })
	}
}

// endOfReading closes the list with what keeps the rows after it from being
// read: one refused row more than are listed, or one that cannot be taken
// apart.
func endOfReading(refused []error, ends *InputError) []error {
	if len(refused) == refusalsMax {
		return append(refused, moreRefused(ends.Where))
	}
	rest := errors.New("the rows after it are not looked at, nor whether rows clash")
	return append(refused, ends, &InputError{Where: ends.Where, Err: rest})
}

// moreRefused is the last of a list that is full; where is the next row.
func moreRefused(where string) error {
	return &InputError{Where: where, Err: fmt.Errorf("more rows are refused: from this one on they are not listed, after %d others", refusalsMax)}
}
