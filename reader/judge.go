package reader

import (
	"fmt"
	"time"

	"waconcile/reconcile"
)

// futureDays is how many days after the beginning of its partition's day a
// message may have been sent.
const futureDays = 3

// verdict is a row of the block that cannot be used.
type verdict struct {
	row    int
	reason reconcile.RejectReason
	detail string
}

// judge checks the rows of the block, completes the good ones and moves them
// together, and makes rejects of the others.
func (s *scanner) judge(n int) {
	r := &s.block.Rows
	s.verdicts = s.verdicts[:0]
	dayStart := s.day.Start()
	latest := (s.day + futureDays).Start()
	idStart := uint32(0)
	for i := range n {
		idEnd := r.ID.Ends[i]
		sent := r.SentAt[i]
		if idEnd == idStart || r.Account[i] == 0 || r.Business[i] == 0 || r.Contact[i] == noContact ||
			s.direction[i] == 0 || s.kind[i] == 0 || sent == reconcile.NoTime {
			s.reject(i, reconcile.MissingValue, s.missing(i, idEnd == idStart))
		} else if reason, detail := s.complete(i); reason != "" {
			s.reject(i, reason, detail)
		} else if sent < reconcile.EarliestSent || sent >= latest {
			s.reject(i, reconcile.BadTimestamp, fmt.Sprintf("%s %s", fieldSentAt, instant(sent)))
		} else if sent < dayStart || sent >= dayStart+reconcile.DayMillis {
			s.block.Misplaced++
		}
		idStart = idEnd
	}
	if len(s.verdicts) > 0 {
		s.takeOut()
	}
}

func (s *scanner) reject(i int, reason reconcile.RejectReason, detail string) {
	s.verdicts = append(s.verdicts, verdict{i, reason, detail})
}

// missing names the first required column without a value.
func (s *scanner) missing(i int, noID bool) string {
	r := &s.block.Rows
	switch {
	case noID:
		return fieldMessageID.String()
	case r.Account[i] == 0:
		return fieldAccountID.String()
	case r.Business[i] == 0:
		return fieldBusinessNumber.String()
	case r.Contact[i] == noContact:
		return fieldContact.String()
	case s.direction[i] == 0:
		return fieldDirection.String()
	case s.kind[i] == 0:
		return fieldType.String()
	}
	return fieldSentAt.String()
}

// complete sets kind, type, category and status of row i from its tokens. What
// its direction and type make of these is looked up, not branched on: a processor
// mispredicts half of such branches, which takes longer than all of this.
func (s *scanner) complete(i int) (reconcile.RejectReason, string) {
	r := &s.block.Rows
	direction := code(s.direction[i])
	if direction == unknownCode {
		return reconcile.BadDirection, s.named(fieldDirection, s.direction[i])
	}
	t := &s.words.types[s.kind[i]]
	of := &t.byDirection[direction]
	status, category := code(s.status[i])&of.statusMask, code(s.category[i])&of.categoryMask
	r.Type[i], r.Kind[i] = t.name, of.kind
	r.Status[i], r.Category[i] = reconcile.Status(status), reconcile.Category(category)
	switch {
	case status == unknownCode:
		return reconcile.BadStatus, s.named(fieldStatus, s.status[i])
	case category == unknownCode:
		return reconcile.BadCategory, s.named(fieldCategory, s.category[i])
	case reconcile.Category(category) < of.leastCategory:
		return reconcile.BadCategory, fieldCategory.String() + " is missing"
	}
	if s.timed && direction == inbound {
		r.DeliveredAt[i], r.ReadAt[i] = reconcile.NoTime, reconcile.NoTime
	}
	return "", ""
}

// named is a column and its value, for a person.
func (s *scanner) named(f field, token uint32) string {
	return fmt.Sprintf("%s %q", f, s.words.unknownText(token))
}

// takeOut makes rejects of the verdicts and closes the gaps in the block.
func (s *scanner) takeOut() {
	for _, v := range s.verdicts {
		s.block.Rejects = append(s.block.Rejects, reconcile.Reject{
			File: s.key, Row: s.row + int64(v.row), Reason: v.reason, Detail: v.detail,
		})
	}
	r := &s.block.Rows
	dropIDs(&r.ID, s.verdicts)
	r.Account, r.Business, r.Contact = drop(r.Account, s.verdicts), drop(r.Business, s.verdicts), drop(r.Contact, s.verdicts)
	r.Type, r.Country = drop(r.Type, s.verdicts), drop(r.Country, s.verdicts)
	r.Kind, r.Category, r.Status = drop(r.Kind, s.verdicts), drop(r.Category, s.verdicts), drop(r.Status, s.verdicts)
	r.SentAt, r.DeliveredAt, r.ReadAt = drop(r.SentAt, s.verdicts), drop(r.DeliveredAt, s.verdicts), drop(r.ReadAt, s.verdicts)
}

// drop is column without the rows of the verdicts, which are in order.
func drop[T any](column []T, verdicts []verdict) []T {
	kept := verdicts[0].row
	for i, v := range verdicts {
		end := len(column)
		if i+1 < len(verdicts) {
			end = verdicts[i+1].row
		}
		kept += copy(column[kept:], column[v.row+1:end])
	}
	return column[:kept]
}

func dropIDs(t *reconcile.Texts, verdicts []verdict) {
	ends, kept, next := t.Ends, 0, 0
	length, start := uint32(0), uint32(0)
	for i, end := range ends {
		if next < len(verdicts) && verdicts[next].row == i {
			next++
		} else {
			length += uint32(copy(t.Bytes[length:], t.Bytes[start:end]))
			ends[kept] = length
			kept++
		}
		start = end
	}
	t.Bytes, t.Ends = t.Bytes[:length], ends[:kept]
}

// instant is a time for a person.
func instant(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z")
}
