package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"

	"github.com/spf13/cobra"
)

func newRatesLintCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Look for what is wrong with rates, accounts, markets and recharges",
		Long:  lintHelp,
		Example: `  waconcile rates lint --config waconcile.yaml --period 2024-07
  waconcile rates lint --rates rates.csv
  waconcile rates lint --rates provider/rates.csv --accounts provider/accounts.csv --markets provider/markets.csv`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.ratesLint(cmd) },
	}
	a.settings.ratesFlags(cmd.Flags())
	a.settings.rechargesFlag(cmd.Flags())
	a.settings.datesFlags(cmd.Flags())
	a.settings.s3Flags(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	return cmd
}

const lintHelp = `lint looks through the tables that prices come from, and prints a line for each
thing it finds: file and line, how bad it is, the check, and what is wrong.

What depends on dates is judged for --period, by default the month of --now: a
plan is used on the dates of its account rows, and of the recharges that have
not expired, and rows that hold on no date of the period are not looked at.
Without --accounts every plan counts as used wherever it has rows.

It is --rates, --accounts, --markets and --recharges that are looked through. The
provider's book, which a run takes as --cost-rates and so on, is looked through by
naming its files so:

  waconcile rates lint --rates provider/rates.csv --accounts provider/accounts.csv \
      --markets provider/markets.csv

` + lintErrors + `
` + lintWarnings + `
authentication_international without a price is a warning: providers list it for
some markets only, or not at all. A plan that is not to price a category says so
by a row for * with n/a: that is a warning, too. What is found of several markets
on the same dates is one line, at the first of their rows.

Exit codes: 2 where a run would refuse a table, 3 where there are other errors,
0 with warnings only.`

const lintErrors = `errors, by which charges would be unrated or wrong
  refused                 a run refuses the table: an overlap, a bad value; of
                          each table up to 100 rows are listed
  gap                     no row is valid on some dates: of a price, of an
                          account or of a prefix
  market_without_price    a market has no price in a category of the plan
  category_without_price  the plan has no price at all in a category that the
                          rules of its accounts charge
  unit                    the plan has prices in a category, but not by the unit
                          of the rules
  unknown_market          no prefix leads to the market of a rate
  plan_without_rates      no rate is of the plan of an account or recharge
  no_account              no account is valid in the period
  market_name             a market that rates take for a country
  currency_without_rates  the plan has no price in the recharge's currency
  recharge_account        no account is there that the recharge can pay for
`

const lintWarnings = `warnings, for a person to look at
  not_available           the row that holds says n/a
  gap                     no row is valid between two rows of a market, and a less
                          specific row, such as that of *, holds meanwhile
  unit                    prices by a unit that the rules do not charge by
  mixed_currencies        a plan with several currencies
  price_jump              more than tenfold the price before, or a tenth
  price_zero              prices that become 0, or cease to be
  unused_plan             no account and no recharge uses the plan
  no_vat_rate             an account without a VAT rate
  any_account             a row for all accounts without one
  similar_account, similar_market
                          names that differ in nothing but case or blanks
  country_markets         a country that lies in several markets
  prefix_zero             a prefix that no number begins with
  purchase_ahead, purchase_early, expiry_near, expiry_far
                          instants of a recharge that are likely slips
  recharge_account        the account has only the row for all
  recharge_twice          recharges that differ in nothing but their id
`

// linted is what lint prints.
type linted struct {
	Period   string        `json:"period"`
	Errors   int           `json:"errors"`
	Warnings int           `json:"warnings"`
	Findings []lintFinding `json:"findings"`
}

type lintFinding struct {
	Severity string `json:"severity"`
	Table    string `json:"table"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"` // absent where it is about no one line
	Check    string `json:"check"`
	Text     string `json:"text"`
}

func (a *app) ratesLint(cmd *cobra.Command) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	if err := a.settings.needRates(); err != nil {
		return err
	}
	period, judged, err := a.settings.lintPeriod()
	if err != nil {
		return err
	}
	tables, refused, err := a.settings.lintTables(cmd.Context())
	if err != nil {
		return err
	}
	findings := append(refused, reconcile.Lint(tables, judged)...)
	reconcile.SortLintFindings(findings)
	l := a.settings.linted(period, findings)
	if err := a.printLinted(l); err != nil {
		return err
	}
	switch {
	case len(refused) > 0:
		return fmt.Errorf("%w: %s", reader.ErrInput, tableNames(refused))
	case l.Errors > 0:
		return fmt.Errorf("%w: %s", errLint, counted(l.Errors, "error"))
	}
	return nil
}

