package writer

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"waconcile/reconcile"
)

// RechargeHistory is what the balances of recharges depend on before the days
// of a period: the exports since the first of them was bought.
type RechargeHistory struct {
	// Days are the days before the period that had data, each with a hash of
	// its objects. Days may be removed later, so that none of them has to be
	// there when the run is compared with another.
	Days map[string]string `json:"days"`
	// Missing are days since the first purchase without data: what they took
	// of the recharges is not known.
	Missing []string `json:"missing"`
}

func (h *RechargeHistory) validate() error {
	if h == nil {
		return nil
	}
	days := append(slices.Sorted(maps.Keys(h.Days)), h.Missing...)
	for _, day := range days {
		if _, err := reconcile.ParseDate(day); err != nil {
			return fmt.Errorf("recharge history: %w", err)
		}
	}
	if !slices.IsSorted(h.Missing) {
		return errors.New("recharge history: missing days are out of order")
	}
	return nil
}
