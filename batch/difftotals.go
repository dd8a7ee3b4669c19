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
}

// DiffTotal adds up the charges of one kind, reasons and currency. A charge
// whose currency changed counts in its new one; its old amount stays with the
// old.
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

func (t *DiffTotals) row(kind DiffKind, reason, currency string) *DiffTotal {
	wanted := DiffTotal{Kind: kind, Reason: reason, Currency: currency}
	i, found := slices.BinarySearchFunc(t.Rows, wanted, func(r, w DiffTotal) int {
		return cmp.Or(cmp.Compare(r.Kind.rank(), w.Kind.rank()), strings.Compare(r.Reason, w.Reason), strings.Compare(r.Currency, w.Currency))
	})
	if !found {
		t.Rows = slices.Insert(t.Rows, i, wanted)
	}
	return &t.Rows[i]
}

func (t *DiffTotals) add(d *differ, diff *ChargeDiff, a, b *chargeAt) {
	t.Charges[diff.Kind]++
	reason := diff.ReasonText()
	if a != nil {
		r := t.row(diff.Kind, reason, diff.Old.Currency)
		r.Old = r.Old.Add(d.amount(a).Decimal())
		if b == nil {
			r.Charges++
		}
	}
	if b != nil {
		r := t.row(diff.Kind, reason, diff.New.Currency)
		r.New = r.New.Add(d.amount(b).Decimal())
		r.Charges++
	}
}

// check holds what was found against the totals of the manifests.
func (t *DiffTotals) check(a, b *writer.Manifest) error {
	rowsA, amountA, err := chargeTotals(a)
	if err != nil {
		return err
	}
	rowsB, amountB, err := chargeTotals(b)
	if err != nil {
		return err
	}
	difference := decimal.Decimal{}
	for _, r := range t.Rows {
		difference = difference.Add(r.New).Sub(r.Old)
	}
	switch {
	case t.Charges[Came]-t.Charges[Went] != rowsB-rowsA:
		return fmt.Errorf("compare %s with %s: %w: %d came and %d went, and they have %d and %d charges",
			a.RunKey(), b.RunKey(), ErrControl, t.Charges[Came], t.Charges[Went], rowsA, rowsB)
	case !difference.Equal(amountB.Sub(amountA)):
		return fmt.Errorf("compare %s with %s: %w: the differences add up to %s, those of the manifests to %s",
			a.RunKey(), b.RunKey(), ErrControl, difference, amountB.Sub(amountA))
	}
	return nil
}

// chargeTotals adds up rows and amounts of a run's charges, whatever their
// currencies.
func chargeTotals(m *writer.Manifest) (rows int64, amount decimal.Decimal, err error) {
	files := chargeFiles(m)
	for _, date := range slices.Sorted(maps.Keys(files)) {
		for _, f := range files[date] {
			n, err := reconcile.ParseDecimal(f.Totals["amount"])
			if err != nil {
				return 0, amount, fmt.Errorf("%s%s: %w: total of amount: %w", m.RunKey(), f.Name, writer.ErrVerify, err)
			}
			rows, amount = rows+f.Rows, amount.Add(n)
		}
	}
	return rows, amount, nil
}
