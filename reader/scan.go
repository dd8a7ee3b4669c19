package reader

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v17/parquet"

	"waconcile/reconcile"
)

// scanner decodes one file at a time. Its memory and what it knows of texts
// are kept from file to file.
type scanner struct {
	words     *vocabulary
	tables    [fieldCount]*tokenTable // nil for those that are no names
	columns   [fieldCount]columnReader
	blockRows int

	// Of the file.
	r     io.ReaderAt
	key   string
	meta  *fileMeta
	day   reconcile.Date
	row   int64 // of the next block's first row
	timed bool  // it has a time of delivery or of reading

	// Of the block.
	block               Block
	direction, category []uint32 // tokens
	status, kind        []uint32
	texts               []parquet.ByteArray
	indexes             []uint32
	contacts            []reconcile.Contact // of the entries of the row group's dictionary; 0 where not met yet
	int96s              []parquet.Int96
	verdicts            []verdict
	at                  field // being decoded
}

func newScanner(names *Names, ignoreTypes []string, blockRows int) *scanner {
	words := newVocabulary(names, ignoreTypes)
	s := &scanner{words: words, blockRows: blockRows}
	for f, resolve := range map[field]func([]byte) uint32{
		fieldAccountID:      words.name,
		fieldBusinessNumber: words.business,
		fieldDirection:      words.direction,
		fieldType:           words.messageType,
		fieldCategory:       words.category,
		fieldStatus:         words.status,
		fieldContactCountry: words.country,
	} {
		s.tables[f] = newTokenTable(resolve)
	}
	undo := newDecompressor()
	for f := range s.columns {
		s.columns[f].pages.undo = undo
	}
	s.direction = make([]uint32, blockRows)
	s.category = make([]uint32, blockRows)
	s.status = make([]uint32, blockRows)
	s.kind = make([]uint32, blockRows)
	s.texts = make([]parquet.ByteArray, blockRows)
	s.indexes = make([]uint32, blockRows)
	return s
}

func (s *scanner) begin(r io.ReaderAt, key string, meta *fileMeta, day reconcile.Date) {
	s.r, s.key, s.meta, s.day, s.row = r, key, meta, day, 0
	s.timed = meta.columns[fieldDeliveredAt].leaf >= 0 || meta.columns[fieldReadAt].leaf >= 0
}

// end lets go of the file.
func (s *scanner) end() {
	s.r, s.meta = nil, nil
	for f := range s.columns {
		s.columns[f].close()
	}
	clear(s.texts)
}

// groups decodes the row groups that hold usable rows sent before an instant,
// or all of them where that is reconcile.NoTime.
func (s *scanner) groups(ctx context.Context, before int64, yield func(*Block) error) error {
	for i := range s.meta.groups {
		g := &s.meta.groups[i]
		if before != reconcile.NoTime {
			wanted, err := s.holdsSent(ctx, g, before)
			if err != nil {
				return err
			}
			if !wanted {
				s.row += g.rows
				continue
			}
		}
		s.openGroup(g)
		for left := g.rows; left > 0; left -= s.block.Read {
			if err := s.advance(ctx, g, left, s.decode); err != nil {
				return err
			}
			if err := yield(&s.block); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdsSent says whether a row group holds a row sent before an instant that
// is no bad timestamp. Where the statistics leave that open, and a single row
// of 1970 is enough for that, the column sent_at is decoded, and no other.
func (s *scanner) holdsSent(ctx context.Context, g *groupMeta, before int64) (bool, error) {
	if g.oldest >= reconcile.EarliestSent { // and so not reconcile.NoTime
		return g.oldest < before, nil
	}
	start := s.row
	defer func() { s.row = start }()
	s.openColumn(g, fieldSentAt)
	for left := g.rows; left > 0; left -= s.block.Read {
		if err := s.advance(ctx, g, left, s.decodeSent); err != nil {
			return false, err
		}
		for _, sent := range s.block.Rows.SentAt {
			if reconcile.EarliestSent <= sent && sent < before {
				return true, nil
			}
		}
	}
	return false, nil
}

// advance decodes the next block of a row group of which left rows are left.
func (s *scanner) advance(ctx context.Context, g *groupMeta, left int64, decode func(*groupMeta, int) error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("read %s: %w", s.key, context.Cause(ctx))
	}
	n := int(min(left, int64(s.blockRows)))
	if err := guard(func() error { return decode(g, n) }); err != nil {
		return fileError(s.key, s.located(err))
	}
	s.block.Read = int64(n)
	s.row += int64(n)
	return nil
}

// located adds the column that was being decoded to an error.
func (s *scanner) located(err error) error {
	return &columnError{s.meta.columns[s.at].name, err}
}

func (s *scanner) openGroup(g *groupMeta) {
	for f := range fieldCount {
		s.openColumn(g, f)
	}
}

func (s *scanner) openColumn(g *groupMeta, f field) {
	if bound := &s.meta.columns[f]; bound.leaf >= 0 {
		s.columns[f].open(s.r, bound, g.chunks[f], g.rows)
	}
}

// decodeSent fills the block's column sent_at, and no other, with the next n
// rows of the row group.
func (s *scanner) decodeSent(g *groupMeta, n int) error {
	s.at = fieldSentAt
	r := &s.block.Rows
	r.SentAt = resized(r.SentAt, n)
	if err := s.decodeField(fieldSentAt, n); err != nil {
		return err
	}
	return s.checkOldest(g)
}

// decode fills the block with the next n rows of the row group.
func (s *scanner) decode(g *groupMeta, n int) error {
	s.block.Rows.Reset()
	s.block.Rejects = s.block.Rejects[:0]
	s.block.Misplaced = 0
	s.grow(n)
	for f := range fieldCount {
		s.at = f
		if err := s.decodeField(f, n); err != nil {
			return err
		}
	}
	if err := s.checkOldest(g); err != nil {
		return err
	}
	s.judge(n)
	return nil
}

// grow gives the block's columns n rows, but for the message ids.
func (s *scanner) grow(n int) {
	r := &s.block.Rows
	r.Account, r.Business = resized(r.Account, n), resized(r.Business, n)
	r.Contact = resized(r.Contact, n)
	r.Type, r.Country = resized(r.Type, n), resized(r.Country, n)
	r.Kind, r.Category, r.Status = resized(r.Kind, n), resized(r.Category, n), resized(r.Status, n)
	r.SentAt, r.DeliveredAt, r.ReadAt = resized(r.SentAt, n), resized(r.DeliveredAt, n), resized(r.ReadAt, n)
}

// resized is s with n entries, whatever they hold.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// checkOldest refuses a file whose statistics do not hold: what is read at
// all is decided by them.
func (s *scanner) checkOldest(g *groupMeta) error {
	for i, sent := range s.block.Rows.SentAt {
		if sent < g.oldest && sent != reconcile.NoTime {
			s.at = fieldSentAt
			return &rowError{s.row + int64(i), fmt.Errorf("sent_at %s is before %s, the smallest by the statistics", instant(sent), instant(g.oldest))}
		}
	}
	return nil
}
