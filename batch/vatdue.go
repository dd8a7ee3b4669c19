package batch

import (
	"context"

	"waconcile/reconcile"
	"waconcile/writer"
)

// keepVATDue gives a run of a closed month the VATAt that the month was billed
// with, whatever the job has, and warns where that is another. The setting
// says how recharges were sold, and those that paid for a closed month have
// been: an adjustment at the other would leave VAT on what bore it already, or
// take back what was never charged.
func (p *Plan) keepVATDue(ctx context.Context, job *Job) error {
	run, err := p.billedBy(ctx, job)
	if run == nil || err != nil {
		return err
	}
	asked, billed := p.settings.VATDue(), run.Settings.VATDue()
	if asked != billed {
		job.Log.WarnContext(ctx, "a closed month keeps the vat-at that it was billed with",
			"period", p.Period.String(), "vat_at", billed.String(), "asked", asked.String())
	}
	p.settings.VATAt = billed.String()
	return nil
}

// billedBy is the run that a closed month was billed by; nil where it is open.
func (p *Plan) billedBy(ctx context.Context, job *Job) (_ *writer.Manifest, err error) {
	st := p.standing
	if p.simulation != nil && writer.IsMonth(st.period) { // it has no standing, and replays the month as it was billed
		st = &standing{period: st.period}
		if st.current, err = pointedRun(writer.Current(ctx, job.Out, st.period)); err != nil {
			return nil, err
		}
		if err := st.readSeal(ctx, job.Out); err != nil {
			return nil, err
		}
	}
	if st.seal == nil {
		return nil, nil
	}
	return st.current.manifest, nil
}

// vatDue is when VAT is due on what recharges pay: of the run's own charges,
// and of each closed month whose adjustments it takes in as that was billed.
func vatDue(own *writer.Settings, taken []*writer.Manifest) map[string]reconcile.VATAt {
	due := map[string]reconcile.VATAt{"": own.VATDue()}
	for _, run := range taken {
		due[run.Period] = run.Settings.VATDue()
	}
	return due
}
