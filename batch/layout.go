package batch

import (
	"bytes"
	"cmp"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/cespare/xxhash/v2"
)

// layout puts the charges of one billing date, as the shards have given them,
// in the order of their table. What is sorted is not the charges but a key of
// each.
type layout struct {
	date   reconcile.Date
	shares []*dateCharges
	texts  [][]groupText // of each share's groups
	pairs  int           // of account and business number, numbered in their order
	names  *reader.Names
	buffer *frameBuffer
}

// chargeRef is a charge's place in the order: first all of its key that can
// be compared as numbers, then where to find it.
type chargeRef struct {
	pair     uint32 // rank of the account and business number
	contact  uint64 // Contact.Order, or opaqueContact
	openedAt int64
	category reconcile.Category
	share    uint16
	index    uint32 // chunk and charge within the share
}

// opaqueContact stands for a contact that is no number: its text has to be
// compared.
const opaqueContact = math.MaxUint64

func newLayout(d reconcile.Date, shares []*dateCharges, names *reader.Names, buffer *frameBuffer) *layout {
	l := &layout{date: d, shares: shares, names: names, buffer: buffer}
	ranks := l.ranks()
	for _, s := range shares {
		texts := make([]groupText, len(s.groups))
		for i := range s.groups {
			g := &s.groups[i]
			texts[i] = textOf(g, names)
			texts[i].pair = ranks[numberOf{g.account, g.business}]
		}
		l.texts = append(l.texts, texts)
	}
	return l
}

// numberOf is a business number of an account.
type numberOf struct{ account, business reconcile.Name }

// ranks numbers the business numbers that occur in the byte order of the
// account's text and their own.
func (l *layout) ranks() map[numberOf]uint32 {
	ranks := make(map[numberOf]uint32)
	for _, s := range l.shares {
		for i := range s.groups {
			ranks[numberOf{s.groups[i].account, s.groups[i].business}] = 0
		}
	}
	sorted := slices.SortedFunc(maps.Keys(ranks), func(a, b numberOf) int {
		return cmp.Or(strings.Compare(l.names.Text(a.account), l.names.Text(b.account)),
			strings.Compare(l.names.Text(a.business), l.names.Text(b.business)))
	})
	for i, n := range sorted {
		ranks[n] = uint32(i)
	}
	l.pairs = len(sorted)
	return ranks
}

func (l *layout) len() int {
	n := 0
	for _, s := range l.shares {
		n += s.len()
	}
	return n
}

// split deals the charges to files by the upper bits of the hash of the
// contact's text.
func (l *layout) split(files int) [][]chargeRef {
	parts := make([][]chargeRef, files)
	for i := range parts {
		parts[i] = make([]chargeRef, 0, l.len()/files+l.len()/files/8)
	}
	var text []byte
	for s, share := range l.shares {
		for c, chunk := range share.chunks {
			for i := range chunk.charges {
				file, charge := 0, &chunk.charges[i]
				if files > 1 {
					text = l.names.AppendContact(text[:0], charge.contact)
					file = bucketOf(xxhash.Sum64(text), files)
				}
				order, ok := charge.contact.Order()
				if !ok {
					order = opaqueContact
				}
				parts[file] = append(parts[file], chargeRef{
					pair: l.texts[s][charge.group].pair, contact: order, openedAt: charge.openedAt,
					category: share.groups[charge.group].category,
					share:    uint16(s), index: uint32(c*chunkCharges + i),
				})
			}
		}
	}
	return parts
}

// sorted gives charges in the order of the table: account_id, business_number,
// contact, opened_at, category. The first two are dealt by counting, since few
// business numbers have many charges each.
func (l *layout) sorted(refs []chargeRef) []chargeRef {
	ends := make([]int, l.pairs+1) // at first of the number before
	for i := range refs {
		ends[refs[i].pair+1]++
	}
	for p := range l.pairs {
		ends[p+1] += ends[p]
	}
	sorted := make([]chargeRef, len(refs))
	for i := range refs {
		p := refs[i].pair
		sorted[ends[p]] = refs[i]
		ends[p]++
	}
	start := 0
	for _, end := range ends[:l.pairs] {
		slices.SortFunc(sorted[start:end], l.compare)
		start = end
	}
	return sorted
}

// compare is the order of one business number's charges.
func (l *layout) compare(a, b chargeRef) int {
	if a.contact == opaqueContact || b.contact == opaqueContact {
		if order := l.compareContacts(&a, &b); order != 0 {
			return order
		}
	} else if a.contact != b.contact {
		return cmp.Compare(a.contact, b.contact)
	}
	return cmp.Or(cmp.Compare(a.openedAt, b.openedAt), cmp.Compare(a.category, b.category))
}

func (l *layout) compareContacts(a, b *chargeRef) int {
	x, _, _ := l.at(a)
	y, _, _ := l.at(b)
	return bytes.Compare(l.names.AppendContact(nil, x.contact), l.names.AppendContact(nil, y.contact))
}

// at finds a charge, the id of the message that opened it, and the texts of
// its group.
func (l *layout) at(ref *chargeRef) (c *charge, openedBy []byte, g *groupText) {
	chunk := l.shares[ref.share].chunks[ref.index/chunkCharges]
	c = &chunk.charges[ref.index%chunkCharges]
	return c, chunk.ids[c.idStart:c.idEnd], &l.texts[ref.share][c.group]
}

func (l *layout) frames(refs []chargeRef) iter.Seq2[writer.Frame, error] {
	return func(yield func(writer.Frame, error) bool) {
		for piece := range slices.Chunk(refs, writer.FrameRows) {
			if !yield(l.frame(piece), nil) {
				return
			}
		}
	}
}
