package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// adjustments is what a run changes in a closed month.
type adjustments struct {
	sealed  billed                     // what the sealed run charges
	earlier billed                     // what the runs since have changed
	groups  map[adjustedGroup]adjusted // what this one does
}

// billed is a number of charges and their money by currency.
type billed struct {
	charges int64
	net     map[string]decimal.Decimal
}

func newBilled() billed { return billed{net: make(map[string]decimal.Decimal)} }

func (b *billed) add(a *reconcile.Adjustment) {
	b.charges += a.Quantity()
	if a.Currency != "" {
		b.net[a.Currency] = b.net[a.Currency].Add(a.Amount.Decimal())
	}
}

// adjustedGroup is adjustments that are alike to a person.
type adjustedGroup struct {
	account, currency string
	kind              reconcile.AdjustmentKind
}

// adjusted is what they come to.
type adjusted struct {
	rows int64
	net  decimal.Decimal
}

func (a *adjustments) add(row *reconcile.Adjustment) {
	key := adjustedGroup{row.Account, row.Currency, row.Kind}
	g := a.groups[key]
	a.groups[key] = adjusted{g.rows + 1, g.net.Add(row.Amount.Decimal())}
}

// count is the rows of a kind.
func (a *adjustments) count(kind reconcile.AdjustmentKind) int64 {
	n := int64(0)
	for key, g := range a.groups {
		if key.kind == kind {
			n += g.rows
		}
	}
	return n
}

// counts is the rows by kind; nil where nothing is adjusted.
func (a *adjustments) counts() map[string]int64 {
	if a == nil {
		return nil
	}
	return map[string]int64{
		string(reconcile.Reversal):    a.count(reconcile.Reversal),
		string(reconcile.Replacement): a.count(reconcile.Replacement),
	}
}

// controls: the adjustments are the charges of the run less what is billed,
// each side by a way of its own: the run's and the sealed run's by their
// summaries, which know nothing of single charges.
func (a *adjustments) controls(summary []reconcile.SummaryRow) []writer.ControlTotal {
	if a == nil {
		return nil
	}
	charges, now := int64(0), make(map[string]decimal.Decimal)
	for i := range summary {
		row := &summary[i]
		charges += row.Quantity
		if row.Currency != "" {
			now[row.Currency] = now[row.Currency].Add(row.Net)
		}
	}
	made := make(map[string]decimal.Decimal)
	for key, g := range a.groups {
		if key.currency != "" {
			made[key.currency] = made[key.currency].Add(g.net)
		}
	}
	totals := []writer.ControlTotal{count("adjustment_charges", "charges - what is billed = replacements - reversals",
		charges-a.sealed.charges-a.earlier.charges, a.count(reconcile.Replacement)-a.count(reconcile.Reversal))}
	all := make(map[string]decimal.Decimal)
	for _, side := range []map[string]decimal.Decimal{now, made, a.sealed.net, a.earlier.net} {
		maps.Copy(all, side)
	}
	for _, currency := range slices.Sorted(maps.Keys(all)) {
		totals = append(totals, amount(writer.AdjustmentsControl+currency, "charge amounts - what is billed = adjustments",
			now[currency].Sub(a.sealed.net[currency]).Sub(a.earlier.net[currency]), made[currency]))
	}
	return totals
}

// adjust writes the adjustments of a closed month, from the charges that the
// run has just written and those that are billed; it is nil where the month
// is open. The charges are read a billing date at a time, and those of a date
// whose files are the ones that were sealed, and which no run has adjusted
// since, not at all; but where its VAT rates have changed.
func (r *run) adjust(ctx context.Context) (*adjustments, error) {
	st := r.plan.standing
	if st.seal == nil {
		return nil, nil
	}
	l, err := newLateRun(ctx, r)
	if err != nil {
		return nil, err
	}
	defer l.close()
	key := r.plan.RunKey + writer.AdjustmentsTable
	schema := writer.AdjustmentsSchema()
	parquet, err := writer.WriteParquet(ctx, r.job.Out, key+".parquet", schema, l.frames())
	if err != nil {
		return nil, err
	}
	// The CSV file is made of the other, so that nothing is compared twice.
	csv, err := writer.WriteCSV(ctx, r.job.Out, key+".csv", schema, writer.ReadTable(ctx, r.job.Out, key+".parquet", schema))
	if err != nil {
		return nil, err
	}
	r.entries = append(r.entries, parquet, csv)
	return l.found, nil
}

