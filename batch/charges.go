package batch

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"golang.org/x/sync/errgroup"
)

// chargeRowsMax is how many charges a file holds at the most, about; with
// chargeFilesMax it decides, from the number of a date's charges alone, into
// how many files they are split by contact.
const (
	chargeRowsMax  = 512 << 10
	chargeFilesMax = 256
)

// chargeTables writes the charges of each billing date once every shard has
// given its share. The files stay invisible until the passage has turned out
// to be the last: a run prefix never holds bytes that are not final, since
// another run of the same inputs may have published the very same keys.
type chargeTables struct {
	out    writer.Target
	runKey string
	names  *reader.Names
	shards int
	schema writer.Schema
	first  reconcile.Date  // of the period
	group  *errgroup.Group // writes in the background, bounded
	ctx    context.Context // of the run: uploads live until their commit
	failed context.Context // ends with the first failed write

	drawer *drawer       // of charges that are written at once; nil: nothing is drawn
	turn   chan struct{} // closed once the charges of the dates that are complete have been drawn

	spill *passCharges // where charges wait for those of other passes; nil: they are written at once

	buffers sync.Pool  // of *frameBuffer, as many as there are writes at once
	spare   *sync.Pool // of *chargeChunk

	mu     sync.Mutex
	shares map[reconcile.Date][]*dateCharges // of dates not complete, one of each shard so far
	staged []*writer.Staged
	priced []pricedGroups // of dates complete
}

// pricedGroups is what a shard's charges of one date have come to.
type pricedGroups struct {
	date   reconcile.Date
	groups []group
}

// tablesInFlight bounds the dates of which charges are written at once, and the
// other tables.
const tablesInFlight = 2

func newChargeTables(ctx context.Context, r *run) *chargeTables {
	g, failed := errgroup.WithContext(ctx)
	g.SetLimit(tablesInFlight)
	return &chargeTables{
		out: r.job.Out, runKey: r.plan.RunKey, names: r.names, shards: r.job.Workers, first: r.plan.Period.From,
		schema: r.plan.in.chargesSchema(),
		group:  g, ctx: ctx, failed: failed, spare: newChunkPool(),
		shares: make(map[reconcile.Date][]*dateCharges), drawer: r.newDrawer(),
	}
}

// deliver takes one shard's charges of a date. The last shard's call sees to
// it that the date is written.
func (t *chargeTables) deliver(d reconcile.Date, charges *dateCharges) error {
	t.mu.Lock()
	t.shares[d] = append(t.shares[d], charges)
	complete := t.shares[d]
	before, turn := t.turn, t.turn
	if len(complete) == t.shards {
		delete(t.shares, d)
		turn = make(chan struct{})
		t.turn = turn // dates are complete in their order
	}
	t.mu.Unlock()
	if len(complete) == t.shards {
		t.group.Go(func() error {
			if t.spill != nil {
				return t.spill.take(d, complete)
			}
			if err := t.draw(d, complete, before, turn); err != nil {
				return err
			}
			return t.writeDate(d, complete)
		})
	}
	return t.failed.Err()
}

// draw has the charges of a date draw on recharges once those of the date
// before have, and notes what all of them come to.
func (t *chargeTables) draw(d reconcile.Date, shares []*dateCharges, before <-chan struct{}, turn chan<- struct{}) error {
	defer close(turn)
	if before != nil {
		select {
		case <-before:
		case <-t.failed.Done():
			return t.failed.Err()
		}
	}
	if t.drawer != nil {
		t.drawer.draw(d, shares)
	}
	if d < t.first {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range shares {
		t.priced = append(t.priced, pricedGroups{d, s.groups})
	}
	return nil
}

// writeDate writes one date's files: always at least one, so that whoever
// reads a period finds each of its dates. Of those before the period nothing is
// left to do.
func (t *chargeTables) writeDate(d reconcile.Date, shares []*dateCharges) error {
	if d < t.first {
		for _, s := range shares {
			s.release()
		}
		return nil
	}
	buffer := t.buffer()
	defer t.buffers.Put(buffer)
	l := newLayout(d, shares, filesFor(chargesIn(shares)), t.names, buffer)
	for i := range l.files {
		if err := t.stage(d, i, l.frames(i)); err != nil {
			return err
		}
	}
	return nil
}

// writeSpilled does that with the charges of all passes, of which it holds
// those of one file at a time.
func (t *chargeTables) writeSpilled(d reconcile.Date, s *spilledDate, buckets int) error {
	buffer := t.buffer()
	defer t.buffers.Put(buffer)
	files := filesFor(s.charges)
	if files > buckets {
		return fmt.Errorf("charges of %s: %d of them in %d buckets, too many for these", d, s.charges, buckets)
	}
	each := buckets / files // both are powers of two
	for i := range files {
		charges, err := s.read(i*each, (i+1)*each, t.spare)
		if err != nil {
			return fmt.Errorf("charges of %s: %w", d, err)
		}
		l := newLayout(d, []*dateCharges{charges}, 1, t.names, buffer)
		if err := t.stage(d, i, l.frames(0)); err != nil {
			return err
		}
	}
	s.drawn = nil
	return nil
}

func (t *chargeTables) buffer() *frameBuffer {
	if b, ok := t.buffers.Get().(*frameBuffer); ok {
		return b
	}
	return &frameBuffer{}
}

// stage writes one file of a date.
func (t *chargeTables) stage(d reconcile.Date, file int, frames iter.Seq2[writer.Frame, error]) error {
	staged, err := writer.StageParquet(t.ctx, t.out, chargesKey(t.runKey, d, file), t.schema, frames)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.staged = append(t.staged, staged)
	return nil
}

func chargesKey(runKey string, d reconcile.Date, file int) string {
	return fmt.Sprintf("%scharges/%s/part-%04d.parquet", runKey, d, file)
}

// chargesDate is the billing date of a file of charges by its name within the
// run.
func chargesDate(name string) (reconcile.Date, bool) {
	day, found := strings.CutPrefix(name, writer.ChargesTable+"/")
	day, _, inside := strings.Cut(day, "/")
	if !found || !inside {
		return 0, false
	}
	d, err := reconcile.ParseDate(day)
	return d, err == nil
}

// filesFor is the number of files for n charges of one date: a power of two.
func filesFor(n int) int {
	files := 1
	for files < chargeFilesMax && n > files*chargeRowsMax {
		files *= 2
	}
	return files
}

// wait waits for the writes.
func (t *chargeTables) wait() error { return t.group.Wait() }

// commit makes the files visible and returns them.
func (t *chargeTables) commit() ([]writer.FileEntry, error) {
	entries := make([]writer.FileEntry, len(t.staged))
	g, ctx := errgroup.WithContext(t.ctx)
	g.SetLimit(commitsInFlight)
	for i, s := range t.staged {
		g.Go(func() (err error) {
			entries[i], err = s.Commit(ctx)
			return err
		})
	}
	return entries, g.Wait()
}

// commitsInFlight bounds the files that are made visible at once.
const commitsInFlight = 4

// abort gives up what is not committed, and what is spilled and not kept.
func (t *chargeTables) abort() {
	for _, s := range t.staged {
		s.Abort()
	}
	if t.spill != nil {
		_ = t.spill.close() // nobody reads it
	}
}
