package reader

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/parquet"

	"waconcile/reconcile"
)

// The codes of a direction.
const (
	noDirection uint8 = iota
	inbound
	outbound
)

// A token of an enumeration holds a code in its low byte. Where the value is
// not one of the enumeration, the code is unknownCode and the higher bytes say
// which value it is, so that a reject can name it.
const (
	unknownCode   = 0xff
	codeBits      = 8
	unknownsMax   = 1 << 12 // values that are kept for naming
	unknownLength = 40      // bytes kept of each
)

// code is the code in a token of an enumeration.
func code(token uint32) uint8 { return uint8(token) }

// vocabulary turns texts into what they mean. It belongs to one goroutine.
type vocabulary struct {
	names    *Names
	ignored  []string // outbound types that never count, lower case
	unknowns []string
	types    []messageType // by token; the first stands for none
	typeOf   map[reconcile.Name]uint32
	digits   []byte // memory for normalising
}

// messageType is one value of the column type.
type messageType struct {
	name        reconcile.Name // lower case
	byDirection [outbound + 1]meaning
}

// meaning is what a row of a type and direction is, and what counts of its other
// codes.
type meaning struct {
	kind                     reconcile.Kind
	statusMask, categoryMask uint8              // wholeCode, or 0 where that column says nothing
	leastCategory            reconcile.Category // a smaller one is missing
}

// wholeCode has all bits of a code.
const wholeCode = 0xff

// newMessageType is a type by its kind as an outbound message.
func newMessageType(name reconcile.Name, kind reconcile.Kind) messageType {
	t := messageType{name: name}
	t.byDirection[inbound] = meaning{kind: reconcile.Inbound}
	t.byDirection[outbound] = meaning{kind: kind, statusMask: wholeCode}
	if kind == reconcile.Template {
		t.byDirection[outbound] = meaning{
			kind: kind, statusMask: wholeCode, categoryMask: wholeCode, leastCategory: reconcile.NoCategory + 1,
		}
	}
	return t
}

const templateType = "template"

// numberBytes is room for the digits of a number; a longer text asks for more.
const numberBytes = 64

func newVocabulary(names *Names, ignoreTypes []string) *vocabulary {
	v := &vocabulary{
		names:    names,
		unknowns: []string{"another value"},
		types:    []messageType{{}},
		typeOf:   make(map[reconcile.Name]uint32),
		digits:   make([]byte, 0, numberBytes),
	}
	for _, t := range ignoreTypes {
		v.ignored = append(v.ignored, strings.ToLower(t))
	}
	return v
}

// name is the token of a text that is published as it is.
func (v *vocabulary) name(text []byte) uint32 {
	if !utf8.Valid(text) {
		return invalidText
	}
	return uint32(v.names.Intern(text))
}

func (v *vocabulary) business(text []byte) uint32 {
	v.digits = v.digits[:0]
	return v.name(reconcile.NormaliseNumber(text, v.digits))
}

func (v *vocabulary) country(text []byte) uint32 {
	return v.name(bytes.ToUpper(bytes.TrimSpace(text)))
}

// noContact stands for a contact that is null or empty; no id is 0.
const noContact reconcile.Contact = 0

// contact is the id of a contact, or noContact where nothing is left of text.
func (v *vocabulary) contact(text []byte) (reconcile.Contact, error) {
	if len(text) > 1 && text[0]|text[1] != '0' {
		if c, ok := reconcile.PhoneContact(text); ok {
			return c, nil
		}
	}
	v.digits = v.digits[:0]
	normal := reconcile.NormaliseNumber(text, v.digits)
	if c, ok := reconcile.PhoneContact(normal); ok {
		return c, nil
	}
	if len(normal) == 0 {
		return noContact, nil
	}
	if !utf8.Valid(normal) {
		return noContact, errNotUTF8
	}
	return reconcile.OpaqueContact(v.names.Intern(normal)), nil
}

// fillContacts writes the ids of texts to out.
func (v *vocabulary) fillContacts(texts []parquet.ByteArray, out []reconcile.Contact) error {
	for i, text := range texts {
		c, err := v.contact(text)
		if err != nil {
			return err
		}
		out[i] = c
	}
	return nil
}

func (v *vocabulary) direction(text []byte) uint32 {
	switch {
	case bytes.EqualFold(text, []byte("inbound")):
		return uint32(inbound)
	case bytes.EqualFold(text, []byte("outbound")):
		return uint32(outbound)
	}
	return v.unknown(text)
}

func (v *vocabulary) status(text []byte) uint32 {
	if s, ok := reconcile.ParseStatus(string(text)); ok {
		return uint32(s)
	}
	return v.unknown(text)
}

// category is the category of a template, which is never service.
func (v *vocabulary) category(text []byte) uint32 {
	if c, ok := reconcile.ParseCategory(string(text)); ok && c != reconcile.Service {
		return uint32(c)
	}
	return v.unknown(text)
}

func (v *vocabulary) messageType(text []byte) uint32 {
	lower := strings.ToLower(string(text))
	name := v.names.InternString(lower)
	if token, ok := v.typeOf[name]; ok {
		return token
	}
	kind := reconcile.FreeForm
	switch {
	case lower == templateType:
		kind = reconcile.Template
	case slices.Contains(v.ignored, lower):
		kind = reconcile.Ignored
	}
	token := uint32(len(v.types))
	v.types = append(v.types, newMessageType(name, kind))
	v.typeOf[name] = token
	return token
}

// unknown is the token of a value that is none of an enumeration.
func (v *vocabulary) unknown(text []byte) uint32 {
	kept := strings.ToValidUTF8(string(text[:min(len(text), unknownLength)]), "\uFFFD")
	i := slices.Index(v.unknowns, kept)
	if i < 0 && len(v.unknowns) < unknownsMax {
		i = len(v.unknowns)
		v.unknowns = append(v.unknowns, kept)
	}
	return uint32(max(i, 0))<<codeBits | unknownCode
}

// unknownText is the value that unknown gave a token for.
func (v *vocabulary) unknownText(token uint32) string { return v.unknowns[token>>codeBits] }