// lateRun compares a run of a closed month with what is billed.
type lateRun struct {
	ctx     context.Context
	out     writer.Target
	period  Period
	by      reconcile.Adjusting
	sealed  dateFiles
	vat     *reconcile.BilledVAT    // that the sealed run billed at
	moved   map[reconcile.Date]bool // dates of which the VAT rates are other ones
	now     dateFiles
	earlier []*adjustedRows
	found   *adjustments
}

func newLateRun(ctx context.Context, r *run) (*lateRun, error) {
	st := r.plan.standing
	sealed := st.current.manifest
	l := &lateRun{
		ctx: ctx, out: r.job.Out, period: r.plan.Period,
		by:     reconcile.Adjusting{RunID: r.plan.RunID, SealedRun: sealed.RunKey(), VAT: r.vatRate},
		vat:    reconcile.NewBilledVAT(r.vatRate),
		sealed: filesByDate(sealed.RunKey(), sealed.Files, sealed.ChargesSchema()),
		now:    filesByDate(r.plan.RunKey, r.entries, r.plan.in.chargesSchema()),
		found:  &adjustments{sealed: newBilled(), earlier: newBilled(), groups: make(map[adjustedGroup]adjusted)},
	}
	if err := l.readSealed(sealed); err != nil {
		return nil, err
	}
	for _, run := range st.earlier {
		rows, err := newAdjustedRows(ctx, l.out, run)
		if err != nil {
			l.close()
			return nil, err
		}
		l.earlier = append(l.earlier, rows)
	}
	return l, nil
}

// frames computes the adjustments while they are written, in the order of the
// table.
func (l *lateRun) frames() iter.Seq2[writer.Frame, error] {
	return func(yield func(writer.Frame, error) bool) {
		for d := l.period.From; d <= l.period.To; d++ {
			rows, err := l.onDate(d)
			if err != nil {
				yield(writer.Frame{}, fmt.Errorf("adjust %s: %w", d, err))
				return
			}
			for piece := range slices.Chunk(rows, writer.FrameRows) {
				for i := range piece {
					l.found.add(&piece[i])
				}
				if !yield(adjustmentsFrame(piece), nil) {
					return
				}
			}
		}
		if err := l.exhausted(); err != nil {
			yield(writer.Frame{}, err)
		}
	}
}

// onDate is the adjustments of a billing date.
func (l *lateRun) onDate(d reconcile.Date) ([]reconcile.Adjustment, error) {
	b := reconcile.Billed{Sealed: l.sealed.charges(l, d), Earlier: make([][]reconcile.Adjustment, len(l.earlier)), VAT: l.vat.Rate}
	untouched := true
	for i, rows := range l.earlier {
		var err error
		if b.Earlier[i], err = rows.take(d); err != nil {
			return nil, err
		}
		for j := range b.Earlier[i] {
			l.found.earlier.add(&b.Earlier[i][j])
		}
		untouched = untouched && len(b.Earlier[i]) == 0
	}
	if untouched && !l.moved[d] && l.sealed.same(&l.now, d) {
		return nil, nil
	}
	if err := l.sealed.check(l, d); err != nil {
		return nil, err
	}
	rows, err := b.Adjust(l.now.charges(l, d), l.by)
	if errors.Is(err, reconcile.ErrBilledVAT) {
		err = fmt.Errorf("%w: %w", reader.ErrInput, err)
	}
	return rows, err
}

// exhausted fails where an earlier run has adjusted a date outside the month.
func (l *lateRun) exhausted() error {
	for _, rows := range l.earlier {
		if rows.more {
			return fmt.Errorf("adjust: %w: %s adjusts %s", writer.ErrVerify, rows.run, rows.head.Date)
		}
	}
	return nil
}

func (l *lateRun) close() {
	for _, rows := range l.earlier {
		rows.stop()
	}
}
