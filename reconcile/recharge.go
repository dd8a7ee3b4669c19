package reconcile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// NeverExpires is when a recharge without an expiry ends.
const NeverExpires int64 = math.MaxInt64

// Recharge is one row of the recharges table: credit that an account has
// bought, with the price list that its charges have while it pays (R12). It
// can be used on [PurchasedAt, ExpiresAt).
type Recharge struct {
	Where       string // the row, as "recharges.csv:7", for messages
	ID          string
	Account     string
	Plan        string
	PurchasedAt int64
	ExpiresAt   int64  // NeverExpires where it has no end
	Net         Micros // above 0
	Currency    string // ISO 4217, upper case
}

// Recharges is the recharges table. It is safe for use by many goroutines.
type Recharges struct {
	rows      []Recharge
	byAccount map[string][]*Recharge // in the order in which they pay
	first     int64
}

// NewRecharges makes the table. Rows of one id are a *RowError. In every row
// PurchasedAt < ExpiresAt.
func NewRecharges(rows []Recharge) (*Recharges, error) {
	t := &Recharges{rows: rows, byAccount: make(map[string][]*Recharge), first: NeverExpires}
	seen := make(map[string]*Recharge, len(rows))
	for i := range rows {
		r := &rows[i]
		if other := seen[r.ID]; other != nil {
			return nil, &RowError{Where: r.Where, Other: other.Where, Err: fmt.Errorf("recharge_id %q is that of %s", r.ID, other.Where)}
		}
		seen[r.ID] = r
		t.byAccount[r.Account] = append(t.byAccount[r.Account], r)
		t.first = min(t.first, r.PurchasedAt)
	}
	for _, of := range t.byAccount {
		slices.SortFunc(of, func(a, b *Recharge) int {
			return cmp.Or(cmp.Compare(a.PurchasedAt, b.PurchasedAt), cmp.Compare(a.ID, b.ID))
		})
	}
	return t, nil
}

// Rows is all rows in the order given; they belong to t.
func (t *Recharges) Rows() []Recharge { return t.rows }

// Of is the recharges of an account in the order in which they pay: by
// purchase, then by id. They belong to t.
func (t *Recharges) Of(account string) []*Recharge { return t.byAccount[account] }

// First is the instant of the first purchase of all; ok is false where there
// is none.
func (t *Recharges) First() (at int64, ok bool) { return t.first, len(t.rows) > 0 }
