package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"waconcile/writer"

	"github.com/spf13/cobra"
)

func newVerifyCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [RUN]",
		Short: "Read a published run back and check it: one line for each check",
		Long: `verify reads a published run back with a second implementation of Parquet and
checks it against its manifest. RUN is a run id, or the key that the summary
names: runs/2024-07/<run id>/. By default it is the current run of --period.`,
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
	Run    string         `json:"run,omitempty"`
	OK     bool           `json:"ok"`
	Checks []writer.Check `json:"checks"`
}

func (a *app) verify(cmd *cobra.Command, args []string) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	run := ""
	if len(args) == 1 {
		run = args[0]
	}
	period, run, err := a.settings.runToVerify(run)
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
	return a.verifyRun(ctx, out, run, period)
}

// runToVerify tells the period and the run id; an empty id is the current
// run. A key brings its period along.
func (s *settings) runToVerify(run string) (period, id string, err error) {
	if s.out == "" {
		return "", "", fmt.Errorf("%w: required settings are missing: --out", errUsage)
	}
	if err := s.checkPlaces(); err != nil {
		return "", "", err
	}
	if parts := strings.Split(strings.Trim(run, "/"), "/"); len(parts) >= 3 && parts[len(parts)-3] == "runs" {
		return parts[len(parts)-2], parts[len(parts)-1], nil
	}
	if strings.Contains(run, "/") {
		return "", "", fmt.Errorf("%w: %q is neither a run id nor a key such as runs/2024-07/<run id>/", errUsage, run)
	}
	if s.period == "" {
		return "", "", fmt.Errorf("%w: required settings are missing: --period", errUsage)
	}
	p, err := s.resolvePeriod()
	return p.String(), run, err
}

func (a *app) verifyRun(ctx context.Context, out writer.Target, run, period string) error {
	checks, err := writer.Verify(ctx, out, run, period)
	if errors.Is(err, fs.ErrNotExist) && len(checks) == 0 {
		return fmt.Errorf("%w: %w", errNoRun, err)
	}
	v := verified{Period: period, Run: run, OK: err == nil, Checks: checks}
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
	for _, c := range v.Checks {
		state := "ok  "
		if !c.OK {
			state = "FAIL"
		}
		line := state + "  " + c.Name
		if c.File != "" {
			line += " " + c.File
		}
		if c.Detail != "" {
			line += ": " + c.Detail
		}
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}
