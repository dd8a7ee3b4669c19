package demo

import (
	"context"
	_ "embed" // the rate card
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"waconcile/cmd/waconcile/exportfile"

	"golang.org/x/sync/errgroup"
)

// ratesCSV is a reseller's list in EUR as it was published, and one in USD
// that was made for the demo.
//
//go:embed rates.csv
var ratesCSV []byte

// marker is the file that allows Make to remove what an earlier Make left.
const marker = ".waconcile-demo"

// Make makes the inputs in o.Dir, all but the invoices. What an earlier Make
// left there is removed first; a directory with contents of another origin is
// refused.
func Make(ctx context.Context, o Options) (*Made, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	m := &Made{
		Dir:      o.Dir,
		Period:   Period,
		Exports:  filepath.Join(o.Dir, "exports"),
		Rates:    filepath.Join(o.Dir, "rates.csv"),
		Accounts: filepath.Join(o.Dir, "accounts.csv"),
		Invoices: filepath.Join(o.Dir, "invoices"),
		Config:   filepath.Join(o.Dir, "waconcile.yaml"),
		Out:      filepath.Join(o.Dir, "out"),
	}
	if err := m.clear(); err != nil {
		return nil, fmt.Errorf("make demo in %s: %w", o.Dir, err)
	}
	if err := m.writeExports(ctx, o); err != nil {
		return nil, fmt.Errorf("make exports: %w", err)
	}
	err := errors.Join(
		os.WriteFile(m.Rates, ratesCSV, 0o644),
		os.WriteFile(m.Accounts, []byte(accountsCSV(accounts())), 0o644),
		m.writeConfig(false),
	)
	if err != nil {
		return nil, fmt.Errorf("make demo: %w", err)
	}
	return m, nil
}

// clear leaves a directory that holds the marker and no inputs.
func (m *Made) clear() error {
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	mark := filepath.Join(m.Dir, marker)
	if _, err := os.Stat(mark); err != nil && len(entries) > 0 {
		return errors.New("the directory is not empty and was not made by the demo")
	}
	if err := os.WriteFile(mark, []byte("made by waconcile demo; it may remove the inputs beside this file\n"), 0o644); err != nil {
		return err
	}
	for _, path := range []string{m.Exports, m.Invoices, m.Rates, m.Accounts, m.Config} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// writeConfig writes the configuration file; its paths are relative to it.
func (m *Made) writeConfig(invoices bool) error {
	text := "period: " + m.Period + "\nexports: exports\nrates: rates.csv\naccounts: accounts.csv\n"
	if invoices {
		text += "invoices: invoices\n"
	}
	text += "out: out\n"
	return os.WriteFile(m.Config, []byte(text), 0o644)
}

// writeExports draws the days in order and writes each in goroutines of its
// own, at most as many files at a time as there are processors.
func (m *Made) writeExports(ctx context.Context, o Options) error {
	month := newMonth(o)
	files := exportfile.NewSet(newExporter(month.accounts, o.Seed).columns)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	unusable := rejects(o.Messages)
	for day, quota := range month.calendar.quotas(o.Messages) {
		if groupCtx.Err() != nil {
			break
		}
		month.tell(day, quota)
		month.spoil(day, unusable)
		dir := filepath.Join(m.Exports, "dt="+month.calendar.name(day))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return errors.Join(err, group.Wait())
		}
		rows := month.take(day)
		for part := 0; part == 0 || len(rows) > 0; part++ {
			n := min(len(rows), fileRows)
			path, some := filepath.Join(dir, fmt.Sprintf("part-%04d.parquet", part)), rows[:n]
			group.Go(func() error { return files.Write(groupCtx, path, some) })
			rows = rows[n:]
		}
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return err
	}
	m.Messages, m.Duplicates, m.Rejects = int64(o.Messages), month.repeats, int64(unusable)
	m.Files, m.Bytes = files.Written()
	return nil
}
