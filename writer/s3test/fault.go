package s3test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// Fault is what goes wrong with one call on its way.
type Fault string

// The faults. A call that a fault does not fit meets none.
const (
	NoFault  Fault = ""
	Unsent   Fault = "unsent"         // the connection ends before the store has the call
	Silent   Fault = "silent"         // the same, after a wait of minutes
	Lost     Fault = "answer lost"    // takes place, and the connection ends
	Delayed  Fault = "late"           // the connection ends, and the call takes place afterwards
	Failed   Fault = "500"            // takes place, and the answer is 500 InternalError
	Refused  Fault = "wrong 412"      // takes place, and the answer to a condition is 412, as for the second of two tries
	Conflict Fault = "409"            // does not take place: 409 ConditionalRequestConflict
	SlowDown Fault = "503"            // does not take place: 503 SlowDown
	Cut      Fault = "body cut short" // the body of the answer ends in its middle
	Slow     Fault = "slow body"      // the body comes in pieces, with waits between them
	Stale    Fault = "stale page"     // a page of a listing is of some changes ago
)

// Faults is all of them.
func Faults() []Fault {
	return []Fault{Unsent, Silent, Lost, Delayed, Failed, Refused, Conflict, SlowDown, Cut, Slow, Stale}
}

// fits says whether a fault can happen to a call.
func (f Fault) fits(c Call) bool {
	switch f {
	case Refused:
		return c.Op.changes() && c.If != ""
	case Delayed, Conflict:
		return c.Op.changes()
	case Cut, Slow:
		return c.Op == GetObject
	case Stale:
		return c.Op == ListObjects
	}
	return true
}

// Plan says what happens to each call and how long it takes, by the seed and
// the call alone.
type Plan struct {
	Seed uint64
	// Rate is how many of a thousand such calls meet a fault.
	Rate func(Call) int
	// Faults are those that there are; default all.
	Faults []Fault
	// Most is how many of the calls for the same, counted from the first, may
	// meet a fault; 0 is any.
	Most int
	// Hold is how much longer than usual such a call is under way to the
	// store; nil is not at all.
	Hold func(Call) time.Duration
}

// dice are those of one call. salt tells the questions about it apart.
func (p *Plan) dice(c Call, salt string) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%s\x00%s\x00%d", salt, c.Client, c.Op, c.Key, c.Detail, c.N)
	return rand.New(rand.NewPCG(p.Seed, h.Sum64()))
}

// fault is what happens to a call.
func (p *Plan) fault(c Call) Fault {
	if p == nil || p.Rate == nil || p.Most > 0 && c.N >= p.Most {
		return NoFault
	}
	dice := p.dice(c, "fault")
	if dice.IntN(1000) >= p.Rate(c) {
		return NoFault
	}
	from := p.Faults
	if from == nil {
		from = Faults()
	}
	from = slices.DeleteFunc(slices.Clone(from), func(f Fault) bool { return !f.fits(c) })
	if len(from) == 0 {
		return NoFault
	}
	return from[dice.IntN(len(from))]
}

// The waits of a network.
const (
	mostDelay = 20 * time.Millisecond // each way; of one call in sixteen a second
	silence   = 3 * time.Minute
	stall     = time.Minute // at most, between two pieces of a slow body
	mostUndo  = 4           // changes that a stale page does not know of
)

// Aftermath is longer than any call goes on after its client has its answer. A
// bubble must not end before.
const Aftermath = 2 * stall

// delays are how long a call is under way to the store and its answer back,
// to the nanosecond, so that two calls hardly ever meet.
func (p *Plan) delays(c Call) (there, back time.Duration) {
	if p == nil {
		return 0, 0
	}
	dice := p.dice(c, "delay")
	most := mostDelay
	if dice.IntN(16) == 0 {
		most = time.Second
	}
	there, back = 1+upTo(dice, most), 1+upTo(dice, most)
	if p.Hold != nil {
		there += p.Hold(c)
	}
	return there, back
}

// upTo is a random time below most.
func upTo(dice *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(dice.Int64N(int64(most)))
}
