package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"waconcile/batch"
	"waconcile/writer"

	"github.com/spf13/cobra"
)

func newCloseCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "close MONTH",
		Short: "Close a published month: what is billed no longer changes",
		Long: `close seals the current run of a month, such as 2024-07. From then on the
month's pointer never moves: a later run of the month publishes beside it what
it changes, in a table of adjustments, and the statements of the next open
month take those in. A month that lacks days cannot be closed.

There is no way to open a month again. Closing it twice does no harm.`,
		Example: `  waconcile close --out s3://results/waconcile 2024-07`,
		Args:    oneMonth,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.close(cmd, args[0]) },
	}
	a.settings.placeFlags(cmd.Flags())
	a.settings.unsafeFlag(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	return cmd
}

// oneMonth asks for the month by name: what cannot be taken back is not left
// to a setting or to the clock.
func oneMonth(_ *cobra.Command, args []string) error {
	if len(args) != 1 || !writer.IsMonth(args[0]) {
		return fmt.Errorf("%w: close takes one month, such as 2024-07, not %q", errUsage, args)
	}
	return nil
}

// closed is what close prints.
type closed struct {
	Period         string `json:"period"`
	Run            string `json:"run"`
	ManifestSHA256 string `json:"manifest_sha256"`
	Already        bool   `json:"already_closed"`
}

func (a *app) close(cmd *cobra.Command, month string) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	period, err := batch.ParsePeriod(month, time.Time{}, time.UTC)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if a.settings.out == "" {
		return fmt.Errorf("%w: required settings are missing: --out", errUsage)
	}
	if err := a.settings.checkPlaces(); err != nil {
		return err
	}
	ctx := cmd.Context()
	st := a.settings.stores()
	defer st.close()
	var out writer.Store
	if err := st.target(ctx, a.settings.out, &out); err != nil {
		return err
	}
	return a.closeMonth(ctx, batch.Closing{Period: period, Out: out, UnsafeStore: a.settings.unsafeStore})
}

func (a *app) closeMonth(ctx context.Context, c batch.Closing) error {
	done, err := batch.Close(ctx, c)
	if errors.Is(err, writer.ErrConflict) {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	if err != nil {
		return err
	}
	if a.settings.json {
		return printJSON(a.stdout, closed{done.Period, done.Run, done.ManifestSHA256, done.Already})
	}
	state := "closed"
	if done.Already {
		state = "was closed before"
	}
	_, err = io.WriteString(a.stdout, fmt.Sprintf("%s: %s\nbilled by:       %s\nmanifest sha256: %s\n",
		done.Period, state, within(a.settings.out, done.Run), done.ManifestSHA256))
	return err
}
