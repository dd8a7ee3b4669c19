package reconcile

import "github.com/cespare/xxhash/v2"

// Rows is a block of message rows, column by column: entry i of every slice
// belongs to row i, and all slices have the same length. The reader makes
// blocks of rows that passed the contract's checks; whoever is handed a block
// may read it until the call returns, and copies what it keeps.
type Rows struct {
	ID          Texts // message ids, never empty
	Account     []Name
	Business    []Name // normalised
	Contact     []Contact
	Type        []Name // lower case; decides between duplicates only
	Country     []Name // upper case; 0 where the export gives none
	Kind        []Kind
	Category    []Category // NoCategory but for templates
	Status      []Status   // NoStatus for inbound
	SentAt      []int64
	DeliveredAt []int64 // NoTime where absent, and for inbound
	ReadAt      []int64 // NoTime where absent, and for inbound
}

// Len is the number of rows.
func (r *Rows) Len() int { return len(r.SentAt) }

// Pair is the pair of row i.
func (r *Rows) Pair(i int) PairKey {
	return PairKey{Contact: r.Contact[i], Account: r.Account[i], Business: r.Business[i]}
}

// Hash is the hash of row i's pair and message id: rows of one message have
// the same. It holds within the process only.
func (r *Rows) Hash(i int) uint64 { return messageHash(r.ID.At(i), r.Pair(i).Hash()) }

// messageHash is the hash of a message by its id and the hash of its pair. Its
// upper bits are those of the pair: who keeps hashes by their upper bits
// meets those of one part of a day in one place.
func messageHash(id []byte, pairHash uint64) uint64 { return xxhash.Sum64(id)>>partBits ^ pairHash }

// Reset empties r and keeps its memory.
func (r *Rows) Reset() {
	r.ID.Reset()
	r.Account, r.Business, r.Contact = r.Account[:0], r.Business[:0], r.Contact[:0]
	r.Type, r.Country = r.Type[:0], r.Country[:0]
	r.Kind, r.Category, r.Status = r.Kind[:0], r.Category[:0], r.Status[:0]
	r.SentAt, r.DeliveredAt, r.ReadAt = r.SentAt[:0], r.DeliveredAt[:0], r.ReadAt[:0]
}

// AppendRow copies row i of from to the end of r.
func (r *Rows) AppendRow(from *Rows, i int) {
	r.ID.Append(from.ID.At(i))
	r.Account = append(r.Account, from.Account[i])
	r.Business = append(r.Business, from.Business[i])
	r.Contact = append(r.Contact, from.Contact[i])
	r.Type = append(r.Type, from.Type[i])
	r.Country = append(r.Country, from.Country[i])
	r.Kind = append(r.Kind, from.Kind[i])
	r.Category = append(r.Category, from.Category[i])
	r.Status = append(r.Status, from.Status[i])
	r.SentAt = append(r.SentAt, from.SentAt[i])
	r.DeliveredAt = append(r.DeliveredAt, from.DeliveredAt[i])
	r.ReadAt = append(r.ReadAt, from.ReadAt[i])
}

// Texts is a column of texts in one piece of memory: text i ends at Ends[i]
// and begins where the one before ends.
type Texts struct {
	Bytes []byte
	Ends  []uint32
}

// At is text i; it shares memory with t.
func (t *Texts) At(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = t.Ends[i-1]
	}
	return t.Bytes[start:t.Ends[i]]
}

// Append adds a text. The caller keeps the whole column below 4 GiB.
func (t *Texts) Append(text []byte) {
	t.Bytes = append(t.Bytes, text...)
	t.Ends = append(t.Ends, uint32(len(t.Bytes)))
}

// Reset empties t and keeps its memory.
func (t *Texts) Reset() { t.Bytes, t.Ends = t.Bytes[:0], t.Ends[:0] }

// Reject is a row that could not be used.
type Reject struct {
	File   string // key relative to the exports
	Row    int64  // number of the row in its file, from 0
	Reason RejectReason
	Detail string // the column and its value; never a contact
}

// RejectReason says why a row could not be used.
type RejectReason string

// The reasons, in the order in which they are looked for.
const (
	MissingValue RejectReason = "missing_value"
	BadDirection RejectReason = "bad_direction"
	BadStatus    RejectReason = "bad_status"
	BadCategory  RejectReason = "bad_category"
	BadTimestamp RejectReason = "bad_timestamp"
)
