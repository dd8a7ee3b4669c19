package reconcile

import "encoding/binary"

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
	var v uint64
	rest := digits
	if len(rest) >= 8 {
		if v, ok = eightDigits(binary.LittleEndian.Uint64(rest)); !ok {
			return 0, false
		}
		rest = rest[8:]
	}
	for _, d := range rest {
		if d < '0' || d > '9' {
			return 0, false
		}
		v = v*10 + uint64(d-'0')
	}
	return Contact(v) | Contact(len(digits))<<contactLengthBits, true
}

// eightDigits is the number that eight digits make, of which the first is the
// lowest byte: neighbors are put together, to two digits, to four, to eight. ok
// is false where one is no digit.
func eightDigits(text uint64) (v uint64, ok bool) {
	const (
		zeros = 0x3030303030303030
		upper = 0xF0F0F0F0F0F0F0F0 // of each byte: 3 in a digit, and with 6 more
		six   = 0x0606060606060606
	)
	if text&upper != zeros || (text+six)&upper != zeros {
		return 0, false
	}
	v = text - zeros
	v = v*10 + v>>8&0x00FF00FF00FF00FF
	v = v&0x00FF00FF00FF00FF*100 + v>>16&0x000000FF000000FF
	v = v&0x0000FFFF0000FFFF*10_000 + v>>32&0x0000FFFF
	return v & 0xFFFFFFFF, true
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
	length := int(c >> contactLengthBits)
	b = append(b, make([]byte, length)...)
	v := uint64(c & contactValueMask)
	for i := len(b) - 1; i >= len(b)-length; i-- {
		b[i] = '0' + byte(v%10)
		v /= 10
	}
	return b
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
