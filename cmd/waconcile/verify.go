package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"waconcile/writer"

	"github.com/spf13/cobra"
)

func newVerifyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [RUN]",
		Short: "Read a published run back and check it: one line for each check",
		Long: `verify reads a published run back with a second implementation of Parquet and
checks it against its manifest. Of a closed month it also looks at the seal and
at the runs that adjust it, and of adjustments that the statements take in
whether a closed month has billed them before.

RUN is a key such as runs/2024-07/<run id>/ or simulations/2024-07/<run id>/, as
it stands or below --out, or with --period a run id or one of current, previous,
sealed and adjusted. By default it is the current run of --period.`,
		Example: `  waconcile verify --out s3://results/waconcile --period 2024-07`,
		Args:    atMostOneRun,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.verify(cmd, args) },
	}
	a.settings.periodFlags(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	return cmd
}

func atMostOneRun(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%w: verify takes one run, not %d", errUsage, len(args))
	}
	return nil
}

// verified is what verify prints.
type verified struct {
	Period string         `json:"period"`
	Run    string         `json:"run,omitempty"` // its key; empty for the current one
	OK     bool           `json:"ok"`
	Checks []writer.Check `json:"checks"`
}

func (a *app) verify(cmd *cobra.Command, args []string) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	name := runCurrent
	if len(args) == 1 {
		name = args[0]
	}
	run, err := a.settings.nameRun(name)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	st := a.settings.stores()
	defer st.close()
	var out writer.Store
	if err := st.target(ctx, a.settings.out, &out); err != nil {
		return err
	}
	return a.verifyRun(ctx, out, run)
}

// verifyRun checks the current run of a period together with the pointer that
// names it, and any other by its key.
func (a *app) verifyRun(ctx context.Context, out writer.Target, run namedRun) error {
	key := ""
	if run.text != runCurrent {
		var err error
		if key, err = run.locate(ctx, out); err != nil {
			return err
		}
	}
	checks, err := writer.Verify(ctx, out, key, run.period)
	if len(checks) == 0 && err != nil {
		return run.missing(err)
	}
	v := verified{Period: run.period, Run: key, OK: err == nil, Checks: checks}
	if printErr := a.printVerified(&v); printErr != nil {
		return printErr
	}
	return err
}

func (a *app) printVerified(v *verified) error {
	if a.settings.json {
		return printJSON(a.stdout, v)
	}
	var b strings.Builder
	failed := 0
	for _, c := range v.Checks {
		state := "ok  "
		if !c.OK {
			state = "FAIL"
			failed++
		}
		line := state + "  " + c.Name
		if what := cmp.Or(c.File, c.Key); what != "" {
			line += " " + what
		}
		if c.Detail != "" {
			line += ": " + c.Detail
		}
		b.WriteString(line + "\n")
	}
	if failed == 0 {
		fmt.Fprintf(&b, "all %d checks hold\n", len(v.Checks))
	} else {
		fmt.Fprintf(&b, "%d of %d checks failed\n", failed, len(v.Checks))
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}
