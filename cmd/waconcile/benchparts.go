package main

import (
	"fmt"
	"strconv"

	"waconcile/cmd/waconcile/bench"

	"github.com/spf13/cobra"
)

// newBenchMakeCommand makes one set of data. It is a process of its own so that
// what it takes does not count as the memory of what is measured.
func newBenchMakeCommand() *cobra.Command {
	return &cobra.Command{
		Use:    bench.MakeCommand + " DIR MESSAGES DAYS SEED",
		Short:  "Make a set of data for bench",
		Hidden: true,
		Args:   hiddenArguments(4),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			var o bench.SetOptions
			if o.Messages, err = strconv.Atoi(args[1]); err == nil {
				o.Days, err = strconv.Atoi(args[2])
			}
			if err == nil {
				o.Seed, err = strconv.ParseUint(args[3], 10, 64)
			}
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			_, err = bench.MakeSet(cmd.Context(), args[0], o)
			return err
		},
	}
}

// newBenchDecodeCommand is what the job is measured against.
func newBenchDecodeCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:    bench.DecodeCommand + " DIR",
		Short:  "Decode the exports in a directory and print the number of rows",
		Hidden: true,
		Args:   hiddenArguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := bench.Decode(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, rows)
			return err
		},
	}
}

func hiddenArguments(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%w: %s takes %d arguments, not %d", errUsage, cmd.Name(), n, len(args))
		}
		return nil
	}
}
