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
)

// layout puts the charges of one billing date, as the shards have given them,
// in the order of their table: account_id, business_number, contact,
// opened_at, category. They are dealt to the business numbers first, so that
// what is then sorted and laid out lies close together in memory.
type layout struct {
	date    reconcile.Date
	names   *reader.Names
	codes   []groupCode // of the groups of all shares, by code
	columns groupColumns
	files   int
	numbers []numberText // business numbers of accounts, in order
	dealt   dealt
	buffer  *frameBuffer
}

// newLayout deals charges to a number of files.
func newLayout(d reconcile.Date, shares []*dateCharges, files int, names *reader.Names, buffer *frameBuffer) *layout {
	l := &layout{date: d, names: names, files: files, buffer: buffer}
	ranks := l.ranks(shares)
	var groups []groupText
	for _, s := range shares {
		for i := range s.groups {
			g := &s.groups[i]
			groups = append(groups, textOf(g, names))
			l.codes = append(l.codes, groupCode{ranks[numberOf{g.account, g.business}], g.category})
		}
	}
	l.columns = newGroupColumns(groups, d)
	l.dealt = deal(shares, l)
	return l
}

// groupCode is what the order of charges depends on in their group.
type groupCode struct {
	number   uint32 // the place of its business number in the order of accounts and numbers
	category reconcile.Category
}

// numberOf is a business number of an account.
type numberOf struct{ account, business reconcile.Name }

type numberText struct{ account, business string }

// ranks numbers the business numbers that occur in the byte order of the
// account's text and their own.
func (l *layout) ranks(shares []*dateCharges) map[numberOf]uint32 {
	ranks := make(map[numberOf]uint32)
	for _, s := range shares {
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
		l.numbers = append(l.numbers, numberText{l.names.Text(n.account), l.names.Text(n.business)})
	}
	return ranks
}

// chargeKey is a charge's place in the order among those of its business
// number, in two numbers, of which the second tells the charge as well.
type chargeKey struct {
	contact uint64 // Contact.Order, or opaqueContact
	rest    uint64 // opened_at, category, and which charge of the pile it is
}

// opaqueContact stands for a contact that is no number: its text has to be
// compared.
const opaqueContact = math.MaxUint64

// The parts of chargeKey.rest. What is left, 28 bits,
// is more than the 25 hours of a billing date in ms.
const (
	indexBits    = 32
	categoryBits = 4
)

func (k chargeKey) index() uint32 { return uint32(k.rest) }

// sorted gives the keys of a pile of charges in their order. The keys are
// valid until the next call.
func (l *layout) sorted(pile []dealtCharge) []chargeKey {
	keys, opaque := l.buffer.keys[:0], false
	earliest := int64(math.MaxInt64)
	for i := range pile {
		earliest = min(earliest, pile[i].openedAt)
	}
	for i := range pile {
		c := &pile[i]
		order, ok := c.contact.Order()
		if !ok {
			order, opaque = opaqueContact, true
		}
		keys = append(keys, chargeKey{order,
			uint64(c.openedAt-earliest)<<(indexBits+categoryBits) | uint64(c.category)<<indexBits | uint64(i)})
	}
	l.buffer.keys = keys
	if opaque {
		slices.SortFunc(keys, func(a, b chargeKey) int {
			return cmp.Or(compareContacts(pile[a.index()].contact, pile[b.index()].contact, l.names), cmp.Compare(a.rest, b.rest))
		})
		return keys
	}
	l.buffer.spareKeys = slices.Grow(l.buffer.spareKeys[:0], len(keys))
	sortKeys(keys, l.buffer.spareKeys[:len(keys)])
	return keys
}

func compareContacts(a, b reconcile.Contact, names *reader.Names) int {
	if a == b {
		return 0
	}
	return bytes.Compare(names.AppendContact(nil, a), names.AppendContact(nil, b))
}

// frames lays out the charges of a file.
func (l *layout) frames(file int) iter.Seq2[writer.Frame, error] {
	return func(yield func(writer.Frame, error) bool) {
		f := l.buffer
		f.reset()
		for i, number := range l.numbers {
			pile := l.dealt.pile(file*len(l.numbers) + i)
			f.id.begin(number.account, number.business)
			keys := l.sorted(pile)
			f.ahead.bytes(l.dealt.idsOf(pile))
			for _, key := range keys {
				f.add(l, &pile[key.index()])
				if f.rows() < writer.FrameRows {
					continue
				}
				if !yield(f.frame(l), nil) {
					return
				}
				f.reset()
			}
		}
		if f.rows() > 0 {
			yield(f.frame(l), nil)
		}
	}
}
