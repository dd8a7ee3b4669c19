package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"time"

	"waconcile/cmd/waconcile/demo"
	"waconcile/writer"

	"github.com/spf13/cobra"
)

// defaultDemoDir is where the demo works unless told otherwise.
const defaultDemoDir = "./waconcile-demo"

func newDemoCommand(a *app) *cobra.Command {
	var o demo.Options
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Make a month of inputs in a local directory and run the job on it",
		Long: `demo makes a month of believable exports with rates and accounts, runs the job
on them, writes invoices from what it counted, of which one has mistakes, and
runs the job again to find them. The same --messages and --seed give the same
bytes. It refuses a directory with contents that it did not make.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd, o) },
	}
	cmd.Flags().StringVar(&o.Dir, "dir", defaultDemoDir, "`directory` to work in")
	cmd.Flags().IntVar(&o.Messages, "messages", demo.DefaultMessages, "`number` of messages to make")
	cmd.Flags().Uint64Var(&o.Seed, "seed", demo.DefaultSeed, "`seed` of what is drawn")
	cmd.Flags().IntVar(&a.settings.workers, "workers", runtime.GOMAXPROCS(0), "shards and goroutines")
	cmd.Flags().StringVar(&a.settings.memory, "memory", "", "`size` that the job keeps within, such as 512MiB")
	a.settings.commonFlags(cmd.Flags())
	cmd.Flags().Lookup("config").Hidden = true
	return cmd
}

// demoReport is what demo prints.
type demoReport struct {
	Run     *figures       `json:"run"`
	Planted []plantedFound `json:"planted"`
	Repeat  []string       `json:"repeat"`
}

// plantedFound is a planted mistake, and whether the run has found it.
type plantedFound struct {
	Invoice string `json:"invoice"`
	Class   string `json:"class"`
	What    string `json:"what"`
	Found   bool   `json:"found"`
}

func (a *app) demo(cmd *cobra.Command, o demo.Options) error {
	a.publishes = true
	if err := a.load(cmd); err != nil {
		return err
	}
	if err := o.Validate(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	ctx := cmd.Context()
	started := time.Now()
	made, err := demo.Make(ctx, o)
	if err != nil {
		return demoError(ctx, err)
	}
	a.logger().InfoContext(ctx, "made inputs", "dir", made.Dir, "rows", made.Rows(), "files", made.Files,
		"bytes", made.Bytes, "took", time.Since(started).Round(time.Millisecond).String())
	if err := a.demoInvoices(ctx, made); err != nil {
		return err
	}
	report, err := a.demoRun(ctx, made)
	if err != nil {
		return err
	}
	return a.printDemo(report)
}

// demoError tells a disk that failed from a directory that the demo refuses.
func demoError(ctx context.Context, err error) error {
	if _, disk := errors.AsType[*fs.PathError](err); disk || ctx.Err() != nil {
		return fmt.Errorf("%w: %w", errDisk, err)
	}
	return fmt.Errorf("%w: %w", errUsage, err)
}

// demoSettings are those of the configuration file that the demo writes.
func (a *app) demoSettings(made *demo.Made, invoices bool) *settings {
	s, _ := newSettings()
	s.workers, s.memory = a.settings.workers, a.settings.memory
	s.period, s.exports, s.rates, s.accounts, s.out = made.Period, made.Exports, made.Rates, made.Accounts, made.Out
	if invoices {
		s.invoices = made.Invoices
	}
	return s
}

// demoInvoices runs the job without invoices, and writes invoices of what it
// counted.
func (a *app) demoInvoices(ctx context.Context, made *demo.Made) error {
	s := a.demoSettings(made, false)
	job, done, err := s.job(ctx)
	if err != nil {
		return err
	}
	defer done()
	f, err := a.publish(ctx, s, job)
	if err != nil {
		return err
	}
	usage, err := readUsage(ctx, job.Out, f.manifest)
	if err != nil {
		return err
	}
	return made.WriteInvoices(usage)
}

// demoRun runs the job with the invoices and looks for the mistakes.
func (a *app) demoRun(ctx context.Context, made *demo.Made) (*demoReport, error) {
	s := a.demoSettings(made, true)
	job, done, err := s.job(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	f, err := a.publish(ctx, s, job)
	if err != nil {
		return nil, err
	}
	planted, err := findPlanted(ctx, job.Out, f.manifest, made.Planted)
	repeat := []string{selfCommand() + " run --config " + shellWord(made.Config), f.Next}
	return &demoReport{Run: f, Planted: planted, Repeat: repeat}, err
}

// readUsage reads the charged rows of a run's summary.
func readUsage(ctx context.Context, out writer.Target, m *writer.Manifest) ([]demo.UsageCell, error) {
	var cells []demo.UsageCell
	err := eachRow(ctx, out, m, writer.SummaryTable, func(r row) (err error) {
		if r.text("status") != "charged" {
			return nil
		}
		u := demo.UsageCell{
			Account: r.text("account_id"), Country: r.text("country"), Market: r.text("market"),
			Category: r.text("category"), Currency: r.text("currency"),
		}
		if u.Quantity, err = r.number("quantity"); err != nil {
			return err
		}
		if u.UnitPrice, err = r.amount("unit_price"); err != nil {
			return err
		}
		u.Amount, err = r.amount("net_amount")
		cells = append(cells, u)
		return err
	})
	return cells, err
}

// findPlanted looks each mistake up in a run's differences.
func findPlanted(ctx context.Context, out writer.Target, run *writer.Manifest, mistakes []demo.Mistake) ([]plantedFound, error) {
	planted := make([]plantedFound, 0, len(mistakes))
	for _, m := range mistakes {
		what := fmt.Sprintf("%s, %s: %s", m.Market, m.Category, m.What)
		planted = append(planted, plantedFound{Invoice: m.Invoice, Class: m.Class, What: what})
	}
	err := eachRow(ctx, out, run, writer.DifferencesTable, func(r row) error {
		for i, m := range mistakes {
			if m.Is(r.text("account_id"), r.text("market"), r.text("category"), r.text("class")) {
				planted[i].Found = true
			}
		}
		return nil
	})
	return planted, err
}

func (a *app) printDemo(r *demoReport) error {
	if a.settings.json {
		return printJSON(a.stdout, r)
	}
	_, err := io.WriteString(a.stdout, r.text())
	return err
}

func (r *demoReport) text() string {
	lines := []string{r.Run.text(), "mistakes planted in the invoices:"}
	for _, p := range r.Planted {
		state := "found    "
		if !p.Found {
			state = "NOT FOUND"
		}
		lines = append(lines, fmt.Sprintf("  %s  %s in %s, %s", state, p.Class, p.Invoice, p.What))
	}
	lines = append(lines, "", "to repeat it by hand:")
	for _, l := range r.Repeat {
		lines = append(lines, "  "+l)
	}
	return strings.Join(lines, "\n") + "\n"
}
