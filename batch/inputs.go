package batch

import (
	"context"
	"slices"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// inputs are the tables beside the exports, read once and never changed.
type inputs struct {
	accounts *reconcile.Accounts
	markets  *reconcile.Markets
	rates    *reconcile.RateBook
	invoices []reconcile.InvoiceLine
	files    []writer.Input // what they were read from, in the order of the tables
}

func (job *Job) readInputs(ctx context.Context) (*inputs, error) {
	in := &inputs{}
	var files []reader.InputFile
	var err error
	if in.accounts, files, err = reader.ReadAccounts(ctx, job.Accounts); err != nil {
		return nil, err
	}
	in.note(writer.AccountsInput, files)
	if job.Invoices != nil {
		if in.invoices, files, err = reader.ReadInvoices(ctx, job.Invoices); err != nil {
			return nil, err
		}
		in.note(writer.InvoicesInput, files)
		if len(files) == 0 {
			job.Log.WarnContext(ctx, "no invoice files", "invoices", job.Invoices.String())
		}
	}
	if in.markets, files, err = job.readMarkets(ctx); err != nil {
		return nil, err
	}
	in.note(writer.MarketsInput, files)
	if in.rates, files, err = reader.ReadRates(ctx, job.Rates); err != nil {
		return nil, err
	}
	in.note(writer.RatesInput, files)
	return in, nil
}

func (job *Job) readMarkets(ctx context.Context) (*reconcile.Markets, []reader.InputFile, error) {
	if job.Markets == nil {
		return reader.BuiltinMarkets()
	}
	return reader.ReadMarkets(ctx, job.Markets)
}

// has says whether any file of a table was read. A place without files is no
// part of a run's identity, so nothing that is published may tell it from none.
func (in *inputs) has(table string) bool {
	return slices.ContainsFunc(in.files, func(f writer.Input) bool { return f.Table == table })
}

func (in *inputs) note(table string, files []reader.InputFile) {
	for _, f := range files {
		in.files = append(in.files, writer.Input{Table: table, Key: f.Key, Size: f.Size, Identity: f.SHA256, Rows: f.Rows})
	}
}
