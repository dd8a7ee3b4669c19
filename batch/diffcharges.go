package batch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/cespare/xxhash/v2"
)

// chargeRows are the charges of one run and date, column by column.
type chargeRows struct {
	columns []writer.Column
	rows    int
	byID    map[string]int
}

// chargeAt is one charge of them.
type chargeAt struct {
	*chargeRows
	row int
}

func (c *chargeAt) text(column int) string { return c.columns[column].Text[c.row] }
func (c *chargeAt) int(column int) int64   { return c.columns[column].Int[c.row] }

func (c *chargeAt) null(column int) bool {
	null := c.columns[column].Null
	return null != nil && null[c.row]
}

// textOrNone is empty for a null.
func (c *chargeAt) textOrNone(column int) string {
	if c.null(column) {
		return ""
	}
	return c.text(column)
}

// load reads the charges of a date, whose bytes must be those of the manifest.
func (d *differ) load(ctx context.Context, m *writer.Manifest, files []writer.FileEntry) (*chargeRows, error) {
	rows := &chargeRows{columns: make([]writer.Column, len(d.schema)), byID: make(map[string]int)}
	for _, f := range files {
		if err := writer.CheckFile(ctx, d.job.Out, m.RunKey(), f); err != nil {
			return nil, err
		}
		for frame, err := range writer.ReadTable(ctx, d.job.Out, m.RunKey()+f.Name, m.ChargesSchema(), d.names()...) {
			if err != nil {
				return nil, err
			}
			rows.add(&frame)
		}
	}
	for row, id := range rows.columns[d.column.id].Text {
		if _, twice := rows.byID[id]; twice {
			return nil, fmt.Errorf("read %s: %w: charge id %s for the second time", m.RunKey(), writer.ErrVerify, id)
		}
		rows.byID[id] = row
	}
	return rows, nil
}

// names are the columns that are compared.
func (d *differ) names() []string {
	names := make([]string, len(d.schema))
	for i := range d.schema {
		names[i] = d.schema[i].Name
	}
	return names
}

func (r *chargeRows) add(f *writer.Frame) {
	r.rows += f.Rows
	for i := range f.Columns {
		from, to := &f.Columns[i], &r.columns[i]
		to.Text = append(to.Text, from.Text...)
		to.Int = append(to.Int, from.Int...)
		to.Micros = append(to.Micros, from.Micros...)
		to.Null = append(to.Null, from.Null...)
	}
}

// copied is the charge alone, in memory of its own.
func (c *chargeAt) copied() *chargeAt {
	own := &chargeRows{columns: make([]writer.Column, len(c.columns)), rows: 1}
	for i := range c.columns {
		from, to := &c.columns[i], &own.columns[i]
		if from.Text != nil {
			to.Text = []string{strings.Clone(from.Text[c.row])}
		}
		if from.Int != nil {
			to.Int = []int64{from.Int[c.row]}
		}
		if from.Micros != nil {
			to.Micros = []reconcile.Micros{from.Micros[c.row]}
		}
		if from.Null != nil {
			to.Null = []bool{from.Null[c.row]}
		}
	}
	return &chargeAt{own, 0}
}

// joined is a charge that differs: a is nil where it came, b where it went.
type joined struct {
	kind DiffKind
	a, b *chargeAt
}

func (j *joined) either() *chargeAt {
	if j.b != nil {
		return j.b
	}
	return j.a
}

// join compares the charges of one date, and gives those that differ in the
// order of their pairs and openings.
func (d *differ) join(a, b *chargeRows) []joined {
	var found []joined
	for row, id := range b.columns[d.column.id].Text {
		now := &chargeAt{b, row}
		if at, both := a.byID[id]; !both {
			found = append(found, joined{Came, nil, now})
		} else if before := (&chargeAt{a, at}); len(d.differing(before, now)) > 0 {
			found = append(found, joined{Changed, before, now})
		}
	}
	for row, id := range a.columns[d.column.id].Text {
		if _, both := b.byID[id]; !both {
			found = append(found, joined{Went, &chargeAt{a, row}, nil})
		}
	}
	slices.SortFunc(found, d.compare)
	return found
}

func (d *differ) compare(x, y joined) int {
	a, b := x.either(), y.either()
	return cmp.Or(
		strings.Compare(a.text(d.column.account), b.text(d.column.account)),
		strings.Compare(a.text(d.column.business), b.text(d.column.business)),
		strings.Compare(a.text(d.column.contact), b.text(d.column.contact)),
		cmp.Compare(a.int(d.column.openedAt), b.int(d.column.openedAt)),
		strings.Compare(a.text(d.column.id), b.text(d.column.id)),
	)
}

// differing lists the columns in which two charges differ.
func (d *differ) differing(a, b *chargeAt) []int {
	var columns []int
	for i, spec := range d.schema {
		if !a.columns[i].SameCell(spec.Type, a.row, &b.columns[i], b.row) {
			columns = append(columns, i)
		}
	}
	return columns
}

// describe tells of a charge that differs all but the reasons.
func (d *differ) describe(kind DiffKind, a, b *chargeAt) *ChargeDiff {
	c := b
	if kind == Went {
		c = a
	}
	cell := func(column int) string {
		text, _ := c.columns[column].CellText(d.schema[column].Type, c.row)
		return text
	}
	diff := &ChargeDiff{
		Kind: kind, ChargeID: cell(d.column.id), Account: cell(d.column.account), Business: cell(d.column.business),
		Contact: cell(d.column.contact), Category: cell(d.column.category), Date: cell(d.column.date),
		OpenedAt: cell(d.column.openedAt), OpenedBy: cell(d.column.openedBy), Columns: []CellDiff{},
	}
	if a != nil {
		diff.Old = d.priced(a)
	}
	if b != nil {
		diff.New = d.priced(b)
	}
	if kind == Changed {
		for _, i := range d.differing(a, b) {
			diff.Columns = append(diff.Columns, CellDiff{d.schema[i].Name, d.cell(a, i), d.cell(b, i)})
		}
	}
	return diff
}

// cell is nil for a null.
func (d *differ) cell(c *chargeAt, column int) *string {
	text, null := c.columns[column].CellText(d.schema[column].Type, c.row)
	if null {
		return nil
	}
	return &text
}

func (d *differ) priced(c *chargeAt) *Priced {
	amount, _ := c.columns[d.column.sale.amount].CellText(writer.Money, c.row)
	currency, _ := c.columns[d.column.sale.currency].CellText(writer.Text, c.row)
	return &Priced{Amount: amount, Currency: currency}
}

// amount is 0 where the charge has none.
func (c *chargeAt) amount(of priceColumns) reconcile.Micros {
	if c.null(of.amount) {
		return 0
	}
	return c.columns[of.amount].Micros[c.row]
}

// pairHash is the same for the pair of a charge and that of a message.
func pairHash[T string | []byte](account, business string, contact T) uint64 {
	b := appendPart(make([]byte, 0, 96), account)
	b = appendPart(b, business)
	return xxhash.Sum64(append(b, contact...))
}
