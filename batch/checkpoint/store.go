package checkpoint

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// ErrUnusable is matched by the error of a checkpoint that is there and
// cannot be used: damaged, or in part not there.
var ErrUnusable = errors.New("checkpoint cannot be used")

// Write writes the checkpoint with the given header, whose Files it fills in,
// of the states of all shards, and returns its key. One that is there whole is
// left as it is; of one that has lost a file the files are written again. The
// error matches ErrUnusable where the store does not take it, such as because gc
// is removing it.
func Write(ctx context.Context, to writer.Store, h Header, states []*reconcile.State, names *reader.Names) (key string, err error) {
	defer func() { err = writing(h.Day, err) }()
	sorted := sortState(states, names)
	files := make([][]byte, len(tables()))
	h.Files = nil
	for i, t := range tables() {
		data, entry, err := writer.EncodeParquet(ctx, t.file(), t.schema, t.frames(sorted))
		if err != nil {
			return "", err
		}
		files[i], h.Files = data, append(h.Files, entry)
	}
	return put(ctx, to, &h, func(key string, i int) error {
		_, err := writer.WriteFile(ctx, to, key, files[i])
		return err
	})
}

func writing(day string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write checkpoint of %s: %w", day, err)
}

// put writes the checkpoint with a header, the files by write, unless it is
// there.
func put(ctx context.Context, to writer.Store, h *Header, write func(key string, file int) error) (key string, err error) {
	header, err := h.encode()
	if err != nil {
		return "", err
	}
	key = keyOf(h.Day, header)
	if there, err := whole(ctx, to, key, h); there || err != nil {
		return key, err
	}
	for i, t := range tables() {
		if err := write(key+t.file(), i); err != nil {
			return "", err
		}
	}
	return key, putHeader(ctx, to, key, header)
}

// whole tells whether all of a checkpoint is there, by the sizes of its files.
func whole(ctx context.Context, in writer.Lister, key string, h *Header) (bool, error) {
	objects, err := in.List(ctx, key)
	if err != nil {
		return false, err
	}
	sizes := make(map[string]int64, len(objects))
	for _, o := range objects {
		sizes[o.Key] = o.Size
	}
	_, there := sizes[key+headerName]
	for _, f := range h.Files {
		there = there && sizes[key+f.Name] == f.Bytes
	}
	return there, nil
}

// putHeader makes the checkpoint one. What is there already must be the same:
// gc puts something else there before it removes files.
func putHeader(ctx context.Context, to writer.Target, key string, header []byte) error {
	err := to.Put(ctx, key+headerName, header, writer.Condition{})
	if !errors.Is(err, writer.ErrConflict) {
		return err
	}
	there, _, getErr := to.Get(ctx, key+headerName)
	switch {
	case errors.Is(getErr, fs.ErrNotExist): // refused for another reason than that it is there
		return fmt.Errorf("%w: %s%s: %w", ErrUnusable, key, headerName, err)
	case getErr != nil:
		return getErr
	case !bytes.Equal(there, header):
		return fmt.Errorf("%w: %s%s is there with other bytes: gc may be removing it", ErrUnusable, key, headerName)
	}
	return nil
}

// Find lists the keys of the checkpoints of the days from first to last, the
// newest first, and those of one day in the order of their hashes.
func Find(ctx context.Context, in writer.Lister, first, last reconcile.Date) ([]string, error) {
	objects, err := in.List(ctx, Prefix)
	if err != nil {
		return nil, fmt.Errorf("list checkpoints: %w", err)
	}
	var keys []string
	for _, o := range objects {
		key, ok := strings.CutSuffix(o.Key, headerName)
		day, hash, nested := strings.Cut(strings.TrimPrefix(key, Prefix), "/")
		d, err := reconcile.ParseDate(day)
		if ok && nested && err == nil && first <= d && d <= last && len(hash) == sha256.Size*2+1 {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(strings.Compare(DayOf(b), DayOf(a)), strings.Compare(a, b))
	})
	return keys, nil
}

// DayOf is the day in the key of a checkpoint.
func DayOf(key string) string {
	day, _, _ := strings.Cut(strings.TrimPrefix(key, Prefix), "/")
	return day
}

