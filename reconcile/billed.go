package reconcile

import (
	"encoding/binary"
	"math/bits"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// BilledCharge is a row of the table of charges as it was published. An empty
// text stands for null where the column may be null.
type BilledCharge struct {
	ID, Account, Business, Contact string
	Country, Market                string
	Unit, Category, Rules          string
	OpenedAt, ExpiresAt            int64 // ms, UTC; ExpiresAt is null unless Expires
	Expires                        bool
	Date                           Date // billing date
	OpenedBy                       string
	Out, In                        int64
	Plan                           string
	UnitPrice                      Micros // null unless Priced
	Priced                         bool
	Currency                       string
	Amount                         Micros // null unless Costs
	Costs                          bool
	Status, Reason, Recharge       string
	Certainty                      string
}

// kept is c with texts of its own, in one piece of memory: those of c may be
// small parts of much larger ones.
func (c *BilledCharge) kept() BilledCharge {
	k := *c
	texts := [...]*string{
		&k.ID, &k.Account, &k.Business, &k.Contact, &k.Country, &k.Market, &k.Unit, &k.Category, &k.Rules, &k.OpenedBy,
		&k.Plan, &k.Currency, &k.Status, &k.Reason, &k.Recharge, &k.Certainty,
	}
	var all strings.Builder
	for _, t := range texts {
		all.WriteString(*t)
	}
	rest := all.String()
	for _, t := range texts {
		*t, rest = rest[:len(*t)], rest[len(*t):]
	}
	return k
}

// Mark is a hash of all that is billed of a charge: every column but
// messages_out, messages_in and certainty. Marks of many charges add up to
// one that does not depend on their order.
type Mark struct{ hi, lo uint64 }

// Mark is the mark of c.
func (c *BilledCharge) Mark() Mark {
	var m marker
	for _, s := range [...]string{
		c.ID, c.Account, c.Business, c.Contact, c.Country, c.Market, c.Unit, c.Category, c.Rules, c.OpenedBy,
		c.Plan, c.Currency, c.Status, c.Reason, c.Recharge,
	} {
		m.text(s)
	}
	m.number(c.OpenedAt, true)
	m.number(c.ExpiresAt, c.Expires)
	m.number(int64(c.Date), true)
	m.number(int64(c.UnitPrice), c.Priced)
	m.number(int64(c.Amount), c.Costs)
	return m.sum()
}

// Plus is the mark of both.
func (m Mark) Plus(other Mark) Mark {
	lo, carry := bits.Add64(m.lo, other.lo, 0)
	hi, _ := bits.Add64(m.hi, other.hi, carry)
	return Mark{hi, lo}
}

// Minus takes other out of m.
func (m Mark) Minus(other Mark) Mark {
	lo, borrow := bits.Sub64(m.lo, other.lo, 0)
	hi, _ := bits.Sub64(m.hi, other.hi, borrow)
	return Mark{hi, lo}
}

// marker gathers parts of which no two lists look the same.
type marker struct {
	bytes []byte
	room  [512]byte // for most charges
}

func (m *marker) text(s string) {
	if m.bytes == nil {
		m.bytes = m.room[:0]
	}
	m.bytes = binary.AppendUvarint(m.bytes, uint64(len(s)))
	m.bytes = append(m.bytes, s...)
}

// number takes a value that may be null.
func (m *marker) number(v int64, present bool) {
	if !present {
		m.bytes = append(m.bytes, 0)
		return
	}
	m.bytes = append(m.bytes, 1)
	m.bytes = binary.BigEndian.AppendUint64(m.bytes, uint64(v))
}

// markSeed makes the second half another function than the first.
const markSeed = 0x6d61726b

func (m *marker) sum() Mark {
	var second xxhash.Digest
	second.ResetWithSeed(markSeed)
	_, _ = second.Write(m.bytes) // never fails
	return Mark{xxhash.Sum64(m.bytes), second.Sum64()}
}
