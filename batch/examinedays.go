package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"waconcile/reader"
	"waconcile/reconcile"

	"golang.org/x/sync/errgroup"
)

// The checks of the exports.
const (
	daysCheck  = "days"
	filesCheck = "export files"
	idsCheck   = "accounts in the exports"

	listing = "listing" // what daysCheck lists, some of which may be missing
)

// examineDays lists the days that a run without a checkpoint reads. Days since
// the first purchase of a recharge are not gone back to.
func (x *examiner) examineDays(ctx context.Context) {
	x.check(daysCheck, []string{PeriodNeeded, "exports", "accounts"}, func(c *Check) {
		p := &Plan{Period: x.Period, in: &x.in, settings: x.settings(x.in.accounts), names: reader.NewNames(), simulation: x.Simulation, standing: x.stands}
		if p.standing == nil {
			p.standing = &standing{period: x.Period.String()}
		}
		p.span = spanOf(x.Period, x.in.accounts.Zones(), p.settings.Lookback, x.LateDays)
		p.exports = newExportDays(&x.Job)
		if err := p.exports.list(ctx, p.span.first, p.span.last); err != nil {
			failedReading(c, err)
			return
		}
		p.days = p.exports.present(p.span.first, p.span.last)
		p.Missing = p.span.missing(p.days)
		x.plan = p
		x.tellDays(c)
	})
}

func (x *examiner) tellDays(c *Check) {
	p := x.plan
	required := int(p.span.requiredLast-p.span.requiredFirst) + 1
	c.Found = fmt.Sprintf("%s from %s to %s", counted(required, "day"), p.span.requiredFirst, p.span.requiredLast)
	if marker := p.settings.CompleteMarker; marker != "" {
		c.Found += ", each with " + marker
	}
	switch {
	case len(p.Missing) == 0:
		before := len(p.exports.present(p.span.first, p.span.requiredFirst-1))
		if all := int(p.span.requiredFirst - p.span.first); before < all {
			c.Found += fmt.Sprintf("; of %s before them that a run without a checkpoint reads, %d", counted(all, "day"), before)
		}
	case x.AllowMissing && p.standing.seal == nil:
		c.Warn(fmt.Sprintf("%d of %s missing: %s", len(p.Missing), c.Found, strings.Join(reconcile.DateTexts(p.Missing), ", ")), "bring them; by --allow-missing a run goes on, and says that it is incomplete")
	case len(p.Missing) == required:
		c.Fail(missingDays(p), fmt.Sprintf("see that the exports lie right: the first is looked for in %s/%s", strings.TrimSuffix(p.exports.source.String(), "/"), partition(p.span.requiredFirst)))
	case p.standing.seal != nil:
		c.Fail(missingDays(p), "bring them: a closed month is not run without")
	default:
		c.Fail(missingDays(p), "bring them, or go on without them by --allow-missing")
	}
}

// examineFiles reads the footer of every file that is there: whether it is
// Parquet, and has the columns.
func (x *examiner) examineFiles(ctx context.Context) {
	if x.plan == nil { // else the days that are there can be looked at, though some are missing
		x.lacking[listing] = daysCheck
	}
	x.check(filesCheck, []string{PeriodNeeded, "exports", "accounts", listing}, func(c *Check) {
		files := x.plan.files()
		if len(files) == 0 {
			c.State, c.Found = CheckSkipped, "there is none"
			return
		}
		var err error
		if x.exports, err = x.plan.newExports(&x.Job, x.plan.names); err != nil {
			c.Fail(err, "correct --columns")
			return
		}
		infos, errs := x.footers(ctx, files)
		if len(errs) > 0 {
			refused(c, errs, len(files))
			return
		}
		x.infos = infos
		for _, info := range infos {
			x.Rows += info.Rows
		}
		c.Found = fmt.Sprintf("%s of %s, %s, all with their columns", counted(len(files), "file"), counted(len(x.plan.days), "day"), counted(x.Rows, "row"))
	})
}

// refused tells of files of which the footer cannot be read or used.
func refused(c *Check, errs []error, of int) {
	next := "replace the files; --columns gives columns other names"
	if !errors.Is(errs[0], reader.ErrData) {
		next = whatToRead
	}
	c.Fail(errs[0], next)
	if len(errs) == 1 {
		return
	}
	c.Found = fmt.Sprintf("%d of %s cannot be used", len(errs), counted(of, "file"))
	var lines []string
	for _, err := range errs {
		lines = append(lines, err.Error())
	}
	c.list(lines)
}

