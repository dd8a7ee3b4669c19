package demo

import "strconv"

// person is a contact of an account: a phone number, or an opaque user id.
type person struct {
	origin   *origin
	national uint64 // the digits after the prefix
	opaque   bool
	hidden   bool // opaque, and no country is known
}

// Shares of the contacts, in ten-thousandths.
const (
	opaqueShare = 40
	hiddenShare = 5
)

// person is the contact at a place of the account's contacts; it is the same
// whenever it is asked for.
func (a *account) person(account uint8, place uint32) person {
	h := scatter(uint64(account)<<32 | uint64(place))
	p := person{origin: &a.mix[0]}
	total := uint64(0)
	for i := range a.mix {
		total += a.mix[i].weight
	}
	at := (h >> 32) % total
	for i := range a.mix {
		p.origin = &a.mix[i]
		if at < p.origin.weight {
			break
		}
		at -= p.origin.weight
	}
	// The factor ends in 1, so that no two places share a number before all
	// numbers are taken.
	p.national = (uint64(place)*7_654_321 + 1_357) % pow10(p.origin.digits)
	special := (h & 0xffff_ffff) % 10_000
	p.hidden = a.stateless && special < hiddenShare
	p.opaque = p.hidden || special >= hiddenShare && special < opaqueShare
	return p
}

func pow10(n int) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

// appendContact appends the contact as a provider's export might write it:
// mostly plain digits, now and then with a plus, an 00, blanks or a scheme.
func (a *account) appendContact(b []byte, m *message) []byte {
	if m.defect == noContact {
		return append(b, ' ')
	}
	p := a.person(m.account, m.contact)
	if p.opaque {
		b = append(append(b, p.origin.country...), '.')
		return strconv.AppendUint(b, scatter(p.national)>>1, 10)
	}
	form := scatter(m.number^0xf0) % 1000
	switch {
	case form < 5:
		return p.appendSpaced(append(b, '+'))
	case form < 10:
		return p.appendDigits(append(b, "00"...))
	case form < 14:
		return p.appendDigits(append(b, "whatsapp:+"...))
	case form < 44 || a.plusForm:
		return p.appendDigits(append(b, '+'))
	}
	return p.appendDigits(b)
}

func (p *person) appendDigits(b []byte) []byte {
	b = append(b, p.origin.prefix...)
	for unit := pow10(p.origin.digits - 1); unit > 0; unit /= 10 {
		b = append(b, '0'+byte(p.national/unit%10))
	}
	return b
}

// appendSpaced writes a number as people do: +39 333 1234567.
func (p *person) appendSpaced(b []byte) []byte {
	start := len(b)
	b = p.appendDigits(b)
	const first, second = 2, 5
	b = append(b, "  "...)
	copy(b[start+second+2:], b[start+second:])
	copy(b[start+first+1:], b[start+first:start+second])
	b[start+first], b[start+second+1] = ' ', ' '
	return b
}

// countryOf is the contact_country column, empty for null.
func (a *account) countryOf(m *message) string {
	p := a.person(m.account, m.contact)
	switch {
	case p.hidden:
		return ""
	case p.opaque, a.country:
		return p.origin.country
	}
	return ""
}
