package spill

import (
	"container/heap"
	"iter"

	"waconcile/writer"
)

// Row is a row of a frame.
type Row struct {
	Frame *writer.Frame
	Index int
}

// Runs are lists of rows, each in the order of Compare. They are added by one
// goroutine at a time.
type Runs struct {
	File    *File
	Columns int // of every frame: texts or whole numbers, of one kind in all
	Compare func(a, b Row) int

	runs [][]Piece
	rows int64
}

// blockRows is how many rows are written and read back at once: few, since a
// block of every run is in memory as they are merged.
const blockRows = 512

// Add writes a run.
func (r *Runs) Add(frames iter.Seq2[writer.Frame, error]) error {
	var run []Piece
	var buf []byte
	for f, err := range frames {
		if err != nil {
			return err
		}
		for from := 0; from < f.Rows; from += blockRows {
			part := cut(&f, from, min(f.Rows, from+blockRows))
			buf = appendBlock(buf[:0], &part)
			p, err := r.File.Write(buf)
			if err != nil {
				return err
			}
			run = append(run, p)
		}
		r.rows += int64(f.Rows)
	}
	if len(run) > 0 {
		r.runs = append(r.runs, run)
	}
	return nil
}

// Rows is how many rows all runs have.
func (r *Runs) Rows() int64 { return r.rows }

// cut is some rows of a frame.
func cut(f *writer.Frame, from, to int) writer.Frame {
	part := writer.Frame{Rows: to - from, Columns: make([]writer.Column, len(f.Columns))}
	for i := range f.Columns {
		c, p := &f.Columns[i], &part.Columns[i]
		if c.Null != nil {
			p.Null = c.Null[from:to]
		}
		if c.Text != nil {
			p.Text = c.Text[from:to]
		} else {
			p.Int = c.Int[from:to]
		}
	}
	return part
}

// mergedRows is how many rows a merged frame has.
const mergedRows = 4 << 10

// Merge gives the rows of all runs in one order, as often as it is asked for.
// A frame is valid until the next is asked for, its texts stay valid.
func (r *Runs) Merge() iter.Seq2[writer.Frame, error] {
	return func(yield func(writer.Frame, error) bool) {
		m := merging{compare: r.Compare}
		for _, run := range r.runs {
			c := &cursor{runs: r, rest: run}
			if err := c.next(); err != nil {
				yield(writer.Frame{}, err)
				return
			}
			m.cursors = append(m.cursors, c)
		}
		heap.Init(&m)
		out := writer.Frame{Columns: make([]writer.Column, r.Columns)}
		for m.Len() > 0 {
			if err := m.take(&out); err != nil {
				yield(writer.Frame{}, err)
				return
			}
			if out.Rows == mergedRows || m.Len() == 0 {
				if !yield(out, nil) {
					return
				}
				empty(&out)
			}
		}
	}
}

// cursor is a run being read.
type cursor struct {
	runs  *Runs
	rest  []Piece
	frame writer.Frame
	row   int
	buf   []byte
	ended bool
}

// next goes on to the next row.
func (c *cursor) next() (err error) {
	if c.row++; c.row < c.frame.Rows {
		return nil
	}
	if c.ended = len(c.rest) == 0; c.ended {
		return nil
	}
	if c.buf, err = c.runs.File.Read(c.rest[0], c.buf); err != nil {
		return err
	}
	c.rest, c.row = c.rest[1:], 0
	c.frame, err = decodeBlock(c.buf, c.runs.Columns)
	return err
}

// merging is a heap of the runs that are not at their end, by their next rows.
type merging struct {
	cursors []*cursor
	compare func(a, b Row) int
}

func (m *merging) Len() int { return len(m.cursors) }
func (m *merging) Less(i, k int) bool {
	a, b := m.cursors[i], m.cursors[k]
	return m.compare(Row{&a.frame, a.row}, Row{&b.frame, b.row}) < 0
}
func (m *merging) Swap(i, k int) { m.cursors[i], m.cursors[k] = m.cursors[k], m.cursors[i] }
func (m *merging) Push(c any)    { m.cursors = append(m.cursors, c.(*cursor)) }
func (m *merging) Pop() any {
	last := len(m.cursors) - 1
	c := m.cursors[last]
	m.cursors = m.cursors[:last]
	return c
}

// take moves the least row to the end of out.
func (m *merging) take(out *writer.Frame) error {
	c := m.cursors[0]
	for i := range out.Columns {
		from, to := &c.frame.Columns[i], &out.Columns[i]
		if from.Null != nil {
			to.Null = append(to.Null, from.Null[c.row])
		}
		if from.Text != nil {
			to.Text = append(to.Text, from.Text[c.row])
		} else {
			to.Int = append(to.Int, from.Int[c.row])
		}
	}
	out.Rows++
	if err := c.next(); err != nil {
		return err
	}
	if c.ended {
		heap.Pop(m)
	} else {
		heap.Fix(m, 0)
	}
	return nil
}

func empty(f *writer.Frame) {
	f.Rows = 0
	for i := range f.Columns {
		c := &f.Columns[i]
		c.Null, c.Text, c.Int = c.Null[:0], c.Text[:0], c.Int[:0]
	}
}
