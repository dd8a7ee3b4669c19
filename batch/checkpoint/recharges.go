package checkpoint

import (
	"fmt"
	"maps"
	"slices"

	"waconcile/reconcile"
)

// Recharges is what is left of the recharges that were bought before a
// checkpoint, once all charges opened before it have drawn on them.
type Recharges struct {
	// Basis has, for each account, a hash of all that its balances depend on
	// beside the exports: the recharges, and their rates, accounts and markets,
	// as they held.
	Basis map[string]string `json:"basis"`
	Left  map[string]string `json:"left"` // by recharge id: an amount
	// Missing are the days since the first purchase that had no data.
	Missing []string `json:"missing"`
}

// NewRecharges makes them from balances.
func NewRecharges(basis map[string]string, balances map[string]reconcile.Micros, missing []string) *Recharges {
	r := &Recharges{Basis: basis, Missing: missing, Left: make(map[string]string, len(balances))}
	for id, left := range balances {
		r.Left[id] = left.Decimal().String()
	}
	return r
}

// Balances are the amounts; a header that was read has valid ones.
func (r *Recharges) Balances() map[string]reconcile.Micros {
	balances := make(map[string]reconcile.Micros, len(r.Left))
	for id, text := range r.Left {
		left, err := reconcile.ParseMicros(text)
		if err != nil {
			panic(fmt.Sprintf("checkpoint with a balance that was not validated: %v", err))
		}
		balances[id] = left
	}
	return balances
}

// validate finds the first balance that is none, by id.
func (r *Recharges) validate() error {
	if r == nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(r.Left)) {
		left, err := reconcile.ParseMicros(r.Left[id])
		if err != nil {
			return fmt.Errorf("balance of recharge %q: %w", id, err)
		}
		if left < 0 {
			return fmt.Errorf("balance of recharge %q: %s is negative", id, r.Left[id])
		}
	}
	for _, day := range r.Missing {
		if _, err := reconcile.ParseDate(day); err != nil {
			return err
		}
	}
	return nil
}
