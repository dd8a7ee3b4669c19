package reconcile

import (
	"bytes"
	"cmp"
	"slices"
)

// event is a moment in a pair's day: a message that counts, or the sending of
// a free-form message that counts later, at which its window is judged (R5).
type event struct {
	at      int64
	message *message
	rank    uint8
}

const sendingRank uint8 = 1 // after inbound, before what counts at the same instant

// countRank leaves room for sendingRank in the order of R1.
func countRank(r *row) uint8 {
	if r.kind == Inbound {
		return 0
	}
	return sendingRank + Rank(r.kind, r.category)
}

// fewEvents is the number of events up to which inserting beats sorting: most
// pairs have one or two a day.
const fewEvents = 12

func sortEvents(events []event) {
	if len(events) > fewEvents {
		slices.SortFunc(events, compareEvents)
		return
	}
	for i := 1; i < len(events); i++ {
		for k := i; k > 0 && (events[k].at < events[k-1].at || events[k].at == events[k-1].at && compareEvents(events[k], events[k-1]) < 0); k-- {
			events[k], events[k-1] = events[k-1], events[k]
		}
	}
}

// compareEvents is the order of R1.
func compareEvents(a, b event) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.rank, b.rank), bytes.Compare(a.message.id, b.message.id))
}
