package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"waconcile/batch/checkpoint"
	"waconcile/writer"
)

// asideProber is a Store that can be tried without anything that stays.
type asideProber interface {
	ProbeAside(ctx context.Context) (where string, err error)
}

// The checks of the place that results go to.
const (
	outList       = "out: list"
	outWrite      = "out: write"
	outConditions = "out: conditional writes"
	outRead       = "out: read"
	outDelete     = "out: delete"
)

// examineOut asks of the place that results go to what a run does there.
func (x *examiner) examineOut(ctx context.Context) {
	x.check(outList, []string{"out", PeriodNeeded}, func(c *Check) {
		for _, prefix := range []string{"current/", writer.RunsPrefix(x.Period.String()), checkpoint.Prefix, "sealed/", "adjusted/"} {
			if _, err := x.Out.List(ctx, prefix); err != nil {
				c.Fail(err, "allow to list it: in a bucket that takes s3:ListBucket for the whole prefix")
				return
			}
		}
		c.Found = fmt.Sprintf("%v can be listed", x.Out)
	})
	x.examineWrites(ctx)
	x.check(outRead, []string{"out", PeriodNeeded}, func(c *Check) {
		_, _, err := x.Out.Get(ctx, writer.PointerKey(x.Period.String()))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.Found = "can be read, and has no run of " + x.Period.String()
		case err != nil:
			c.Fail(err, "allow to read what is there: in a bucket that takes s3:GetObject, and s3:ListBucket so that it says what is not there")
		default:
			c.Found = "can be read, and has a run of " + x.Period.String()
		}
	})
	x.check(outDelete, nil, func(c *Check) {
		c.State, c.Found = CheckSkipped, "not tried, since no run deletes anything: s3:DeleteObject is for waconcile gc --delete alone"
	})
}

// examineWrites probes the store as a run does, or without leaving anything
// where that can be.
func (x *examiner) examineWrites(ctx context.Context) {
	var probe func(context.Context) (string, error)
	switch p := x.Out.(type) {
	case asideProber:
		probe = p.ProbeAside
	case prober:
		probe = func(ctx context.Context) (string, error) { return "", p.Probe(ctx) }
	case nil: // the checks are not made
	default:
		return
	}
	var err error
	x.check(outWrite, []string{"out"}, func(c *Check) {
		var where string
		where, err = probe(ctx)
		switch {
		case err != nil && !errors.Is(err, writer.ErrUnsafeStore):
			c.Fail(err, "allow to write there: in a bucket that takes s3:PutObject, and for conditional writes s3:GetObject")
		case where != "":
			c.Found = "can be written to, by files in " + where + " that are removed again"
		default:
			c.Found = "can be written to, by .probe/kept, which stays"
		}
	})
	x.check(outConditions, []string{outWrite}, func(c *Check) {
		switch {
		case err == nil:
			c.Found = "refused: to create what is there, to replace another version, to replace what is not there"
		case x.UnsafeStore:
			c.Warn(err.Error(), "see that no two runs are under way at a time: --unsafe-store goes on without")
		default:
			c.Fail(err, "use a store that honours conditional writes, or --unsafe-store where only one run is under way at a time")
		}
	})
}

// standingCheck is how the period stands.
const standingCheck = "published so far"

// examineStanding tells what is published of the period, and what is closed.
func (x *examiner) examineStanding(ctx context.Context) {
	if x.Simulation != nil {
		return
	}
	x.check(standingCheck, []string{outList, outRead}, func(c *Check) {
		st, err := readStanding(ctx, x.Out, x.Period)
		if err != nil {
			next := "waconcile verify tells what is left of what is published: restore it from a backup or an older version"
			if !errors.Is(err, writer.ErrVerify) {
				next = "see that what is published there may be read"
			}
			c.Fail(err, next)
			return
		}
		x.stands = st
		st.tell(c)
	})
}

// tell writes how a period stands into a check.
func (st *standing) tell(c *Check) {
	switch {
	case st.seal != nil && st.adjusted != nil:
		c.Found = fmt.Sprintf("%s is closed by %s, and adjusted by %s: a run adjusts it again if anything changed", st.period, st.seal.Run, st.adjusted.pointer.Run)
	case st.seal != nil:
		c.Found = fmt.Sprintf("%s is closed by %s: a run adjusts it if anything changed", st.period, st.seal.Run)
	case st.current != nil:
		c.Found = fmt.Sprintf("%s is open, current is %s", st.period, st.current.pointer.Run)
	default:
		c.Found = fmt.Sprintf("%s is open, nothing is published of it", st.period)
	}
	for _, run := range st.taken {
		c.More = append(c.More, fmt.Sprintf("the statements take in what adjusts %s, of %s", run.Period, run.RunKey()))
	}
	for _, month := range st.within {
		c.More = append(c.More, fmt.Sprintf("%s is closed: a run of %s neither bills nor adjusts it", month, st.period))
	}
	for _, w := range st.waiting {
		c.Warn(c.Found, "close months in their order")
		c.More = append(c.More, fmt.Sprintf("the adjustments of %s wait until %s is closed", w.Month, w.For))
	}
	if st.seal != nil && !st.whole {
		c.Warn(c.Found, "run the month, which completes the seal")
		c.More = append(c.More, "a close was cut off before its seal was whole")
	}
}
