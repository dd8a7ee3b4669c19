package main

import (
	"context"
	"fmt"

	"waconcile/batch"
	"waconcile/writer"

	"github.com/spf13/cobra"
)

func newRunCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Publish the charges of a period and how the invoices differ from them",
		Example: `  waconcile run --period 2024-07 --exports s3://exports/whatsapp --rates rates.csv \
      --accounts accounts.csv --invoices invoices --out s3://results/waconcile
  waconcile run --config waconcile.yaml --period yesterday`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd) },
	}
	a.settings.jobFlags(cmd.Flags())
	return cmd
}

func (a *app) run(cmd *cobra.Command) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	job, done, err := a.settings.job(cmd.Context())
	if err != nil {
		return err
	}
	defer done()
	figures, err := a.publish(cmd.Context(), &a.settings, job)
	if err != nil {
		return err
	}
	if err := a.printFigures(figures); err != nil {
		return err
	}
	return failOn(a.settings.failOn, figures)
}

// publish runs a job with its progress shown, and reads back what a person
// wants to know of it.
func (a *app) publish(ctx context.Context, s *settings, job batch.Job) (*figures, error) {
	result, err := a.runShown(ctx, job)
	if err != nil {
		return nil, err
	}
	return readFigures(ctx, s, job, result)
}

// runShown runs a job and takes its progress off the terminal when it ends.
func (a *app) runShown(ctx context.Context, job batch.Job) (*batch.Result, error) {
	shown := newProgress(a.settings.logFormat, a.stderr)
	defer shown.end()
	job.Log, job.Progress = shown.log, shown.show
	return batch.Run(ctx, job)
}

// failOn tells whether a published run has what must not be there. A line
// that equals our side up to rounding, and one outside the period, is no
// difference here.
func failOn(what string, f *figures) error {
	switch {
	case what == failOnDifferences && f.differing() > 0:
		return fmt.Errorf("%w: %d rows of %s are neither %s nor %s", errFailOn, f.differing(), writer.DifferencesTable+csvExt, "match", "rounding")
	case what == failOnFindings && f.Findings > 0:
		return fmt.Errorf("%w: %d findings", errFailOn, f.Findings)
	}
	return nil
}
