package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"waconcile/batch"
	"waconcile/writer"

	"github.com/spf13/cobra"
)

func newRunCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Publish the charges of a period and how the invoices differ from them",
		Long: `run publishes the charges of a period and how the invoices differ from them.

With --simulate it says what other prices would charge: those of --rates,
--accounts, --markets and --recharges, or with every account on --plan. It
publishes under simulations/, prints the comparison with the run that counts by
account, market, category and currency, and moves no pointer: nothing of it is
billed. The same simulation again is not made anew, only compared.`,
		Example: `  waconcile run --period 2024-07 --exports s3://exports/whatsapp --rates rates.csv \
      --accounts accounts.csv --invoices invoices --out s3://results/waconcile
  waconcile run --config waconcile.yaml --period yesterday
  waconcile run --config waconcile.yaml --period last-month --simulate --rates next-year.csv
  waconcile run --config waconcile.yaml --period last-month --simulate --plan growth`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd) },
	}
	a.settings.jobFlags(cmd.Flags())
	return cmd
}

func (a *app) run(cmd *cobra.Command) error {
	a.publishes = true
	if err := a.load(cmd); err != nil {
		return err
	}
	if err := a.settings.checkMetrics(); err != nil {
		return err
	}
	a.telemetry = a.startTelemetry(cmd.Context())
	return a.settings.profiled(func() error { return a.runJob(cmd.Context()) })
}

func (a *app) runJob(ctx context.Context) error {
	job, done, err := a.settings.job(ctx)
	if err != nil {
		return err
	}
	defer done()
	a.telemetry.running(job.Period)
	figures, err := a.publish(ctx, &a.settings, job)
	if err != nil {
		return err
	}
	a.telemetry.published(ctx, job.Out, job.Period, figures)
	if err := a.printFigures(figures); err != nil {
		return err
	}
	return failOn(a.settings.failOn, figures)
}

// summaryTimeout bounds the reading back of the small tables of a run.
const summaryTimeout = time.Minute

// publish runs a job with its progress shown, and reads back what a person
// wants to know of it. Once a run is published, a signal no longer makes the
// command say that it is not.
func (a *app) publish(ctx context.Context, s *settings, job batch.Job) (*figures, error) {
	shown := newProgress(a.settings.logFormat, a.stderr)
	defer shown.end()
	job.Log, job.Progress = shown.log, shown.show
	job.Stages = &stageLog{log: shown.log, level: shown.stageLevel(), clock: a.clock, period: job.Period.String(), telemetry: a.telemetry}
	started := a.clock()
	result, err := batch.Run(ctx, job)
	if err != nil {
		return nil, err
	}
	took := a.clock().Sub(started)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), summaryTimeout)
	defer cancel()
	f, err := readFigures(ctx, s, job, result)
	if errors.Is(err, writer.ErrVerify) {
		return nil, fmt.Errorf("%w: %w", batch.ErrDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w as %s, but its tables cannot be read back: %w", errPublished, result.RunKey, err)
	}
	what := "published"
	if f.Simulation != nil {
		what = "simulation published"
	}
	shown.log.LogAttrs(ctx, slog.LevelInfo, what, slog.String("run", f.RunKey), slog.String("period", f.Period), slog.Bool("already", f.Already),
		slog.String("verdict", f.Verdict), slog.Int64("rows", f.Rows), slog.Int64("messages", f.Messages),
		slog.Int64("differing", f.differing()), slog.Int64("findings", total(f.Findings)),
		slog.Int64("rejects", total(f.Rejects)), slog.String("took", took.Round(time.Millisecond).String()))
	return f, nil
}

// failOn tells whether a published run has what must not be there. A line
// that equals our side up to rounding, and one outside the period, is no
// difference here.
func failOn(what string, f *figures) error {
	switch {
	case what == failOnDifferences && f.differing() > 0:
		return fmt.Errorf("%w: %d rows of %s are neither %s nor %s", errFailOn, f.differing(), writer.DifferencesTable+csvExt, "match", "rounding")
	case what == failOnFindings && total(f.Findings) > 0:
		return fmt.Errorf("%w: %d findings", errFailOn, total(f.Findings))
	}
	return nil
}
