package reader

import (
	"math"
	"unsafe"

	"github.com/apache/arrow/go/v17/parquet"
)

// tokenTextsMax bounds what a tokenTable remembers of texts that come without
// a dictionary.
const tokenTextsMax = 1 << 16

// tokenTable turns the texts of one column into tokens, each text once for as
// long as it is remembered. The token 0 is that of null and of the empty text.
type tokenTable struct {
	resolve func(text []byte) uint32 // never sees the empty text; invalidText refuses one
	byText  map[string]uint32
	invalid bool // a text was refused

	// The entries of a dictionary lie one behind the other in its page, each
	// at least 5 bytes from the next, so that an entry is known by a quarter
	// of its offset: no text is looked at twice.
	entries []uint32 // token + 1, or 0 for one not met yet
	base    uintptr  // where the dictionary's page begins
}

// invalidText is the token of a text that is to be published and is not UTF-8.
const invalidText = math.MaxUint32

func newTokenTable(resolve func([]byte) uint32) *tokenTable {
	return &tokenTable{resolve: resolve, byText: make(map[string]uint32)}
}

// setDictionary forgets the entries of the dictionary before and prepares for
// those in page, which may not move while it is in use.
func (t *tokenTable) setDictionary(page []byte) {
	n := len(page)/4 + 1
	if cap(t.entries) < n {
		t.entries = make([]uint32, n)
	}
	t.entries = t.entries[:n]
	clear(t.entries)
	t.base = uintptr(unsafe.Pointer(unsafe.SliceData(page)))
}

// entry is the token of a text that is an entry of the dictionary. Only its
// address is used, and only to tell the entries apart.
func (t *tokenTable) entry(text []byte) uint32 {
	i := (uintptr(unsafe.Pointer(unsafe.SliceData(text))) - t.base) / 4
	if i >= uintptr(len(t.entries)) {
		return t.text(text)
	}
	if known := t.entries[i]; known != 0 {
		return known - 1
	}
	token := t.text(text)
	t.entries[i] = token + 1
	return token
}

// text is the token of any text but the empty one.
func (t *tokenTable) text(text []byte) uint32 {
	if token, ok := t.byText[string(text)]; ok {
		return token
	}
	if len(t.byText) >= tokenTextsMax {
		clear(t.byText)
	}
	token := t.resolve(text)
	if token == invalidText {
		t.invalid = true
		return 0
	}
	t.byText[string(text)] = token
	return token
}

// fillTokens writes the tokens of a span's values to out, 0 for the nulls.
func fillTokens[T ~uint32](t *tokenTable, s span, values []parquet.ByteArray, out []T) {
	next := 0
	for i := range s.rows {
		if s.present != nil && s.present[i] == 0 {
			out[i] = 0
			continue
		}
		text := values[next]
		next++
		switch {
		case len(text) == 0:
			out[i] = 0
		case s.byDict:
			out[i] = T(t.entry(text))
		default:
			out[i] = T(t.text(text))
		}
	}
}
