package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"waconcile/reader"
	"waconcile/reconcile"
)

// CheckState is what came of a check.
type CheckState string

// The states of a check.
const (
	CheckOK      CheckState = "ok"
	CheckWarning CheckState = "warning" // a run would go on, and a person should look at it
	CheckFailed  CheckState = "failed"
	CheckSkipped CheckState = "skipped" // it was not made; Found says why
)

// Check is one thing that a run needs, and what was found of it.
type Check struct {
	Name  string
	State CheckState
	Found string
	More  []string // a line for each row, file or day that is meant
	Next  string   // what to do; empty where there is nothing
	Err   error    // why it failed; nil otherwise
}

// Fail makes a check one that failed. next is what to do about it.
func (c *Check) Fail(err error, next string) {
	c.State, c.Found, c.Err, c.Next = CheckFailed, err.Error(), err, next
}

// Warn makes a check that did not fail one that a person should look at.
func (c *Check) Warn(found, next string) {
	c.State, c.Found, c.Next = CheckWarning, found, next
}

// Skip makes a check one that was not made for want of another.
func (c *Check) Skip(lacking string) {
	c.State, c.Found = CheckSkipped, "needs "+lacking
}

// moreMax bounds the lines below a check: who has more wrong corrects these
// first.
const moreMax = 20

// list sets the lines below a check.
func (c *Check) list(lines []string) {
	if n := len(lines); n > moreMax {
		lines = append(slices.Clone(lines[:moreMax]), fmt.Sprintf("… and %d more", n-moreMax))
	}
	c.More = lines
}

// ErrUnrated is matched by the error of a check that found charges which a run
// would leave unrated, or rate wrongly.
var ErrUnrated = errors.New("charges would be unrated or wrong")

// PeriodNeeded is the key of Examination.Lacking of all that depends on the
// period and the other settings.
const PeriodNeeded = "period"

// Examination is a job that is to be looked at before it is run.
type Examination struct {
	Job
	Now int64 // the instant at which tables are judged, ms
	// Lacking has, for the flag of a place or PeriodNeeded, the name of a check
	// that did not hold and that it depends on: what needs it is skipped then.
	Lacking map[string]string
}

// Examined is what an examination came to.
type Examined struct {
	Checks []Check
	Rows   int64 // of the exports that a run without a checkpoint reads; 0 where that is not known
	Passes int   // 0 where that is not known
}

// Examine makes every check of a job that it can: places, tables, the results,
// prices, days, files, accounts, and memory. A check that fails keeps only those
// from being made that depend on it. It reads tables and footers whole, of the
// exports themselves one column of some files, and writes nothing but what the
// store is probed by. The error is the end of ctx.
func Examine(ctx context.Context, e Examination) (*Examined, error) {
	x := &examiner{Examination: e, lacking: make(map[string]string)}
	for flag, check := range e.Lacking {
		x.lacking[flag] = check
	}
	for flag, absent := range map[string]bool{"exports": x.Exports == nil, "rates": x.Rates == nil, "accounts": x.Accounts == nil, "out": x.Out == nil} {
		if absent && x.lacking[flag] == "" {
			x.lacking[flag] = flag
		}
	}
	for _, part := range []func(context.Context){
		x.examineExports, x.examineTables, x.examineCostTables, x.examineInvoices, x.examineOut,
		x.examinePrices, x.examineStanding, x.examineDays, x.examineFiles, x.examineAccounts, x.examineMemory,
	} {
		part(ctx)
		if ctx.Err() != nil {
			return &x.Examined, context.Cause(ctx)
		}
	}
	return &x.Examined, nil
}

// examiner is one call of Examine.
type examiner struct {
	Examination
	Examined
	lacking map[string]string // what must not be relied on, and the check to blame
	in      inputs            // of the tables that could be read
	stands  *standing         // nil: it could not be read
	plan    *Plan             // as far as it is known without a checkpoint; nil: the days are not known
	exports *reader.Exports
	infos   []reader.FileInfo // of the plan's files; nil: not all could be read
}

