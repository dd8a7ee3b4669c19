package batch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"

	"waconcile/reconcile"
	"waconcile/writer"
)

// vatRate is none where no row covers the date, or has none.
func (r *run) vatRate(account string, d reconcile.Date) reconcile.VATRate {
	row := r.plan.in.accounts.Of(account).On(d)
	if row == nil {
		return reconcile.VATRate{}
	}
	return reconcile.VATRateOf(row.VATRate)
}

// readSealed takes from the small tables of the sealed run what its charges
// come to, another way than by the charges themselves, and the VAT rates that
// they were billed at.
func (l *lateRun) readSealed(sealed *writer.Manifest) error {
	if err := l.readStatements(sealed); err != nil {
		return err
	}
	if err := l.readSummary(sealed); err != nil {
		return err
	}
	l.moved = l.vat.Dates()
	return nil
}

func (l *lateRun) readStatements(sealed *writer.Manifest) error {
	name := writer.StatementsTable + ".parquet"
	if _, err := fileOf(l.ctx, l.out, sealed, name); err != nil {
		return err
	}
	_, schema, _ := sealed.SchemaOf(name)
	for frame, err := range writer.ReadTable(l.ctx, l.out, sealed.RunKey()+name, schema) {
		if err != nil {
			return err
		}
		for s := range writer.StatedRows(schema, &frame) {
			if s.Adjusted == "" {
				l.vat.State(s.Account, s.Currency, s.VAT, s.Payable, s.Prepaid)
			}
		}
	}
	return nil
}

func (l *lateRun) readSummary(sealed *writer.Manifest) error {
	name := writer.SummaryTable + ".parquet"
	if _, err := fileOf(l.ctx, l.out, sealed, name); err != nil {
		return err
	}
	_, schema, _ := sealed.SchemaOf(name)
	billed := &l.found.sealed
	for frame, err := range writer.ReadTable(l.ctx, l.out, sealed.RunKey()+name, schema,
		"account_id", "billing_date", "currency", "quantity", "net_amount") {
		if err != nil {
			return err
		}
		account, date, currency, quantity, net := &frame.Columns[0], &frame.Columns[1], &frame.Columns[2], &frame.Columns[3], &frame.Columns[4]
		for row := range frame.Rows {
			billed.charges += quantity.Int[row]
			if net.Null != nil && net.Null[row] || currency.Null != nil && currency.Null[row] {
				continue
			}
			billed.net[currency.Text[row]] = billed.net[currency.Text[row]].Add(net.Wide[row])
			l.vat.Charge(account.Text[row], currency.Text[row], reconcile.Date(date.Int[row]), net.Wide[row])
		}
	}
	return nil
}

// fileOf finds a file of a published run, checked.
func fileOf(ctx context.Context, out writer.Target, m *writer.Manifest, name string) (writer.FileEntry, error) {
	for _, f := range m.Files {
		if f.Name == name {
			return f, writer.CheckFile(ctx, out, m.RunKey(), f)
		}
	}
	return writer.FileEntry{}, fmt.Errorf("read %s: %w: the run has no %s", m.RunKey(), writer.ErrVerify, name)
}

// dateFiles are the files of charges of a run by billing date.
type dateFiles struct {
	run    string
	schema writer.Schema
	byDate map[reconcile.Date][]writer.FileEntry
}

func filesByDate(run string, files []writer.FileEntry, s writer.Schema) dateFiles {
	f := dateFiles{run, s, make(map[reconcile.Date][]writer.FileEntry)}
	for _, entry := range files {
		if d, ok := chargesDate(entry.Name); ok {
			f.byDate[d] = append(f.byDate[d], entry)
		}
	}
	return f
}

// same says whether both runs have the same charges of a date, bytes for
// bytes.
func (f *dateFiles) same(other *dateFiles, d reconcile.Date) bool {
	hashes := func(files []writer.FileEntry) map[string]string {
		m := make(map[string]string, len(files))
		for _, entry := range files {
			m[entry.Name] = entry.SHA256
		}
		return m
	}
	return maps.Equal(hashes(f.byDate[d]), hashes(other.byDate[d]))
}

// check compares the files of a date with their manifest.
func (f *dateFiles) check(l *lateRun, d reconcile.Date) error {
	var errs []error
	for _, entry := range f.byDate[d] {
		errs = append(errs, writer.CheckFile(l.ctx, l.out, f.run, entry))
	}
	return errors.Join(errs...)
}

// charges reads the charges of a date.
func (f *dateFiles) charges(l *lateRun, d reconcile.Date) iter.Seq2[*reconcile.BilledCharge, error] {
	return func(yield func(*reconcile.BilledCharge, error) bool) {
		for _, entry := range f.byDate[d] {
			for frame, err := range writer.ReadTable(l.ctx, l.out, f.run+entry.Name, f.schema) {
				if err != nil {
					yield(nil, err)
					return
				}
				for c := range writer.BilledCharges(&frame) {
					if !yield(c, nil) {
						return
					}
				}
			}
		}
	}
}

// adjustedRows reads the adjustments of an earlier run date by date.
type adjustedRows struct {
	run  string
	next func() (*reconcile.Adjustment, error, bool)
	stop func()
	head reconcile.Adjustment // the first that was not taken, if there is more
	more bool
}

func newAdjustedRows(ctx context.Context, out writer.Target, m *writer.Manifest) (*adjustedRows, error) {
	entry, err := fileOf(ctx, out, m, writer.AdjustmentsTable+".parquet")
	if err != nil {
		return nil, err
	}
	rows := &adjustedRows{run: m.RunKey()}
	rows.next, rows.stop = iter.Pull2(readAdjustments(ctx, out, m.RunKey()+entry.Name))
	if err := rows.advance(); err != nil {
		rows.stop()
		return nil, err
	}
	return rows, nil
}

func (rows *adjustedRows) advance() error {
	a, err, more := rows.next()
	if rows.more = more && err == nil; rows.more {
		rows.head = *a
	}
	return err
}

// take is the adjustments of a date, which must not lie before the last.
func (rows *adjustedRows) take(d reconcile.Date) ([]reconcile.Adjustment, error) {
	var taken []reconcile.Adjustment
	for rows.more && rows.head.Date == d {
		taken = append(taken, rows.head)
		if err := rows.advance(); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// readAdjustments yields the rows of a table of adjustments, each until the
// next is asked for.
func readAdjustments(ctx context.Context, out writer.Target, key string) iter.Seq2[*reconcile.Adjustment, error] {
	return func(yield func(*reconcile.Adjustment, error) bool) {
		for frame, err := range writer.ReadTable(ctx, out, key, writer.AdjustmentsSchema()) {
			if err != nil {
				yield(nil, err)
				return
			}
			for a := range writer.Adjustments(&frame) {
				if !yield(a, nil) {
					return
				}
			}
		}
	}
}
