package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// credit is the recharges of an account in one currency.
type credit struct {
	Account, Currency, Recharges            string
	Opening, Bought, Used, Expired, Closing string
}

// credits are sorted by account and currency. Recharges of which nothing is left
// and nothing was used are not counted.
func credits(d *Data) []credit {
	type key struct{ account, currency string }
	type sum struct {
		recharges                               int64
		opening, bought, used, expired, closing decimal.Decimal
	}
	sums := map[key]sum{}
	for _, r := range d.Recharges {
		if r.Opening.IsZero() && r.Bought.IsZero() {
			continue
		}
		s := sums[key{r.Account, r.Currency}]
		sums[key{r.Account, r.Currency}] = sum{
			s.recharges + 1, s.opening.Add(r.Opening), s.bought.Add(r.Bought), s.used.Add(r.Used), s.expired.Add(r.Expired), s.closing.Add(r.Closing),
		}
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.currency, b.currency))
	})
	var rows []credit
	for _, k := range keys {
		s := sums[k]
		amount := func(d decimal.Decimal) string { return exact(d, k.currency) }
		rows = append(rows, credit{
			Account: k.account, Currency: k.currency, Recharges: count(s.recharges), Opening: amount(s.opening),
			Bought: amount(s.bought), Used: amount(s.used), Expired: amount(s.expired), Closing: amount(s.closing),
		})
	}
	return rows
}
