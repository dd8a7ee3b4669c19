package writer

import (
	"encoding/binary"
	"unicode/utf8"
)

// Texts are texts in the plain encoding of a page, one behind the other: the
// length in four bytes, then the text. They go to a page as they lie.
type Texts struct {
	data []byte
	ends []uint32 // of each text in data
	long bool     // one is longer than asciiMax bytes
}

// textHead is the size of the length before a text.
const textHead = 4

// asciiMax is the longest text whose length is ASCII, byte by byte.
const asciiMax = utf8.RuneSelf - 1

// Append adds a text. The caller keeps the whole below 4 GiB.
func (t *Texts) Append(text []byte) {
	t.data = append(binary.LittleEndian.AppendUint32(t.data, uint32(len(text))), text...)
	t.ends = append(t.ends, uint32(len(t.data)))
	t.long = t.long || len(text) > asciiMax
}

// Begin gives the memory to which the next text is appended, in place. End takes
// it back.
func (t *Texts) Begin() []byte { return append(t.data, make([]byte, textHead)...) }

// End adds the text that was appended to what Begin gave.
func (t *Texts) End(data []byte) {
	start := len(t.data)
	length := len(data) - start - textHead
	binary.LittleEndian.PutUint32(data[start:], uint32(length))
	t.data = data
	t.ends = append(t.ends, uint32(len(data)))
	t.long = t.long || length > asciiMax
}

// Len is the number of texts.
func (t *Texts) Len() int { return len(t.ends) }

// At is text i; it shares memory with t.
func (t *Texts) At(i int) []byte { return t.data[t.start(i)+textHead : t.ends[i]] }

// Reset empties t and keeps its memory.
func (t *Texts) Reset() { t.data, t.ends, t.long = t.data[:0], t.ends[:0], false }

// start is where the length of text i stands.
func (t *Texts) start(i int) uint32 {
	if i == 0 {
		return 0
	}
	return t.ends[i-1]
}

// encoded are the texts [from, to) as a page has them.
func (t *Texts) encoded(from, to int) []byte {
	if from == to {
		return nil
	}
	return t.data[t.start(from):t.ends[to-1]]
}

// invalid is the first text that is not UTF-8, or -1. Where the lengths between
// them are ASCII, all are looked at at once.
func (t *Texts) invalid() int {
	if !t.long && utf8.Valid(t.data) {
		return -1
	}
	for i := range t.ends {
		if !utf8.Valid(t.At(i)) {
			return i
		}
	}
	return -1
}
