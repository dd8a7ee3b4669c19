package batch

import (
	"context"
	"log/slog"
	"slices"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// inputs are the tables beside the exports, read once and never changed.
type inputs struct {
	accounts  *reconcile.Accounts
	markets   *reconcile.Markets
	rates     *reconcile.RateBook
	recharges *reconcile.Recharges // empty where none are given
	invoices  []reconcile.InvoiceLine
	cost      *costBook      // nil: there is one book
	files     []writer.Input // what they were read from, in the order of the tables
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
	if in.markets, files, err = readMarkets(ctx, job.Markets); err != nil {
		return nil, err
	}
	in.note(writer.MarketsInput, files)
	if in.rates, files, err = reader.ReadRates(ctx, job.Rates); err != nil {
		return nil, err
	}
	in.note(writer.RatesInput, files)
	if in.recharges, files, err = job.readRecharges(ctx); err != nil {
		return nil, err
	}
	in.note(writer.RechargesInput, files)
	if err := job.readCostBook(ctx, in); err != nil {
		return nil, err
	}
	in.warnOfMarkets(ctx, job.Log, in.invoiceMarkets(job.invoiceBook()))
	return in, nil
}

// warnOfMarkets logs each text in the market column of the rates and of the
// invoice lines that are compared that can match no charge, once for each
// table and with the first row that has it. It may be meant for a market of
// another table, so it is no error.
func (in *inputs) warnOfMarkets(ctx context.Context, log *slog.Logger, ofInvoices *reconcile.Markets) {
	type place struct{ table, market string }
	warned := make(map[place]bool)
	check := func(table, market, where string, markets *reconcile.Markets) {
		at := place{table, market}
		if market == reconcile.AnyMarket || reconcile.IsCountryCode(market) || markets.IsMarket(market) || warned[at] {
			return
		}
		warned[at] = true
		log.WarnContext(ctx, "market is neither a country code nor in the markets table",
			"table", table, "market", market, "row", where)
	}
	for _, r := range in.rates.Rates() {
		check(writer.RatesInput, r.Market, r.Where, in.markets)
	}
	if in.cost != nil {
		for _, r := range in.cost.rates.Rates() {
			check(writer.CostRatesInput, r.Market, r.Where, in.cost.markets)
		}
	}
	for i := range in.invoices {
		l := &in.invoices[i]
		if l.Market != "" && (l.Kind == reconcile.UsageLine || l.Kind == reconcile.CreditLine) {
			check(writer.InvoicesInput, l.Market, l.Where, ofInvoices)
		}
	}
}

// readMarkets reads the built-in table where there is no other.
func readMarkets(ctx context.Context, from reader.Source) (*reconcile.Markets, []reader.InputFile, error) {
	if from == nil {
		return reader.BuiltinMarkets()
	}
	return reader.ReadMarkets(ctx, from)
}

func (job *Job) readRecharges(ctx context.Context) (*reconcile.Recharges, []reader.InputFile, error) {
	if job.Recharges == nil {
		none, err := reconcile.NewRecharges(nil)
		return none, nil, err
	}
	recharges, files, err := reader.ReadRecharges(ctx, job.Recharges)
	if err == nil && len(files) == 0 {
		job.Log.WarnContext(ctx, "no recharge files", "recharges", job.Recharges.String())
	}
	return recharges, files, err
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
