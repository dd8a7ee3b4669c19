package writer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// rechargesSince is the first format with a table of recharges.
const rechargesSince = 4

// rechargeKey is what a recharge and the charges that it paid have in common.
type rechargeKey struct{ account, id, plan, currency string }

func (k rechargeKey) compare(other rechargeKey) int {
	return cmp.Or(cmp.Compare(k.account, other.account), cmp.Compare(k.id, other.id),
		cmp.Compare(k.plan, other.plan), cmp.Compare(k.currency, other.currency))
}

func (k rechargeKey) String() string {
	return fmt.Sprintf("recharge %s of account %s, plan %s in %s", k.id, k.account, k.plan, k.currency)
}

func (s *chargeSums) paidBy(k rechargeKey) *total {
	t := s.paid[k]
	if t == nil {
		t = &total{spec: ColumnSpec{Type: Money}}
		s.paid[k] = t
	}
	return t
}

// checkRecharges holds the table of recharges against the charges that they
// paid, and each row against itself.
func (v *verifier) checkRecharges(charges *chargeSums, recharges *table) {
	if recharges == nil { // of a run of an older format
		return
	}
	file := RechargesTable + parquetExt
	var problem error
	left := maps.Clone(charges.paid)
	for n, r := range recharges.rows() {
		key := r.rechargeKey()
		if problem == nil {
			if problem = checkMovement(r, left[key]); problem != nil {
				problem = fmt.Errorf("row %d: %w", n, problem)
			}
		}
		delete(left, key)
	}
	if problem == nil && len(left) > 0 {
		problem = fmt.Errorf("%s paid charges and has no row, or two", slices.SortedFunc(maps.Keys(left), rechargeKey.compare)[0])
	}
	v.check("recharges", file, problem,
		fmt.Sprintf("%d rows: opening + bought - used - expired = closing, and used = the charges that each paid", recharges.count()))
}

func (r tableRow) rechargeKey() rechargeKey {
	return rechargeKey{account: r.text("account_id"), id: r.text("recharge_id"), plan: r.text("plan"), currency: r.text("currency")}
}

func (r tableRow) money(name string) decimal.Decimal { return r.column(name).microsAt(r.row).Decimal() }

func checkMovement(r tableRow, paid *total) error {
	used := decimal.Zero
	if paid != nil {
		used = paid.sum()
	}
	for _, name := range []string{"opening", "bought", "used", "expired", "closing"} {
		if r.money(name).IsNegative() {
			return fmt.Errorf("%s is %s", name, r.money(name))
		}
	}
	if expires := r.column("expires_at"); !r.null("expires_at") && expires.Int[r.row] <= r.column("purchased_at").Int[r.row] {
		return errors.New("expires_at is not after purchased_at")
	}
	return errors.Join(
		unequalMoney("used", r.money("used"), used),
		unequalMoney("closing", r.money("closing"), r.money("opening").Add(r.money("bought")).Sub(r.money("used")).Sub(r.money("expired"))),
	)
}

// recomputeRecharges adds the control totals of the recharges, of which there
// are two for each currency.
func recomputeRecharges(all map[string]sides, charges *chargeSums, recharges *table) {
	if recharges == nil {
		return
	}
	balances, used := map[string]sides{}, map[string]sides{}
	for _, r := range recharges.rows() {
		c := r.text("currency")
		b, u := balances[c], used[c]
		moved := r.money("opening").Add(r.money("bought")).Sub(r.money("used")).Sub(r.money("expired"))
		balances[c] = sides{b.left.Add(moved), b.right.Add(r.money("closing"))}
		used[c] = sides{u.left.Add(r.money("used")), u.right}
	}
	for key, paid := range charges.paid {
		u := used[key.currency]
		used[key.currency] = sides{u.left, u.right.Add(paid.sum())}
	}
	for c := range used {
		all[RechargesControl+c], all[RechargesUsedControl+c] = balances[c], used[c]
	}
}

// RechargesControl and RechargesUsedControl, with a currency behind them, name
// the control totals of the recharges.
const (
	RechargesControl     = "recharges_"
	RechargesUsedControl = "recharges_used_"
)
