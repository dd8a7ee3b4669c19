package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"waconcile/batch"
	"waconcile/reader"

	"github.com/spf13/cobra"
)

func newDoctorCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check everything that a run needs; publish nothing",
		Long: `doctor takes the settings of a run and checks what a run needs, a line for each
check: ✓ holds, ! a person should look at it, ✗ does not hold, and - was not
made, since it needs another that does not hold. What does not hold comes with
what to do. The checks, in their order:

  settings                 all that are required are there and can be followed
  time zone                --time-zone is known; relative periods go by it
  s3                       a region is known, of places in buckets
  endpoint BUCKET          names, connections, TLS, and an answer
  clock                    against the store's
  credentials              where they come from
  bucket BUCKET            it is there, and takes the credentials
  exports                  can be listed
  rates, accounts, markets, recharges, cost-rates, cost-accounts, cost-markets,
  fx, invoices             can be read, and no row is refused
  account time zones       all are known
  out: list, write, conditional writes, read
                           what a run does in --out
  prices, costs            rates lint has no errors for the period
  published so far         whether the month is closed, what waits
  days                     all that the period touches, with --complete-marker
  export files             each is Parquet and has the columns (footers only)
  accounts in the exports  have a row; looked for in the first million rows of
                           each of four files of the newest day of the period
  memory                   workers, and passes without a checkpoint
  temporary files, room in out
                           free space, by the rows that the footers tell

It writes what a run would probe the store by, and nothing else: in a bucket
{out}/.probe/kept, which stays; in a directory files in a directory of their own,
which it removes again; and one in TMPDIR, which it removes.

The exit code is that of the first check that does not hold: 2 settings or
tables, 3 tables that a run would take, and that have errors, 4 exports refused,
5 days are missing, 6 storage or network, 9 what is published is damaged.
Warnings leave it at 0.`,
		Example: `  waconcile doctor --config waconcile.yaml --period last-month`,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd) },
	}
	a.settings.jobFlags(cmd.Flags())
	return cmd
}

// examined is what doctor prints.
type examined struct {
	Period   string         `json:"period,omitempty"` // absent where no period is known
	OK       bool           `json:"ok"`               // nothing failed
	Failed   int            `json:"failed"`
	Warnings int            `json:"warnings"`
	Skipped  int            `json:"skipped"`
	Checks   []examinedLine `json:"checks"`
}

type examinedLine struct {
	Name  string           `json:"name"`
	State batch.CheckState `json:"state"`
	Found string           `json:"found"`
	More  []string         `json:"more,omitempty"`
	Next  string           `json:"next,omitempty"`
}

// doctor is one call of the command.
type doctor struct {
	settings *settings
	stores   *stores
	now      time.Time // that the period and ages are counted from
	config   batch.Config
	lacking  map[string]string // as batch.Examination has it
	checks   []batch.Check
	answer   time.Duration // how long the store may take to answer at all
}

func (a *app) doctor(cmd *cobra.Command) error {
	d := &doctor{settings: &a.settings, lacking: map[string]string{}, answer: answerTimeout}
	if err := a.load(cmd); err != nil {
		c := batch.Check{Name: settingsCheck}
		c.Fail(err, "correct it: nothing else was looked at")
		d.checks = []batch.Check{c}
	} else if err := d.examine(cmd.Context()); err != nil {
		return err
	}
	e := d.examined()
	if err := a.printExamined(e); err != nil {
		return err
	}
	return d.failure()
}

// examine makes all checks. The error is the end of ctx.
func (d *doctor) examine(ctx context.Context) error {
	d.stores = d.settings.stores()
	defer d.stores.close()
	d.check(timeZoneCheck, d.zone) // which the settings go by
	d.check(settingsCheck, d.checkSettings)
	slices.Reverse(d.checks) // they are the first thing to correct
	d.examineStores(ctx)
	e := batch.Examination{Job: d.job(ctx), Now: d.now.UnixMilli(), Lacking: d.lacking}
	found, err := batch.Examine(ctx, e)
	if err != nil {
		return err
	}
	d.checks = append(d.checks, found.Checks...)
	d.examineRoom(found)
	return nil
}

// check makes a check of the command's own.
func (d *doctor) check(name string, make func(*batch.Check)) (held bool) {
	c := batch.Check{Name: name, State: batch.CheckOK}
	make(&c)
	d.checks = append(d.checks, c)
	return c.State == batch.CheckOK || c.State == batch.CheckWarning
}

// The checks of the settings.
const (
	settingsCheck = "settings"
	timeZoneCheck = "time zone"
)

// zone finds --time-zone.
func (d *doctor) zone(c *batch.Check) {
	zone, err := d.settings.zone()
	if err != nil {
		d.lacking[batch.PeriodNeeded] = timeZoneCheck
		c.Fail(err, "give an IANA name such as Europe/Rome")
		return
	}
	c.Found = zone.String()
	if d.now, err = d.settings.instant(); err == nil {
		c.Found += ", where it is " + d.now.In(zone).Format("2006-01-02 15:04")
	}
}

