package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"waconcile/reconcile"
	"waconcile/writer"
)

// simulate puts every account on the plan of a simulation, if it names one.
func (in *inputs) simulate(s *writer.Simulation) error {
	if s == nil || s.Plan == "" {
		return nil
	}
	if plans := in.rates.Plans(); !slices.Contains(plans, s.Plan) {
		return fmt.Errorf("%w: plan %q: the rates have no such plan, only %s", ErrConfig, s.Plan, strings.Join(plans, ", "))
	}
	in.accounts = in.accounts.OnPlan(s.Plan)
	return nil
}

// findSimulation finds the run that a simulation is compared with, and the
// simulation itself, where it is complete, whatever history it was made with.
// A simulation knows nothing else of how its period stands: it replaces and
// adjusts nothing.
func (p *Plan) findSimulation(ctx context.Context, job *Job) (err error) {
	if p.simulation == nil {
		return nil
	}
	if p.against, err = countingRun(ctx, job.Out, p.Period.String()); err != nil {
		return err
	}
	objects, err := job.Out.List(ctx, writer.SimulationsPrefix(p.Period.String()))
	if err != nil {
		return err
	}
	for _, o := range objects {
		run, ok := writer.SimulationOf(o.Key)
		if !ok {
			continue
		}
		m, err := writer.ReadManifest(ctx, job.Out, run)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, writer.ErrVerify):
			job.Log.WarnContext(ctx, "a simulation has a damaged manifest: not using it", "simulation", run, "cause", err)
			continue
		case err != nil:
			return err
		case !p.sameInputs(m):
			continue
		}
		switch err := writer.CheckListed(ctx, job.Out, m); {
		case errors.Is(err, writer.ErrVerify):
			job.Log.WarnContext(ctx, "a simulation is complete and has lost a file: not using it", "simulation", run, "cause", err)
		case err != nil:
			return err
		default:
			p.standing.current = &current{pointer: &writer.Pointer{Run: run}, manifest: m}
			return nil
		}
	}
	return nil
}

// notDamaged refuses a simulation whose own key has a manifest that is not one:
// no run may write over it.
func notDamaged(ctx context.Context, job *Job, plan *Plan) error {
	_, err := writer.ReadManifest(ctx, job.Out, plan.RunKey)
	if errors.Is(err, writer.ErrVerify) {
		return fmt.Errorf("%w: %w: delete it, manifest.json first, to have it made anew", ErrDamaged, err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// countingRun is the manifest of the run that a period counts by: the newest
// that adjusts a closed month, else the current one; nil where there is none.
func countingRun(ctx context.Context, out writer.Target, period string) (*writer.Manifest, error) {
	st := &standing{period: period}
	var err error
	if st.current, err = pointedRun(writer.Current(ctx, out, period)); err != nil {
		return nil, err
	}
	if st.adjusted, err = pointedRun(writer.Adjusted(ctx, out, period)); err != nil {
		return nil, err
	}
	if base := st.base(); base != nil {
		return base.manifest, nil
	}
	return nil, nil
}

// Compared is a simulation beside the run that counts, by what is sold: what the
// provider charges is not compared.
type Compared struct {
	Charges reconcile.Simulation
	// Prices are what is other than in the run that counts, of all that prices
	// follow from: tables of the manifest, and "plan".
	Prices []string
	// Beside are what is other beside the prices, so that what differs does not
	// come from these alone: "exports", of days that both have read or missed,
	// "settings" and "rules".
	Beside []string
}

// CompareSimulation reads the summaries of a simulation and of the run that
// counts; where that is nil, nothing is charged now. The error matches
// writer.ErrVerify where one of them is not what its manifest says.
func CompareSimulation(ctx context.Context, out writer.Target, simulated, now *writer.Manifest) (*Compared, error) {
	c := &Compared{}
	if err := eachSummaryRow(ctx, out, simulated, c.Charges.AddSimulated); err != nil || now == nil {
		return c, err
	}
	for _, table := range []string{
		writer.RatesInput, writer.AccountsInput, writer.MarketsInput, writer.RechargesInput,
		writer.CostRatesInput, writer.CostAccountsInput, writer.CostMarketsInput, writer.FxInput,
	} {
		if inputsDiffer(now, simulated, table) {
			c.Prices = append(c.Prices, table)
		}
	}
	if simulatedPlan(now) != simulatedPlan(simulated) {
		c.Prices = append(c.Prices, "plan")
	}
	if sets := newExportSets(now, simulated); sets.differWithin() {
		c.Beside = append(c.Beside, writer.ExportsInput)
	}
	alike := *now // but for what is told apart here
	alike.RulesVersion, alike.FormatVersion = simulated.RulesVersion, simulated.FormatVersion
	alike.Settings.VATAt = simulated.Settings.VATAt // VAT is not compared
	if !sameSettings(&alike, simulated) {
		c.Beside = append(c.Beside, "settings")
	}
	if now.RulesVersion != simulated.RulesVersion {
		c.Beside = append(c.Beside, "rules")
	}
	return c, eachSummaryRow(ctx, out, now, c.Charges.AddNow)
}

// simulatedPlan is empty of a run that is no simulation.
func simulatedPlan(m *writer.Manifest) string {
	if m.Simulation == nil {
		return ""
	}
	return m.Simulation.Plan
}

// differWithin says whether the runs differ in the files of a day that both
// know: how far each reads beyond the other is its history.
func (s *exportSets) differWithin() bool {
	return slices.ContainsFunc(s.objects, func(o exportObject) bool {
		return o.in != bothSides && s.known[0][o.day] && s.known[1][o.day]
	})
}

// eachSummaryRow reads as much of a summary as a comparison needs. The row
// that use is given is only valid until the next.
func eachSummaryRow(ctx context.Context, out writer.Target, m *writer.Manifest, use func(*reconcile.SummaryRow)) error {
	name := writer.SummaryTable + ".parquet"
	if _, err := fileOf(ctx, out, m, name); err != nil {
		return err
	}
	_, schema, _ := m.SchemaOf(name)
	for frame, err := range writer.ReadTable(ctx, out, m.RunKey()+name, schema,
		"account_id", "country", "market", "category", "currency", "status", "quantity", "net_amount") {
		if err != nil {
			return err
		}
		text := func(column, row int) string {
			if c := &frame.Columns[column]; c.Null == nil || !c.Null[row] {
				return strings.Clone(c.Text[row])
			}
			return ""
		}
		for i := range frame.Rows {
			row := reconcile.SummaryRow{Quantity: frame.Columns[6].Int[i]}
			row.Account, row.Country, row.Market, row.Currency = text(0, i), text(1, i), text(2, i), text(4, i)
			row.Category, _ = reconcile.ParseCategory(text(3, i))
			if text(5, i) == reconcile.Unrated.String() {
				row.Status = reconcile.Unrated
			}
			if net := &frame.Columns[7]; net.Null == nil || !net.Null[i] {
				row.Net = net.Wide[i]
			}
			use(&row)
		}
	}
	return nil
}

// Against is the manifest of the run that a simulation is to be compared with;
// nil where there is none, and of a run that is no simulation.
func (p *Plan) Against() *writer.Manifest { return p.against }
