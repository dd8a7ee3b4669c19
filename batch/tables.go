package batch

import (
	"context"
	"iter"
	"slices"
	"strings"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// writeTables writes the tables beside the charges, each as Parquet and as
// CSV, two at the same time unless memory is short. It returns their files.
func (r *run) writeTables(ctx context.Context, res *results) ([]writer.FileEntry, error) {
	tables := []struct {
		name   string
		schema writer.Schema
		frames iter.Seq2[writer.Frame, error]
	}{
		{writer.FindingsTable, writer.FindingsSchema(), res.findings.frames()}, // the longest, which others are written beside
		{writer.SummaryTable, r.plan.in.summarySchema(), writer.FramesOf(res.summary, r.plan.in.summaryFrame())},
		{writer.StatementsTable, writer.StatementsSchema(), writer.FramesOf(res.statements, r.statementsFrame)},
		{writer.DifferencesTable, writer.DifferencesSchema(), writer.FramesOf(res.compared.Rows, differencesFrame)},
		{writer.RechargesTable, writer.RechargesSchema(), writer.FramesOf(res.recharges, rechargesFrame)},
		{writer.RejectsTable, writer.RejectsSchema(), writer.FramesOf(res.rejects, rejectsFrame)},
	}
	formats := []struct {
		suffix string
		write  func(context.Context, writer.Target, string, writer.Schema, iter.Seq2[writer.Frame, error]) (writer.FileEntry, error)
	}{{".parquet", writer.WriteParquet}, {".csv", writer.WriteCSV}}
	written := make([]writer.FileEntry, len(tables)*len(formats))
	atOnce := tablesInFlight
	if res.findings.runs != nil || !twoWriters(r.job.Memory, 0) {
		atOnce = 1
	}
	err := firstFailure(len(written), atOnce, func(i int) (err error) {
		t, f := tables[i/len(formats)], formats[i%len(formats)]
		written[i], err = f.write(ctx, r.job.Out, r.plan.RunKey+t.name+f.suffix, t.schema, t.frames)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.entries = append(r.entries, written...)
	slices.SortFunc(r.entries, func(a, b writer.FileEntry) int { return strings.Compare(a.Name, b.Name) })
	return written, nil
}

// wide is a column of decimals in which nil is null.
func wide[Row any](rows []Row, of func(*Row) *decimal.Decimal) writer.Column {
	c := writer.Column{Wide: make([]decimal.Decimal, len(rows)), Null: make([]bool, len(rows))}
	for i := range rows {
		d := of(&rows[i])
		if c.Null[i] = d == nil; d != nil {
			c.Wide[i] = *d
		}
	}
	return c
}

func summaryFrame(rows []reconcile.SummaryRow) writer.Frame {
	type row = reconcile.SummaryRow
	price := newNullableMoney(len(rows))
	for i := range rows {
		if rows[i].Priced {
			price.set(i, rows[i].UnitPrice)
		}
	}
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		writer.TextOf(rows, func(r *row) string { return r.Account }),
		writer.NumbersOf(rows, func(r *row) int64 { return int64(r.Date) }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Country }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Market }),
		writer.TextOf(rows, func(r *row) string { return r.Category.String() }),
		writer.TextOf(rows, func(r *row) string { return r.Unit.String() }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Plan }),
		price.column(),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Currency }),
		writer.TextOf(rows, func(r *row) string { return r.Status.String() }),
		writer.NumbersOf(rows, func(r *row) int64 { return r.Quantity }),
		wide(rows, func(r *row) *decimal.Decimal {
			if r.Status == reconcile.Unrated {
				return nil
			}
			return &r.Net
		}),
	}}
}

func (r *run) statementsFrame(rows []reconcile.Statement) writer.Frame {
	type row = reconcile.Statement
	period := r.plan.Period.String()
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		writer.TextOf(rows, func(r *row) string { return r.Account }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Currency }),
		rates(rows),
		writer.NumbersOf(rows, func(r *row) int64 { return r.Charges }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Net }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Prepaid }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Payable }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.VAT }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Gross }),
		writer.NumbersOf(rows, func(r *row) int64 { return r.Unrated }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Adjusted }),
		writer.TextOf(rows, func(*row) string { return period }),
		writer.OptionalTextOf(rows, (*row).Note),
	}}
}

