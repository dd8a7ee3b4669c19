package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"golang.org/x/sync/errgroup"
)

// ErrDamaged is matched where the run that is published is no longer what was
// published, beside writer.ErrVerify, which tells what of it.
var ErrDamaged = errors.New("the published run is damaged")

// ErrNotKept is matched where a run is not published because the store does
// not have what was written to it, beside writer.ErrVerify. The same run again
// writes it anew.
var ErrNotKept = errors.New("what was written is not there")

// run is one run of the job, from its plan to its publication.
type run struct {
	job     *Job
	plan    *Plan
	names   *reader.Names
	exports *reader.Exports
	infos   []reader.FileInfo
	rows    int64
	entries []writer.FileEntry // files of the run written so far
}

// Run does the job: reads, merges, orders, folds, prices, adds up, and
// publishes under runs/{period}/{run_id}/. Where the current run of the
// period has the same inputs, it writes nothing and returns that one, if a
// listing of the store shows all its files.
//
// Errors match reader.ErrInput and ErrConfig (the tables or settings are
// wrong), reader.ErrData (the exports are refused), ErrIncomplete (days are
// missing), ErrUnfinished (they are, and the month is closed),
// reader.ErrStore, reader.ErrChanged and writer.ErrStore (a store failed),
// writer.ErrVerify (with ErrNotKept: what was written reads back as something
// else; with ErrDamaged: the run that is published lacks a file),
// writer.ErrConflict and writer.ErrOutcomeUnknown (the commit), and
// ErrControl (a control total does not hold). After any of them the run has
// not moved the pointer of the period and will not, but for
// writer.ErrOutcomeUnknown: then nobody could read it back, or a request is
// under way that may still move it. The end of ctx while the pointer is written
// does not hide that it was.
func Run(ctx context.Context, job Job) (*Result, error) {
	if n := workersIn(job.Memory, job.Workers); n < job.Workers && job.passes == 0 {
		job.Log.InfoContext(ctx, fmt.Sprintf("memory %s: %d of %d workers", SizeText(job.Memory), n, job.Workers), "memory", job.Memory, "workers", n)
		job.Workers = n
	}
	plan, err := NewPlan(ctx, job)
	if err != nil {
		return nil, err
	}
	if done, err := plan.findDone(ctx, &job); done != nil || err != nil {
		return done, err
	}
	r := &run{job: &job, plan: plan, names: plan.names}
	return r.do(ctx)
}

// findDone is the result of a run that is there already, else nil: then it is
// to be done, and has the days that it needs.
func (p *Plan) findDone(ctx context.Context, job *Job) (done *Result, err error) {
	err = job.stage(StageStanding, func(end *StageEnd) (err error) {
		end.RunID = p.RunID
		if err := p.standing.repair(ctx, job); err != nil {
			return err
		}
		switch {
		case p.Already:
			done, err = alreadyPublished(ctx, job, p)
		case len(p.Missing) > 0 && (!job.AllowMissing || p.standing.seal != nil):
			err = missingDays(p)
		default:
			done, err = alreadyComplete(ctx, job, p)
		}
		if done != nil {
			end.RunID = done.RunID // it may have read the same inputs with another history
		}
		return err
	})
	return done, err
}