// check makes a check unless something that it needs is lacking. The check is
// lacking for others where it failed or was not made.
func (x *examiner) check(name string, needs []string, make func(*Check)) {
	c := Check{Name: name, State: CheckOK}
	defer func() { x.Checks = append(x.Checks, c) }()
	for _, need := range needs {
		if lacking := x.lacking[need]; lacking != "" {
			c.Skip(lacking)
			x.lacking[name] = lacking
			return
		}
	}
	if make(&c); c.State == CheckFailed || c.State == CheckSkipped {
		x.lacking[name] = name
	}
}

// whatToRead is what to do where a place cannot be listed or read.
const whatToRead = "see that it is there and may be read: in a bucket that takes s3:ListBucket and s3:GetObject"

// failedReading makes an error of reading a place the end of a check.
func failedReading(c *Check, err error) {
	next := whatToRead
	switch {
	case errors.Is(err, reader.ErrInput):
		next = "correct the rows"
	case errors.Is(err, reader.ErrChanged):
		next = "it is being written: wait for that"
	}
	c.Fail(err, next)
}

// examineExports asks whether the exports can be listed at all.
func (x *examiner) examineExports(ctx context.Context) {
	x.check("exports", []string{"exports", PeriodNeeded}, func(c *Check) {
		if _, err := x.Exports.List(ctx, partition(x.Period.From)); err != nil {
			failedReading(c, err)
			return
		}
		c.Found = "can be listed in " + x.Exports.String()
	})
}

// examinePrices looks through the tables as rates lint does.
func (x *examiner) examinePrices(context.Context) {
	tables := reconcile.LintTables{
		Rates: x.in.rates, Accounts: x.in.accounts, Markets: x.in.markets, Recharges: x.in.recharges,
		UsesUnknown: x.lacking["recharges"] != "",
	}
	x.check("prices", []string{PeriodNeeded, "accounts", "markets", "rates"}, func(c *Check) {
		x.judge(c, reconcile.Lint(tables, x.lintPeriod()), func(table string) string { return table })
	})
	if x.CostRates == nil || x.CostAccounts == nil {
		return
	}
	x.check("costs", []string{PeriodNeeded, "cost-accounts", "cost-markets", "cost-rates"}, func(c *Check) {
		book := x.in.cost
		found := reconcile.Lint(reconcile.LintTables{Rates: book.rates, Accounts: book.accounts, Markets: book.markets}, x.lintPeriod())
		found = slices.DeleteFunc(found, func(f reconcile.LintFinding) bool { // VAT and the like, which costs have none of
			return f.Table == reconcile.LintAccounts && f.Severity == reconcile.LintWarning
		})
		x.judge(c, found, func(table string) string { return "cost-" + table })
	})
}

func (x *examiner) lintPeriod() reconcile.LintPeriod {
	return reconcile.LintPeriod{From: x.Period.From, To: x.Period.To + 1, Now: x.Now}
}

// judge turns the findings of Lint into a check, errors first.
func (x *examiner) judge(c *Check, findings []reconcile.LintFinding, flag func(table string) string) {
	var errs, warnings []string
	for _, f := range findings {
		line := flag(f.Table) + ": " + f.Severity.String() + " " + f.Check + ": " + f.Text
		if f.Where != "" {
			line = flag(f.Table) + " " + f.Where + ": " + f.Severity.String() + " " + f.Check + ": " + f.Text
		}
		if f.Severity == reconcile.LintError {
			errs = append(errs, line)
		} else {
			warnings = append(warnings, line)
		}
	}
	c.Found = fmt.Sprintf("%s, %s", counted(len(errs), "error"), counted(len(warnings), "warning"))
	const next = "correct the rows; waconcile rates lint says more of the tables that are sold by"
	switch {
	case len(errs) > 0:
		found := c.Found
		c.Fail(fmt.Errorf("%w: %s", ErrUnrated, errs[0]), next)
		c.Found = found
	case len(warnings) > 0:
		c.Warn(c.Found, "look at the rows")
	}
	c.list(append(errs, warnings...))
}

// counted is a number of things of one name: 1 error, 2 errors.
func counted[N int | int64](n N, name string) string {
	if n != 1 {
		name += "s"
	}
	return fmt.Sprintf("%d %s", n, name)
}
