package reader

import (
	"context"
	"slices"

	"waconcile/reconcile"
)

// AccountIDs gives the account ids of the first rows of o, at least one row
// group and no more after rowsMax rows, each once and in order, and how many
// rows these are. No other column is decoded, and a row that would be rejected
// counts. It fails as Scan does.
func (e *Exports) AccountIDs(ctx context.Context, o Object, rowsMax int64) (ids []string, rows int64, err error) {
	err = e.with(ctx, o, func(f File) error {
		meta, err := e.footer(o, f)
		if err != nil {
			return err
		}
		s := e.scanners.Get().(*scanner)
		s.begin(f, o.Key, meta, 0)
		found := make(map[reconcile.Name]bool)
		for i := range meta.groups {
			if s.row >= rowsMax && i > 0 {
				break
			}
			if err := s.accountIDs(ctx, &meta.groups[i], found); err != nil {
				return err // a panic may have left anything in s
			}
		}
		rows = s.row
		s.end()
		e.scanners.Put(s)
		for name := range found {
			ids = append(ids, e.names.Text(name))
		}
		slices.Sort(ids)
		return nil
	})
	return ids, rows, err
}

// accountIDs adds the accounts of a row group to found.
func (s *scanner) accountIDs(ctx context.Context, g *groupMeta, found map[reconcile.Name]bool) error {
	s.openColumn(g, fieldAccountID)
	decode := func(_ *groupMeta, n int) error {
		s.at = fieldAccountID
		s.block.Rows.Account = resized(s.block.Rows.Account, n)
		return s.decodeField(fieldAccountID, n)
	}
	for left := g.rows; left > 0; left -= s.block.Read {
		if err := s.advance(ctx, g, left, decode); err != nil {
			return err
		}
		for _, name := range s.block.Rows.Account {
			if name != 0 { // the empty text, which makes the row a reject
				found[name] = true
			}
		}
	}
	return nil
}
