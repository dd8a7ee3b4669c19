package writer

import "slices"

// numberList is a small number for each row: a column often has one value
// throughout, which is then only counted.
type numberList struct {
	number uint32   // of all rows, as long as they are alike
	alike  int      // how many these are
	each   []uint32 // else: of each row
}

// addAlike appends a number n times.
func (l *numberList) addAlike(number uint32, n int) {
	if len(l.each) == 0 && (l.alike == 0 || l.number == number) {
		l.number, l.alike = number, l.alike+n
		return
	}
	setAll(l.add(n), number)
}

// add appends n numbers, which the caller is to set.
func (l *numberList) add(n int) []uint32 {
	if l.alike > 0 {
		l.each = grownTo(l.each, l.alike)
		setAll(l.each, l.number)
		l.alike = 0
	}
	start := len(l.each)
	l.each = grownTo(l.each, start+n)
	return l.each[start:]
}

// drop takes the last n numbers off, which add has appended.
func (l *numberList) drop(n int) { l.each = l.each[:len(l.each)-n] }

func (l *numberList) len() int { return l.alike + len(l.each) }

func (l *numberList) at(i int) uint32 {
	if l.alike > 0 {
		return l.number
	}
	return l.each[i]
}

// reset empties l and keeps its memory.
func (l *numberList) reset() { l.alike, l.each = 0, l.each[:0] }

// reserve makes room for n numbers that are not alike.
func (l *numberList) reserve(n int) { l.each = slices.Grow(l.each, n) }

// appendHybrid appends some of the numbers in the encoding of appendHybrid.
func (l *numberList) appendHybrid(b []byte, from, to, width int) []byte {
	if from == to {
		return b
	}
	if l.alike == 0 {
		return appendHybrid(b, l.each[from:to], width)
	}
	all := hybridPacker{out: b, width: width, header: noHeader}
	all.repeat(l.number, to-from)
	return all.out
}

func setAll(s []uint32, number uint32) {
	for i := range s {
		s[i] = number
	}
}
