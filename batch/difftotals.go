package batch

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// DiffTotals is what a comparison came to.
type DiffTotals struct {
	Charges map[DiffKind]int64
	Rows    []DiffTotal // came, went, changed; each by reasons and currency
	Costs   []DiffTotal // the same charges by what they cost; empty unless DiffJob.Costs
}

// DiffTotal adds up the charges of one kind, reasons and currency, that of the
// sale or that of the cost. A charge whose currency changed counts in its new
// one; its old amount stays with the old.
type DiffTotal struct {
	Kind     DiffKind        `json:"kind"`
	Reason   string          `json:"reason"`
	Currency string          `json:"currency"` // empty of charges without a price
	Charges  int64           `json:"charges"`
	Old      decimal.Decimal `json:"old_amount"`
	New      decimal.Decimal `json:"new_amount"`
}

// rank orders kinds as they are counted and listed.
func (k DiffKind) rank() int { return slices.Index([]DiffKind{Came, Went, Changed}, k) }

func newDiffTotals() *DiffTotals {
	return &DiffTotals{Charges: map[DiffKind]int64{Came: 0, Went: 0, Changed: 0}}
}

// totalOf is the row of rows for one kind, reasons and currency.
func totalOf(rows *[]DiffTotal, kind DiffKind, reason, currency string) *DiffTotal {
	wanted := DiffTotal{Kind: kind, Reason: reason, Currency: currency}
	i, found := slices.BinarySearchFunc(*rows, wanted, func(r, w DiffTotal) int {
		return cmp.Or(cmp.Compare(r.Kind.rank(), w.Kind.rank()), strings.Compare(r.Reason, w.Reason), strings.Compare(r.Currency, w.Currency))
	})
	if !found {
		*rows = slices.Insert(*rows, i, wanted)
	}
	return &(*rows)[i]
}

func (t *DiffTotals) add(d *differ, diff *ChargeDiff, a, b *chargeAt) {
	t.Charges[diff.Kind]++
	d.addAmounts(&t.Rows, diff, a, b, d.column.sale)
	if d.job.Costs() {
		d.addAmounts(&t.Costs, diff, a, b, d.column.cost)
	}
}

// addAmounts adds a charge by one of its prices.
func (d *differ) addAmounts(rows *[]DiffTotal, diff *ChargeDiff, a, b *chargeAt, of priceColumns) {
	reason := diff.ReasonText()
	if a != nil {
		r := totalOf(rows, diff.Kind, reason, a.textOrNone(of.currency))
		r.Old = r.Old.Add(a.amount(of).Decimal())
		if b == nil {
			r.Charges++
		}
	}
	if b != nil {
		r := totalOf(rows, diff.Kind, reason, b.textOrNone(of.currency))
		r.New = r.New.Add(b.amount(of).Decimal())
		r.Charges++
	}
}

// check holds what was found against the totals of the manifests.
func (t *DiffTotals) check(d *differ) error {
	if err := t.checkColumn(d, t.Rows, "amount"); err != nil || !d.job.Costs() {
		return err
	}
	return t.checkColumn(d, t.Costs, "cost_amount")
}

func (t *DiffTotals) checkColumn(d *differ, rows []DiffTotal, column string) error {
	a, b := d.job.A, d.job.B
	rowsA, amountA, err := chargeTotals(a, column)
	if err != nil {
		return err
	}
	rowsB, amountB, err := chargeTotals(b, column)
	if err != nil {
		return err
	}
	difference := decimal.Decimal{}
	for _, r := range rows {
		difference = difference.Add(r.New).Sub(r.Old)
	}
	switch {
	case t.Charges[Came]-t.Charges[Went] != rowsB-rowsA:
		return fmt.Errorf("compare %s with %s: %w: %d came and %d went, and they have %d and %d charges",
			a.RunKey(), b.RunKey(), ErrControl, t.Charges[Came], t.Charges[Went], rowsA, rowsB)
	case !difference.Equal(amountB.Sub(amountA)):
		return fmt.Errorf("compare %s with %s: %w: the differences of %s add up to %s, those of the manifests to %s",
			a.RunKey(), b.RunKey(), ErrControl, column, difference, amountB.Sub(amountA))
	}
	return nil
}

// chargeTotals adds up the rows of a run's charges and a column of money,
// whatever its currencies.
func chargeTotals(m *writer.Manifest, column string) (rows int64, amount decimal.Decimal, err error) {
	files := chargeFiles(m)
	for _, date := range slices.Sorted(maps.Keys(files)) {
		for _, f := range files[date] {
			n, err := reconcile.ParseDecimal(f.Totals[column])
			if err != nil {
				return 0, amount, fmt.Errorf("%s%s: %w: total of %s: %w", m.RunKey(), f.Name, writer.ErrVerify, column, err)
			}
			rows, amount = rows+f.Rows, amount.Add(n)
		}
	}
	return rows, amount, nil
}
