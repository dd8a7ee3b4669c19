package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

const csvExt = ".csv"

// row is a row of a published table, by column name.
type row struct {
	index  map[string]int
	fields []string
}

func (r row) text(column string) string {
	i, ok := r.index[column]
	if !ok {
		return ""
	}
	return r.fields[i]
}

// number reads a whole number; empty is 0.
func (r row) number(column string) (int64, error) {
	d, err := r.amount(column)
	if err != nil {
		return 0, err
	}
	if !d.IsInteger() {
		return 0, fmt.Errorf("column %s: %q is no whole number", column, r.text(column))
	}
	return d.IntPart(), nil
}

// amount reads a decimal; empty is 0.
func (r row) amount(column string) (decimal.Decimal, error) {
	text := r.text(column)
	if text == "" {
		return decimal.Zero, nil
	}
	d, err := reconcile.ParseDecimal(text)
	if err != nil {
		return decimal.Zero, fmt.Errorf("column %s: %w", column, err)
	}
	return d, nil
}

// eachRow hands the rows of a published table's CSV file to use, in their
// order, once the file is known to be the one of the manifest: the error
// matches writer.ErrVerify where it is not.
func eachRow(ctx context.Context, out writer.Target, m *writer.Manifest, table string, use func(row) error) (err error) {
	name, key := table+csvExt, m.RunKey()+table+csvExt
	i := slices.IndexFunc(m.Files, func(f writer.FileEntry) bool { return f.Name == name })
	if i < 0 {
		return fmt.Errorf("read %s: %w: the manifest has no such file", key, writer.ErrVerify)
	}
	if err := writer.CheckFile(ctx, out, m.RunKey(), m.Files[i]); err != nil {
		return err
	}
	stored, err := out.Open(ctx, key)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	r := csv.NewReader(bufio.NewReaderSize(io.NewSectionReader(stored, 0, stored.Size()), 1<<20))
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	index := make(map[string]int, len(header))
	for i, name := range header {
		index[name] = i
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = use(row{index, fields})
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("read %s:%d: %w", key, line, err)
		}
	}
}
