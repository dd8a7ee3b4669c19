package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"waconcile/batch"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// figures is what a person wants to know of a published run, and the object
// that --json prints. Everything is read back from what is published, so that
// it is the same for a run that was published before.
type figures struct {
	Period        string           `json:"period"`
	Simulation    *simulated       `json:"simulation,omitempty"` // absent: what the run charges is billed
	RunID         string           `json:"run_id"`
	RunKey        string           `json:"run"`
	Already       bool             `json:"already_published"`
	Verdict       string           `json:"verdict"`
	Tables        string           `json:"tables"`
	Rows          int64            `json:"rows"`
	Messages      int64            `json:"messages"`
	Rejects       map[string]int64 `json:"rejects"`  // by reason
	Findings      map[string]int64 `json:"findings"` // by kind
	Conversations []categoryCount  `json:"conversations"`
	Statements    []currencyTotal  `json:"statements"`
	Recharges     []rechargeTotal  `json:"recharges"`
	Unknown       []string         `json:"recharge_days_missing,omitempty"` // days since the first purchase without data
	Margins       []marginTotal    `json:"margins,omitempty"`               // of a run with the provider's book
	InvoiceBook   string           `json:"invoice_book,omitempty"`          // that invoices are compared with, where there are two
	Differences   []classTotal     `json:"differences"`
	SealedRun     string           `json:"sealed_run,omitempty"`  // the run that a closed month was billed by
	Adjustments   *adjustedTotals  `json:"adjustments,omitempty"` // what the run changes in a closed month
	TakenIn       []string         `json:"takes_in,omitempty"`    // closed months whose adjustments are on the statements
	Waiting       []waitingMonth   `json:"waiting,omitempty"`
	Within        []string         `json:"closed_within,omitempty"` // closed months that a day or a range of days lies in
	Next          string           `json:"next"`

	manifest *writer.Manifest
}

// categoryCount is how many charges of a category there are, by status.
type categoryCount struct {
	Category string `json:"category"`
	Charged  int64  `json:"charged"`
	Free     int64  `json:"free"`
	Unrated  int64  `json:"unrated"`
}

// currencyTotal is what all statements of a currency add up to.
type currencyTotal struct {
	Currency string          `json:"currency"`
	Net      decimal.Decimal `json:"net_amount"`
	Prepaid  decimal.Decimal `json:"prepaid_net"`
	Payable  decimal.Decimal `json:"payable_net"`
	VAT      decimal.Decimal `json:"vat_amount"`
	Gross    decimal.Decimal `json:"gross_amount"`
}

// rechargeTotal is what became of all recharges of a currency in the period.
type rechargeTotal struct {
	Currency string          `json:"currency"`
	Opening  decimal.Decimal `json:"opening"`
	Bought   decimal.Decimal `json:"bought"`
	Used     decimal.Decimal `json:"used"`
	Expired  decimal.Decimal `json:"expired"`
	Closing  decimal.Decimal `json:"closing"`
}

// classTotal is how many rows of the differences have a class, and what they
// add up to in one currency.
type classTotal struct {
	Class    string          `json:"class"`
	Currency string          `json:"currency,omitempty"`
	Rows     int64           `json:"rows"`
	Amount   decimal.Decimal `json:"amount_difference"`

	absolute decimal.Decimal // sum of the rows without their signs
}

// adjustedTotals is what a run changes in a closed month: rows by kind, and
// the sums by currency.
type adjustedTotals struct {
	Rows    map[string]int64  `json:"rows"`
	Amounts map[string]string `json:"amounts"`
	Table   string            `json:"table"`
}

// The classes that ask nothing of anybody.
const (
	classMatch         = "match"
	classRounding      = "rounding"
	classOutsidePeriod = "outside_period"
)

// differing is the number of rows in which an invoice differs from our side by more
// than rounding, as the manifest counts them.
func (f *figures) differing() int64 {
	var n int64
	for class, rows := range f.manifest.Counts.Differences {
		if class != classMatch && class != classRounding && class != classOutsidePeriod {
			n += rows
		}
	}
	return n
}

// readFigures reads back the small tables of a published run. The error
// matches writer.ErrVerify where they are not those of its manifest.
func readFigures(ctx context.Context, s *settings, job batch.Job, result *batch.Result) (*figures, error) {
	f := &figures{
		Period: job.Period.String(), RunID: result.RunID, RunKey: result.RunKey, Already: result.Already,
		Tables: within(s.out, result.RunKey), Next: s.verifyCommand(job.Period), SealedRun: result.Sealed,
		Waiting: waitingMonths(result.Waiting), Within: result.Within,
		manifest: result.Manifest,
	}
	if result.Manifest.Adjusts() {
		f.Adjustments = adjustedTotalsOf(result.Manifest)
		f.Adjustments.Table = f.Tables + writer.AdjustmentsTable + csvExt
		f.Next += " " + result.RunKey
	}
	f.TakenIn = result.Manifest.TakesIn()
	if result.Manifest.Simulation != nil {
		f.Next += " " + result.RunKey
		var err error
		if f.Simulation, err = readSimulation(ctx, job.Out, result); err != nil {
			return nil, err
		}
	}
	err := f.fromManifest(result.Manifest)
	if err != nil {
		return nil, err
	}
	if f.Conversations, err = readConversations(ctx, job.Out, result.Manifest); err != nil {
		return nil, err
	}
	if f.Recharges, err = readRecharges(ctx, job.Out, result.Manifest); err != nil {
		return nil, err
	}
	if f.Margins, err = readMargins(ctx, &job, result.Manifest); err != nil {
		return nil, err
	}
	f.Differences, err = readDifferences(ctx, job.Out, result.Manifest)
	return f, err
}

