package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"waconcile/cmd/waconcile/bench"
	"waconcile/writer"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// benchSettings are the flags of bench alone.
type benchSettings struct {
	bench.Options
	bucket string
}

func newBenchCommand(a *app) *cobra.Command {
	var b benchSettings
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure what the job costs, against a bare decode and against itself",
		Long: `bench makes exports of July 2024 and measures the job on them, in rounds: each
process once and in turn. It prints the medians of ratios within a round, of peak
memory, and of one time, each with the bar that it should keep to. The exit code
does not depend on them.

Every process that is measured gets two processors (GOMAXPROCS=2). Of the
environment it gets all but the settings of this program.

--against gives a shell command that answers the same from the same exports,
such as that of a database; {exports} in it becomes their directory, {out} a
place for its result. The figure s3 needs an S3, by --s3-endpoint and
--s3-bucket, best one on this machine; what is sent there is removed afterwards.`,
		Example: `  waconcile bench --messages 20000000 --dir bench-data
  waconcile bench --only decode,against --against "duckdb -f answer.sql"
  waconcile bench --only s3 --s3-endpoint http://127.0.0.1:9000 --s3-path-style --s3-bucket bench`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bench(cmd, &b) },
	}
	b.flags(cmd.Flags())
	a.settings.s3Flags(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	cmd.AddCommand(newBenchMakeCommand(), newBenchDecodeCommand(a))
	return cmd
}

func (b *benchSettings) flags(fs *pflag.FlagSet) {
	fs.StringVar(&b.Dir, "dir", "", "`directory` for the data, which is kept and used again (default: a temporary one, which is removed)")
	fs.IntVar(&b.Messages, "messages", bench.DefaultMessages, "`number` of messages of the month, about")
	fs.IntVar(&b.Runs, "runs", bench.DefaultRuns, "`number` of rounds")
	fs.Uint64Var(&b.Seed, "seed", bench.DefaultSeed, "`seed` of what is drawn")
	fs.StringSliceVar(&b.Only, "only", nil, "figures to measure: some of "+strings.Join(bench.Names(), ", ")+" (default: all that can be had)")
	fs.StringVar(&b.Against, "against", "", "shell `command` of another program to measure the job against")
	fs.StringVar(&b.bucket, "s3-bucket", "", "`bucket` for the figure s3")
}

func (a *app) bench(cmd *cobra.Command, b *benchSettings) (err error) {
	if err := a.load(cmd); err != nil {
		return err
	}
	ctx := cmd.Context()
	if b.Dir == "" {
		if b.Dir, err = os.MkdirTemp("", "waconcile-bench-"); err != nil {
			return fmt.Errorf("%w: %w", errDisk, err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(b.Dir)) }()
	}
	if b.Program, err = os.Executable(); err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	b.Environ, b.Log = measuredEnviron(os.Environ()), a.logger()
	if err := b.Validate(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	st := a.settings.stores()
	defer st.close()
	if b.Bucket, err = a.benchBucket(ctx, st, b.bucket); err != nil {
		return err
	}
	result, err := bench.Run(ctx, b.Options)
	if err != nil {
		return benchError(err)
	}
	return a.printBench(result)
}

// measuredEnviron leaves out the settings of this program and of its collector:
// what is measured has those that its command line gives it, and else the
// defaults.
func measuredEnviron(environ []string) []string {
	return slices.DeleteFunc(environ, func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return strings.HasPrefix(e, envPrefix) || name == "GOGC" || name == "GOMEMLIMIT" || name == "GODEBUG"
	})
}

// benchBucket opens a place of its own in the bucket; nil where no S3 is given.
func (a *app) benchBucket(ctx context.Context, st *stores, bucket string) (*bench.Bucket, error) {
	s := &a.settings
	if bucket == "" { // the endpoint alone may stand in the environment for other commands
		return nil, nil
	}
	if s.s3Endpoint == "" {
		return nil, fmt.Errorf("%w: --s3-bucket needs --s3-endpoint", errUsage)
	}
	place := bucketScheme + strings.Trim(strings.TrimPrefix(bucket, bucketScheme), "/") + "/waconcile-bench-" + strings.ToLower(rand.Text())
	var out writer.Store
	if err := st.target(ctx, place, &out); err != nil {
		return nil, err
	}
	store, ok := out.(writer.GarbageStore)
	if !ok {
		return nil, fmt.Errorf("%w: nothing can be removed from %s", errUsage, place)
	}
	flags := []string{"--s3-endpoint", s.s3Endpoint, fmt.Sprintf("--s3-path-style=%t", s.s3PathStyle)}
	return &bench.Bucket{Place: place, Store: store, Flags: flags}, nil
}

// benchError tells a disk that failed from a directory that bench refuses.
func benchError(err error) error {
	if _, disk := errors.AsType[*fs.PathError](err); disk && !errors.Is(err, bench.ErrProcess) {
		return fmt.Errorf("%w: %w", errDisk, err)
	}
	if errors.Is(err, bench.ErrDirectory) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return err
}
