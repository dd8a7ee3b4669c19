package batch

import (
	"context"
	"fmt"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// costBook is what the provider charges by. A run that is given one prices
// every conversation twice.
type costBook struct {
	accounts *reconcile.Accounts
	markets  *reconcile.Markets // its own: a provider may regroup countries
	rates    *reconcile.RateBook
	fx       *reconcile.ExchangeRates // nil: none is given
}

// validateBooks tells what is wrong with the books that are given; the error
// matches ErrConfig. The plans of the two books have different names, so
// neither table of accounts stands in for the other.
func (job *Job) validateBooks() error {
	switch {
	case (job.CostRates == nil) != (job.CostAccounts == nil):
		return fmt.Errorf("%w: cost-rates and cost-accounts go together", ErrConfig)
	case job.CostRates != nil:
		return nil
	case job.CostMarkets != nil:
		return fmt.Errorf("%w: cost-markets is of no use without cost-rates", ErrConfig)
	case job.Fx != nil:
		return fmt.Errorf("%w: fx is of no use without cost-rates", ErrConfig)
	case job.InvoiceBook == writer.CostBook:
		return fmt.Errorf("%w: invoice-book %s needs cost-rates", ErrConfig, job.InvoiceBook)
	}
	return nil
}

// invoiceBook is the book that invoices are compared with, as the settings of
// a run that has some name it: the provider's unless told otherwise, and none where there is
// but one book.
func (job *Job) invoiceBook() string {
	switch {
	case job.CostRates == nil:
		return ""
	case job.InvoiceBook == "":
		return writer.CostBook
	}
	return job.InvoiceBook
}

// readCostBook reads the provider's tables, if there are any, and holds its
// accounts against those that are sold by.
func (job *Job) readCostBook(ctx context.Context, in *inputs) error {
	if job.CostRates == nil {
		return nil
	}
	book := &costBook{}
	var files []reader.InputFile
	var err error
	if book.accounts, files, err = reader.ReadAccounts(ctx, job.CostAccounts); err != nil {
		return fmt.Errorf("cost-accounts: %w", err)
	}
	in.note(writer.CostAccountsInput, files)
	if err := in.accounts.Agrees(book.accounts); err != nil {
		return fmt.Errorf("%w: cost-accounts in %v against accounts in %v: %w", reader.ErrInput, job.CostAccounts, job.Accounts, err)
	}
	if book.markets, files, err = readMarkets(ctx, job.CostMarkets); err != nil {
		return fmt.Errorf("cost-markets: %w", err)
	}
	in.note(writer.CostMarketsInput, files)
	if book.rates, files, err = reader.ReadRates(ctx, job.CostRates); err != nil {
		return fmt.Errorf("cost-rates: %w", err)
	}
	in.note(writer.CostRatesInput, files)
	if job.Fx != nil {
		if book.fx, files, err = reader.ReadExchangeRates(ctx, job.Fx); err != nil {
			return fmt.Errorf("fx: %w", err)
		}
		in.note(writer.FxInput, files)
	}
	in.cost = book
	return nil
}

// invoiceMarkets is the table that the markets of invoice lines are of.
func (in *inputs) invoiceMarkets(book string) *reconcile.Markets {
	if book == writer.CostBook {
		return in.cost.markets
	}
	return in.markets
}

// pricer prices by the provider's book; nil where there is none.
func (b *costBook) pricer() *reconcile.Pricer {
	if b == nil {
		return nil
	}
	return reconcile.NewPricer(b.accounts, b.markets, b.rates)
}

// costing is what charges cost: where the provider sees the contact, and its
// price.
type costing struct {
	place  reconcile.Place
	rating *reconcile.Rating
}

// costs says whether charges of a date have a cost. Those before the period
// only take of recharges.
func (s *shard) costs(date reconcile.Date) bool { return s.costPricer != nil && s.period.Has(date) }

// cost rates a conversation that is the first of its kind by the provider's
// book; nil where charges of the date have no cost.
func (s *shard) cost(c *reconcile.Conversation, account, country string, date reconcile.Date) *costing {
	if !s.costs(date) {
		return nil
	}
	place, known := s.costPricer.Place(c.Contact, country, date)
	return &costing{place, s.costPricer.Price(s.costPricer.Terms(account), place, known, c.Category, reconcile.UnitConversation, date)}
}
