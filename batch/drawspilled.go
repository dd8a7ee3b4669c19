package batch

import (
	"fmt"
	"sync"

	"waconcile/reconcile"
)

// A charge that waits to draw takes drawBytes, and those that wait at once may
// take one part in drawPart of the memory.
const (
	drawBytes = 160
	drawPart  = 8
	spansMax  = 64 // each reads the date anew
)

// drawSpilled does what draw does for a date whose charges lie in a temporary
// file. They are taken a span of time at a time, as many as memory allows if
// they are spread evenly, since time is what they draw in the order of.
func (d *drawer) drawSpilled(date reconcile.Date, s *spilledDate, memory int64, spare *sync.Pool) error {
	whole := &dateCharges{groups: s.groups}
	payers, _ := d.payers(date, []*dateCharges{whole})
	if len(payers) == 0 {
		return nil
	}
	s.drawn = make([][]uint32, s.buckets())
	spans := int64(1)
	if memory > 0 {
		spans = min(spans+int64(s.charges)*drawBytes*drawPart/memory, spansMax)
	}
	for i := range spans {
		from, to := drawStart(date)+i<<timeBits/spans, drawStart(date)+(i+1)<<timeBits/spans
		if err := d.drawSpan(date, s, from, to, spare); err != nil {
			return fmt.Errorf("charges of %s: %w", date, err)
		}
	}
	return nil
}

// drawSpan has the charges opened in [from, to) draw.
func (d *drawer) drawSpan(date reconcile.Date, s *spilledDate, from, to int64, spare *sync.Pool) error {
	type place struct{ bucket, index uint32 }
	some, places := &dateCharges{groups: s.groups, spare: spare}, []place(nil)
	for bucket := range s.drawn {
		next := uint32(0)
		err := s.each(bucket, func(c charge, id []byte) {
			if from <= c.openedAt && c.openedAt < to {
				some.put(c, id)
				places = append(places, place{uint32(bucket), next})
			}
			next++
		})
		if err != nil {
			return err
		}
		if s.drawn[bucket] == nil && d.period.Has(date) {
			s.drawn[bucket] = make([]uint32, next)
		}
	}
	d.draw(date, []*dateCharges{some})
	s.groups = some.groups
	if len(d.drawn) > 0 && d.period.Has(date) { // of the dates before, nothing is written
		for i, to := range d.drawn[0] {
			s.drawn[places[i].bucket][places[i].index] = to
		}
	}
	some.release()
	return nil
}

// buckets is how many each part has.
func (s *spilledDate) buckets() int { return len(s.parts[0].buckets) }
