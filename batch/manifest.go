package batch

import (
	"maps"
	"slices"

	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
)

// manifest says what the run is; it fails where a control total does not
// hold.
func (r *run) manifest(res *results) (*writer.Manifest, error) {
	control, err := r.controls(res)
	if err != nil {
		return nil, err
	}
	inputs, err := r.inputs()
	if err != nil {
		return nil, err
	}
	p := r.plan
	m := &writer.Manifest{
		FormatVersion:   writer.FormatVersion,
		Program:         r.job.Program,
		RulesVersion:    RulesVersion,
		Period:          p.Period.String(),
		First:           p.Period.From.String(),
		Last:            p.Period.To.String(),
		RunID:           p.RunID,
		InputsSHA256:    p.inputsID,
		Verdict:         writer.Complete,
		Settings:        p.settings,
		Simulation:      p.simulation,
		RechargeHistory: p.rechargeHistory,
		DaysRead:        reconcile.DateTexts(p.Read),
		DaysMissing:     reconcile.DateTexts(p.Missing),
		Inputs:          inputs,
		Files:           r.entries,
		Control:         control,
		Counts:          countsOfRun(res),
		Totals:          currencyTotals(res.statements),
	}
	if key := p.Checkpoint(); key != "" {
		m.Checkpoint = &key
	}
	if len(p.Missing) > 0 {
		m.Verdict = writer.Incomplete
	}
	return m, nil
}

func (r *run) inputs() ([]writer.Input, error) {
	inputs := slices.Clone(r.plan.in.files)
	for i, o := range r.plan.Objects {
		inputs = append(inputs, writer.Input{
			Table: writer.ExportsInput, Key: o.Key, Size: o.Size, Identity: o.Identity, Rows: r.infos[i].Rows,
		})
	}
	built, err := r.plan.standing.inputs()
	return append(inputs, built...), err
}

func countsOfRun(res *results) writer.Counts {
	t := &res.tally
	c := writer.Counts{
		RowsRead:            res.reading.read,
		Rejected:            make(map[string]int64),
		Merged:              t.Merged,
		Carried:             t.Carried,
		BeforeCheckpoint:    t.Before,
		Late:                t.Late,
		Messages:            t.Messages,
		Inbound:             t.Inbound,
		NotCounted:          writer.NotCounted{Failed: t.Failed, Undelivered: t.Undelivered, Ignored: t.Ignored},
		Joined:              t.Joined,
		Opened:              t.Opened,
		OpenedOutsidePeriod: res.outside,
		OutsideWindow:       t.OutsideAlone,
		Ahead:               t.Ahead,
		Misplaced:           res.reading.misplaced,
		Conversations:       make(map[string]int64),
		Differences:         make(map[string]int64),
		Findings:            make(map[string]int64),
		Adjustments:         res.adjusted.counts(),
	}
	for _, j := range res.rejects {
		c.Rejected[string(j.Reason)]++
	}
	for category, n := range res.categories {
		c.Conversations[category.String()] = n
	}
	for i := range res.compared.Rows {
		c.Differences[string(res.compared.Rows[i].Class)]++
	}
	for kind, n := range res.findings.counts {
		c.Findings[string(kind)] = n
	}
	return c
}

// currencyTotals adds up the statements in each currency.
func currencyTotals(statements []reconcile.Statement) []writer.CurrencyTotals {
	sums := make(map[string]reconcile.Statement)
	for i := range statements {
		s := &statements[i]
		if s.Currency == "" {
			continue
		}
		t := sums[s.Currency]
		sums[s.Currency] = reconcile.Statement{
			Net: t.Net.Add(s.Net), Prepaid: t.Prepaid.Add(s.Prepaid), Payable: t.Payable.Add(s.Payable),
			VAT: t.VAT.Add(s.VAT), Gross: t.Gross.Add(s.Gross),
		}
	}
	var totals []writer.CurrencyTotals
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		t := sums[currency]
		text := func(d decimal.Decimal) string { return d.StringFixed(reconcile.AmountPlaces) }
		totals = append(totals, writer.CurrencyTotals{
			Currency: currency, Net: text(t.Net), Prepaid: text(t.Prepaid), Payable: text(t.Payable),
			VAT: text(t.VAT), Gross: text(t.Gross),
		})
	}
	return totals
}
