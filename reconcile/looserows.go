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

// rowOf is row i of a block as merging sees it.
func rowOf(rows *Rows, i int) row {
	return row{
		hash: rows.Hash(i), contact: rows.Contact[i], account: rows.Account[i], business: rows.Business[i],
		sent: rows.SentAt[i], delivered: rows.DeliveredAt[i], read: rows.ReadAt[i],
		typ: rows.Type[i], country: rows.Country[i],
		kind: rows.Kind[i], category: rows.Category[i], status: rows.Status[i],
	}
}
