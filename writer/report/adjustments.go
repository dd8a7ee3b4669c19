package report

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// adjustment is one row of what a run changes in a closed month: an account's
// charges in one currency.
type adjustment struct {
	Account, Currency  string
	Reversals, Taken   string // their number and their money
	Replacements, Made string
	Difference         string
}

// adjustments are sorted by account and currency.
func adjustments(d *Data) []adjustment {
	type key struct{ account, currency string }
	type side struct {
		rows int64
		net  decimal.Decimal
	}
	sides := map[key]map[string]side{}
	var keys []key
	for _, a := range d.Adjustments {
		k := key{a.Account, a.Currency}
		if sides[k] == nil {
			sides[k] = map[string]side{}
			keys = append(keys, k)
		}
		s := sides[k][a.Kind]
		sides[k][a.Kind] = side{s.rows + a.Rows, s.net.Add(a.Net)}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.currency, b.currency))
	})
	var rows []adjustment
	for _, k := range keys {
		back, anew := sides[k]["reversal"], sides[k]["replacement"]
		row := adjustment{Account: k.account, Currency: k.currency, Reversals: count(back.rows), Replacements: count(anew.rows)}
		if k.currency != "" {
			row.Taken, row.Made = exact(back.net, k.currency), exact(anew.net, k.currency)
			row.Difference = signed(back.net.Add(anew.net), k.currency)
		}
		rows = append(rows, row)
	}
	return rows
}
