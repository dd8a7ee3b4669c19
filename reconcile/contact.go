package reconcile

import "strconv"

// Name is a handle for a text that occurs often: an account id, a business
// number, a type, a country. Handles come from the reader, are equal where
// the texts are equal, and carry no order: nothing published may follow from
// their numeric value. The handle 0 is the empty text, which stands for null.
type Name uint32

// Contact is one contact's id in eight bytes. A phone number (7 to 15 digits)
// is its value with its length in the top byte, since leading zeros count; an
// opaque id is a Name under the opaque bit.
type Contact uint64

const (
	contactOpaque     Contact = 1 << 63
	contactLengthBits         = 56
	contactValueMask  Contact = 1<<contactLengthBits - 1
)

// The number of digits a phone number has.
const (
	phoneDigitsMin = 7
	phoneDigitsMax = 15
)

// PhoneContact packs a phone number. ok is false where digits is none.
func PhoneContact(digits []byte) (c Contact, ok bool) {
	if len(digits) < phoneDigitsMin || len(digits) > phoneDigitsMax {
		return 0, false
	}
	var v Contact
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		v = v*10 + Contact(d-'0')
	}
	return v | Contact(len(digits))<<contactLengthBits, true
}

// OpaqueContact packs an id that is no phone number.
func OpaqueContact(n Name) Contact { return contactOpaque | Contact(n) }

// Opaque returns the handle of an id that is no phone number.
func (c Contact) Opaque() (Name, bool) {
	return Name(c &^ contactOpaque), c&contactOpaque != 0
}

// AppendDigits appends the digits of a phone number to b. An opaque contact
// has none.
func (c Contact) AppendDigits(b []byte) []byte {
	if c&contactOpaque != 0 {
		return b
	}
	var buf [20]byte
	digits := strconv.AppendUint(buf[:0], uint64(c&contactValueMask), 10)
	for n := int(c >> contactLengthBits); n > len(digits); n-- {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// Order is a number that sorts phone numbers in the byte order of their
// digits. ok is false for an opaque id.
func (c Contact) Order() (order uint64, ok bool) {
	if c&contactOpaque != 0 {
		return 0, false
	}
	const lengthBits = 4 // above them is room: 15 digits take 50 bits
	length := int(c >> contactLengthBits)
	aligned := uint64(c&contactValueMask) * powerOf10(phoneDigitsMax-length)
	return aligned<<lengthBits | uint64(length), true
}
