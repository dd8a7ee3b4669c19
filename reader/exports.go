package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"waconcile/reconcile"
)

// ExportOptions say how exports are to be read.
type ExportOptions struct {
	// Columns gives the name in the files of a column of the contract, where
	// it is another.
	Columns map[string]string
	// IgnoreTypes are the outbound types that never count (R2), in any case.
	IgnoreTypes []string
	// BlockRows is the most rows that a block has; 0 means 8192.
	BlockRows int
}

const (
	blockRowsDefault = 8192
	blockRowsMax     = 1 << 15 // keeps the message ids of a block far below 4 GiB
)

// Validate says what is wrong with the options.
func (o *ExportOptions) Validate() error {
	if o.BlockRows < 0 || o.BlockRows > blockRowsMax {
		return fmt.Errorf("block rows %d: must be from 1 to %d", o.BlockRows, blockRowsMax)
	}
	for name, there := range o.Columns {
		if !slices.Contains(contractColumns(), name) {
			return fmt.Errorf("columns: %q is no column of an export", name)
		}
		if there == "" {
			return fmt.Errorf("columns: no name for %q", name)
		}
	}
	used := make(map[string]field)
	for f, there := range o.columnNames() {
		if other, twice := used[there]; twice {
			return fmt.Errorf("columns: %q is to be both %s and %s", there, other, field(f))
		}
		used[there] = field(f)
	}
	return nil
}

// contractColumns are all columns that the contract names, those included
// that are not decoded.
func contractColumns() []string {
	names := []string{"referral", "price", "price_currency", "provider_conversation_id", "provider_category", "billable"}
	for f := range fieldCount {
		names = append(names, f.String())
	}
	return names
}

func (o *ExportOptions) columnNames() (names [fieldCount]string) {
	for f := range fieldCount {
		names[f] = f.String()
		if there, ok := o.Columns[names[f]]; ok {
			names[f] = there
		}
	}
	return names
}

// Exports decodes message exports. Many goroutines may use it at once.
type Exports struct {
	src         Source
	names       *Names
	ignoreTypes []string
	blockRows   int
	columnNames [fieldCount]string
	scanners    sync.Pool // of *scanner: their buffers are worth keeping
}

// NewExports makes a decoder of the exports in src whose names go to names.
func NewExports(src Source, names *Names, opts ExportOptions) (*Exports, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	e := &Exports{
		src:         src,
		names:       names,
		ignoreTypes: slices.Clone(opts.IgnoreTypes),
		blockRows:   opts.BlockRows,
		columnNames: opts.columnNames(),
	}
	if e.blockRows == 0 {
		e.blockRows = blockRowsDefault
	}
	e.scanners.New = func() any { return newScanner(e.names, e.ignoreTypes, e.blockRows) }
	return e, nil
}

// Block is some rows of a file that follow each other.
type Block struct {
	Rows      reconcile.Rows
	Rejects   []reconcile.Reject
	Read      int64 // rows of the file: Rows.Len() + len(Rejects)
	Misplaced int64 // rows whose sent_at lies on another UTC day than the partition's
}

// FileInfo is what the footer of a file says.
type FileInfo struct {
	Rows int64
	// Oldest is the smallest sent_at in ms by the statistics of all row
	// groups, or reconcile.NoTime where one of them has none, or the file no
	// rows.
	Oldest int64
}

// Info reads the footer of o and checks its columns.
func (e *Exports) Info(ctx context.Context, o Object) (FileInfo, error) {
	var info FileInfo
	err := e.with(ctx, o, func(f File) error {
		meta, err := e.footer(o, f)
		if err == nil {
			info = meta.info()
		}
		return err
	})
	return info, err
}

// Scan decodes o, which lies in the partition of day, and calls yield for
// each block in the order of the rows. The block belongs to Scan again when
// yield returns. Unless before is reconcile.NoTime, row groups without a row
// sent before that instant are left out, rejects and all; a row sent before
// any message can have been, which is a reject in any case, does not count.
// Their statistics tell, or else their column sent_at, which is then decoded
// first and alone.
//
// An error of yield comes back as it is. A file that is refused gives a
// *FileError, even after blocks of it were handed out; a store that fails
// gives what its File gave. Only a nil error says that all blocks are good.
func (e *Exports) Scan(ctx context.Context, o Object, day reconcile.Date, before int64, yield func(*Block) error) error {
	return e.with(ctx, o, func(f File) error {
		meta, err := e.footer(o, f)
		if err != nil {
			return err
		}
		s := e.scanners.Get().(*scanner)
		s.begin(f, o.Key, meta, day)
		if err := s.groups(ctx, before, yield); err != nil {
			return err // a panic may have left anything in s
		}
		s.end()
		e.scanners.Put(s)
		return nil
	})
}

// with opens o for use. What Close says of a change comes before any other
// error, since a file that changes looks damaged.
func (e *Exports) with(ctx context.Context, o Object, use func(File) error) error {
	f, err := e.src.Open(ctx, o)
	if err != nil {
		return err
	}
	err = use(f)
	closed := f.Close()
	if err == nil || errors.Is(closed, ErrChanged) {
		return closed
	}
	return err
}

func (e *Exports) footer(o Object, f File) (meta *fileMeta, err error) {
	err = guard(func() error {
		meta, err = readFooter(f, f.Size(), &e.columnNames)
		return err
	})
	return meta, fileError(o.Key, err)
}

// guard turns a panic of a decoder into an error. The library panics on some
// damaged files; nothing of it is kept in use after that.
func guard(decode func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return decode()
}

// fileError is err as the caller of this package sees it.
func fileError(key string, err error) error {
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*ioError](err); ok {
		return failed.err
	}
	e := &FileError{File: key, Row: NoRow, Err: err}
	if c, ok := errors.AsType[*columnError](err); ok {
		e.Column, e.Err = c.column, c.err
	}
	if r, ok := errors.AsType[*rowError](err); ok {
		e.Row, e.Err = r.row, r.err
	}
	return e
}
