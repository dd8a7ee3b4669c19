package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"waconcile/batch/checkpoint"
	"waconcile/reconcile"
)

// pass is one way of the data through the shards: all of it where it fits the
// memory, else one share of the contacts after the other. A contact's messages
// meet those of no other, so that all that has to come together afterwards are
// sums, and tables that are sorted anyway.
type pass struct {
	share  share
	counts bool             // what it reads counts: it is the first
	stage  string           // of the progress
	states []reconcile.Date // of which states are taken
}

// passes takes the data through the shards.
func (r *run) passes(ctx context.Context) (*gathered, error) {
	n := r.plan.passesFor(r.job, r.infos)
	if n == 1 {
		g, err := r.inOne(ctx)
		if !errors.Is(err, errTight) {
			return g, err
		}
		n = 2
	}
	return r.inShares(ctx, n)
}

// inOne is one pass for everyone. The charges go to their tables at once.
func (r *run) inOne(ctx context.Context) (*gathered, error) {
	g := r.gather(false)
	p := &pass{share: everyone(), counts: true, stage: "read", states: g.days()}
	err := r.read(ctx, p, nil, func(a *attempt) (err error) {
		if r.entries, err = a.tables.commit(); err != nil {
			return err
		}
		g.priced = a.tables.priced
		if err := g.drew(a.tables.drawer, r.names); err != nil {
			return err
		}
		return g.add(a)
	})
	return g, err
}

// inShares is a pass for each of n shares of the contacts. Where one does not
// fit the memory after all, nor will those that are left: all are halved.
func (r *run) inShares(ctx context.Context, n int) (_ *gathered, err error) {
	r.job.Log.InfoContext(ctx, fmt.Sprintf("memory %s: %d passes", SizeText(r.job.Memory), n), "memory", r.job.Memory, "passes", n)
	g, spilled := r.gather(true), newSpilledCharges(filesFor(r.chargesMax()))
	defer func() {
		err = errors.Join(err, spilled.close())
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	left, done := sharesOf(n), 0
	for len(left) > 0 {
		p := &pass{share: left[0], counts: done == 0, states: g.days()}
		p.stage = fmt.Sprintf("pass %d of %d", done+1, done+len(left))
		runtime.GC() // nothing of the last pass is left, and memory is short
		err := r.passOf(ctx, p, g, spilled)
		if errors.Is(err, errTight) {
			left = halved(left)
			r.job.Log.InfoContext(ctx, "memory is short: passes from here on take half the contacts", "passes", done+len(left))
			continue
		}
		if err != nil {
			return g, err
		}
		left = left[1:]
		done++
	}
	return g, r.writeSpilled(ctx, g, spilled)
}

// passOf does one pass and keeps what it comes to.
func (r *run) passOf(ctx context.Context, p *pass, g *gathered, spilled *spilledCharges) error {
	return r.read(ctx, p, spilled, func(a *attempt) error {
		if err := g.add(a); err != nil {
			return err
		}
		spilled.add(a.tables.spill)
		a.tables.spill = nil
		return nil
	})
}

// chargesMax is more than a date can have charges: each is opened by a row, or
// lies in the state that the run starts from.
func (r *run) chargesMax() int {
	n := r.rows
	if s := r.plan.start; s != nil {
		n += s.header.RowsOf(checkpoint.Conversations) + s.header.RowsOf(checkpoint.Messages)
	}
	return int(n)
}

// writeSpilled writes the tables of all dates from the charges of all passes,
// once these have drawn on recharges, date by date.
func (r *run) writeSpilled(ctx context.Context, g *gathered, spilled *spilledCharges) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tables := newChargeTables(ctx, r)
	defer tables.abort()
	tables.group.SetLimit(tablesAtOnce(r.job.Memory, spilled))
	drawErr := r.drawSpilled(g, spilled, tables, func(d reconcile.Date) {
		tables.group.Go(func() error {
			if err := tables.failed.Err(); err != nil {
				return err
			}
			return tables.writeSpilled(d, spilled.dates[d], spilled.buckets)
		})
	})
	if err := firstCause(drawErr, tables.wait()); err != nil {
		return err
	}
	g.price(spilled, r.plan.Period)
	if err := g.drew(tables.drawer, r.names); err != nil {
		return err
	}
	entries, err := tables.commit()
	r.entries = entries
	return err
}

// drawSpilled has the charges of each date draw, and hands on the dates of the
// period.
func (r *run) drawSpilled(g *gathered, spilled *spilledCharges, tables *chargeTables, handOn func(reconcile.Date)) error {
	for d := r.plan.chargesFrom(); d <= r.plan.Period.To; d++ {
		if tables.drawer != nil {
			if err := tables.drawer.drawSpilled(d, spilled.dates[d], r.job.Memory, tables.spare); err != nil {
				return err
			}
			if err := g.addFindings(r.names, &tables.drawer.findings); err != nil {
				return err
			}
		}
		if err := tables.failed.Err(); err != nil {
			return err
		}
		if d >= r.plan.Period.From {
			handOn(d)
		}
	}
	return nil
}

// read reads the data for one pass; once more where messages turn out to have
// rows on different days. What it comes to is handed to keep before it is
// given up.
func (r *run) read(ctx context.Context, p *pass, spilled *spilledCharges, keep func(*attempt) error) error {
	from, err := r.plan.startOf(ctx, r.job, p.share)
	if err != nil {
		return err
	}
	scattered := scatteredBefore(from, p.share)
	for {
		repeated, err := r.readOnce(ctx, p, from, scattered, spilled, keep)
		if err != nil || len(repeated) == 0 {
			return err
		}
		r.job.Log.InfoContext(ctx, "messages with rows on different days: reading again", "messages", len(repeated))
		for h := range repeated {
			scattered[h] = true
		}
	}
}

// readOnce is one attempt with the charge tables that it writes, or the file
// that it spills charges to. They are kept only if no message was found to
// have been taken for several.
func (r *run) readOnce(ctx context.Context, p *pass, from *reconcile.State, scattered map[uint64]bool, spilled *spilledCharges, keep func(*attempt) error) (repeated map[uint64]bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tables := newChargeTables(ctx, r)
	if spilled != nil {
		tables.spill, tables.drawer = newPassCharges(r.names, spilled.buckets), nil // they draw after all passes
	}
	defer tables.abort()
	a, err := r.newAttempt(p, from, scattered, tables)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	passErr := a.pass(ctx)
	if passErr != nil {
		cancel()
	}
	if err := firstCause(passErr, tables.wait()); err != nil {
		return nil, err
	}
	if repeated = a.repeated(); len(repeated) > 0 {
		return repeated, nil
	}
	return nil, keep(a)
}

// firstCause is the error that is not only the echo of the other's
// cancellation.
func firstCause(pass, tables error) error {
	if pass == nil || errors.Is(pass, context.Canceled) && tables != nil {
		return tables
	}
	return pass
}
