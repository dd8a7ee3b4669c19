package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"waconcile/reconcile"

	"github.com/spf13/cobra"
)

func newRatesDiffCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff RATES_A RATES_B",
		Short: "Say which prices differ between two rate books",
		Long: `diff compares two places of rates, each a CSV file, a directory or an s3://
prefix, by what they hold on each date: a row that is cut into two of the same
price is no difference. A line is a plan, market, category and unit, the dates on
which the books differ, the price in A and in B, and the change in percent.

  added    A has no row of that plan, market, category and unit
  removed  B has none
  changed  both have, and not the same prices on the same dates`,
		Example: `  waconcile rates diff rates-2024-06.csv rates-2024-07.csv
  waconcile rates diff --json s3://billing/rates/old s3://billing/rates/new`,
		Args: twoBooks,
		RunE: func(cmd *cobra.Command, args []string) error { return a.ratesDiff(cmd, args[0], args[1]) },
	}
	a.settings.s3Flags(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	return cmd
}

func twoBooks(_ *cobra.Command, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%w: rates diff takes two places of rates, not %d", errUsage, len(args))
	}
	for _, place := range args {
		if place == "" {
			return fmt.Errorf("%w: rates diff takes two places of rates, and one of them is empty", errUsage)
		}
		if _, _, _, err := splitPlace(place); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	return nil
}

// bookDiff is what rates diff prints.
type bookDiff struct {
	A       string       `json:"a"`
	B       string       `json:"b"`
	Added   int          `json:"added"`
	Removed int          `json:"removed"`
	Changed int          `json:"changed"`
	Changes []rateChange `json:"changes"`
}

type rateChange struct {
	Kind     string       `json:"kind"`
	Plan     string       `json:"plan"`
	Market   string       `json:"market"`
	Category string       `json:"category"`
	Unit     string       `json:"unit"`
	Dates    []datedPrice `json:"dates"`
}

// datedPrice is the dates on which both books hold the same, and differ.
type datedPrice struct {
	From string     `json:"valid_from"` // empty: from the beginning
	To   string     `json:"valid_to"`   // exclusive; empty: open
	Old  *bookPrice `json:"old"`        // null where no row is valid
	New  *bookPrice `json:"new"`
	// Percent is absent where the prices cannot be compared.
	Percent *reconcile.Percent `json:"percent,omitempty"`

	validity string
}

type bookPrice struct {
	Price    string `json:"price"` // n/a where the row says that there is none
	Currency string `json:"currency"`
	Row      string `json:"row"`
}

func (a *app) ratesDiff(cmd *cobra.Command, placeA, placeB string) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	st := a.settings.stores()
	defer st.close()
	bookA, err := st.readRates(ctx, "rates", placeA)
	if err != nil {
		return err
	}
	bookB, err := st.readRates(ctx, "rates", placeB)
	if err != nil {
		return err
	}
	d := newBookDiff(placeA, placeB, reconcile.DiffRates(bookA, bookB))
	if a.settings.json {
		return printJSON(a.stdout, d)
	}
	_, err = io.WriteString(a.stdout, d.text())
	return err
}

func newBookDiff(placeA, placeB string, changes []reconcile.RateChange) *bookDiff {
	d := &bookDiff{A: placeA, B: placeB, Changes: []rateChange{}}
	a, b := table{reconcile.LintRates, placeA}, table{reconcile.LintRates, placeB}
	for _, c := range changes {
		switch c.Kind {
		case reconcile.RateAdded:
			d.Added++
		case reconcile.RateRemoved:
			d.Removed++
		case reconcile.RateChanged:
			d.Changed++
		}
		change := rateChange{Kind: c.Kind.String(), Plan: c.Plan, Market: c.Market, Category: c.Category.String(), Unit: c.Unit.String()}
		for _, s := range c.Spans {
			p := datedPrice{
				From: boundText(s.From), To: boundText(s.To), Old: a.price(s.Old), New: b.price(s.New),
				validity: reconcile.ValidityText(s.From, s.To),
			}
			if percent, ok := s.Percent(); ok {
				p.Percent = &percent
			}
			change.Dates = append(change.Dates, p)
		}
		d.Changes = append(d.Changes, change)
	}
	return d
}

// boundText is a bound of a validity as the tables have it.
func boundText(d reconcile.Date) string {
	if d == reconcile.MinDate || d == reconcile.MaxDate {
		return ""
	}
	return d.String()
}

const noPriceText = "n/a"

// price is a row of the table as it is printed; nil where there is none.
func (t table) price(r *reconcile.Rate) *bookPrice {
	if r == nil {
		return nil
	}
	p := &bookPrice{Price: noPriceText, Currency: r.Currency, Row: t.at(r.Where)}
	if !r.NoPrice {
		p.Price = r.Price.Decimal().String()
	}
	return p
}

// text is a price for a person.
func (p *bookPrice) text() string {
	switch {
	case p == nil:
		return "none"
	case p.Price == noPriceText:
		return noPriceText
	}
	return p.Price + " " + p.Currency
}

func (p *bookPrice) row() string {
	if p == nil {
		return "-"
	}
	return p.Row
}

func (d *bookDiff) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "A  %s\nB  %s\n\n", d.A, d.B)
	if len(d.Changes) == 0 {
		b.WriteString("the rates are the same on all dates\n")
		return b.String()
	}
	b.WriteString(textTable([][]string{
		{"added", grouped(int64(d.Added))}, {"removed", grouped(int64(d.Removed))}, {"changed", grouped(int64(d.Changed))},
	}))
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, columnGap, ' ', 0)
	for _, c := range d.Changes {
		for _, p := range c.Dates {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s → %s\t%s\t%s → %s\n", c.Kind, c.Plan, c.Market, c.Category, c.Unit, p.validity,
				p.Old.text(), p.New.text(), p.change(), p.Old.row(), p.New.row())
		}
	}
	_ = w.Flush() // a strings.Builder never fails
	return b.String()
}

// change is by how much the price is another; a dash where that cannot be said.
func (p *datedPrice) change() string {
	if p.Percent == nil {
		return "-"
	}
	return percentText(p.Percent)
}
