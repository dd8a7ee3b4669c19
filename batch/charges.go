package batch

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/cespare/xxhash/v2"
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
	group  *errgroup.Group // writes in the background, bounded
	ctx    context.Context // of the run: uploads live until their commit
	failed context.Context // ends with the first failed write

	mu     sync.Mutex
	shares map[reconcile.Date]*share // of dates not complete
	staged []*writer.Staged
}

// tablesInFlight bounds the dates whose tables are written at once.
const tablesInFlight = 2

func newChargeTables(ctx context.Context, r *run) *chargeTables {
	g, failed := errgroup.WithContext(ctx)
	g.SetLimit(tablesInFlight)
	return &chargeTables{
		out: r.job.Out, runKey: r.plan.RunKey, names: r.names, shards: r.job.Workers,
		group: g, ctx: ctx, failed: failed,
		shares: make(map[reconcile.Date]*share),
	}
}

// share is what the shards have given of one date.
type share struct {
	given   int
	charges []charge
}

// deliver takes one shard's charges of a date. The last shard's call sees to
// it that the date is written.
func (t *chargeTables) deliver(d reconcile.Date, charges []charge) error {
	t.mu.Lock()
	s := t.shares[d]
	if s == nil {
		s = &share{}
		t.shares[d] = s
	}
	s.given++
	s.charges = append(s.charges, charges...)
	complete := s.given == t.shards
	if complete {
		delete(t.shares, d)
	}
	t.mu.Unlock()
	if complete {
		t.group.Go(func() error { return t.writeDate(d, s.charges) })
	}
	return t.failed.Err()
}

// writeDate writes one date's files: always at least one, so that whoever
// reads a period finds each of its dates.
func (t *chargeTables) writeDate(d reconcile.Date, charges []charge) error {
	files := filesFor(len(charges))
	for i, part := range splitByContact(charges, files, t.names) {
		t.sort(part)
		key := chargesKey(t.runKey, d, i)
		staged, err := writer.StageParquet(t.ctx, t.out, key, writer.ChargesSchema(), t.frames(d, part))
		if err != nil {
			return err
		}
		t.mu.Lock()
		t.staged = append(t.staged, staged)
		t.mu.Unlock()
	}
	return nil
}

func chargesKey(runKey string, d reconcile.Date, file int) string {
	return fmt.Sprintf("%scharges/%s/part-%04d.parquet", runKey, d, file)
}

// filesFor is the number of files for n charges of one date: a power of two.
func filesFor(n int) int {
	files := 1
	for files < chargeFilesMax && n > files*chargeRowsMax {
		files *= 2
	}
	return files
}

// splitByContact splits charges by the upper bits of the hash of the
// contact's text.
func splitByContact(charges []charge, files int, names *reader.Names) [][]charge {
	if files == 1 {
		return [][]charge{charges}
	}
	parts := make([][]charge, files)
	var text []byte
	for _, c := range charges {
		text = appendContact(text[:0], c.Contact, names)
		bucket := bucketOf(xxhash.Sum64(text), files)
		parts[bucket] = append(parts[bucket], c)
	}
	return parts
}

func appendContact(b []byte, c reconcile.Contact, names *reader.Names) []byte {
	if name, opaque := c.Opaque(); opaque {
		return append(b, names.Text(name)...)
	}
	return c.AppendDigits(b)
}

// sort puts charges in the order of the table: account_id, business_number,
// contact, opened_at, category.
func (t *chargeTables) sort(charges []charge) {
	accounts := t.ranks(charges, func(c *charge) reconcile.Name { return c.Account })
	numbers := t.ranks(charges, func(c *charge) reconcile.Name { return c.Business })
	slices.SortFunc(charges, func(a, b charge) int {
		if a.Account != b.Account {
			return cmp.Compare(accounts[a.Account], accounts[b.Account])
		}
		if a.Business != b.Business {
			return cmp.Compare(numbers[a.Business], numbers[b.Business])
		}
		if a.Contact != b.Contact {
			return t.compareContacts(a.Contact, b.Contact)
		}
		return cmp.Or(cmp.Compare(a.openedAt, b.openedAt), cmp.Compare(a.category, b.category))
	})
}

// ranks numbers the texts that occur in their byte order.
func (t *chargeTables) ranks(charges []charge, of func(*charge) reconcile.Name) map[reconcile.Name]int {
	ranks := make(map[reconcile.Name]int)
	for i := range charges {
		ranks[of(&charges[i])] = 0
	}
	names := make([]reconcile.Name, 0, len(ranks))
	for n := range ranks {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b reconcile.Name) int { return strings.Compare(t.names.Text(a), t.names.Text(b)) })
	for i, n := range names {
		ranks[n] = i
	}
	return ranks
}

func (t *chargeTables) compareContacts(a, b reconcile.Contact) int {
	if order, ok := a.CompareDigits(b); ok {
		return order
	}
	return slices.Compare(appendContact(nil, a, t.names), appendContact(nil, b, t.names))
}

// frameRows is how many charges go to the writer at a time.
const frameRows = 16 << 10

func (t *chargeTables) frames(d reconcile.Date, charges []charge) iter.Seq2[writer.Frame, error] {
	return func(yield func(writer.Frame, error) bool) {
		for piece := range slices.Chunk(charges, frameRows) {
			if !yield(t.frame(d, piece), nil) {
				return
			}
		}
	}
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
const commitsInFlight = 8

// abort gives up what is not committed.
func (t *chargeTables) abort() {
	for _, s := range t.staged {
		s.Abort()
	}
}
