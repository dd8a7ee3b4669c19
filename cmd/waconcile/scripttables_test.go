package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/rogpeppe/go-internal/testscript"
)

// mkExports makes Parquet exports of a text table:
//
//	mkexports ROWS.csv DIR
//
// The first line of ROWS.csv names the columns. day and file say in which
// file, DIR/dt=day/file.parquet, a row goes; all others are columns of the
// export. A column may be written name:type with string, timestamp, bool or
// int as its type; without one, sent_at, delivered_at and read_at are
// timestamps, referral and billable are bool and all others are strings. A
// timestamp is written 2024-07-01T10:00:00Z or, as a time on its row's day,
// 10:00 or 10:00:00.001. An empty cell is null, and two single quotes are an empty string.
func mkExports(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "mkexports ROWS.csv DIR")
	records, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[0]))).ReadAll()
	ts.Check(err)
	if len(records) == 0 || len(records[0]) < 3 || records[0][0] != "day" || records[0][1] != "file" {
		ts.Fatalf("%s: the first columns must be day and file", args[0])
	}
	var names []string
	rows := map[string][][]string{}
	for _, r := range records[1:] {
		name := filepath.Join("dt="+r[0], r[1]+".parquet")
		if rows[name] == nil {
			names = append(names, name)
		}
		rows[name] = append(rows[name], r)
	}
	schema := exportSchema(records[0][2:])
	for _, name := range names {
		file := filepath.Join(ts.MkAbs(args[1]), name)
		ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
		ts.Check(writeParquet(file, schema, rows[name]))
	}
}

func exportSchema(columns []string) *arrow.Schema {
	types := map[string]arrow.DataType{
		"string": arrow.BinaryTypes.String, "bool": arrow.FixedWidthTypes.Boolean,
		"timestamp": arrow.FixedWidthTypes.Timestamp_ms, "int": arrow.PrimitiveTypes.Int64,
	}
	usual := map[string]string{
		"sent_at": "timestamp", "delivered_at": "timestamp", "read_at": "timestamp",
		"referral": "bool", "billable": "bool",
	}
	fields := make([]arrow.Field, 0, len(columns))
	for _, c := range columns {
		name, kind, typed := strings.Cut(c, ":")
		if !typed {
			kind = usual[name]
		}
		t, ok := types[kind]
		if !ok {
			t = arrow.BinaryTypes.String
		}
		fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func writeParquet(name string, schema *arrow.Schema, rows [][]string) (err error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, r := range rows {
		for i, cell := range r[2:] {
			if err := appendCell(b.Field(i), r[0], cell); err != nil {
				return fmt.Errorf("column %s: %w", schema.Field(i).Name, err)
			}
		}
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(schema, f, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.DefaultWriterProps())
	if err != nil {
		return err
	}
	if err := w.Write(b.NewRecord()); err != nil {
		return err
	}
	return w.Close() // and f
}

func appendCell(b array.Builder, day, cell string) error {
	if cell == "" {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.StringBuilder:
		if cell == "''" {
			cell = ""
		}
		b.Append(cell)
	case *array.TimestampBuilder:
		t, err := parseCellTime(day, cell)
		if err != nil {
			return err
		}
		b.Append(arrow.Timestamp(t.UnixMilli()))
	case *array.BooleanBuilder:
		v, err := strconv.ParseBool(cell)
		if err != nil {
			return err
		}
		b.Append(v)
	case *array.Int64Builder:
		v, err := strconv.ParseInt(cell, 10, 64)
		if err != nil {
			return err
		}
		b.Append(v)
	default:
		return fmt.Errorf("no way to write a %s", b.Type())
	}
	return nil
}

func parseCellTime(day, cell string) (time.Time, error) {
	if strings.Contains(cell, "T") {
		return time.Parse(time.RFC3339Nano, cell)
	}
	if strings.Count(cell, ":") == 1 {
		cell += ":00"
	}
	return time.Parse(time.RFC3339Nano, day+"T"+cell+"Z")
}

// parquetToCSV prints Parquet files, in the order of their names, as one text
// table:
//
//	parquet2csv GLOB [COLUMN,...]
//
// The first line names the columns; a null is an empty cell. It fails where
// GLOB finds nothing.
func parquetToCSV(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1 || len(args) == 2, "parquet2csv GLOB [COLUMN,...]")
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("no file is called %s", args[0])
	}
	w := csv.NewWriter(ts.Stdout())
	for i, name := range names {
		records, err := readParquet(testOf(ts).Context(), name)
		ts.Check(err)
		if len(args) == 2 {
			records, err = project(records, strings.Split(args[1], ","))
			ts.Check(err)
		}
		if i > 0 {
			records = records[1:]
		}
		ts.Check(w.WriteAll(records))
	}
}

// readParquet gives the names of the columns and then the rows.
func readParquet(ctx context.Context, name string) ([][]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	table, err := pqarrow.ReadTable(ctx, f, nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer table.Release()
	records := make([][]string, table.NumRows()+1)
	for i := range int(table.NumCols()) {
		column := table.Column(i)
		records[0] = append(records[0], column.Name())
		row := 1
		for _, chunk := range column.Data().Chunks() {
			for j := range chunk.Len() {
				cell := ""
				if chunk.IsValid(j) {
					cell = chunk.ValueStr(j)
				}
				records[row] = append(records[row], cell)
				row++
			}
		}
	}
	return records, nil
}

// project keeps the named columns, in the given order.
func project(records [][]string, columns []string) ([][]string, error) {
	projected := make([][]string, len(records))
	for _, name := range columns {
		at := slices.Index(records[0], name)
		if at < 0 {
			return nil, fmt.Errorf("no column is called %s", name)
		}
		for i, r := range records {
			projected[i] = append(projected[i], r[at])
		}
	}
	return projected, nil
}