// checkSettings looks at what is given, whatever is there. What depends on a
// setting that is missing is not looked for.
func (d *doctor) checkSettings(c *batch.Check) {
	s := d.settings
	err := s.check()
	if err == nil && d.lacking[batch.PeriodNeeded] != "" {
		c.Found = "all that are required are there"
		return
	}
	if err == nil {
		err = s.checkMetrics()
	}
	if err == nil {
		d.config, err = s.batchConfig()
	}
	if err == nil {
		columns := reader.ExportOptions{Columns: s.columns}
		if columnsErr := columns.Validate(); columnsErr != nil {
			err = fmt.Errorf("%w: %w", batch.ErrConfig, columnsErr)
		}
	}
	if err != nil {
		d.lacking[batch.PeriodNeeded] = settingsCheck
		for _, flag := range []string{"exports", "rates", "accounts", "out"} {
			if s.place(flag) == "" {
				d.lacking[flag] = settingsCheck
			}
		}
		c.Fail(err, "correct the command line or the setting; waconcile run --help lists them all")
		return
	}
	p := d.config.Period
	c.Found = fmt.Sprintf("period %s, from %s to %s", p, p.From, p.To)
}

// examined counts the checks.
func (d *doctor) examined() *examined {
	e := &examined{Checks: []examinedLine{}}
	if d.lacking[batch.PeriodNeeded] == "" && d.config.Workers > 0 {
		e.Period = d.config.Period.String()
	}
	for _, c := range d.checks {
		e.Checks = append(e.Checks, examinedLine{c.Name, c.State, flat(c.Found), c.More, c.Next})
		switch c.State {
		case batch.CheckFailed:
			e.Failed++
		case batch.CheckWarning:
			e.Warnings++
		case batch.CheckSkipped:
			e.Skipped++
		}
	}
	e.OK = e.Failed == 0
	return e
}

// flat is text without line breaks, and without the word that only serves to
// tell kinds of errors apart.
func flat(text string) string {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", "; ")), " ")
	return strings.TrimPrefix(text, errUsage.Error()+": ")
}

// failure is the error of the command: the first check that failed decides.
func (d *doctor) failure() error {
	failed := 0
	var first *batch.Check
	for i := range d.checks {
		if d.checks[i].State != batch.CheckFailed {
			continue
		}
		if failed++; first == nil {
			first = &d.checks[i]
		}
	}
	if first == nil {
		return nil
	}
	return fmt.Errorf("%s failed, the first is %s: %w", counted(failed, "check"), first.Name, first.Err)
}

func (a *app) printExamined(e *examined) error {
	if a.settings.json {
		return printJSON(a.stdout, e)
	}
	_, err := io.WriteString(a.stdout, e.text())
	return err
}

func (e *examined) text() string {
	width := 0
	for _, c := range e.Checks {
		width = max(width, utf8.RuneCountInString(c.Name))
	}
	marks := map[batch.CheckState]string{batch.CheckOK: "✓", batch.CheckWarning: "!", batch.CheckFailed: "✗", batch.CheckSkipped: "-"}
	var b strings.Builder
	indent := strings.Repeat(" ", width+4)
	for _, c := range e.Checks {
		fmt.Fprintf(&b, "%s %-*s  %s\n", marks[c.State], width, c.Name, c.Found)
		for _, line := range c.More {
			fmt.Fprintf(&b, "%s  %s\n", indent, line)
		}
		if c.Next != "" {
			fmt.Fprintf(&b, "%s→ %s\n", indent, c.Next)
		}
	}
	fmt.Fprintf(&b, "\n%s: %d failed, %s, %d not made\n", counted(len(e.Checks), "check"), e.Failed, counted(e.Warnings, "warning"), e.Skipped)
	return b.String()
}

// job is the places of a run, each by itself: one that cannot be opened says
// so to whoever lists it.
func (d *doctor) job(ctx context.Context) batch.Job {
	job := batch.Job{Config: d.config, Log: slog.New(slog.DiscardHandler)} // what is logged of tables, the checks tell
	for flag, dst := range map[string]*reader.Source{
		"exports": &job.Exports, "rates": &job.Rates, "accounts": &job.Accounts, "markets": &job.Markets,
		"recharges": &job.Recharges, "invoices": &job.Invoices, "cost-rates": &job.CostRates,
		"cost-accounts": &job.CostAccounts, "cost-markets": &job.CostMarkets, "fx": &job.Fx,
	} {
		place := d.settings.place(flag)
		if err := d.stores.source(ctx, flag, place, dst); err != nil {
			*dst = unopenedSource{place, err}
		}
	}
	if out := d.settings.out; out != "" {
		if err := d.stores.target(ctx, out, &job.Out); err != nil {
			job.Out = unopenedStore{err}
		}
	}
	return job
}
