package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"waconcile/batch"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/spf13/cobra"
)

// planned is what plan prints: what a run with the same settings would read
// and write, or has, where it is published already.
type planned struct {
	Period     string             `json:"period"`
	Simulation *plannedSimulation `json:"simulation,omitempty"` // absent: what the run charges is billed
	// Checkpoint is the key of the checkpoint that the run starts from; empty
	// where it reads back.
	Checkpoint string         `json:"checkpoint"`
	RunID      string         `json:"run_id"`
	Run        string         `json:"run"`
	Published  bool           `json:"already_published"`
	SealedRun  string         `json:"sealed_run,omitempty"` // the run that a closed month was billed by
	TakenIn    []string       `json:"takes_in,omitempty"`   // closed months whose adjustments the statements take in
	Waiting    []waitingMonth `json:"waiting,omitempty"`
	Within     []string       `json:"closed_within,omitempty"` // closed months that a day or a range of days lies in
	Required   []string       `json:"days_required"`
	Read       []string       `json:"days_read"`
	Missing    []string       `json:"days_missing"`
	Files      int            `json:"files"`
	Bytes      int64          `json:"bytes"`
	// Passes is how often the exports are read for want of memory; absent where
	// it is once, or never.
	Passes int   `json:"passes,omitempty"`
	Memory int64 `json:"memory,omitempty"` // bytes, where there are passes
}

func newPlanCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "plan",
		Short:   "Print what a run would read and write; touch nothing",
		Example: `  waconcile plan --config waconcile.yaml --period last-month`,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.plan(cmd) },
	}
	a.settings.jobFlags(cmd.Flags())
	return cmd
}

func (a *app) plan(cmd *cobra.Command) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	job, done, err := a.settings.job(ctx)
	if err != nil {
		return err
	}
	defer done()
	job.Log = a.logger()
	p, err := a.planned(ctx, job)
	if err != nil {
		return err
	}
	if a.settings.json {
		return printJSON(a.stdout, p)
	}
	_, err = io.WriteString(a.stdout, p.text())
	return err
}

func (a *app) planned(ctx context.Context, job batch.Job) (*planned, error) {
	plan, err := batch.NewPlan(ctx, job)
	if err != nil {
		return nil, err
	}
	p := &planned{
		Period: plan.Period.String(), Checkpoint: plan.Checkpoint(), RunID: plan.RunID, Run: within(a.settings.out, plan.RunKey), Published: plan.Already,
		Required: reconcile.DateTexts(plan.Required), Read: reconcile.DateTexts(plan.Read), Missing: reconcile.DateTexts(plan.Missing),
		Files: len(plan.Objects), SealedRun: plan.SealedRun(),
		TakenIn: plan.TakesIn(), Waiting: waitingMonths(plan.Waiting()), Within: plan.Within(),
	}
	for _, o := range plan.Objects {
		p.Bytes += o.Size
	}
	if job.Simulation != nil {
		p.Simulation = &plannedSimulation{Plan: job.Simulation.Plan, recharges: job.Recharges != nil}
		if against := plan.Against(); against != nil {
			p.Simulation.ComparedWith = new(against.RunKey())
		}
	}
	if m := plan.Published(); m != nil {
		p.fromManifest(m)
	}
	passes, err := plan.Passes(ctx, job)
	if err == nil && passes > 1 {
		p.Passes, p.Memory = passes, job.Memory
	}
	return p, err
}

// fromManifest takes what the published run has read: the plan stops short of
// finding out how far back that is.
func (p *planned) fromManifest(m *writer.Manifest) {
	p.Read, p.Missing, p.Files, p.Bytes = m.DaysRead, m.DaysMissing, 0, 0
	if m.Checkpoint != nil {
		p.Checkpoint = *m.Checkpoint
	}
	for _, in := range m.InputsOf(writer.ExportsInput) {
		p.Files++
		p.Bytes += in.Size
	}
}

func (p *planned) text() string {
	published := "no"
	if p.Published {
		published = "yes, with the same inputs: a run would write nothing"
	}
	from := "reading back"
	if p.Checkpoint != "" {
		from = p.Checkpoint
	} else if len(p.Read) > 0 {
		from += ", from " + p.Read[0]
	}
	missing := "none"
	if len(p.Missing) > 0 {
		missing = strings.Join(p.Missing, " ")
	}
	lines := [][2]string{{"period", p.Period}}
	lines = append(lines, p.Simulation.lines()...)
	lines = append(lines, [][2]string{
		{"days required", span(p.Required)},
		{"days read", span(p.Read)},
		{"days missing", missing},
		{"starts from", from},
		{"files", grouped(int64(p.Files))},
		{"bytes", grouped(p.Bytes)},
		{"run id", p.RunID},
	}...)
	if p.Passes > 0 {
		lines = append(lines, [2]string{"passes", fmt.Sprintf("%d, at a memory of %s", p.Passes, batch.SizeText(p.Memory))})
	}
	if !p.Published {
		lines = append(lines, [2]string{"would write", p.Run})
	}
	lines = append(lines, [2]string{"published", published})
	lines = append(lines, p.closedLines()...)
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%-15s%s\n", l[0], l[1])
	}
	return b.String()
}

// span writes days in order as their number and ends.
func span(days []string) string {
	if len(days) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s to %s)", len(days), days[0], days[len(days)-1])
}

// within is the place of a key below out, as a person would write it.
func within(out, key string) string { return strings.TrimRight(out, "/") + "/" + key }
