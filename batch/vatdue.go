package batch

import (
	"context"
	"log/slog"

	"waconcile/reconcile"
	"waconcile/writer"
)

// keepVATDue gives a run of a closed month the VATAt that the month was billed
// with, whatever the job has, and warns where that is another. The setting
// says how recharges were sold, and those that paid for a closed month have
// been: an adjustment at the other would leave VAT on what bore it already, or
// take back what was never charged.
func (p *Plan) keepVATDue(ctx context.Context, log *slog.Logger) {
	if p.standing.seal == nil {
		return
	}
	asked, billed := p.settings.VATDue(), p.standing.current.manifest.Settings.VATDue()
	if asked != billed {
		log.WarnContext(ctx, "a closed month keeps the vat-at that it was billed with",
			"period", p.Period.String(), "vat_at", billed.String(), "asked", asked.String())
	}
	p.settings.VATAt = billed.String()
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
