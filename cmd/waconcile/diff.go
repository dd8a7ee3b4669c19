package main

import (
	"context"
	"errors"
	"fmt"

	"waconcile/batch"
	"waconcile/reader"
	"waconcile/writer"

	"github.com/spf13/cobra"
)

// diffLimit is how many charges are listed unless asked for more.
const diffLimit = 50

func newDiffCommand(a *app) *cobra.Command {
	limit := diffLimit
	cmd := &cobra.Command{
		Use:   "diff RUN_A RUN_B",
		Short: "Say which charges came, went or changed between two runs, and why",
		Long: `diff compares the charges of two published runs of one period. A run is a key
such as runs/2024-07/<run id>/ or simulations/2024-07/<run id>/, or with
--period a run id or one of

  current   the run that counts
  previous  the run that counted before it
  sealed    the run that closed the month
  adjusted  the newest run that adjusts the closed month

With --exports, or the setting of that name, the messages of the affected
contacts are looked up in the exports that only one of the runs read. --accounts
then tells which accounts are on basis sent, where it does not matter how far a
message came. Without --exports, or with --exports= where a file sets it, the
reasons are those that tables and manifests tell:

  late_message      one run read a message that is in nothing the other read
  status_changed    a message that both read has another status, or other times
  file_replaced     cannot be known: exports are not there any more as they were
  history           the runs read other days, or began from another checkpoint
  exports_changed   exports differ, and were not looked into
  price_changed     rates, accounts, markets, recharges or a simulation's plan
                    differ, and the price
  account_changed   the accounts differ, of which a basis or time zone can do it
  settings_changed  the settings that change rows, the rules or the format differ
  unexplained       none of these`,
		Example: `  waconcile diff --out s3://results/waconcile --period 2024-07 previous current
  waconcile diff --config waconcile.yaml --period last-month --json previous current`,
		Args: twoRuns,
		RunE: func(cmd *cobra.Command, args []string) error { return a.diff(cmd, args, limit) },
	}
	a.settings.periodFlags(cmd.Flags())
	a.settings.exportsFlag(cmd.Flags())
	a.settings.accountsFlag(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	cmd.Flags().IntVar(&limit, "limit", limit, "most charges to list; with --json all are")
	return cmd
}

func twoRuns(_ *cobra.Command, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%w: diff takes two runs, not %d", errUsage, len(args))
	}
	return nil
}

func (a *app) diff(cmd *cobra.Command, args []string, limit int) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	switch {
	case a.settings.out == "":
		return fmt.Errorf("%w: required settings are missing: --out", errUsage)
	case limit < 0:
		return fmt.Errorf("%w: --limit %d is negative", errUsage, limit)
	}
	if err := a.settings.checkPlaces(); err != nil {
		return err
	}
	ctx := cmd.Context()
	st := a.settings.stores()
	defer st.close()
	var out writer.Store
	var exports, accounts reader.Source
	err := errors.Join(st.target(ctx, a.settings.out, &out), st.source(ctx, "exports", a.settings.exports, &exports),
		st.source(ctx, "accounts", a.settings.accounts, &accounts))
	if err != nil {
		return err
	}
	job := batch.DiffJob{Out: out, Exports: exports}
	if exports != nil && accounts != nil {
		if job.Accounts, _, err = reader.ReadAccounts(ctx, accounts); err != nil {
			return err
		}
	}
	if job.A, err = a.settings.findRun(ctx, out, args[0]); err != nil {
		return err
	}
	if job.B, err = a.settings.findRun(ctx, out, args[1]); err != nil {
		return err
	}
	print := a.diffPrinter(&job, limit)
	totals, err := batch.Diff(ctx, job, print.charge)
	if err != nil {
		return err
	}
	return print.end(totals)
}

// findRun reads the manifest of the run that a person means by name.
func (s *settings) findRun(ctx context.Context, out writer.Target, name string) (*writer.Manifest, error) {
	run, err := s.nameRun(name)
	if err != nil {
		return nil, err
	}
	key, err := run.locate(ctx, out)
	if err != nil {
		return nil, err
	}
	m, err := writer.ReadManifest(ctx, out, key)
	return m, run.missing(err)
}
