package batch

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
)

// sorted gives the findings with their texts in the order of compareFindings.
// They are put into it by numbers as far as these go, and get their texts then;
// where a contact is no number, the other way round.
func (h *heldFindings) sorted(names *reader.Names) []finding {
	keys, opaque := h.keys(names)
	if opaque {
		found := h.texts(keys, names)
		slices.SortFunc(found, compareFindings)
		return found
	}
	slices.SortFunc(keys, func(a, b findingKey) int {
		if order := cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.contact, b.contact), cmp.Compare(a.at, b.at)); order != 0 {
			return order
		}
		return cmp.Or(bytes.Compare(h.messageID(a.index), h.messageID(b.index)), strings.Compare(h.aboutAt(a.index).detail, h.aboutAt(b.index).detail))
	})
	return h.texts(keys, names)
}

// findingKey is a finding's place in the order as far as it is numbers.
type findingKey struct {
	contact uint64 // Contact.Order
	at      int64
	rank    uint32 // of kind, account and business number
	index   uint32
}

// findingPlace is what the findings of one rank have alike.
type findingPlace struct {
	kind              reconcile.FindingKind
	account, business reconcile.Name
}

// keys gives the keys of all findings, and whether a contact among them is no
// number.
func (h *heldFindings) keys(names *reader.Names) (keys []findingKey, opaque bool) {
	ranks := h.ranks(names)
	keys = make([]findingKey, 0, h.len())
	for _, c := range h.chunks {
		for i := range c.findings {
			f := &c.findings[i]
			contact, ok := f.contact.Order()
			opaque = opaque || !ok
			keys = append(keys, findingKey{contact, f.at, ranks[h.placeOf(f)], uint32(len(keys))})
		}
	}
	return keys, opaque
}

// ranks numbers what occurs of kind, account and business number in the byte
// order of the texts.
func (h *heldFindings) ranks(names *reader.Names) map[findingPlace]uint32 {
	ranks := make(map[findingPlace]uint32)
	for _, c := range h.chunks {
		for i := range c.findings {
			ranks[h.placeOf(&c.findings[i])] = 0
		}
	}
	sorted := slices.SortedFunc(maps.Keys(ranks), func(a, b findingPlace) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind),
			strings.Compare(names.Text(a.account), names.Text(b.account)), strings.Compare(names.Text(a.business), names.Text(b.business)))
	})
	for i, place := range sorted {
		ranks[place] = uint32(i)
	}
	return ranks
}

func (h *heldFindings) placeOf(f *heldFinding) findingPlace {
	return findingPlace{h.abouts[f.about].kind, f.account, f.business}
}

func (h *heldFindings) at(index uint32) *heldFinding {
	return &h.chunks[index/chunkFindings].findings[index%chunkFindings]
}

func (h *heldFindings) aboutAt(index uint32) *findingAbout { return &h.abouts[h.at(index).about] }

// messageID is the message id of a finding, valid as long as the chunk.
func (h *heldFindings) messageID(index uint32) []byte {
	c, i := h.chunks[index/chunkFindings], index%chunkFindings
	start := uint32(0)
	if i > 0 {
		start = c.findings[i-1].idEnd
	}
	return c.ids[start:c.findings[i].idEnd]
}

// texts makes findings of keys. Contacts and message ids are pieces of one
// text: the collector has one thing to look at, not as many as findings.
func (h *heldFindings) texts(keys []findingKey, names *reader.Names) []finding {
	size := 0
	var contact []byte
	for _, c := range h.chunks {
		size += len(c.ids)
		for i := range c.findings {
			contact = names.AppendContact(contact[:0], c.findings[i].contact)
			size += len(contact)
		}
	}
	var all strings.Builder
	all.Grow(size)
	found := make([]finding, len(keys))
	for i, k := range keys {
		f, about := h.at(k.index), h.aboutAt(k.index)
		start := all.Len()
		contact = names.AppendContact(contact[:0], f.contact)
		all.Write(contact)
		id := all.Len()
		all.Write(h.messageID(k.index))
		text := all.String() // never moves, since it has its size
		found[i] = finding{
			kind: about.kind, account: names.Text(f.account), business: names.Text(f.business),
			contact: text[start:id], messageID: text[id:], at: f.at, detail: about.detail,
		}
	}
	return found
}
