package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"waconcile/batch/checkpoint"
	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
)

// start is the checkpoint that a run starts from.
type start struct {
	key    string
	header *checkpoint.Header
	state  *reconcile.State // nil: it is read by each pass, since memory may not hold it
}

// checkpointDaysMax is how far before what a run needs a checkpoint may lie:
// from one that is older, more days would have to be read again than a month
// has.
const checkpointDaysMax = 31

// findStart looks for the newest usable checkpoint that is not after the first
// day that the period touches; nil where there is none. Why another was not
// used is logged.
func (p *Plan) findStart(ctx context.Context, job *Job) (*start, error) {
	oldest := min(p.span.first, p.span.requiredFirst-checkpointDaysMax)
	keys, err := checkpoint.Find(ctx, job.Out, oldest, p.span.requiredFirst)
	if err != nil {
		return nil, err
	}
	for len(keys) > 0 {
		n := 1
		for n < len(keys) && checkpoint.DayOf(keys[n]) == checkpoint.DayOf(keys[0]) {
			n++
		}
		if found, err := p.startOfDay(ctx, job, keys[:n]); found != nil || err != nil {
			return found, err
		}
		keys = keys[n:]
	}
	return nil, nil
}

// startOfDay finds the usable one among the checkpoints of a day. Of several,
// the one whose data begins first knows most; of those, the first by its hash.
func (p *Plan) startOfDay(ctx context.Context, job *Job, keys []string) (*start, error) {
	var found []start
	refused := func(key string, err error) error {
		if !errors.Is(err, checkpoint.ErrUnusable) {
			return err
		}
		job.Log.InfoContext(ctx, "checkpoint refused", "checkpoint", key, "reason", err)
		return nil
	}
	for _, key := range keys {
		h, err := checkpoint.ReadHeader(ctx, job.Out, key)
		if err == nil {
			err = p.usable(ctx, h)
		}
		if err == nil {
			found = append(found, start{key: key, header: h})
		} else if err := refused(key, err); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(found, func(a, b start) int { return cmp.Compare(a.header.Root(), b.header.Root()) })
	for _, s := range found {
		err := s.read(ctx, job, p.names)
		if err == nil {
			return &s, nil
		}
		if err := refused(s.key, err); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// read reads the state, and finds out whether it can be used at all. One that
// is large beside the memory is not kept.
func (s *start) read(ctx context.Context, job *Job, names *reader.Names) (err error) {
	if job.holds(s.header) {
		s.state, err = checkpoint.Read(ctx, job.Out, s.key, s.header, names)
		return err
	}
	_, err = checkpoint.ReadPart(ctx, job.Out, s.key, s.header, names, func(reconcile.Contact) bool { return false })
	return err
}

// startOf is the state that a pass starts from, at least what it has of a
// share; nil where the run reads back.
func (p *Plan) startOf(ctx context.Context, job *Job, of share) (*reconcile.State, error) {
	if p.start == nil || p.start.state != nil {
		return p.start.whole(), nil
	}
	state, err := checkpoint.ReadPart(ctx, job.Out, p.start.key, p.start.header, p.names, of.has)
	if errors.Is(err, checkpoint.ErrUnusable) {
		err = fmt.Errorf("%w: it could be used as the run began: %w", writer.ErrStore, err)
	}
	return state, err
}

// whole is the state, if there is one in memory.
func (s *start) whole() *reconcile.State {
	if s == nil {
		return nil
	}
	return s.state
}

// unusable is the error of a checkpoint that must not be used.
func unusable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", checkpoint.ErrUnusable, fmt.Sprintf(format, args...))
}

// usable tells why a checkpoint must not be used: other rules, settings,
// columns, accounts or recharges, other objects than the listing shows, less known than
// reading back would tell, or days missing between it and there.
func (p *Plan) usable(ctx context.Context, h *checkpoint.Header) error {
	settings := checkpointSettings(&p.settings)
	switch {
	case h.RulesVersion != RulesVersion:
		return unusable("rules %s, this run has %s", h.RulesVersion, RulesVersion)
	case !h.Settings.Equal(&settings):
		return unusable("settings %+v, this run has %+v", h.Settings, settings)
	}
	if err := errors.Join(p.sameBasis(h.Sent, reconcile.BasisSent), p.sameBasis(h.Delivered, reconcile.BasisDelivered), p.sameRecharges(h)); err != nil {
		return err
	}
	if err := p.exports.list(ctx, h.At(), p.span.requiredFirst-1); err != nil {
		return err
	}
	root := h.Root()
	if len(p.exports.present(p.span.first, root-1)) > 0 {
		return unusable("its data begins on %s, and this run would read back to %s", root, p.span.first)
	}
	if h.At() < p.span.first && !p.exports.has(h.At(), p.span.first-1) {
		return unusable("days are missing between it and %s", p.span.first)
	}
	return p.sameObjects(ctx, h)
}

func (p *Plan) sameBasis(accounts []string, then reconcile.Basis) error {
	for _, id := range accounts {
		if now := p.in.accounts.Of(id).Basis; now != then {
			return unusable("account %s was on basis %s, and is on %s", id, then, now)
		}
	}
	return nil
}

// sameObjects holds the objects that a checkpoint and its parents were made
// from against the listing, as far as their days are still there.
func (p *Plan) sameObjects(ctx context.Context, h *checkpoint.Header) error {
	first, last, _ := h.Days()
	then, err := objectsByDay(h)
	if err != nil {
		return unusable("%v", err)
	}
	if err := p.exports.list(ctx, first, last); err != nil {
		return err
	}
	if d, same := p.exports.sameSizes(first, last, then); !same { // before their bytes are read
		return unusable("the objects of %s are not those that it was made from", d)
	}
	if err := p.exports.identify(ctx, first, last); err != nil {
		return err
	}
	for d := first; d <= last; d++ {
		if now := p.exports.known(d, d); len(now) > 0 && !slices.Equal(now, then[d]) {
			return unusable("the objects of %s are not those that it was made from", d)
		}
	}
	return p.sameEarlier(ctx, h.Earlier, first)
}

// sameEarlier does that for the days before, of which only a hash is known.
func (p *Plan) sameEarlier(ctx context.Context, days []checkpoint.Earlier, first reconcile.Date) error {
	if len(days) == 0 {
		return nil
	}
	then := make(map[reconcile.Date]string, len(days))
	oldest := first
	for _, e := range days {
		d, err := reconcile.ParseDate(e.Day)
		if err != nil {
			return unusable("%v", err)
		}
		then[d], oldest = e.SHA256, min(oldest, d)
	}
	if err := p.exports.list(ctx, oldest, first-1); err != nil {
		return err
	}
	if err := p.exports.identify(ctx, oldest, first-1); err != nil {
		return err
	}
	for d := oldest; d < first; d++ {
		if now := p.exports.known(d, d); len(now) > 0 && then[d] != "" && checkpoint.HashObjects(now) != then[d] {
			return unusable("the objects of %s are not those that its parents were made from", d)
		}
	}
	return nil
}

// objectsByDay are the objects of a checkpoint by the day in whose partition
// they lie.
func objectsByDay(h *checkpoint.Header) (map[reconcile.Date][]checkpoint.Object, error) {
	byDay := make(map[reconcile.Date][]checkpoint.Object)
	for _, o := range h.Objects {
		d, err := dateOfKey(o.Key)
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", o.Key, err)
		}
		byDay[d] = append(byDay[d], o)
	}
	return byDay, nil
}

func checkpointSettings(s *writer.Settings) checkpoint.Settings {
	return checkpoint.Settings{
		Columns: s.Columns, IgnoreTypes: s.IgnoreTypes,
		LateDays: s.LateDays, DeliveryDays: s.DeliveryDays, CompleteMarker: s.CompleteMarker,
	}
}
