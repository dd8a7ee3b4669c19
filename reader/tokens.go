package reader

import (
	"math"

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
	entries []uint32 // of the row group's dictionary; 0 where not met yet
}

// invalidText is the token of a text that is to be published and is not UTF-8.
const invalidText = math.MaxUint32

func newTokenTable(resolve func([]byte) uint32) *tokenTable {
	return &tokenTable{resolve: resolve, byText: make(map[string]uint32)}
}

// text is the token of any text.
func (t *tokenTable) text(text []byte) (uint32, error) {
	if len(text) == 0 {
		return 0, nil
	}
	if token, ok := t.byText[string(text)]; ok {
		return token, nil
	}
	if len(t.byText) >= tokenTextsMax {
		clear(t.byText)
	}
	token := t.resolve(text)
	if token == invalidText {
		return 0, errNotUTF8
	}
	t.byText[string(text)] = token
	return token, nil
}

// fillTokens writes the tokens of texts to out.
func fillTokens[T ~uint32](t *tokenTable, texts []parquet.ByteArray, out []T) error {
	for i, text := range texts {
		token, err := t.text(text)
		if err != nil {
			return err
		}
		out[i] = T(token)
	}
	return nil
}
