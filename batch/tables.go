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
// CSV.
func (r *run) writeTables(ctx context.Context, res *results) error {
	tables := []struct {
		name   string
		schema writer.Schema
		frames iter.Seq2[writer.Frame, error]
	}{
		{writer.SummaryTable, writer.SummarySchema(), framesOf(res.summary, summaryFrame)},
		{writer.StatementsTable, writer.StatementsSchema(), framesOf(res.statements, statementsFrame)},
		{writer.DifferencesTable, writer.DifferencesSchema(), framesOf(res.compared.Rows, differencesFrame)},
		{writer.FindingsTable, writer.FindingsSchema(), framesOf(res.findings, findingsFrame)},
		{writer.RejectsTable, writer.RejectsSchema(), framesOf(res.rejects, rejectsFrame)},
	}
	for _, t := range tables {
		key := r.plan.RunKey + t.name
		parquet, err := writer.WriteParquet(ctx, r.job.Out, key+".parquet", t.schema, t.frames)
		if err != nil {
			return err
		}
		csv, err := writer.WriteCSV(ctx, r.job.Out, key+".csv", t.schema, t.frames)
		if err != nil {
			return err
		}
		r.entries = append(r.entries, parquet, csv)
	}
	slices.SortFunc(r.entries, func(a, b writer.FileEntry) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// framesOf cuts rows into frames.
func framesOf[Row any](rows []Row, frame func([]Row) writer.Frame) iter.Seq2[writer.Frame, error] {
	return func(yield func(writer.Frame, error) bool) {
		for piece := range slices.Chunk(rows, frameRows) {
			if !yield(frame(piece), nil) {
				return
			}
		}
	}
}

// text, optional, whole and wide make a column of a table's rows.
func text[Row any](rows []Row, of func(*Row) string) writer.Column {
	c := writer.Column{Text: make([]string, len(rows))}
	for i := range rows {
		c.Text[i] = of(&rows[i])
	}
	return c
}

// optional is a text column in which the empty text is null.
func optional[Row any](rows []Row, of func(*Row) string) writer.Column {
	c := newNullableText(len(rows))
	for i := range rows {
		c.set(i, of(&rows[i]))
	}
	return c.column()
}

func whole[Row any](rows []Row, of func(*Row) int64) writer.Column {
	c := writer.Column{Int: make([]int64, len(rows))}
	for i := range rows {
		c.Int[i] = of(&rows[i])
	}
	return c
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
		text(rows, func(r *row) string { return r.Account }),
		whole(rows, func(r *row) int64 { return int64(r.Date) }),
		optional(rows, func(r *row) string { return r.Country }),
		optional(rows, func(r *row) string { return r.Market }),
		text(rows, func(r *row) string { return r.Category.String() }),
		text(rows, func(r *row) string { return r.Unit.String() }),
		optional(rows, func(r *row) string { return r.Plan }),
		price.column(),
		optional(rows, func(r *row) string { return r.Currency }),
		text(rows, func(r *row) string { return r.Status.String() }),
		whole(rows, func(r *row) int64 { return r.Quantity }),
		wide(rows, func(r *row) *decimal.Decimal {
			if r.Status == reconcile.Unrated {
				return nil
			}
			return &r.Net
		}),
	}}
}

func statementsFrame(rows []reconcile.Statement) writer.Frame {
	type row = reconcile.Statement
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		text(rows, func(r *row) string { return r.Account }),
		optional(rows, func(r *row) string { return r.Currency }),
		rates(rows),
		whole(rows, func(r *row) int64 { return r.Charges }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Net }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Prepaid }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Payable }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.VAT }),
		wide(rows, func(r *row) *decimal.Decimal { return &r.Gross }),
		whole(rows, func(r *row) int64 { return r.Unrated }),
		optional(rows, func(r *row) string { return r.Adjusted }),
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
		optional(rows, func(r *row) string { return r.InvoiceID }),
		optional(rows, func(r *row) string { return r.LineIDs }),
		text(rows, func(r *row) string { return r.Account }),
		optional(rows, func(r *row) string { return r.Business }),
		whole(rows, func(r *row) int64 { return int64(r.From) }),
		whole(rows, func(r *row) int64 { return int64(r.To) }),
		optional(rows, func(r *row) string { return r.Market }),
		optional(rows, func(r *row) string { return r.Category.String() }),
		figure(func(e *effects) *decimal.Decimal { return new(decimal.NewFromInt(e.OurQuantity)) }),
		figure(func(e *effects) *decimal.Decimal { return e.TheirQuantity }),
		figure(func(e *effects) *decimal.Decimal { return &e.OurAmount }),
		figure(func(e *effects) *decimal.Decimal { return &e.TheirAmount }),
		optional(rows, func(r *row) string { return r.Currency }),
		figure(func(e *effects) *decimal.Decimal { return &e.AmountDifference }),
		figure(func(e *effects) *decimal.Decimal { return &e.QuantityEffect }),
		figure(func(e *effects) *decimal.Decimal { return &e.PriceEffect }),
		figure(func(e *effects) *decimal.Decimal { return &e.ArithmeticEffect }),
		figure(func(e *effects) *decimal.Decimal { return &e.RoundingEffect }),
		text(rows, func(r *row) string { return string(r.Class) }),
		optional(rows, func(r *row) string { return r.Detail }),
	}}
}

func findingsFrame(rows []finding) writer.Frame {
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		text(rows, func(r *finding) string { return string(r.kind) }),
		optional(rows, func(r *finding) string { return r.account }),
		optional(rows, func(r *finding) string { return r.business }),
		optional(rows, func(r *finding) string { return r.contact }),
		optional(rows, func(r *finding) string { return r.messageID }),
		whole(rows, func(r *finding) int64 { return r.at }),
		optional(rows, func(r *finding) string { return r.detail }),
	}}
}

func rejectsFrame(rows []reconcile.Reject) writer.Frame {
	type row = reconcile.Reject
	return writer.Frame{Rows: len(rows), Columns: []writer.Column{
		text(rows, func(r *row) string { return r.File }),
		whole(rows, func(r *row) int64 { return r.Row }),
		text(rows, func(r *row) string { return string(r.Reason) }),
		optional(rows, func(r *row) string { return r.Detail }),
	}}
}