// rates is the column of VAT rates, which the accounts table bounds to six
// decimals.
func rates(rows []reconcile.Statement) writer.Column {
	c := newNullableMoney(len(rows))
	for i := range rows {
		if v := rows[i].VATRate; v != nil {
			c.set(i, reconcile.Micros(v.Shift(6).IntPart()))
		}
	}
	return c.column()
}

func differencesFrame(rows []reconcile.Difference) writer.Frame {
	type row = reconcile.Difference
	figure := func(of func(*reconcile.Effects) *decimal.Decimal) writer.Column {
		return wide(rows, func(r *row) *decimal.Decimal {
			if r.Effects == nil {
				return nil
			}
			return of(r.Effects)
		})
	}
	type effects = reconcile.Effects
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		writer.OptionalTextOf(rows, func(r *row) string { return r.InvoiceID }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.LineIDs }),
		writer.TextOf(rows, func(r *row) string { return r.Account }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Business }),
		writer.NumbersOf(rows, func(r *row) int64 { return int64(r.From) }),
		writer.NumbersOf(rows, func(r *row) int64 { return int64(r.To) }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Market }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Category.String() }),
		figure(func(e *effects) *decimal.Decimal { return new(decimal.NewFromInt(e.OurQuantity)) }),
		figure(func(e *effects) *decimal.Decimal { return e.TheirQuantity }),
		figure(func(e *effects) *decimal.Decimal { return &e.OurAmount }),
		figure(func(e *effects) *decimal.Decimal { return &e.TheirAmount }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Currency }),
		figure(func(e *effects) *decimal.Decimal { return &e.AmountDifference }),
		figure(func(e *effects) *decimal.Decimal { return &e.QuantityEffect }),
		figure(func(e *effects) *decimal.Decimal { return &e.PriceEffect }),
		figure(func(e *effects) *decimal.Decimal { return &e.ArithmeticEffect }),
		figure(func(e *effects) *decimal.Decimal { return &e.RoundingEffect }),
		writer.TextOf(rows, func(r *row) string { return string(r.Class) }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Detail }),
	}}
}

func rechargesFrame(rows []reconcile.RechargeMovement) writer.Frame {
	type row = reconcile.RechargeMovement
	money := func(of func(*row) reconcile.Micros) writer.Column {
		c := writer.Column{Micros: make([]reconcile.Micros, len(rows))}
		for i := range rows {
			c.Micros[i] = of(&rows[i])
		}
		return c
	}
	expires := writer.NumbersOf(rows, func(r *row) int64 { return r.ExpiresAt })
	expires.Null = make([]bool, len(rows))
	for i := range rows {
		expires.Null[i] = rows[i].ExpiresAt == reconcile.NeverExpires
	}
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		writer.TextOf(rows, func(r *row) string { return r.Account }),
		writer.TextOf(rows, func(r *row) string { return r.ID }),
		writer.TextOf(rows, func(r *row) string { return r.Plan }),
		writer.TextOf(rows, func(r *row) string { return r.Currency }),
		writer.NumbersOf(rows, func(r *row) int64 { return r.PurchasedAt }),
		expires,
		money(func(r *row) reconcile.Micros { return r.Opening }),
		money(func(r *row) reconcile.Micros { return r.Bought }),
		money(func(r *row) reconcile.Micros { return r.Used }),
		money(func(r *row) reconcile.Micros { return r.Expired }),
		money(func(r *row) reconcile.Micros { return r.Closing }),
	}}
}

func findingsFrame(rows []finding) writer.Frame {
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		writer.TextOf(rows, func(r *finding) string { return string(r.kind) }),
		writer.OptionalTextOf(rows, func(r *finding) string { return r.account }),
		writer.OptionalTextOf(rows, func(r *finding) string { return r.business }),
		writer.OptionalTextOf(rows, func(r *finding) string { return r.contact }),
		writer.OptionalTextOf(rows, func(r *finding) string { return r.messageID }),
		writer.NumbersOf(rows, func(r *finding) int64 { return r.at }),
		writer.OptionalTextOf(rows, func(r *finding) string { return r.detail }),
	}}
}

func rejectsFrame(rows []reconcile.Reject) writer.Frame {
	type row = reconcile.Reject
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		writer.TextOf(rows, func(r *row) string { return r.File }),
		writer.NumbersOf(rows, func(r *row) int64 { return r.Row }),
		writer.TextOf(rows, func(r *row) string { return string(r.Reason) }),
		writer.OptionalTextOf(rows, func(r *row) string { return r.Detail }),
	}}
}
