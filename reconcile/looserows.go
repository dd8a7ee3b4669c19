package reconcile

// looseRows are rows of any days, few and for a short time.
type looseRows struct {
	rows []row
	ids  Texts
}

func (l *looseRows) len() int             { return len(l.rows) }
func (l *looseRows) at(i uint32) *row     { return &l.rows[i] }
func (l *looseRows) id(i uint32) []byte   { return l.ids.At(int(i)) }
func (l *looseRows) add(r row, id []byte) { l.rows = append(l.rows, r); l.ids.Append(id) }
