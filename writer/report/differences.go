package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// class is the total of one class of differences in one currency.
type class struct {
	Name, Meaning string
	Currency      string
	Count         string
	Amount        string
}

const (
	matchClass   = "match"
	outsideClass = "outside_period"
)

// classes are the totals by class, the largest amount first; lines that are
// right are only counted.
func classes(d *Data) (list []class, matches string) {
	type key struct{ name, currency string }
	type sum struct {
		key
		n      int64
		amount decimal.Decimal
	}
	var sums []*sum
	right := int64(0)
	for _, diff := range d.Differences {
		if diff.Class == matchClass {
			right++
			continue
		}
		k := key{diff.Class, diff.Currency}
		i := slices.IndexFunc(sums, func(s *sum) bool { return s.key == k })
		if i < 0 {
			i = len(sums)
			sums = append(sums, &sum{key: k})
		}
		sums[i].n++
		sums[i].amount = sums[i].amount.Add(diff.Amount.Decimal)
	}
	slices.SortFunc(sums, func(a, b *sum) int {
		return cmp.Or(byAmount(a.amount, b.amount), byText([2]string{a.name, b.name}, [2]string{a.currency, b.currency}))
	})
	for _, s := range sums {
		c := class{Name: s.name, Meaning: classMeaning(s.name), Currency: s.currency, Count: count(s.n)}
		if s.name != outsideClass {
			c.Amount = signed(s.amount, s.currency)
		}
		list = append(list, c)
	}
	if right > 0 {
		matches = count(right)
	}
	return list, matches
}

// difference is one row, ready to show.
type difference struct {
	Invoice, Account, Cell, Dates string
	Class, Currency, Detail       string
	OurQuantity, TheirQuantity    string
	OurAmount, TheirAmount        string
	Amount                        string
	Over                          bool // billed too much
	Effects                       []fact
}

// differences are the rows that are not right, the largest first.
func differences(d *Data) (rows []difference, more string) {
	var wrong []*Difference
	for i := range d.Differences {
		if d.Differences[i].Class != matchClass {
			wrong = append(wrong, &d.Differences[i])
		}
	}
	slices.SortStableFunc(wrong, func(a, b *Difference) int {
		return cmp.Or(byAmount(a.Amount.Decimal, b.Amount.Decimal), byText(
			[2]string{a.Currency, b.Currency}, [2]string{a.Account, b.Account}, [2]string{a.Invoice, b.Invoice},
			[2]string{a.Lines, b.Lines}, [2]string{a.BusinessNumber, b.BusinessNumber}, [2]string{a.From, b.From},
			[2]string{a.Market, b.Market}, [2]string{a.Category, b.Category}, [2]string{a.Class, b.Class},
		))
	})
	for _, diff := range wrong[:min(len(wrong), differencesMax)] {
		rows = append(rows, newDifference(d, diff))
	}
	return rows, left(len(wrong), differencesMax)
}

func newDifference(d *Data, diff *Difference) difference {
	row := difference{
		Invoice: strings.TrimSpace(diff.Invoice + " " + lines(diff.Lines)), Account: diff.Account, Cell: cell(diff),
		Class: diff.Class, Currency: diff.Currency, Detail: diff.Detail,
		OurQuantity: quantity(diff.OurQuantity), TheirQuantity: quantity(diff.TheirQuantity),
		OurAmount:   optional(diff.OurAmount, diff.Currency, exact),
		TheirAmount: optional(diff.TheirAmount, diff.Currency, exact),
		Amount:      optional(diff.Amount, diff.Currency, signed),
		Over:        diff.Amount.Valid && diff.Amount.Decimal.IsPositive(),
	}
	if diff.From != d.From || diff.To != d.To {
		row.Dates = diff.From + " to " + diff.To
	}
	for _, e := range []struct {
		name  string
		value decimal.NullDecimal
	}{
		{"quantity", diff.QuantityEffect},
		{"price", diff.PriceEffect},
		{"arithmetic", diff.ArithmeticEffect},
		{"rounding", diff.RoundingEffect},
	} {
		if e.value.Valid && !e.value.Decimal.IsZero() {
			row.Effects = append(row.Effects, fact{e.name, signed(e.value.Decimal, diff.Currency)})
		}
	}
	return row
}

// lines names the lines of an invoice.
func lines(ids string) string {
	if ids == "" {
		return ""
	}
	if strings.Contains(ids, " ") {
		return "lines " + ids
	}
	return "line " + ids
}

// cell names what a line is about.
func cell(diff *Difference) string {
	parts := []string{diff.Market, diff.Category}
	if diff.Market == "" {
		parts[0] = "all markets"
	}
	if diff.Category == "" {
		parts[1] = "all categories"
	}
	if diff.BusinessNumber != "" {
		parts = append(parts, diff.BusinessNumber)
	}
	return strings.Join(parts, ", ")
}

// left says how many rows of a list are not shown.
func left(n, shown int) string {
	if n <= shown {
		return ""
	}
	return count(int64(n - shown))
}
