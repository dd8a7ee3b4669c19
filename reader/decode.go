package reader

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/parquet"

	"waconcile/reconcile"
)

// decodeField decodes the next n rows of one column into the block.
func (s *scanner) decodeField(f field, n int) error {
	r := &s.block.Rows
	switch f {
	case fieldMessageID:
		return s.decodeIDs(n)
	case fieldContact:
		return s.decodeContacts(n)
	case fieldSentAt:
		return s.decodeTimes(f, r.SentAt[:n])
	case fieldDeliveredAt:
		return s.decodeTimes(f, r.DeliveredAt[:n])
	case fieldReadAt:
		return s.decodeTimes(f, r.ReadAt[:n])
	case fieldAccountID:
		return decodeTokens(s, f, r.Account[:n])
	case fieldBusinessNumber:
		return decodeTokens(s, f, r.Business[:n])
	case fieldContactCountry:
		return decodeTokens(s, f, r.Country[:n])
	case fieldDirection:
		return decodeTokens(s, f, s.direction[:n])
	case fieldType:
		return decodeTokens(s, f, s.kind[:n])
	case fieldCategory:
		return decodeTokens(s, f, s.category[:n])
	default:
		return decodeTokens(s, f, s.status[:n])
	}
}

// decodeTokens decodes a column of names or of an enumeration.
func decodeTokens[T ~uint32](s *scanner, f field, out []T) error {
	if s.meta.columns[f].leaf < 0 {
		clear(out)
		return nil
	}
	table, c := s.tables[f], &s.columns[f]
	entry := func(i int) (uint32, error) { return table.text(c.pages.dict.text(i)) }
	for len(out) > 0 {
		part, err := c.step(len(out))
		if err != nil {
			return err
		}
		if part.byDict {
			err = entries(s, c, part, &table.entries, out, entry)
		} else if err = c.texts(part, s.texts); err == nil {
			err = fillTokens(table, s.texts[:part.values], out)
		}
		if err != nil {
			return err
		}
		spread(out, part, 0)
		out = out[part.rows:]
	}
	return nil
}

// entries decodes a span of texts by dictionary to what they stand for, which
// known remembers for the dictionary of the row group.
func entries[K, T ~uint32 | ~uint64](s *scanner, c *columnReader, part span, known *[]K, out []T, resolve func(int) (K, error)) error {
	if !c.dictionaryKnown {
		*known = resized(*known, c.pages.dict.values)
		clear(*known)
		c.dictionaryKnown = true
	}
	indexes := s.indexes[:part.values]
	if err := c.indexes.decode(indexes); err != nil {
		return damaged(err)
	}
	return lookUp(out, indexes, *known, resolve)
}

func (s *scanner) decodeIDs(n int) error {
	ids, c := &s.block.Rows.ID, &s.columns[fieldMessageID]
	for n > 0 {
		part, err := c.step(n)
		if err != nil {
			return err
		}
		if part.plain && part.present == nil {
			err = c.appendTexts(ids, part.values)
		} else if err = c.texts(part, s.texts); err == nil {
			appendSpan(ids, part, s.texts)
		}
		if err != nil {
			return err
		}
		n -= part.rows
	}
	return s.checkIDs()
}

// appendSpan appends the values of a span to t, and the empty text for nulls.
func appendSpan(t *reconcile.Texts, s span, values []parquet.ByteArray) {
	next := 0
	for i := range s.rows {
		if s.present != nil && s.present[i] == 0 {
			t.Append(nil)
			continue
		}
		t.Append(values[next])
		next++
	}
}

// checkIDs refuses ids that are not UTF-8, which no table could hold. Ids are
// ASCII but for rare exceptions, and those are told from each other one by one.
func (s *scanner) checkIDs() error {
	ids := &s.block.Rows.ID
	if isASCII(ids.Bytes) {
		return nil
	}
	for i := range ids.Ends {
		if !utf8.Valid(ids.At(i)) {
			return &rowError{s.row + int64(i), errNotUTF8}
		}
	}
	return nil
}

func isASCII(text []byte) bool {
	for ; len(text) >= 8; text = text[8:] {
		if binary.LittleEndian.Uint64(text)&0x8080808080808080 != 0 {
			return false
		}
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (s *scanner) decodeContacts(n int) error {
	out, c := s.block.Rows.Contact[:n], &s.columns[fieldContact]
	entry := func(i int) (reconcile.Contact, error) { return s.words.contact(c.pages.dict.text(i)) }
	for len(out) > 0 {
		part, err := c.step(len(out))
		if err != nil {
			return err
		}
		if part.byDict {
			err = entries(s, c, part, &s.contacts, out, entry)
		} else if part.plain {
			err = s.plainContacts(c, out[:part.values])
		} else if err = c.texts(part, s.texts); err == nil {
			err = s.words.fillContacts(s.texts[:part.values], out)
		}
		if err != nil {
			return err
		}
		spread(out, part, noContact)
		out = out[part.rows:]
	}
	return nil
}

// plainContacts decodes contacts in plain encoding, in one go: exports have a
// contact in every few rows, so that a dictionary of them does not pay.
func (s *scanner) plainContacts(c *columnReader, out []reconcile.Contact) error {
	rest := c.rest
	for i := range out {
		end := plainTextEnd(rest)
		if end < 0 {
			return damaged(plainTextError(rest))
		}
		contact, err := s.words.contact(rest[plainTextHead:end])
		if err != nil {
			return err
		}
		out[i], rest = contact, rest[end:]
	}
	c.rest = rest
	return nil
}

// decodeTimes decodes a column of timestamps to milliseconds.
func (s *scanner) decodeTimes(f field, out []int64) error {
	bound := &s.meta.columns[f]
	if bound.leaf < 0 {
		for i := range out {
			out[i] = reconcile.NoTime
		}
		return nil
	}
	c := &s.columns[f]
	for len(out) > 0 {
		part, err := c.step(len(out))
		if err != nil {
			return err
		}
		if err := s.decodeMillis(c, bound.unit, part, out); err != nil {
			return err
		}
		spread(out, part, reconcile.NoTime)
		out = out[part.rows:]
	}
	return nil
}

// decodeMillis decodes the values of a span to milliseconds.
func (s *scanner) decodeMillis(c *columnReader, unit timeUnit, part span, out []int64) error {
	out = out[:part.values]
	if unit == unitInt96 {
		s.int96s = resized(s.int96s, s.blockRows)
		if err := readBatch(c, part, s.int96s); err != nil {
			return err
		}
		for i := range out {
			out[i] = int96Millis(&s.int96s[i])
		}
		return nil
	}
	if err := c.int64s(part, out); err != nil {
		return err
	}
	for i, v := range out {
		out[i] = unit.millis(v)
	}
	return nil
}
