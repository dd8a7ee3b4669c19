package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"waconcile/reader"
	"waconcile/reconcile"

	"github.com/shopspring/decimal"
	"golang.org/x/sync/errgroup"
)

// attempt is one passage of the data through the shards, for one share of the
// contacts. A second one is needed only where messages turn out to have rows
// on different days.
type attempt struct {
	job       *Job
	plan      *Plan
	infos     []reader.FileInfo // of the plan's files
	rows      int64             // in all of them
	exports   *reader.Exports
	names     *reader.Names
	share     share            // whose rows it takes
	counts    bool             // what it reads counts: it is the first, or the first again
	stage     string           // of the progress
	guard     *guard           // of the memory
	scattered map[uint64]bool  // hashes of messages whose rows lie on different days
	states    []reconcile.Date // of which the shards take states
	shards    []*shard
	tables    *chargeTables
	free      chan *reconcile.Packed

	mu      sync.Mutex
	reading readCounts
	rejects []reconcile.Reject
}

// readCounts counts rows as they are decoded.
type readCounts struct {
	read, rejected, misplaced, used int64
}

// freeBlocks is how many used blocks wait to be filled again.
const freeBlocks = 32

func (r *run) newAttempt(p *pass, from *reconcile.State, scattered map[uint64]bool, tables *chargeTables) (*attempt, error) {
	a := &attempt{
		job: r.job, plan: r.plan, infos: r.infos, rows: r.rows, exports: r.exports, names: r.names,
		share: p.share, counts: p.counts, stage: p.stage, guard: r.newGuard(p.share),
		scattered: scattered, tables: tables, states: p.states,
		free: make(chan *reconcile.Packed, freeBlocks),
	}
	states := make([]*reconcile.State, r.job.Workers)
	if from != nil {
		states = splitState(from, p.share, r.job.Workers)
	}
	for i := range r.job.Workers {
		s, err := r.newShard(states[i], a)
		if err != nil {
			return nil, err
		}
		a.shards = append(a.shards, s)
	}
	return a, nil
}

func (r *run) newShard(from *reconcile.State, a *attempt) (*shard, error) {
	in := r.plan.in
	s := &shard{
		pricer:     reconcile.NewPricer(in.accounts, in.markets, in.rates),
		costPricer: in.cost.pricer(),
		names:      r.names,
		period:     r.plan.Period,
		queue:      make(chan work, shardQueue),
		dates:      make(map[reconcile.Date]*dateCharges),
		spare:      a.tables.spare,
		delivered:  r.plan.chargesFrom() - 1,
		foundMax:   a.foundMax(),
		log:        newSightings(),
		opensFrom:  reconcile.NoTime,
	}
	if from != nil {
		s.opensFrom = from.At.Start()
	}
	if r.plan.purchase.made {
		s.drawsSince = r.plan.drawsSince
	}
	engine, err := reconcile.NewEngine(reconcile.EngineConfig{
		Terms:        s.termsOf,
		Text:         r.names.Text,
		DeliveryDays: r.job.DeliveryDays,
		Begins:       r.plan.begins(),
		End:          r.plan.end(),
		LateDays:     r.job.LateDays,
		From:         from,
		States:       a.states,
		Scattered:    a.scattered,
	}, s)
	s.engine = engine
	return s, err
}

// foundMax is how many findings a shard may make texts of as it ends. With
// several passes none: a few at a time then become texts and go to a file.
func (a *attempt) foundMax() int {
	if a.tables.spill != nil {
		return 0
	}
	return findingsMax(a.job.Memory) / a.job.Workers
}

// pass decodes every file once, in the order of days, and folds as days are
// complete. Afterwards the shards hold what came of it.
func (a *attempt) pass(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range a.shards {
		g.Go(func() error { return s.run(ctx, a.free, a.tables.deliver) })
	}
	g.Go(func() error {
		if err := a.readAhead(ctx); err != nil {
			return err
		}
		if err := a.readDays(ctx); err != nil {
			return err
		}
		for _, s := range a.shards {
			close(s.queue) // only now: a shard that sees it takes the data for whole
		}
		return nil
	})
	return g.Wait()
}

// readAhead takes the rows that the day-by-day passage would meet too late:
// those that lie more than lateDays behind the day they were sent, which the
// files' statistics tell of, and those of scattered messages.
func (a *attempt) readAhead(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(decoders(a.job.Workers))
	for i, o := range a.plan.files() {
		date := a.plan.Objects[i].Day
		oldest, before := a.infos[i].Oldest, a.firstOpen(date).Start()
		switch {
		case a.infos[i].Rows == 0:
			continue
		case len(a.scattered) > 0:
			before = reconcile.NoTime // anywhere in the file
		case oldest != reconcile.NoTime && oldest >= before:
			continue
		}
		g.Go(func() error { return a.takeAhead(ctx, o, date, before) })
	}
	return g.Wait()
}

// firstOpen is the first day of which rows may lie in a partition, but for
// those that are read ahead. Once the partition is read, it may be folded.
func (a *attempt) firstOpen(partition reconcile.Date) reconcile.Date {
	return partition - reconcile.Date(a.job.LateDays)
}

// isScattered tells the rows of messages that have rows on different days.
// They and the rows sent before the first open day are those that readAhead
// takes; the passage by days leaves exactly those out.
func (a *attempt) isScattered(rows *reconcile.Rows, i int) bool {
	return len(a.scattered) > 0 && a.scattered[rows.Hash(i)]
}

