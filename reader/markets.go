package reader

import (
	"context"
	_ "embed" // for the built-in table
	"fmt"
	"strings"

	"waconcile/reconcile"
)

// builtinMarkets is the table that holds where none is given.
//
//go:embed markets.csv
var builtinMarkets []byte

const builtinMarketsKey = "markets.csv"

func marketColumns() []column {
	return []column{
		{name: "prefix"}, {name: "country"}, {name: "market"},
		{name: "valid_from", optional: true}, {name: "valid_to", optional: true},
	}
}

// ReadMarkets reads all .csv files of src as one table (contract, Markets),
// and says which files they are. What cannot be used matches ErrInput and
// names file, line and column; so does a place without any file.
func ReadMarkets(ctx context.Context, src Source) (*reconcile.Markets, []InputFile, error) {
	markets, files, err := readMarkets(ctx, src)
	if err != nil {
		return nil, nil, fmt.Errorf("read markets in %v: %w", src, err)
	}
	return markets, files, nil
}

func readMarkets(ctx context.Context, src Source) (*reconcile.Markets, []InputFile, error) {
	var rows []reconcile.MarketRow
	files, err := readInputs(ctx, src, marketTable(&rows))
	if err != nil {
		return nil, nil, err
	}
	if len(files) == 0 {
		return nil, nil, noFile()
	}
	markets, err := reconcile.NewMarkets(rows)
	return markets, files, refused(err)
}

// BuiltinMarkets is the markets table that comes with the program, and its
// identity, which changes when the table does.
func BuiltinMarkets() (*reconcile.Markets, []InputFile, error) {
	var rows []reconcile.MarketRow
	table := marketTable(&rows)
	file, err := table.read(builtinMarketsKey, builtinMarkets)
	if err != nil {
		return nil, nil, fmt.Errorf("read built-in markets: %w", err)
	}
	markets, err := reconcile.NewMarkets(rows)
	if err != nil {
		return nil, nil, fmt.Errorf("read built-in markets: %w", refused(err))
	}
	return markets, []InputFile{file}, nil
}

// marketTable adds the rows of the files to rows.
func marketTable(rows *[]reconcile.MarketRow) inputTable {
	return inputTable{columns: marketColumns(), each: func(r *record) {
		*rows = append(*rows, marketOf(r))
	}}
}

func marketOf(r *record) reconcile.MarketRow {
	m := reconcile.MarketRow{
		Where:   r.where,
		Prefix:  r.required("prefix"),
		Country: strings.ToUpper(r.required("country")),
		Market:  r.required("market"),
	}
	if !reconcile.IsCountryCode(m.Country) {
		r.fail("country", fmt.Errorf("%q is no ISO 3166 country code", m.Country))
	}
	if m.Market == reconcile.AnyMarket {
		r.fail("market", fmt.Errorf("%q stands for all markets in rates and cannot be one", m.Market))
	}
	m.From, m.To = r.validity()
	return m
}
