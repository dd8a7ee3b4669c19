package batch

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
)

// examinedTable is how a table is read, and read once more for all rows that it
// is refused for.
type examinedTable struct {
	flag    string
	source  reader.Source // nil: it is not given
	read    func(context.Context, reader.Source) ([]reader.InputFile, error)
	refused func(context.Context, reader.Source) ([]error, error) // nil: the first row alone is named
	needs   []string
}

// table reads a table that is given. One that has to be and is not is a check
// that is not made.
func (x *examiner) table(ctx context.Context, t examinedTable) {
	if t.source == nil && x.lacking[t.flag] == "" {
		return
	}
	x.check(t.flag, append(t.needs, t.flag), func(c *Check) {
		files, err := t.read(ctx, t.source)
		if err != nil {
			t.failed(ctx, c, err)
			return
		}
		rows := int64(0)
		for _, f := range files {
			rows += f.Rows
		}
		c.Found = fmt.Sprintf("%s in %s of %s", counted(rows, "row"), counted(len(files), "file"), t.source)
		if len(files) == 0 {
			c.Warn(fmt.Sprintf("no file in %s", t.source), "see that the place is right: a run goes on as if there were none")
		}
	})
}

// failed lists the rows that a table is refused for.
func (t examinedTable) failed(ctx context.Context, c *Check, err error) {
	failedReading(c, err)
	if t.refused == nil || !errors.Is(err, reader.ErrInput) {
		return
	}
	all, listErr := t.refused(ctx, t.source)
	if listErr != nil || len(all) == 0 {
		return // the first row is told
	}
	c.Found = fmt.Sprintf("%s of %s refused", counted(len(all), "row"), t.source)
	var lines []string
	for _, err := range all {
		lines = append(lines, err.Error())
	}
	c.list(lines)
}

// examineTables reads the tables that are sold by.
func (x *examiner) examineTables(ctx context.Context) {
	x.table(ctx, examinedTable{flag: "rates", source: x.Rates, refused: reader.RefusedRates,
		read: func(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
			x.in.rates, files, err = reader.ReadRates(ctx, src)
			return files, err
		}})
	x.table(ctx, examinedTable{flag: "accounts", source: x.Accounts, refused: reader.RefusedAccounts,
		read: func(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
			x.in.accounts, files, err = reader.ReadAccounts(ctx, src)
			return files, err
		}})
	x.check("account time zones", []string{"accounts"}, x.zones)
	x.markets(ctx, "markets", x.Markets, nil, &x.in.markets)
	x.in.recharges, _ = reconcile.NewRecharges(nil)
	x.table(ctx, examinedTable{flag: "recharges", source: x.Recharges, refused: reader.RefusedRecharges,
		read: func(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
			recharges, files, err := reader.ReadRecharges(ctx, src)
			if err == nil {
				x.in.recharges = recharges
			}
			return files, err
		}})
	if x.Simulation != nil && x.Simulation.Plan != "" {
		x.check("simulation", []string{"accounts", "rates"}, func(c *Check) {
			if err := x.in.simulate(x.Simulation); err != nil {
				c.Fail(err, "name a plan of the rates with --plan")
				return
			}
			c.Found = fmt.Sprintf("plan %q is in the rates", x.Simulation.Plan)
		})
	}
}

// zones tells the time zones of accounts: one that is not known has been a row
// that is refused.
func (x *examiner) zones(c *Check) {
	var names []string
	for _, z := range x.in.accounts.Zones() {
		names = append(names, z.Name())
	}
	c.Found = "known: " + strings.Join(names, ", ")
}

// markets reads a table of markets, the built-in one where there is no other.
func (x *examiner) markets(ctx context.Context, flag string, source reader.Source, needs []string, dst **reconcile.Markets) {
	if source == nil {
		x.check(flag, needs, func(c *Check) {
			var err error
			if *dst, _, err = reader.BuiltinMarkets(); err != nil {
				c.Fail(err, "")
				return
			}
			c.Found = "the built-in table"
		})
		return
	}
	x.table(ctx, examinedTable{flag: flag, source: source, refused: reader.RefusedMarkets, needs: needs,
		read: func(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
			*dst, files, err = reader.ReadMarkets(ctx, src)
			return files, err
		}})
}

// costBookCheck is the check that the provider's book is whole.
const costBookCheck = "cost book"

// examineCostTables reads what the provider charges by, where any of it is
// given.
func (x *examiner) examineCostTables(ctx context.Context) {
	err := x.validateBooks()
	if x.CostRates == nil && err == nil {
		return
	}
	x.check(costBookCheck, nil, func(c *Check) {
		if err != nil {
			c.Fail(err, "give both, or take the settings away that need them")
			return
		}
		c.Found = "margins, and invoices compared with the book " + x.invoiceBook()
	})
	if x.CostRates == nil || x.CostAccounts == nil {
		return
	}
	book := &costBook{}
	x.in.cost = book
	needs := []string{costBookCheck}
	x.table(ctx, examinedTable{flag: "cost-rates", source: x.CostRates, refused: reader.RefusedRates, needs: needs,
		read: func(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
			book.rates, files, err = reader.ReadRates(ctx, src)
			return files, err
		}})
	x.table(ctx, examinedTable{flag: "cost-accounts", source: x.CostAccounts, refused: reader.RefusedAccounts, needs: needs, read: x.readCostAccounts})
	x.markets(ctx, "cost-markets", x.CostMarkets, needs, &book.markets)
	x.table(ctx, examinedTable{flag: "fx", source: x.Fx, needs: needs,
		read: func(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
			book.fx, files, err = reader.ReadExchangeRates(ctx, src)
			return files, err
		}})
}

// readCostAccounts also holds them against those that are sold by, where these
// could be read.
func (x *examiner) readCostAccounts(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
	if x.in.cost.accounts, files, err = reader.ReadAccounts(ctx, src); err != nil || x.in.accounts == nil {
		return files, err
	}
	if err := x.in.accounts.Agrees(x.in.cost.accounts); err != nil {
		return nil, fmt.Errorf("%w: cost-accounts in %v against accounts in %v: %w", reader.ErrInput, src, x.Accounts, err)
	}
	return files, nil
}

// examineInvoices reads the invoices and, where the period and their markets
// are known, looks for lines that overlap.
func (x *examiner) examineInvoices(ctx context.Context) {
	x.table(ctx, examinedTable{flag: "invoices", source: x.Invoices,
		read: func(ctx context.Context, src reader.Source) (files []reader.InputFile, err error) {
			lines, files, err := reader.ReadInvoices(ctx, src)
			if err != nil || x.lacking[PeriodNeeded] != "" || x.lacking[costBookCheck] != "" {
				return files, err
			}
			markets := x.in.invoiceMarkets(x.invoiceBook())
			if markets == nil {
				return files, nil
			}
			if _, err := reconcile.NewPool(lines, x.Period.From, x.Period.To, markets); err != nil {
				return nil, fmt.Errorf("%w: %w", reader.ErrInput, err)
			}
			return files, nil
		}})
}
