package writer

import (
	"iter"
	"slices"
)

// FrameRows is how many rows a frame had best have.
const FrameRows = 16 << 10

// FramesOf cuts rows into frames.
func FramesOf[Row any](rows []Row, frame func([]Row) Frame) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for piece := range slices.Chunk(rows, FrameRows) {
			if !yield(frame(piece), nil) {
				return
			}
		}
	}
}

// TextOf is a column of texts, one of each row.
func TextOf[Row any](rows []Row, of func(*Row) string) Column {
	c := Column{Text: make([]string, len(rows))}
	for i := range rows {
		c.Text[i] = of(&rows[i])
	}
	return c
}

// OptionalTextOf is a column of texts in which the empty text is null.
func OptionalTextOf[Row any](rows []Row, of func(*Row) string) Column {
	c := TextOf(rows, of)
	c.Null = make([]bool, len(rows))
	for i, text := range c.Text {
		c.Null[i] = text == ""
	}
	return c
}

// NumbersOf is a column of whole numbers, dates or instants, one of each row.
func NumbersOf[Row any](rows []Row, of func(*Row) int64) Column {
	c := Column{Int: make([]int64, len(rows))}
	for i := range rows {
		c.Int[i] = of(&rows[i])
	}
	return c
}