// footers reads the footers of all files, and gives the errors in the order of
// the files. A store that fails again and again is not asked for the rest.
func (x *examiner) footers(ctx context.Context, files []reader.Object) (infos []reader.FileInfo, errs []error) {
	infos, errs = make([]reader.FileInfo, len(files)), make([]error, len(files))
	var g errgroup.Group
	var failed atomic.Int64 // files that the store did not give
	g.SetLimit(listsInFlight)
	for i := range files {
		g.Go(func() error {
			if failed.Load() >= moreMax {
				return nil
			}
			if infos[i], errs[i] = x.exports.Info(ctx, files[i]); errors.Is(errs[i], reader.ErrStore) {
				failed.Add(1)
			}
			return nil
		})
	}
	_ = g.Wait() // all errors are in errs
	return infos, slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// What is read to learn which accounts occur: of the newest day so many files,
// and of each about so many rows.
const (
	idFilesMax = 4
	idRowsMax  = 1 << 20
)

// examineAccounts looks whether the accounts that occur on the newest of the
// period's days have a row. All days would be as much as reading the column.
func (x *examiner) examineAccounts(ctx context.Context) {
	x.check(idsCheck, []string{"accounts", filesCheck}, func(c *Check) {
		// The last day that the period touches is short where zones are not UTC.
		days := x.plan.exports.present(x.plan.span.requiredFirst, min(x.plan.span.requiredLast, x.Period.To))
		if len(days) == 0 {
			c.State, c.Found = CheckSkipped, "there is no day of the period"
			return
		}
		newest := days[len(days)-1]
		ids, rows, err := x.accountsOf(ctx, newest)
		if err != nil {
			refused(c, []error{err}, len(newest.files))
			return
		}
		looked := fmt.Sprintf("by %s of %s, in %d of its %s", counted(rows, "row"), newest.date, min(len(newest.files), idFilesMax), counted(len(newest.files), "file"))
		var uncovered []string
		for _, id := range ids {
			if !covered(x.in.accounts.Of(id), newest.date) {
				uncovered = append(uncovered, fmt.Sprintf("account %q", id))
			}
		}
		if len(uncovered) > 0 {
			c.Fail(fmt.Errorf("%w: no row of the accounts is valid for %d of %s, %s", ErrUnrated, len(uncovered), counted(len(ids), "account"), looked), "give them rows")
			c.list(uncovered)
			return
		}
		c.Found = fmt.Sprintf("%s with a row each, %s", counted(len(ids), "account"), looked)
	})
}

// covered tells whether an account may have a row for the messages of a UTC day,
// which count on the dates of its own zone, and maybe later.
func covered(terms *reconcile.AccountTerms, day reconcile.Date) bool {
	return terms.On(day-1) != nil || terms.On(day) != nil || terms.On(day+1) != nil
}

// accountsOf are the accounts that occur on a day, in order, and the rows that
// tell.
func (x *examiner) accountsOf(ctx context.Context, d day) (ids []string, rows int64, err error) {
	for _, f := range d.files[:min(len(d.files), idFilesMax)] {
		found, n, err := x.exports.AccountIDs(ctx, f, idRowsMax)
		if err != nil {
			return nil, 0, err
		}
		ids, rows = append(ids, found...), rows+n
	}
	slices.Sort(ids)
	return slices.Compact(ids), rows, nil
}

// memoryCheck is what a run would make of the memory that it has.
const memoryCheck = "memory"

// examineMemory tells how many workers and passes a run would have.
func (x *examiner) examineMemory(context.Context) {
	x.check(memoryCheck, []string{PeriodNeeded}, func(c *Check) {
		job := x.Job
		job.Workers = workersIn(x.Memory, x.Workers)
		c.Found = "no limit is known"
		if x.Memory > 0 {
			c.Found = SizeText(max(x.Memory>>20<<20, 1<<20))
		}
		c.Found += fmt.Sprintf(": %d of %s", job.Workers, counted(x.Workers, "worker"))
		if x.infos != nil {
			x.Passes = x.plan.passesFor(&job, x.infos)
			c.Found += fmt.Sprintf(", %d pass", x.Passes)
			if x.Passes > 1 {
				c.Found += "es, each of which reads all exports, unless a checkpoint saves some"
			}
		}
		if least := fixedBytes(1, 1); x.Memory > 0 && x.Memory < least*usedDenominator/usedNumerator {
			c.Warn(c.Found+": less than a run keeps within", fmt.Sprintf("give it %s or more", SizeText(least*usedDenominator/usedNumerator)))
		}
	})
}
