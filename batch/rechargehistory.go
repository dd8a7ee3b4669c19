package batch

import (
	"context"
	"slices"

	"waconcile/batch/checkpoint"
	"waconcile/reconcile"
	"waconcile/writer"
)

// readHistory identifies the exports since the first purchase: charges of all
// these days draw on the recharges, so that a run is the same only where these
// are, as far as they are still there.
func (p *Plan) readHistory(ctx context.Context) error {
	if !p.purchase.made {
		return nil
	}
	first, last := p.span.first, p.span.requiredFirst-1
	if err := p.exports.identify(ctx, first, last); err != nil {
		return err
	}
	p.rechargeHistory = &writer.RechargeHistory{Days: make(map[string]string), Missing: []string{}}
	for d := first; d <= last; d++ {
		if objects := p.exports.known(d, d); len(objects) > 0 {
			p.rechargeHistory.Days[d.String()] = checkpoint.HashObjects(objects)
		}
	}
	return nil
}

// sameInputs tells whether a run has the inputs of the plan: those of the
// period and, where charges draw on recharges, those of before.
func (p *Plan) sameInputs(m *writer.Manifest) bool {
	if m.InputsSHA256 != p.inputsID {
		return false
	}
	if p.rechargeHistory == nil {
		return true
	}
	for day, now := range p.rechargeHistory.Days {
		if m.RechargeHistory == nil || m.RechargeHistory.Days[day] != now {
			return false
		}
	}
	return true
}

// noteGaps notes the days without data of which charges would have drawn, and
// tells of them.
func (p *Plan) noteGaps(ctx context.Context, job *Job) {
	if p.rechargeHistory == nil {
		return
	}
	if p.start != nil && p.start.header.Recharges != nil {
		p.rechargeHistory.Missing = append(p.rechargeHistory.Missing, p.start.header.Recharges.Missing...)
	}
	for d := reconcile.DateOf(p.drawsFrom()); d < p.span.requiredFirst; d++ {
		if !p.exports.has(d, d) {
			p.rechargeHistory.Missing = append(p.rechargeHistory.Missing, d.String())
		}
	}
	slices.Sort(p.rechargeHistory.Missing)
	p.rechargeHistory.Missing = slices.Compact(p.rechargeHistory.Missing)
	if gaps := p.rechargeHistory.Missing; len(gaps) > 0 {
		job.Log.WarnContext(ctx, "no data on days since the first recharge was bought: what they took of recharges is not known",
			"days", len(gaps), "first", gaps[0], "last", gaps[len(gaps)-1])
	}
}

// gapsBefore are the noted days before one.
func (p *Plan) gapsBefore(day reconcile.Date) []string {
	gaps := []string{}
	for _, gap := range p.rechargeHistory.Missing {
		if gap < day.String() {
			gaps = append(gaps, gap)
		}
	}
	return gaps
}
