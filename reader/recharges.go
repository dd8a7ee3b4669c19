package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"waconcile/reconcile"
)

func rechargeColumns() []column {
	return []column{
		{name: "recharge_id"}, {name: "account_id"}, {name: "plan"}, {name: "purchased_at"},
		{name: "net_amount"}, {name: "currency"}, {name: "expires_at", optional: true},
	}
}

// ReadRecharges reads all .csv files of src as one table (contract,
// Recharges), and says which files they are: none is an empty table. What
// cannot be used matches ErrInput and names file, line and column.
func ReadRecharges(ctx context.Context, src Source) (*reconcile.Recharges, []InputFile, error) {
	var rows []reconcile.Recharge
	files, err := readInputs(ctx, src, inputTable{columns: rechargeColumns(), each: func(r *record) {
		rows = append(rows, rechargeOf(r))
	}})
	var recharges *reconcile.Recharges
	if err == nil {
		recharges, err = reconcile.NewRecharges(rows)
		err = refused(err)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read recharges in %v: %w", src, err)
	}
	return recharges, files, nil
}

func rechargeOf(r *record) reconcile.Recharge {
	recharge := reconcile.Recharge{
		Where:       r.where,
		ID:          r.required("recharge_id"),
		Account:     r.required("account_id"),
		Plan:        r.required("plan"),
		PurchasedAt: r.instant("purchased_at", r.required("purchased_at")),
		ExpiresAt:   reconcile.NeverExpires,
		Currency:    r.currency(),
	}
	if s := r.text("expires_at"); s != "" {
		recharge.ExpiresAt = r.instant("expires_at", s)
		if r.err == nil && recharge.ExpiresAt <= recharge.PurchasedAt {
			r.fail("expires_at", fmt.Errorf("%s is not after purchased_at %s", s, r.text("purchased_at")))
		}
	}
	amount := r.required("net_amount")
	var err error
	if recharge.Net, err = reconcile.ParseMicros(amount); err != nil {
		r.fail("net_amount", err)
	} else if recharge.Net <= 0 {
		r.fail("net_amount", errors.New(amount+" is not above 0"))
	}
	return recharge
}

// instant reads an instant of the form 2024-07-03T09:30:00Z, floored to
// milliseconds. A space may stand for the T; without a zone it is UTC, without
// a time of day midnight.
func (r *record) instant(column, s string) int64 {
	for _, layout := range [...]string{
		time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999",
		"2006-01-02 15:04:05.999999999", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil && 0 < t.UTC().Year() && t.UTC().Year() <= 9999 {
			return t.UnixMilli()
		}
	}
	r.fail(column, fmt.Errorf("%q is no instant such as 2024-07-03T09:30:00Z", s))
	return 0
}
