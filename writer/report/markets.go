package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// marketTable is usage in one currency: markets down, categories across.
// Currency is empty for what has no price.
type marketTable struct {
	Currency   string
	Categories []string
	Rows       []marketRow
	Total      marketRow
}

type marketRow struct {
	Market string
	Cells  []marketCell // by category
	Sum    marketCell
	Share  string // of the table's net, in percent
}

// marketCell is empty where there was nothing.
type marketCell struct{ Net, Count string }

// amount is a cell in the making.
type amount struct {
	net   decimal.Decimal
	count int64
}

func (a amount) add(b amount) amount { return amount{a.net.Add(b.net), a.count + b.count} }

func (a amount) cell(currency string) marketCell {
	if a.count == 0 && a.net.IsZero() {
		return marketCell{}
	}
	c := marketCell{Count: count(a.count)}
	if currency != "" {
		c.Net = rounded(a.net, currency)
	}
	return c
}

// marketTables are the tables by currency; what has no price comes last.
func marketTables(d *Data) []marketTable {
	by := map[string]map[string]map[string]amount{} // currency, market, category
	for _, row := range d.Summary {
		if by[row.Currency] == nil {
			by[row.Currency] = map[string]map[string]amount{}
		}
		markets := by[row.Currency]
		if markets[row.Market] == nil {
			markets[row.Market] = map[string]amount{}
		}
		markets[row.Market][row.Category] = markets[row.Market][row.Category].add(amount{row.Net, row.Quantity})
	}
	var tables []marketTable
	for _, currency := range slices.Sorted(maps.Keys(by)) {
		tables = append(tables, newMarketTable(currency, by[currency]))
	}
	if len(tables) > 0 && tables[0].Currency == "" {
		tables = append(tables[1:], tables[0])
	}
	return tables
}

func newMarketTable(currency string, markets map[string]map[string]amount) marketTable {
	sums, byCategory, all := map[string]amount{}, map[string]amount{}, amount{}
	for market, cells := range markets {
		for category, a := range cells {
			sums[market] = sums[market].add(a)
			byCategory[category] = byCategory[category].add(a)
			all = all.add(a)
		}
	}
	t := marketTable{Currency: currency, Categories: slices.Sorted(maps.Keys(byCategory))}
	order := slices.SortedFunc(maps.Keys(markets), func(a, b string) int {
		return cmp.Or(sums[b].net.Cmp(sums[a].net), cmp.Compare(sums[b].count, sums[a].count), cmp.Compare(a, b))
	})
	for _, market := range order {
		row := marketRow{Market: market, Sum: sums[market].cell(currency), Share: share(sums[market].net, all.net)}
		for _, category := range t.Categories {
			row.Cells = append(row.Cells, markets[market][category].cell(currency))
		}
		t.Rows = append(t.Rows, row)
	}
	t.Total = marketRow{Sum: all.cell(currency), Share: share(all.net, all.net)}
	for _, category := range t.Categories {
		t.Total.Cells = append(t.Total.Cells, byCategory[category].cell(currency))
	}
	return t
}

// share is a part in percent, to one decimal.
func share(part, whole decimal.Decimal) string {
	if !whole.IsPositive() {
		return ""
	}
	const percent, places = 2, 1
	return group(part.Shift(percent).DivRound(whole, places).StringFixed(places)) + " %"
}
