package writer

// CellText is a value as the CSV files have it; a null has no text.
func (c *Column) CellText(t Type, row int) (text string, null bool) {
	if c.isNull(row) {
		return "", true
	}
	return c.csvText(t, row), false
}

// SameCell compares a value with one of another column of type t.
func (c *Column) SameCell(t Type, row int, other *Column, at int) bool {
	if c.isNull(row) || other.isNull(at) {
		return c.isNull(row) == other.isNull(at)
	}
	switch t {
	case Text:
		return c.Text[row] == other.Text[at]
	case Money:
		return c.Micros[row] == other.Micros[at]
	case WideMoney:
		return c.Wide[row].Equal(other.Wide[at])
	}
	return c.Int[row] == other.Int[at]
}
