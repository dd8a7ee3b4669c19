package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"

	"github.com/spf13/cobra"
)

func newRatesCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rates",
		Short: "Check rates, compare two rate books, or look a price up",
		Args:  noArguments,
		RunE:  noCommand,
	}
	cmd.AddCommand(newRatesLintCommand(a), newRatesDiffCommand(a), newRatesShowCommand(a))
	return cmd
}

// table is one of the tables that prices come from: how it is called, and the
// place it was read from, empty for the built-in one.
type table struct{ name, place string }

// at names a row or a file of the table as a person would open it: the row is
// "rates.csv:7" relative to the place, or empty for the place itself.
func (t table) at(where string) string {
	file, _ := reconcile.SplitWhere(where)
	switch {
	case t.place == "":
		return "built-in " + where
	case where == "":
		return t.place
	case t.isFile(file):
		return t.place + where[len(file):]
	}
	return within(t.place, where)
}

// isFile tells a place that is the file from a directory that has one of its
// name.
func (t table) isFile(name string) bool {
	if path.Base(t.place) != name || strings.HasSuffix(t.place, "/") {
		return false
	}
	info, err := os.Stat(t.place) // a bucket is nothing here
	return err != nil || !info.IsDir()
}

// readMarkets reads the markets, or takes the built-in ones where no place is
// given.
func (st *stores) readMarkets(ctx context.Context, place string) (*reconcile.Markets, error) {
	var src reader.Source
	if err := st.source(ctx, "markets", place, &src); err != nil {
		return nil, err
	}
	if src == nil {
		markets, _, err := reader.BuiltinMarkets()
		return markets, err
	}
	markets, _, err := reader.ReadMarkets(ctx, src)
	return markets, err
}

// readRates reads the rates of a place that the flag names.
func (st *stores) readRates(ctx context.Context, flag, place string) (*reconcile.RateBook, error) {
	var src reader.Source
	if err := st.source(ctx, flag, place, &src); err != nil {
		return nil, err
	}
	book, _, err := reader.ReadRates(ctx, src)
	return book, err
}

// readAccounts reads the accounts; there are none where no place is given.
func (st *stores) readAccounts(ctx context.Context, place string) (*reconcile.Accounts, error) {
	var src reader.Source
	if err := st.source(ctx, "accounts", place, &src); err != nil || src == nil {
		return nil, err
	}
	accounts, _, err := reader.ReadAccounts(ctx, src)
	return accounts, err
}

// readRecharges reads the recharges; there are none where no place is given.
func (st *stores) readRecharges(ctx context.Context, place string) (*reconcile.Recharges, error) {
	var src reader.Source
	if err := st.source(ctx, "recharges", place, &src); err != nil || src == nil {
		return nil, err
	}
	recharges, _, err := reader.ReadRecharges(ctx, src)
	return recharges, err
}

// needRates refuses to go on without rates.
func (s *settings) needRates() error {
	if s.rates == "" {
		return fmt.Errorf("%w: required settings are missing: --rates", errUsage)
	}
	return s.checkPlaces()
}

// refusal takes the row and what is wrong with it out of the error of a table
// that cannot be used. The row is empty where the table has no file.
func refusal(err error) (where, text string) {
	if row, ok := errors.AsType[*reconcile.RowError](err); ok {
		return row.Where, row.Err.Error()
	}
	input, ok := errors.AsType[*reader.InputError](err)
	switch {
	case !ok:
		return "", err.Error()
	case input.Column != "":
		return input.Where, "column " + input.Column + ": " + input.Err.Error()
	}
	return input.Where, input.Err.Error()
}
