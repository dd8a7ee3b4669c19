package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
)

// app is one call of the command: what it was called with, and what it needs
// of the world.
type app struct {
	lookupEnv func(string) (string, bool)
	stdout    io.Writer
	stderr    io.Writer
	settings  settings
	clock     func() time.Time
	telemetry *telemetry // of a run; nil: the command has none, or its settings are not read yet
	publishes bool       // the command is one that publishes, so that a failure has to say what became of that
}

// run does what args say and returns the exit code. It prints an error once,
// as the last line of stderr.
func run(ctx context.Context, args []string, lookupEnv func(string) (string, bool), stdout, stderr io.Writer) int {
	a := newApp(lookupEnv, stdout, stderr)
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	o := judge(ctx, err)
	if o.code == exitInterrupt || o.code == exitTerminate {
		err = o.err // what was under way when the signal came is no fault
	}
	a.telemetry.end(ctx, o.code, err)
	if err != nil {
		reportFailure(ctx, a.settings.logFormat, stderr, err, o.code, o.advice(a.publishes))
	}
	return o.code
}

func newApp(lookupEnv func(string) (string, bool), stdout, stderr io.Writer) *app {
	return &app{
		lookupEnv: lookupEnv, stdout: stdout, stderr: stderr, clock: time.Now,
		settings: settings{logFormat: logAuto},
	}
}

// newRoot is the whole command line.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "waconcile",
		Short: "Turn WhatsApp message exports into charges, and compare them with invoices",
		Long: `waconcile reads a period of daily message exports, rebuilds every conversation,
prices it, publishes tables of charges, and compares them with the provider's
invoices.

Every setting can stand in a flag, in the environment (WACONCILE_PERIOD for
--period) or in the YAML file that --config names, and is taken from the first
of these that has it.

waconcile demo shows all of it on made-up data.`,
		Args:          noArguments,
		RunE:          noCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return fmt.Errorf("%w: %w", errUsage, err)
	})
	root.AddCommand(newRunCommand(a), newDemoCommand(a), newPlanCommand(a), newVerifyCommand(a), newCloseCommand(a),
		newDiffCommand(a), newDoctorCommand(a), newGCCommand(a), newRatesCommand(a), newBenchCommand(a), newVersionCommand(a))
	return root
}

// noCommand keeps a job without arguments from passing for one that worked.
func noCommand(cmd *cobra.Command, _ []string) error {
	cmd.SetOut(cmd.ErrOrStderr())
	if err := cmd.Help(); err != nil {
		return err
	}
	return fmt.Errorf("%w: no command is given", errUsage)
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return fmt.Errorf("%w: %s takes no argument %q", errUsage, cmd.Name(), args[0])
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%w: there is no command %q; is it %s", errUsage, args[0], near[0])
	}
	return fmt.Errorf("%w: there is no command %q", errUsage, args[0])
}

// load fills the settings that the command line leaves open.
func (a *app) load(cmd *cobra.Command) error {
	if err := fill(cmd.Flags(), a.lookupEnv); err != nil {
		return err
	}
	return checkLogFormat(a.settings.logFormat)
}

// logger writes the log of a command that shows no progress.
func (a *app) logger() *slog.Logger { return newLogger(a.settings.logFormat, a.stderr) }
