package batch

import (
	"bytes"
	"cmp"
	"iter"
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
	names  *reader.Names
	buffer *frameBuffer
}

// chargeRef is a charge's place in the order: first all of its key that can
// be compared as numbers, then where to find it.
type chargeRef struct {
	pair     uint64 // rank of the account, rank of the business number
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
	accounts := ranks(shares, names, func(g *group) reconcile.Name { return g.account })
	numbers := ranks(shares, names, func(g *group) reconcile.Name { return g.business })
	for _, s := range shares {
		texts := make([]groupText, len(s.groups))
		for i := range s.groups {
			g := &s.groups[i]
			texts[i] = textOf(g, names)
			texts[i].pair = uint64(accounts[g.account])<<32 | uint64(numbers[g.business])
		}
		l.texts = append(l.texts, texts)
	}
	return l
}

func (l *layout) len() int {
	n := 0
	for _, s := range l.shares {
		n += s.len()
	}
	return n
}

// ranks numbers the texts that occur in their byte order.
func ranks(shares []*dateCharges, names *reader.Names, of func(*group) reconcile.Name) map[reconcile.Name]uint32 {
	ranks := make(map[reconcile.Name]uint32)
	for _, s := range shares {
		for i := range s.groups {
			ranks[of(&s.groups[i])] = 0
		}
	}
	sorted := make([]reconcile.Name, 0, len(ranks))
	for n := range ranks {
		sorted = append(sorted, n)
	}
	slices.SortFunc(sorted, func(a, b reconcile.Name) int { return strings.Compare(names.Text(a), names.Text(b)) })
	for i, n := range sorted {
		ranks[n] = uint32(i)
	}
	return ranks
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
					text = appendContact(text[:0], charge.contact, l.names)
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

func appendContact(b []byte, c reconcile.Contact, names *reader.Names) []byte {
	if name, opaque := c.Opaque(); opaque {
		return append(b, names.Text(name)...)
	}
	return c.AppendDigits(b)
}

// sort puts charges in the order of the table: account_id, business_number,
// contact, opened_at, category.
func (l *layout) sort(refs []chargeRef) {
	slices.SortFunc(refs, func(a, b chargeRef) int {
		if a.pair != b.pair {
			return cmp.Compare(a.pair, b.pair)
		}
		order := cmp.Compare(a.contact, b.contact)
		if a.contact == opaqueContact || b.contact == opaqueContact {
			order = l.compareContacts(&a, &b)
		}
		return cmp.Or(order, cmp.Compare(a.openedAt, b.openedAt), cmp.Compare(a.category, b.category))
	})
}

func (l *layout) compareContacts(a, b *chargeRef) int {
	x, _, _ := l.at(a)
	y, _, _ := l.at(b)
	return bytes.Compare(appendContact(nil, x.contact, l.names), appendContact(nil, y.contact, l.names))
}

// at finds a charge, the id of the message that opened it, and the texts of
// its group.
func (l *layout) at(ref *chargeRef) (c *charge, openedBy []byte, g *groupText) {
	chunk := l.shares[ref.share].chunks[ref.index/chunkCharges]
	c = &chunk.charges[ref.index%chunkCharges]
	return c, chunk.ids[c.idStart:c.idEnd], &l.texts[ref.share][c.group]
}

// frameRows is how many rows go to the writer at a time.
const frameRows = 16 << 10

func (l *layout) frames(refs []chargeRef) iter.Seq2[writer.Frame, error] {
	return func(yield func(writer.Frame, error) bool) {
		for piece := range slices.Chunk(refs, frameRows) {
			if !yield(l.frame(piece), nil) {
				return
			}
		}
	}
}
