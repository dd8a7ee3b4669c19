package writer

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"

	"github.com/xitongsys/parquet-go/parquet"
	"golang.org/x/sync/errgroup"
)

// ReadBack reads the files of a run, as their writers have described them,
// back from where they lie, before a manifest names them. Of every file it
// compares size and sha256; of every Parquet file also the rows of the footer
// and of each row group; and of some row groups, through another
// implementation of Parquet than the one that wrote them, the totals of each
// column of counts or amounts with those that were kept while writing. Which
// row groups follows from the sha256 of the file: at least one, and at least
// every twentieth row of the file. Each byte is asked of its store once; a
// few are looked at at the same time.
//
// The error matches ErrVerify where a file is not what was written. Any other
// means that the store could not be read.
func ReadBack(ctx context.Context, t Target, run string, files []FileEntry) error {
	return readBackAll(ctx, t, run, files, func(ctx context.Context, f *FileEntry, c *content) error {
		if s, isTable := f.schemaOf(); isTable && strings.HasSuffix(f.Name, parquetExt) {
			return f.checkSample(ctx, c, s)
		}
		return nil
	})
}

// ReadBackRun is ReadBack of a run that was written before, of which there is
// only its manifest m: size and sha256 of every file, and the columns and rows
// in the footer of every Parquet file.
func ReadBackRun(ctx context.Context, t Target, m *Manifest) error {
	return readBackAll(ctx, t, m.RunKey(), m.Files, func(_ context.Context, f *FileEntry, c *content) error {
		_, s, isTable := m.SchemaOf(f.Name)
		if !isTable || !strings.HasSuffix(f.Name, parquetExt) {
			return nil
		}
		r, err := openBack(c, c.size, s)
		if err != nil {
			return err
		}
		if rows := r.footerRows(); rows != f.Rows {
			return fmt.Errorf("the footer has %d rows, the manifest has %d", rows, f.Rows)
		}
		return nil
	})
}

// readBackAll reads files and looks into each whose bytes are those that were
// written.
func readBackAll(ctx context.Context, t Target, run string, files []FileEntry, look lookInto) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, f := range files {
		g.Go(func() error {
			if err := readBack(ctx, t, run+f.Name, &f, look); err != nil {
				return fmt.Errorf("read back %s%s: %w", run, f.Name, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// lookInto says what is wrong with the content of a file.
type lookInto func(context.Context, *FileEntry, *content) error

func readBack(ctx context.Context, t Target, key string, f *FileEntry, look lookInto) (err error) {
	stored, err := t.Open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: the file is not there", ErrVerify)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stored.Close()) }()
	content, err := fetch(stored)
	if err != nil {
		return err
	}
	problem := f.checkBytes(content.size, content.sha256)
	if problem == nil {
		problem = look(ctx, f, content)
	}
	if err := content.release(); err != nil {
		return err
	}
	if problem != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrVerify, problem)
	}
	return ctx.Err()
}

// checkSample looks into a table whose bytes are those that were written.
func (f *FileEntry) checkSample(ctx context.Context, content *content, s Schema) error {
	r, err := openBack(content, content.size, s)
	if err != nil {
		return err
	}
	groups := r.pr.Footer.GetRowGroups()
	if err := f.checkFooter(r.footerRows(), groups); err != nil {
		return err
	}
	for _, i := range f.sampled() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.onlyGroup(groups, i)
		if err := r.checkGroup(&f.Groups[i]); err != nil {
			return fmt.Errorf("row group %d: %w", i, err)
		}
	}
	return nil
}

// checkFooter compares the rows that the footer tells of with those that were
// written, in all and in each row group and column chunk.
func (f *FileEntry) checkFooter(rows int64, groups []*parquet.RowGroup) error {
	if rows != f.Rows {
		return fmt.Errorf("the footer has %d rows, %d were written", rows, f.Rows)
	}
	if len(groups) != len(f.Groups) {
		return fmt.Errorf("the footer has %d row groups, %d were written", len(groups), len(f.Groups))
	}
	for i, g := range groups {
		want := f.Groups[i].Rows
		if g.GetNumRows() != want {
			return fmt.Errorf("row group %d: the footer has %d rows, %d were written", i, g.GetNumRows(), want)
		}
		for _, c := range g.GetColumns() {
			if n := c.GetMetaData().GetNumValues(); n != want {
				return fmt.Errorf("row group %d: the footer has %d values of a column, %d were written", i, n, want)
			}
		}
	}
	return nil
}

// sampledOneIn: at least one row in so many is read back.
const sampledOneIn = 20

// sampled are the numbers of the row groups to be read: in an order that
// follows from the file's sha256, as many as it takes.
func (f *FileEntry) sampled() []int {
	var seed [16]byte
	_, _ = hex.Decode(seed[:], []byte(f.SHA256[:2*len(seed)])) // checkBytes has compared it
	order := rand.New(rand.NewPCG(binary.BigEndian.Uint64(seed[:8]), binary.BigEndian.Uint64(seed[8:]))).Perm(len(f.Groups))
	rows := int64(0)
	for n, i := range order {
		if rows += f.Groups[i].Rows; rows*sampledOneIn >= f.Rows {
			return slices.Sorted(slices.Values(order[:n+1]))
		}
	}
	return order
}

// checkGroup adds up the columns of the row group that r is at.
func (r *backReader) checkGroup(want *RowGroup) error {
	totals := newTotals(r.schema)
	for i := range totals {
		if !totals[i].summed() {
			continue
		}
		for left := want.Rows; left > 0; {
			n := min(left, readBackRows)
			c, err := r.column(i, int(n))
			if err != nil {
				return err
			}
			totals[i].addColumn(&c)
			left -= n
		}
	}
	return sameTotals(r.schema, totalsText(totals), want.Totals, "the writer had")
}
