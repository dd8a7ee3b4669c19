package checkpoint

import (
	"cmp"
	"context"
	"fmt"

	"waconcile/batch/spill"
	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// Spilled is a state that lies in a temporary file, since it is made from
// parts that memory does not hold at once. No pair may be in two of the parts.
type Spilled struct {
	file   *spill.File
	tables []*spill.Runs // as tables() has them
}

// NewSpilled makes one without parts.
func NewSpilled() *Spilled {
	s := &Spilled{file: spill.NewFile("waconcile-state-*")}
	for _, t := range tables() {
		s.tables = append(s.tables, &spill.Runs{File: s.file, Columns: len(t.schema), Compare: compareRows})
	}
	return s
}

// pairTexts is the number of columns that name a pair: pairColumns.
const pairTexts = 3

// compareRows is the order of pairs, whose texts are the first columns of
// every table. What follows is in order within a part.
func compareRows(a, b spill.Row) int {
	for i := range pairTexts {
		if order := cmp.Compare(a.Frame.Columns[i].Text[a.Index], b.Frame.Columns[i].Text[b.Index]); order != 0 {
			return order
		}
	}
	return 0
}

// Add writes a part.
func (s *Spilled) Add(states []*reconcile.State, names *reader.Names) error {
	sorted := sortState(states, names)
	for i, t := range tables() {
		if err := s.tables[i].Add(t.frames(sorted)); err != nil {
			return err
		}
	}
	return nil
}

// Close gives the temporary file back.
func (s *Spilled) Close() error { return s.file.Close() }

// WriteSpilled does what Write does, for a state of parts. The key follows
// from the bytes, which are made twice, so that they are never held.
func WriteSpilled(ctx context.Context, to writer.Store, h Header, s *Spilled) (key string, err error) {
	defer func() { err = writing(h.Day, err) }()
	all := tables()
	h.Files = nil
	for i, t := range all {
		entry, err := writer.MeasureParquet(ctx, t.file(), t.schema, s.tables[i].Merge())
		if err != nil {
			return "", err
		}
		h.Files = append(h.Files, entry)
	}
	return put(ctx, to, &h, func(key string, i int) error {
		entry, err := writer.WriteParquet(ctx, to, key, all[i].schema, s.tables[i].Merge())
		if err == nil && entry.SHA256 != h.Files[i].SHA256 {
			err = fmt.Errorf("%s came out as other bytes the second time", key)
		}
		return err
	})
}