// ReadHeader reads what a checkpoint says of itself. The error matches
// ErrUnusable where it is damaged.
func ReadHeader(ctx context.Context, from writer.Target, key string) (*Header, error) {
	data, _, err := from.Get(ctx, key+headerName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read checkpoint %s: %w", key, err)
	}
	var h *Header
	if err == nil {
		if h, err = decode(data); err == nil && keyOf(h.Day, data) != key {
			err = errors.New("its name is not the sha256 of its " + headerName)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %s: %w: %w", key, ErrUnusable, err)
	}
	return h, nil
}

// Read reads the state of a checkpoint. The error matches ErrUnusable where it
// is damaged or not all there.
func Read(ctx context.Context, from writer.Target, key string, h *Header, names *reader.Names) (*reconcile.State, error) {
	l := newLoader(h, names)
	err := eachTable(key, func(i int, t *table) error {
		data, _, err := from.Get(ctx, key+t.file())
		if err != nil {
			return err
		}
		return l.table(ctx, t, data, h.Files[i])
	})
	return l.state, err
}

// ReadPart reads what a state has of the contacts that are kept, and checks
// the whole: for a state that memory may not hold.
func ReadPart(ctx context.Context, from writer.Target, key string, h *Header, names *reader.Names, keep func(reconcile.Contact) bool) (*reconcile.State, error) {
	l := newLoader(h, names)
	l.keep = keep
	err := eachTable(key, func(i int, t *table) error {
		err := writer.CheckFile(ctx, from, key, h.Files[i])
		if errors.Is(err, writer.ErrVerify) {
			return fmt.Errorf("%w: %w", ErrUnusable, err)
		}
		if err != nil {
			return err
		}
		return l.rows(t, writer.ReadTable(ctx, from, key+t.file(), t.schema), h.Files[i])
	})
	return l.state, err
}

func newLoader(h *Header, names *reader.Names) *loader {
	_, _, since := h.Days()
	l := &loader{names: names, state: &reconcile.State{At: h.At(), Since: since}}
	l.accounts(h.Sent, reconcile.BasisSent)
	l.accounts(h.Delivered, reconcile.BasisDelivered)
	return l
}

// eachTable reads the tables of a checkpoint. What is not the store's fault is
// the checkpoint's.
func eachTable(key string, read func(i int, t *table) error) error {
	for i, t := range tables() {
		err := read(i, &t)
		switch {
		case err == nil:
			continue
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("%w: %w", ErrUnusable, err)
		}
		return fmt.Errorf("read checkpoint %s%s: %w", key, t.file(), err)
	}
	return nil
}

func (l *loader) accounts(ids []string, basis reconcile.Basis) {
	for _, id := range ids {
		l.state.Accounts = append(l.state.Accounts, reconcile.AccountBasis{Account: l.names.InternString(id), Basis: basis})
	}
}

// table reads a file of which the sha256 is looked at first.
func (l *loader) table(ctx context.Context, t *table, data []byte, want writer.FileEntry) error {
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); got != want.SHA256 {
		return fmt.Errorf("%w: sha256 %s, want %s", ErrUnusable, got, want.SHA256)
	}
	return l.rows(t, writer.DecodeParquet(ctx, t.file(), data, t.schema), want)
}

// rows takes the rows of a file. Where they cannot be taken, the bytes being
// right, it is the checkpoint that is wrong, unless the store failed.
func (l *loader) rows(t *table, frames iter.Seq2[writer.Frame, error], want writer.FileEntry) error {
	rows := int64(0)
	for f, err := range frames {
		if errors.Is(err, writer.ErrStore) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnusable, err)
		}
		for i := range f.Rows {
			if err := t.load(l, &record{columns: f.Columns, row: i}); err != nil {
				return fmt.Errorf("%w: row %d: %w", ErrUnusable, rows+int64(i), err)
			}
		}
		rows += int64(f.Rows)
	}
	if rows != want.Rows {
		return fmt.Errorf("%w: %d rows, want %d", ErrUnusable, rows, want.Rows)
	}
	return nil
}
