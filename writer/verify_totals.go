package writer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

// sides are both sides of a control total.
type sides struct{ left, right decimal.Decimal }

func counted(left, right int64) sides {
	return sides{decimal.NewFromInt(left), decimal.NewFromInt(right)}
}

// differencesControl and a currency name the control totals of the
// differences.
const (
	differencesControl         = "differences_"
	differencesQuantityControl = "differences_quantity_"
)

// recompute gives the control totals of every run, from its tables and,
// where the tables do not know them, from the counts and inputs of the
// manifest.
func (v *verifier) recompute(charges *chargeSums, tables map[string]*table) map[string]sides {
	n, rejected, exported := &v.manifest.Counts, int64(0), int64(0)
	for _, rows := range n.Rejected {
		rejected += rows
	}
	for _, in := range v.manifest.InputsOf(ExportsInput) {
		exported += in.Rows
	}
	parts := n.Inbound + n.NotCounted.Failed + n.NotCounted.Undelivered + n.NotCounted.Ignored + n.Joined + n.Opened + n.OutsideWindow + n.Ahead
	known := charges.status[statusCharged] + charges.status[statusFree] + charges.status[statusUnrated]
	taken := int64(0)
	for _, o := range v.ground.taken {
		taken += o.charges
	}
	net := decimal.Zero
	for _, g := range charges.summary {
		net = net.Add(g.net.sum())
	}
	summary, statements := tables[SummaryTable], tables[StatementsTable]
	return map[string]sides{
		"files":            counted(exported, n.RowsRead),
		"rows":             counted(n.RowsRead+n.Carried, rejected+n.Merged+n.BeforeCheckpoint+n.Messages),
		"rejects":          counted(rejected, tables[RejectsTable].count()),
		"messages":         counted(n.Messages, parts),
		"opened":           counted(n.Opened, charges.rows+n.OpenedOutsidePeriod),
		"charges":          counted(charges.rows, known),
		"summary_quantity": counted(summary.sum("quantity"), charges.rows),
		"summary_net":      {summary.sumWide("net_amount"), net},
		"statements":       counted(statements.sum("charges"), charges.rows+taken),
	}
}

func (t *table) count() (rows int64) {
	for i := range t.frames {
		rows += int64(t.frames[i].Rows)
	}
	return rows
}

// sum and sumWide add up a column.
func (t *table) sum(column string) (sum int64) {
	for _, r := range t.rows() {
		sum += r.whole(column)
	}
	return sum
}

func (t *table) sumWide(column string) (sum decimal.Decimal) {
	for _, r := range t.rows() {
		sum = sum.Add(r.wide(column))
	}
	return sum
}

// recomputeDifferences adds the control totals of the differences, of which
// there are two for each currency.
func recomputeDifferences(all map[string]sides, charges *chargeSums, differences *table) {
	amounts, quantities := map[string]sides{}, map[string]sides{}
	for _, r := range differences.rows() {
		if r.text("class") == classOutside {
			continue
		}
		c := r.text("currency")
		a, q := amounts[c], quantities[c]
		amounts[c] = sides{a.left.Add(r.wide("amount_difference")), a.right.Add(r.wide("their_amount"))}
		quantities[c] = sides{q.left.Add(r.wide("our_quantity")), q.right}
	}
	_, ours := ourSides(charges, differences)
	for key, s := range ours {
		a, q := amounts[key.currency], quantities[key.currency]
		amounts[key.currency] = sides{a.left, a.right.Sub(s.amount)}
		quantities[key.currency] = sides{q.left, q.right.Add(s.quantity)}
	}
	for c := range amounts {
		all[differencesControl+c], all[differencesQuantityControl+c] = amounts[c], quantities[c]
	}
}

// recomputeAdjustments adds the number of adjustments, by the charges and by
// their own table; their amounts are looked at with the table.
func (v *verifier) recomputeAdjustments(all map[string]sides, results []fileResult) {
	if now, made := adjustedSides(results); made != nil {
		all["adjustment_charges"] = counted(now.charges-v.ground.billed.charges, made.charges)
	}
}

// checkFigures holds both sides of every control total of the manifest
// against what they come to here. None may be missing, and none be there more.
func (v *verifier) checkFigures(charges *chargeSums, tables map[string]*table, results []fileResult) {
	all := v.recompute(charges, tables)
	recomputeDifferences(all, charges, tables[DifferencesTable])
	recomputeCosts(all, charges, tables[SummaryTable])
	recomputeRecharges(all, charges, tables[RechargesTable])
	v.recomputeAdjustments(all, results)
	v.check("control figures", manifestName, v.unequalFigures(all), fmt.Sprintf("both sides of %d control totals", len(v.manifest.Control)))
}

func (v *verifier) unequalFigures(all map[string]sides) error {
	for _, c := range v.manifest.Control {
		if strings.HasPrefix(c.Name, AdjustmentsControl) && v.manifest.Adjusts() {
			continue // looked at with the table
		}
		want, known := all[c.Name]
		if !known {
			return fmt.Errorf("%s: no run has such a control total", c.Name)
		}
		left, leftErr := reconcile.ParseDecimal(c.Left)
		right, rightErr := reconcile.ParseDecimal(c.Right)
		if err := errors.Join(leftErr, rightErr, unequalMoney(c.Name+": left side", left, want.left), unequalMoney(c.Name+": right side", right, want.right)); err != nil {
			return err
		}
	}
	for _, name := range sortedKeys(all, all) {
		if !slices.ContainsFunc(v.manifest.Control, func(c ControlTotal) bool { return c.Name == name }) {
			return fmt.Errorf("%s: the manifest does not have it", name)
		}
	}
	return nil
}