// fromManifest takes what the manifest counts and adds up.
func (f *figures) fromManifest(m *writer.Manifest) error {
	f.Verdict, f.Rows, f.Messages = m.Verdict, m.Counts.RowsRead, m.Counts.Messages
	f.InvoiceBook = m.Settings.InvoiceBook
	f.Rejects, f.Findings = m.Counts.Rejected, m.Counts.Findings
	if m.RechargeHistory != nil {
		f.Unknown = m.RechargeHistory.Missing
	}
	f.Statements = make([]currencyTotal, 0, len(m.Totals))
	for _, t := range m.Totals {
		sum := currencyTotal{Currency: t.Currency}
		for _, figure := range []struct {
			text string
			into *decimal.Decimal
		}{{t.Net, &sum.Net}, {t.Prepaid, &sum.Prepaid}, {t.Payable, &sum.Payable}, {t.VAT, &sum.VAT}, {t.Gross, &sum.Gross}} {
			var err error
			if *figure.into, err = reconcile.ParseDecimal(figure.text); err != nil {
				return fmt.Errorf("read manifest of %s: totals of %s: %w", m.RunKey(), t.Currency, err)
			}
		}
		f.Statements = append(f.Statements, sum)
	}
	return nil
}

// adjustedTotalsOf takes the figures from the control totals, which verify
// holds against the table.
func adjustedTotalsOf(m *writer.Manifest) *adjustedTotals {
	t := &adjustedTotals{Rows: m.Counts.Adjustments, Amounts: map[string]string{}}
	for _, c := range m.Control {
		if currency, ok := strings.CutPrefix(c.Name, writer.AdjustmentsControl); ok {
			t.Amounts[currency] = c.Right
		}
	}
	return t
}

func readConversations(ctx context.Context, out writer.Target, m *writer.Manifest) ([]categoryCount, error) {
	counts := map[string]*categoryCount{}
	err := eachRow(ctx, out, m, writer.SummaryTable, func(r row) error {
		quantity, err := r.number("quantity")
		if err != nil {
			return err
		}
		category := r.text("category")
		c := counts[category]
		if c == nil {
			c = &categoryCount{Category: category}
			counts[category] = c
		}
		switch status := r.text("status"); status {
		case "charged":
			c.Charged += quantity
		case "free":
			c.Free += quantity
		case "unrated":
			c.Unrated += quantity
		default:
			return fmt.Errorf("column status: %q is not known", status)
		}
		return nil
	})
	return sortedValues(counts), err
}

func readRecharges(ctx context.Context, out writer.Target, m *writer.Manifest) ([]rechargeTotal, error) {
	totals := map[string]*rechargeTotal{}
	err := eachRow(ctx, out, m, writer.RechargesTable, func(r row) error {
		currency := r.text("currency")
		t := totals[currency]
		if t == nil {
			t = &rechargeTotal{Currency: currency}
			totals[currency] = t
		}
		var errs []error
		for column, sum := range map[string]*decimal.Decimal{
			"opening": &t.Opening, "bought": &t.Bought, "used": &t.Used, "expired": &t.Expired, "closing": &t.Closing,
		} {
			amount, err := r.amount(column)
			*sum = sum.Add(amount)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	return sortedValues(totals), err
}

func readDifferences(ctx context.Context, out writer.Target, m *writer.Manifest) ([]classTotal, error) {
	totals := map[string]*classTotal{}
	err := eachRow(ctx, out, m, writer.DifferencesTable, func(r row) error {
		class, currency := r.text("class"), r.text("currency")
		key := class + "\x00" + currency
		t := totals[key]
		if t == nil {
			t = &classTotal{Class: class, Currency: currency}
			totals[key] = t
		}
		amount, err := r.amount("amount_difference")
		t.Rows, t.Amount, t.absolute = t.Rows+1, t.Amount.Add(amount), t.absolute.Add(amount.Abs())
		return err
	})
	list := sortedValues(totals)
	slices.SortStableFunc(list, func(a, b classTotal) int { return b.Amount.Abs().Cmp(a.Amount.Abs()) })
	return list, err
}

// sortedValues gives the values in the order of their keys, never nil.
func sortedValues[K cmp.Ordered, V any](m map[K]*V) []V {
	values := make([]V, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		values = append(values, *m[k])
	}
	return values
}
