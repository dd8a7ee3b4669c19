package reader

import (
	"context"
	"errors"
	"slices"

	"waconcile/reconcile"
)

// refusalsMax bounds how many refusals of one table are looked for.
const refusalsMax = 100

// RefusedRates lists what ReadRates refuses the rates of src for: where that
// names the first row alone, this goes on to the others, each by itself, up to
// a hundred. It is empty where nothing is refused. Each matches ErrInput. A row
// that has not as many fields as the header, and a header without a column,
// end the list. The error is the store's.
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
	if errors.Is(err, ErrInput) {
		return append(refused, err), nil
	}
	if err != nil {
		return nil, err
	}
	for len(refused) < refusalsMax {
		clash, ok := errors.AsType[*reconcile.RowError](table(rows))
		if !ok {
			break
		}
		refused = append(refused, &InputError{Err: clash})
		rows = slices.DeleteFunc(rows, func(r R) bool { return where(r) == clash.Where })
	}
	return refused, nil
}