func (a *attempt) takeAhead(ctx context.Context, o reader.Object, date reconcile.Date, before int64) error {
	late := newRouter(a.share, a.shards, a.free, plainWork(date))
	scattered := newRouter(a.share, a.shards, a.free, scatteredWork(date))
	start := a.firstOpen(date).Start()
	err := a.exports.Scan(ctx, o, date, before, func(b *reader.Block) error {
		if err := a.guard.check(); err != nil {
			return err
		}
		rows := &b.Rows
		err := scattered.route(ctx, rows, func(i int) bool { return a.isScattered(rows, i) })
		if err != nil {
			return err
		}
		return late.route(ctx, rows, func(i int) bool { return rows.SentAt[i] < start && !a.isScattered(rows, i) })
	})
	return errors.Join(err, late.flush(ctx), scattered.flush(ctx))
}

// readDays decodes the files in the order of their days, several at once, and
// has each day folded as soon as no row of it can come any more.
func (a *attempt) readDays(ctx context.Context) error {
	if len(a.plan.days) == 0 {
		return nil
	}
	left := make([]atomic.Int64, len(a.plan.days))
	done := make([]chan struct{}, len(a.plan.days))
	for i, d := range a.plan.days {
		left[i].Store(int64(len(d.files)))
		done[i] = make(chan struct{})
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.advance(ctx, done) })
	slots := newDecoderSlots(a.plan.decodersAtFirst(a.job, a.infos, a.share), decoders(a.job.Workers), done[a.plan.writesFrom()])
	for i, d := range a.plan.days {
		for _, o := range d.files {
			if slots.take(ctx) != nil {
				return g.Wait()
			}
			g.Go(func() error {
				defer slots.give()
				if err := a.takeFile(ctx, o, d.date); err != nil {
					return err
				}
				if left[i].Add(-1) == 0 {
					close(done[i])
				}
				return nil
			})
		}
	}
	return g.Wait()
}

// advance tells the shards, as days are done, how far they may fold.
func (a *attempt) advance(ctx context.Context, done []chan struct{}) error {
	for i, until := range a.plan.foldable(a.job.LateDays, a.infos) {
		select {
		case <-done[i]:
		case <-ctx.Done():
			return ctx.Err()
		}
		for _, s := range a.shards {
			select {
			case s.queue <- work{advance: &until}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// takeFile decodes one file of the passage by days.
func (a *attempt) takeFile(ctx context.Context, o reader.Object, date reconcile.Date) error {
	r := newRouter(a.share, a.shards, a.free, plainWork(date))
	start := a.firstOpen(date).Start()
	err := a.exports.Scan(ctx, o, date, reconcile.NoTime, func(b *reader.Block) error {
		rows := &b.Rows
		err := r.route(ctx, rows, func(i int) bool { return rows.SentAt[i] >= start && !a.isScattered(rows, i) })
		if err != nil {
			return err
		}
		return a.note(b)
	})
	if err != nil {
		return err
	}
	return r.flush(ctx)
}

// note counts a block, keeps its rejects and tells of the progress. It stops
// the run as soon as more rows are rejected than the whole of it may have, and
// the pass as soon as memory is short.
func (a *attempt) note(b *reader.Block) error {
	if err := a.guard.check(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &a.reading
	c.read += b.Read
	c.rejected += int64(len(b.Rejects))
	c.used += int64(b.Rows.Len())
	c.misplaced += b.Misplaced
	if a.counts {
		a.rejects = append(a.rejects, b.Rejects...)
	}
	if a.job.Progress != nil {
		a.job.Progress(Progress{Rows: c.read, RowsTotal: a.rows, Stage: a.stage})
	}
	return a.job.checkRejects(a.rejects, a.rows)
}

// repeated are the hashes that more than one message has had, beyond those
// already known to be scattered.
func (a *attempt) repeated() map[uint64]bool {
	all := make(map[uint64]bool)
	for _, s := range a.shards {
		maps.Copy(all, s.repeated)
	}
	for h := range a.scattered {
		delete(all, h)
	}
	return all
}

func (a *attempt) close() error {
	var errs []error
	for _, s := range a.shards {
		errs = append(errs, s.log.close())
	}
	return errors.Join(errs...)
}

// checkRejects refuses exports of which more than MaxRejectRatio of all rows
// are rejected.
func (c *Config) checkRejects(rejects []reconcile.Reject, rows int64) error {
	allowed := c.MaxRejectRatio.Mul(decimal.NewFromInt(rows))
	if !decimal.NewFromInt(int64(len(rejects))).GreaterThan(allowed) {
		return nil
	}
	first := slices.MinFunc(rejects, compareRejects)
	return fmt.Errorf("%w: %d of %d rows rejected, more than max-reject-ratio %s allows; among them %s row %d: %s: %s",
		reader.ErrData, len(rejects), rows, c.MaxRejectRatio, first.File, first.Row, first.Reason, clipped(first.Detail))
}

// clippedRunes is what an error shows of a value of the exports: with a column
// mistaken for another that may be somebody's number, of which seven digits
// are one in full.
const clippedRunes = 6

// clipped is the detail of a reject with the value in it cut off.
func clipped(detail string) string {
	column, value, quoted := strings.Cut(detail, `"`)
	runes := []rune(strings.TrimSuffix(value, `"`))
	if !quoted || len(runes) <= clippedRunes {
		return detail
	}
	return column + `"` + string(runes[:clippedRunes]) + `…"`
}