// lintPeriod is --period, or else the month of --now.
func (s *settings) lintPeriod() (name string, judged reconcile.LintPeriod, err error) {
	now, err := s.instant()
	if err != nil {
		return "", judged, err
	}
	if s.period == "" {
		zone, err := s.zone()
		if err != nil {
			return "", judged, err
		}
		s.period = now.In(zone).Format("2006-01")
	}
	period, err := s.resolvePeriod()
	if err != nil {
		return "", judged, err
	}
	return period.String(), reconcile.LintPeriod{From: period.From, To: period.To + 1, Now: now.UnixMilli()}, nil
}

// lintTables reads every table that is given. What a run would refuse in one
// is findings, and the others are read all the same.
func (s *settings) lintTables(ctx context.Context) (tables reconcile.LintTables, refused []reconcile.LintFinding, err error) {
	st := s.stores()
	defer st.close()
	var errs [4]error
	tables.Rates, errs[0] = st.readRates(ctx, "rates", s.rates)
	tables.Accounts, errs[1] = st.readAccounts(ctx, s.accounts)
	tables.Markets, errs[2] = st.readMarkets(ctx, s.markets)
	tables.Recharges, errs[3] = st.readRecharges(ctx, s.recharges)
	tables.UsesUnknown = errs[1] != nil || errs[3] != nil
	for i, t := range []refusedTable{
		{reconcile.LintRates, s.rates, reader.RefusedRates}, {reconcile.LintAccounts, s.accounts, reader.RefusedAccounts},
		{reconcile.LintMarkets, s.markets, reader.RefusedMarkets}, {reconcile.LintRecharges, s.recharges, reader.RefusedRecharges},
	} {
		if errs[i] == nil {
			continue
		}
		found, err := t.findings(ctx, st, errs[i])
		if err != nil {
			return tables, nil, err
		}
		refused = append(refused, found...)
	}
	return tables, refused, nil
}

// refusedTable is how a table that cannot be used is read once more for all
// that is wrong with it.
type refusedTable struct {
	name, place string
	list        func(context.Context, reader.Source) ([]error, error)
}

// findings makes findings of what a table is refused for. cause is why it
// could not be read; it comes back where that is no fault of the table.
func (t refusedTable) findings(ctx context.Context, st *stores, cause error) ([]reconcile.LintFinding, error) {
	if !errors.Is(cause, reader.ErrInput) {
		return nil, cause
	}
	var src reader.Source
	if err := st.source(ctx, t.name, t.place, &src); err != nil {
		return nil, err
	}
	all, err := t.list(ctx, src)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		all = []error{cause} // about the place, and no row
	}
	var findings []reconcile.LintFinding
	for _, err := range all {
		where, text := refusal(err)
		findings = append(findings, reconcile.LintFinding{Severity: reconcile.LintError, Table: t.name, Where: where, Check: "refused", Text: text})
	}
	return findings, nil
}

func (s *settings) linted(period string, findings []reconcile.LintFinding) *linted {
	places := map[string]string{
		reconcile.LintRates: s.rates, reconcile.LintAccounts: s.accounts, reconcile.LintMarkets: s.markets, reconcile.LintRecharges: s.recharges,
	}
	l := &linted{Period: period, Findings: []lintFinding{}}
	for _, f := range findings {
		file, line := reconcile.SplitWhere(f.Where)
		l.Findings = append(l.Findings, lintFinding{
			Severity: f.Severity.String(), Table: f.Table, File: table{f.Table, places[f.Table]}.at(file), Line: line, Check: f.Check, Text: f.Text,
		})
		if f.Severity == reconcile.LintError {
			l.Errors++
		} else {
			l.Warnings++
		}
	}
	return l
}

func (a *app) printLinted(l *linted) error {
	if a.settings.json {
		return printJSON(a.stdout, l)
	}
	_, err := io.WriteString(a.stdout, l.text())
	return err
}

func (l *linted) text() string {
	var b strings.Builder
	for _, f := range l.Findings {
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		fmt.Fprintf(&b, "%s: %s %s: %s\n", at, f.Severity, f.Check, f.Text)
	}
	if len(l.Findings) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s: %s, %s\n", l.Period, counted(l.Errors, "error"), counted(l.Warnings, "warning"))
	return b.String()
}

// counted is a number of things of one name: 1 error, 2 errors.
func counted(n int, name string) string {
	if n != 1 {
		name += "s"
	}
	return grouped(int64(n)) + " " + name
}

// tableNames names the tables that findings are about, each once.
func tableNames(findings []reconcile.LintFinding) string {
	var names []string
	for _, f := range findings {
		if !slices.Contains(names, f.Table) {
			names = append(names, f.Table)
		}
	}
	return strings.Join(names, ", ")
}