// alreadyPublished is the result of a run that is there, once a look at the
// store has found all its files.
func alreadyPublished(ctx context.Context, job *Job, plan *Plan) (*Result, error) {
	base := plan.standing.base()
	err := writer.CheckListed(ctx, job.Out, base.manifest)
	if errors.Is(err, writer.ErrVerify) {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if err != nil {
		return nil, err
	}
	return plan.result(base.pointer.Run, base.manifest, true), nil
}

func missingDays(plan *Plan) error {
	what := "no data"
	if marker := plan.settings.CompleteMarker; marker != "" {
		what += " or no " + marker
	}
	if plan.standing.seal != nil { // missing days would look like charges that are gone
		return fmt.Errorf("%w: %s is closed, and a run that adjusts it needs days that have %s: %s", ErrUnfinished, plan.Period, what, strings.Join(reconcile.DateTexts(plan.Missing), ", "))
	}
	return fmt.Errorf("%w: period %s needs days that have %s: %s", ErrIncomplete, plan.Period, what, strings.Join(reconcile.DateTexts(plan.Missing), ", "))
}

func (r *run) do(ctx context.Context) (*Result, error) {
	pool, err := r.open(ctx)
	if err != nil {
		return nil, err
	}
	gathered, err := r.gatherAll(ctx)
	if err != nil {
		return nil, err
	}
	defer gathered.close()
	results, manifest, err := r.writeResults(ctx, gathered, pool)
	if err != nil {
		return nil, err
	}
	if err := r.stage(StageReport, func(end *StageEnd) error {
		before := len(manifest.Files)
		err := r.writeReport(ctx, results, manifest)
		end.countFiles(manifest.Files[before:])
		return err
	}); err != nil {
		return nil, err
	}
	gathered.findings.release() // as many texts as the collector would look through while all is read back
	if err := r.commit(ctx, gathered, manifest); err != nil {
		return nil, err
	}
	return r.plan.result(r.plan.RunKey, manifest, false), nil
}

// open looks at all that can be refused before any row is decoded: invoices,
// footers, and the store.
func (r *run) open(ctx context.Context) (pool *reconcile.Pool, err error) {
	err = r.stage(StageFooters, func(end *StageEnd) (err error) {
		if pool, err = r.pool(); err != nil {
			return err
		}
		if err := r.openExports(ctx); err != nil {
			return err
		}
		end.count("files", int64(len(r.infos)))
		end.count("rows", r.rows)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pool, r.stage(StageProbe, func(*StageEnd) error { return probe(ctx, r.job) })
}

// gatherAll is what all passes come to, with the charge tables written.
func (r *run) gatherAll(ctx context.Context) (g *gathered, err error) {
	err = r.stage(StageRead, func(end *StageEnd) (err error) {
		if g, err = r.passes(ctx); err != nil {
			return err
		}
		end.count("rows", g.reading.read)
		end.count("rejects", g.reading.rejected)
		end.count("messages", g.tally.Messages)
		var charges int64
		for _, f := range r.entries {
			charges += f.Rows
		}
		end.count("charges", charges)
		end.countFiles(r.entries)
		return nil
	})
	return g, err
}

// writeResults adds up what was gathered, writes it as tables, and gives the
// manifest that is to name them.
func (r *run) writeResults(ctx context.Context, g *gathered, pool *reconcile.Pool) (res *results, m *writer.Manifest, err error) {
	err = r.stage(StageSums, func(end *StageEnd) (err error) {
		if res, err = r.addUp(ctx, g, pool); err != nil {
			return err
		}
		end.count("summary_rows", int64(len(res.summary)))
		end.count("statements", int64(len(res.statements)))
		end.count("differences", int64(len(res.compared.Rows)))
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = r.stage(StageTables, func(end *StageEnd) (err error) {
		written, err := r.writeTables(ctx, res)
		if err != nil {
			return err
		}
		end.count("findings", res.findings.total())
		end.countFiles(written)
		m, err = r.manifest(res)
		return err
	})
	return res, m, err
}

// commit makes the run one that counts: what it leaves to other runs, then a
// look at all that was written, then manifest and pointer.
func (r *run) commit(ctx context.Context, g *gathered, m *writer.Manifest) error {
	if err := r.stage(StageCheckpoints, func(*StageEnd) error { return r.writeCheckpoints(ctx, g, false) }); err != nil {
		return err
	}
	if err := r.stage(StageReadBack, func(end *StageEnd) error {
		if err := writer.ReadBack(ctx, r.job.Out, r.plan.RunKey, m.Files); err != nil {
			return notKept(err)
		}
		end.countFiles(m.Files)
		return nil
	}); err != nil {
		return err
	}
	if err := r.stage(StagePublish, func(*StageEnd) error {
		_, err := writer.Publish(ctx, r.job.Out, m, r.plan.standing.version())
		return notKept(err)
	}); err != nil {
		return err
	}
	if !slices.ContainsFunc(g.states, r.isOwn) {
		return nil
	}
	if err := r.stage(StageCheckpoints, func(*StageEnd) error { return r.writeCheckpoints(ctx, g, true) }); err != nil {
		r.job.Log.WarnContext(ctx, "published without its checkpoint", "error", err)
	}
	return nil
}

// notKept tells files of this run that are not what was written from those of
// a published one.
func notKept(err error) error {
	if errors.Is(err, writer.ErrVerify) && !errors.Is(err, writer.ErrOutcomeUnknown) {
		return fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	return err
}

// pool adds up the invoices before anything is read, since lines that overlap
// stop the run.
func (r *run) pool() (*reconcile.Pool, error) {
	pool, err := reconcile.NewPool(r.plan.in.invoices, r.plan.Period.From, r.plan.Period.To, r.plan.in.invoiceMarkets(r.plan.settings.InvoiceBook))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", reader.ErrInput, err)
	}
	return pool, nil
}

// openExports reads the footers of all files: a file that is refused stops
// the run before any is decoded.
func (r *run) openExports(ctx context.Context) (err error) {
	if r.exports, err = r.plan.newExports(r.job, r.names); err != nil {
		return err
	}
	if r.infos, err = r.plan.footers(ctx, r.exports); err != nil {
		return err
	}
	for _, info := range r.infos {
		r.rows += info.Rows
	}
	return nil
}

// firstFailure calls do for 0…n-1, limit at a time, and returns the error of
// the lowest that fails, whichever fails first. What lies above a failure may
// be left out, what lies below never is.
func firstFailure(n, limit int, do func(i int) error) error {
	var mu sync.Mutex // guards lowest and cause
	lowest, cause := n, error(nil)
	skip := func(i int) bool {
		mu.Lock()
		defer mu.Unlock()
		return i > lowest
	}
	failed := func(i int, err error) {
		mu.Lock()
		defer mu.Unlock()
		if i < lowest {
			lowest, cause = i, err
		}
	}
	var g errgroup.Group
	g.SetLimit(limit)
	for i := range n {
		g.Go(func() error {
			if skip(i) {
				return nil
			}
			if err := do(i); err != nil {
				failed(i, err)
			}
			return nil
		})
	}
	_ = g.Wait() // all errors are in cause
	return cause
}
