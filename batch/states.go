package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"waconcile/batch/checkpoint"
	"waconcile/reconcile"
)

// begins are the days before which data is missing, in order, for an engine:
// since when that of the checkpoint has no gap, or the first day read, and
// each day that follows a gap.
func (p *Plan) begins() []reconcile.Date {
	switch {
	case p.start != nil:
		_, _, since := p.start.header.Days()
		return append([]reconcile.Date{since}, begins(p.start.header.At()-1, p.days)...)
	case len(p.days) == 0:
		return []reconcile.Date{p.span.first}
	}
	first := p.days[0].date
	return append([]reconcile.Date{first}, begins(first-1, p.days)...)
}

// end is the midnight UTC at which the data ends.
func (p *Plan) end() int64 {
	last := p.span.requiredLast
	if n := len(p.Read); n > 0 {
		last = max(last, p.Read[n-1])
	}
	return (last + 1).Start()
}

// states are the days at whose beginning the run takes states for the runs
// after it: the first day that the next period touches, and, where a day after
// the period may still grow, the last one that no such day has a part in.
// Either only where the days it is made from, and those that late rows of it
// lie in, are all there. A simulation takes none: it leaves nothing to others.
func (p *Plan) states(zones []*reconcile.Zone) []reconcile.Date {
	if len(p.Missing) > 0 || p.simulation != nil {
		return nil
	}
	next := reconcile.DateOf(firstStart(zones, p.Period.To+1))
	sure := min(next, p.span.requiredLast+1-reconcile.Date(p.settings.LateDays))
	var days []reconcile.Date
	for _, d := range slices.Compact([]reconcile.Date{sure, next}) {
		first := p.span.first + 1
		if p.start != nil {
			first = p.start.header.At() + 1
		}
		if d >= first && p.exports.has(d-1, d-1+reconcile.Date(p.settings.LateDays)) {
			days = append(days, d)
		}
	}
	return days
}

// writeCheckpoints writes what the passage took, for the runs after this one.
//
// It is called before the publication for the days that this very run could
// not start from: if it dies in between, the same run finds what it found, and
// a store that does not take them stops the run as it would at the manifest.
// The checkpoint of the first day of the period, or of one before, would make
// it another run, so that one is written when the run is published; then a
// failure costs a later run time and nothing else, and is logged.
func (r *run) writeCheckpoints(ctx context.Context, g *gathered, published bool) error {
	for midnight, taken := range g.states {
		if r.isOwn(taken) != published {
			continue
		}
		last := taken.day - 1 + reconcile.Date(r.plan.settings.LateDays)
		if latest := taken.latest(); latest > last {
			r.job.Log.WarnContext(ctx, "no checkpoint: rows of messages from before it came after its late days", "day", taken.day.String(), "partition", latest.String())
			continue
		}
		key, err := r.writeCheckpoint(ctx, taken, r.rechargesAt(g.ledger, taken.day, midnight))
		if errors.Is(err, checkpoint.ErrUnusable) {
			r.job.Log.WarnContext(ctx, "checkpoint not written", "reason", err)
			continue
		}
		if err != nil {
			return err
		}
		r.job.Log.InfoContext(ctx, "checkpoint written", "checkpoint", key)
	}
	return nil
}

// isOwn tells a state that this very run could start from.
func (r *run) isOwn(s *takenState) bool { return s.day <= r.plan.span.requiredFirst }

func (r *run) writeCheckpoint(ctx context.Context, taken *takenState, recharges *checkpoint.Recharges) (key string, err error) {
	header := r.checkpointHeader(taken.day, taken.parts)
	header.Recharges = recharges
	if taken.spilled != nil {
		return checkpoint.WriteSpilled(ctx, r.job.Out, header, taken.spilled)
	}
	return checkpoint.Write(ctx, r.job.Out, header, taken.parts, r.names)
}

// checkpointHeader says what the states of a day were made from.
func (r *run) checkpointHeader(day reconcile.Date, states []*reconcile.State) checkpoint.Header {
	p := r.plan
	first, last := p.span.first, day-1+reconcile.Date(p.settings.LateDays)
	h := checkpoint.Header{
		FormatVersion: checkpoint.FormatVersion, RulesVersion: RulesVersion,
		Day: day.String(), Since: states[0].Since.String(), Settings: checkpointSettings(&p.settings),
		Earlier: []checkpoint.Earlier{},
	}
	if p.start != nil {
		first = p.start.header.At()
		h.Parent = &p.start.key
		h.Earlier = earlier(p.start.header)
	}
	h.First, h.Last, h.Objects = first.String(), last.String(), p.exports.known(first, last)
	bases := make(map[string]reconcile.Basis)
	for _, s := range states {
		for _, a := range s.Accounts {
			bases[r.names.Text(a.Account)] = a.Basis
		}
	}
	h.Sent, h.Delivered = []string{}, []string{}
	for id, basis := range bases {
		if basis == reconcile.BasisDelivered {
			h.Delivered = append(h.Delivered, id)
		} else {
			h.Sent = append(h.Sent, id)
		}
	}
	slices.Sort(h.Sent)
	slices.Sort(h.Delivered)
	return h
}

// earlier are the days before a parent's, and the parent's own: those that
// were folded into it.
func earlier(parent *checkpoint.Header) []checkpoint.Earlier {
	then, err := objectsByDay(parent)
	if err != nil {
		panic(fmt.Sprintf("started from a checkpoint that could not be used: %v", err))
	}
	days := slices.Clone(parent.Earlier)
	first, _, _ := parent.Days()
	for d := first; d < parent.At(); d++ {
		days = append(days, checkpoint.Earlier{Day: d.String(), SHA256: checkpoint.HashObjects(then[d])})
	}
	return days
}

// splitState deals what a state has of a share to shards by contact.
func splitState(whole *reconcile.State, of share, shards int) []*reconcile.State {
	parts := make([]*reconcile.State, shards)
	for i := range parts {
		parts[i] = &reconcile.State{At: whole.At, Since: whole.Since}
	}
	parts[0].Accounts = whole.Accounts
	for _, p := range whole.Pairs {
		if i, has := of.shardOf(p.Contact, shards); has {
			parts[i].Pairs = append(parts[i].Pairs, p)
		}
	}
	for _, c := range whole.Conversations {
		if i, has := of.shardOf(c.Contact, shards); has {
			parts[i].Conversations = append(parts[i].Conversations, c)
		}
	}
	for _, m := range whole.Messages {
		if i, has := of.shardOf(m.Contact, shards); has {
			parts[i].Messages = append(parts[i].Messages, m)
		}
	}
	return parts
}

// scatteredBefore are the hashes of messages of a share that the checkpoint
// knows, and of which rows claim to have been sent after it.
func scatteredBefore(from *reconcile.State, of share) map[uint64]bool {
	scattered := make(map[uint64]bool)
	if from == nil {
		return scattered
	}
	for i := range from.Messages {
		if m := &from.Messages[i]; of.has(m.Contact) && m.Ahead(from.At.Start()) {
			scattered[m.Hash()] = true
		}
	}
	return scattered
}

// Checkpoint is the key of the checkpoint that the run starts from; empty where
// it reads back, or is published already.
func (p *Plan) Checkpoint() string {
	if p.start == nil {
		return ""
	}
	return p.start.key
}
