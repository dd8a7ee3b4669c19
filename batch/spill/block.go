package spill

import (
	"encoding/binary"
	"errors"
	"fmt"

	"waconcile/writer"
)

// A block is a frame as it lies in a File: its number of rows, then each
// column: whether it has nulls and which, whether it is of texts, and the
// values as varints; of texts first all lengths, then all bytes.

var errBlock = errors.New("block cannot be decoded")

// appendBlock appends a frame, of which the columns are texts or whole
// numbers.
func appendBlock(b []byte, f *writer.Frame) []byte {
	b = binary.AppendUvarint(b, uint64(f.Rows))
	for i := range f.Columns {
		c := &f.Columns[i]
		b = appendFlag(b, c.Null != nil)
		for _, null := range c.Null {
			b = appendFlag(b, null)
		}
		b = appendFlag(b, c.Text != nil)
		for _, text := range c.Text {
			b = binary.AppendUvarint(b, uint64(len(text)))
		}
		for _, text := range c.Text {
			b = append(b, text...)
		}
		for _, v := range c.Int {
			b = binary.AppendVarint(b, v)
		}
	}
	return b
}

func appendFlag(b []byte, flag bool) []byte {
	if flag {
		return append(b, 1)
	}
	return append(b, 0)
}

// block is a frame being decoded. Its texts share one piece of memory in each
// column.
type block struct {
	rest []byte
	err  error
}

func decodeBlock(data []byte, columns int) (writer.Frame, error) {
	b := block{rest: data}
	f := writer.Frame{Rows: int(b.uvarint()), Columns: make([]writer.Column, columns)}
	if f.Rows < 0 || f.Rows > len(data) {
		return f, errBlock
	}
	for i := range f.Columns {
		b.column(&f.Columns[i], f.Rows)
	}
	if b.err == nil && len(b.rest) > 0 {
		b.err = fmt.Errorf("%w: %d bytes too many", errBlock, len(b.rest))
	}
	return f, b.err
}

func (b *block) column(c *writer.Column, rows int) {
	if b.flag() {
		c.Null = make([]bool, rows)
		for i := range c.Null {
			c.Null[i] = b.flag()
		}
	}
	if b.flag() {
		c.Text = b.texts(rows)
		return
	}
	c.Int = make([]int64, rows)
	for i := range c.Int {
		c.Int[i] = b.varint()
	}
}

func (b *block) texts(rows int) []string {
	sizes, all := make([]int, rows), 0
	for i := range sizes {
		sizes[i] = int(b.uvarint())
		if sizes[i] < 0 || sizes[i] > len(b.rest) {
			b.fail()
			return make([]string, rows)
		}
		all += sizes[i]
	}
	if all > len(b.rest) {
		b.fail()
		return make([]string, rows)
	}
	text, texts := string(b.rest[:all]), make([]string, rows)
	b.rest = b.rest[all:]
	for i, size := range sizes {
		texts[i], text = text[:size], text[size:]
	}
	return texts
}

func (b *block) flag() bool {
	if len(b.rest) == 0 {
		b.fail()
		return false
	}
	flag := b.rest[0] != 0
	b.rest = b.rest[1:]
	return flag
}

func (b *block) uvarint() uint64 {
	v, n := binary.Uvarint(b.rest)
	return advanced(b, v, n)
}

func (b *block) varint() int64 {
	v, n := binary.Varint(b.rest)
	return advanced(b, v, n)
}

func advanced[T int64 | uint64](b *block, v T, n int) T {
	if n <= 0 {
		b.fail()
		return 0
	}
	b.rest = b.rest[n:]
	return v
}

func (b *block) fail() { b.rest, b.err = nil, errBlock }
