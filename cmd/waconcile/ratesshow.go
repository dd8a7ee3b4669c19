package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"waconcile/reconcile"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// priceQuestion are the flags of show alone, as they were given.
type priceQuestion struct {
	contact, country, category, date, plan, account, unit string
}

func newRatesShowCommand(a *app) *cobra.Command {
	var q priceQuestion
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Say what one conversation costs, and which rows say so",
		Long: `show looks one price up: the row that holds, the prefix and market that lead to
it, and the rows that lost, with why. --contact takes the spellings that exports
may have. A contact that is no phone number lies where --country says.

--plan names the plan, or --account the account whose row on the date names it.
What a recharge pays has the price of the recharge's plan: give that. Without an
account authentication_international by conversation is priced as authentication,
as rules conversation have it.

What is asked for, from --contact to --unit, is taken from the command line alone,
and not from the environment or the file of --config.`,
		Example: `  waconcile rates show --rates rates.csv --plan list --contact "+39 333 123 4567" --category utility --date 2024-07-03
  waconcile rates show --config waconcile.yaml --account acme --contact 12045550123 --category marketing --date 2024-07-03`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.ratesShow(cmd, &q) },
	}
	q.flags(cmd.Flags())
	a.settings.ratesFlags(cmd.Flags())
	a.settings.s3Flags(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	return cmd
}

func (q *priceQuestion) flags(all *pflag.FlagSet) {
	fs := pflag.NewFlagSet("show", pflag.ContinueOnError)
	fs.StringVar(&q.contact, "contact", "", "phone number, or another id")
	fs.StringVar(&q.country, "country", "", "ISO 3166 `code` of a contact that is no phone number")
	fs.StringVar(&q.category, "category", "", "marketing, utility, authentication, authentication_international or service")
	fs.StringVar(&q.date, "date", "", "billing date, in the account's time zone")
	fs.StringVar(&q.plan, "plan", "", "plan")
	fs.StringVar(&q.account, "account", "", "account whose plan it is, instead of --plan")
	fs.StringVar(&q.unit, "unit", "", "conversation or message (default: as the account's rules charge on the date, else conversation)")
	ask(all, fs)
}

// priceOf is what a question asks for.
type priceOf struct {
	contact  reconcile.Contact
	text     string // the contact, normalised
	country  string
	category reconcile.Category
	date     reconcile.Date
	unit     reconcile.Unit
	unitSet  bool
}

// parse reads the flags. All that are missing are named at once.
func (q *priceQuestion) parse() (p priceOf, err error) {
	missing := ""
	for _, f := range []struct{ name, value string }{{"contact", q.contact}, {"category", q.category}, {"date", q.date}, {"plan or --account", q.plan + q.account}} {
		if f.value == "" {
			missing += ", --" + f.name
		}
	}
	var known bool
	switch {
	case missing != "":
		return p, fmt.Errorf("%w: rates show lacks %s", errUsage, missing[len(", "):])
	case q.plan != "" && q.account != "":
		return p, fmt.Errorf("%w: --plan and --account are both given", errUsage)
	case q.country != "" && !reconcile.IsCountryCode(q.country):
		return p, fmt.Errorf("%w: --country %q is no ISO 3166 country code", errUsage, q.country)
	}
	if p.category, known = reconcile.ParseCategory(q.category); !known {
		return p, fmt.Errorf("%w: --category %q is no category", errUsage, q.category)
	}
	if p.unit, known = reconcile.ParseUnit(q.unit); !known && q.unit != "" {
		return p, fmt.Errorf("%w: --unit %q is no unit: conversation or message", errUsage, q.unit)
	}
	p.unitSet, p.country = known, q.country
	if p.date, err = reconcile.ParseDate(q.date); err != nil {
		return p, fmt.Errorf("%w: --date: %w", errUsage, err)
	}
	return p, p.parseContact(q.contact)
}

// otherContact stands for any id that is no phone number: where it lies its
// country alone says.
const otherContact reconcile.Name = 1

func (p *priceOf) parseContact(text string) error {
	normal := reconcile.NormaliseNumber([]byte(text), nil)
	if len(normal) == 0 {
		return fmt.Errorf("%w: --contact %q is empty", errUsage, text)
	}
	p.text = string(normal)
	var phone bool
	if p.contact, phone = reconcile.PhoneContact(normal); !phone {
		p.contact = reconcile.OpaqueContact(otherContact)
	}
	return nil
}

func (a *app) ratesShow(cmd *cobra.Command, q *priceQuestion) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	p, err := q.parse()
	if err != nil {
		return err
	}
	if err := a.settings.needRates(); err != nil {
		return err
	}
	if q.account != "" && a.settings.accounts == "" {
		return fmt.Errorf("%w: --account needs --accounts", errUsage)
	}
	shown, err := a.settings.lookUp(cmd.Context(), q, p)
	if err != nil {
		return err
	}
	if a.settings.json {
		return printJSON(a.stdout, shown)
	}
	_, err = io.WriteString(a.stdout, shown.text())
	return err
}

// lookUp reads the tables and answers the question.
func (s *settings) lookUp(ctx context.Context, q *priceQuestion, p priceOf) (*shownPrice, error) {
	st := s.stores()
	defer st.close()
	book, err := st.readRates(ctx, "rates", s.rates)
	if err != nil {
		return nil, err
	}
	markets, err := st.readMarkets(ctx, s.markets)
	if err != nil {
		return nil, err
	}
	shown := &shownPrice{
		Contact: p.text, Date: p.date.String(), Plan: q.plan, Category: p.category.String(),
		LostRates: []shownRate{}, LostPrefixes: []shownPrefix{},
	}
	if q.account != "" {
		accounts, err := st.readAccounts(ctx, s.accounts)
		if err != nil {
			return nil, err
		}
		shown.takeAccount(q.account, accounts.Of(q.account), &p, table{reconcile.LintAccounts, s.accounts})
	} else if err := shown.takePlan(book.Plans(), &p); err != nil {
		return nil, err
	}
	shown.Unit, shown.PricedAs = p.unit.String(), p.category.String()
	place, known := shown.takeMarkets(markets, p, table{reconcile.LintMarkets, s.markets})
	if known && shown.Plan != "" {
		shown.takeRates(book, place, p, table{reconcile.LintRates, s.rates})
	}
	shown.PlanUnknown = shown.Plan != "" && !slices.Contains(book.Plans(), shown.Plan)
	shown.judge(known)
	return shown, nil
}
