package batch

import (
	"fmt"
	"strconv"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// controls are the identities of the contract, each with both sides computed
// by ways that do not meet: rows by the reader and by the engines, charges by
// the tables and by the sums.
func (r *run) controls(res *results) ([]writer.ControlTotal, error) {
	t, c := &res.tally, &res.reading
	chargeRows, chargeAmount, err := tableTotals(res.charges)
	if err != nil {
		return nil, err
	}
	quantity, net := summaryTotals(res.summary)
	statementCharges := int64(0)
	for i := range res.statements {
		statementCharges += res.statements[i].Charges
	}
	totals := []writer.ControlTotal{
		count("files", "rows of the files = rows read", r.rows, c.read),
		count("rows", "rows read + taken over from the checkpoint = rejected + merged away + before the checkpoint + messages",
			c.read+t.Carried, c.rejected+t.Merged+t.Before+t.Messages),
		count("rejects", "rejected = rows of the rejects table", c.rejected, int64(len(res.rejects))),
		count("messages", "messages = inbound + not counted + joined + opened + outside_window and joined nothing + still ahead",
			t.Messages, t.Inbound+t.Failed+t.Undelivered+t.Ignored+t.Joined+t.Opened+t.OutsideAlone+t.Ahead),
		count("opened", "opened = charges + opened outside the period", t.Opened, chargeRows+res.outside),
		count("charges", "charges = charged + free + unrated",
			chargeRows, res.statuses[reconcile.Charged]+res.statuses[reconcile.Free]+res.statuses[reconcile.Unrated]),
		count("summary_quantity", "summary quantity = charges", quantity, chargeRows),
		amount("summary_net", "summary net = charge amounts", net, chargeAmount),
		count("statements", "charges of the statements = charges + adjustments taken in", statementCharges, chargeRows+res.taken.charges),
	}
	costs, err := r.costControls(res)
	if err != nil {
		return nil, err
	}
	totals = append(totals, costs...)
	totals = append(totals, res.rechargeControls()...)
	totals = append(totals, res.adjusted.controls(res.summary)...)
	for _, ct := range res.compared.Totals {
		totals = append(totals,
			amount("differences_"+ct.Currency, "differences = usage and credits of the invoices - our total in scope",
				ct.Difference, ct.Theirs.Sub(ct.Ours)),
			count("differences_quantity_"+ct.Currency, "our quantity in the differences = charges in scope", ct.RowQuantity, ct.OurQuantity),
		)
	}
	return totals, failedControl(totals)
}

func failedControl(totals []writer.ControlTotal) error {
	for _, t := range totals {
		if !t.OK {
			return fmt.Errorf("%w: %s: %s against %s", ErrControl, t.Text, t.Left, t.Right)
		}
	}
	return nil
}

func count(name, identity string, left, right int64) writer.ControlTotal {
	return writer.ControlTotal{Name: name, Text: identity, Left: strconv.FormatInt(left, 10), Right: strconv.FormatInt(right, 10), OK: left == right}
}

func amount(name, identity string, left, right decimal.Decimal) writer.ControlTotal {
	return writer.ControlTotal{Name: name, Text: identity, Left: left.StringFixed(reconcile.AmountPlaces), Right: right.StringFixed(reconcile.AmountPlaces), OK: left.Equal(right)}
}

// tableTotals adds up what was counted while the charges were written.
func tableTotals(files []writer.FileEntry) (rows int64, amount decimal.Decimal, err error) {
	for _, f := range files {
		rows += f.Rows
	}
	amount, err = columnTotal(files, "amount")
	return rows, amount, err
}

func columnTotal(files []writer.FileEntry, column string) (total decimal.Decimal, err error) {
	for _, f := range files {
		sum, err := decimal.NewFromString(f.Totals[column])
		if err != nil {
			return total, fmt.Errorf("add up %s: %s: %w", f.Name, column, err)
		}
		total = total.Add(sum)
	}
	return total, nil
}

func summaryTotals(rows []reconcile.SummaryRow) (quantity int64, net decimal.Decimal) {
	for i := range rows {
		quantity, net = quantity+rows[i].Quantity, net.Add(rows[i].Net)
	}
	return quantity, net
}
