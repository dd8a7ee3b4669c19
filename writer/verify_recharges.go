package writer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
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

// paidCharges is what a recharge paid: how much, and when the first and the last
// charge opened.
type paidCharges struct {
	amount      total
	first, last int64
}

func (s *chargeSums) paidBy(k rechargeKey) *paidCharges {
	p := s.paid[k]
	if p == nil {
		p = &paidCharges{amount: total{spec: ColumnSpec{Type: Money}}, first: math.MaxInt64, last: math.MinInt64}
		s.paid[k] = p
	}
	return p
}

func (p *paidCharges) add(amount, openedAt int64) {
	p.amount.add(amount)
	p.first, p.last = min(p.first, openedAt), max(p.last, openedAt)
}

func (p *paidCharges) merge(other *paidCharges) {
	p.amount.merge(&other.amount)
	p.first, p.last = min(p.first, other.first), max(p.last, other.last)
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
		fmt.Sprintf("%d rows: opening + bought - used - expired = closing, and used = the charges that each paid while it could", recharges.count()))
}

func (r tableRow) rechargeKey() rechargeKey {
	return rechargeKey{account: r.text("account_id"), id: r.text("recharge_id"), plan: r.text("plan"), currency: r.text("currency")}
}

func (r tableRow) money(name string) decimal.Decimal { return r.column(name).microsAt(r.row).Decimal() }

func checkMovement(r tableRow, paid *paidCharges) error {
	used, bought, expires := decimal.Zero, r.column("purchased_at").Int[r.row], r.column("expires_at").Int[r.row]
	if r.null("expires_at") {
		expires = math.MaxInt64
	}
	if paid != nil {
		used = paid.amount.sum()
		if paid.first < bought || paid.last >= expires {
			return errors.New("it paid a charge that opened before it was bought, or once it had expired")
		}
	}
	for _, name := range []string{"opening", "bought", "used", "expired", "closing"} {
		if r.money(name).IsNegative() {
			return fmt.Errorf("%s is %s", name, r.money(name))
		}
	}
	if expires <= bought {
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
		used[key.currency] = sides{u.left, u.right.Add(paid.amount.sum())}
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
