package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"waconcile/cmd/waconcile/exportfile"
	"waconcile/reconcile"

	"golang.org/x/sync/errgroup"
)

// First is the day with which every set begins: three days before the first
// that July 2024 touches in Rome, which a run of July looks back to.
const First = reconcile.Date(19901)

// setFormat says how sets are made. A set of another format is made anew.
const setFormat = 1

// Bounds of SetOptions: below them there are days without a row, above them
// thread numbers would leave no room for steps.
const (
	messagesPerDayMin = 10
	messagesMax       = 1_000_000_000
	daysMax           = 1000
)

// SetOptions says what to make. The same options give the same bytes.
type SetOptions struct {
	Messages int    `json:"messages"` // about how many distinct messages
	Days     int    `json:"days"`     // from First on
	Seed     uint64 `json:"seed"`
}

// Validate checks the options.
func (o SetOptions) Validate() error {
	switch {
	case o.Days < 1 || o.Days > daysMax:
		return fmt.Errorf("bench days %d: must be from 1 to %d", o.Days, daysMax)
	case o.Messages < messagesPerDayMin*o.Days || o.Messages > messagesMax:
		return fmt.Errorf("bench messages %d in %d days: must be from %d to %d", o.Messages, o.Days, messagesPerDayMin*o.Days, messagesMax)
	}
	return nil
}

// Set is data that was made, and what is in it.
type Set struct {
	Dir     string     `json:"-"`
	Format  int        `json:"format"`
	Options SetOptions `json:"made_with"`

	Messages int64 `json:"messages"` // distinct messages
	Rows     int64 `json:"rows"`     // with those that are exported twice
	Files    int   `json:"files"`    // export files
	Bytes    int64 `json:"bytes"`    // size of all export files
}

// Exports is the directory of the exports.
func (s *Set) Exports() string { return filepath.Join(s.Dir, "exports") }

// Rates is the rates file.
func (s *Set) Rates() string { return filepath.Join(s.Dir, "rates.csv") }

// Accounts is the accounts file.
func (s *Set) Accounts() string { return filepath.Join(s.Dir, "accounts.csv") }

func (s *Set) record() string { return filepath.Join(s.Dir, "set.json") }

// MakeSet makes a set in a directory that is not there yet or empty.
func MakeSet(ctx context.Context, dir string, o SetOptions) (*Set, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &Set{Dir: dir, Format: setFormat, Options: o}
	if err := s.writeExports(ctx); err != nil {
		return nil, fmt.Errorf("make exports: %w", err)
	}
	record, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		os.WriteFile(s.Rates(), []byte(ratesCSV()), 0o644),
		os.WriteFile(s.Accounts(), []byte(accountsCSV()), 0o644),
	); err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.record(), record, 0o644)
}

// ReadSet gives a set that was made before; it fails where there is none that
// was made with the same options.
func ReadSet(dir string, o SetOptions) (*Set, error) {
	s := &Set{Dir: dir}
	record, err := os.ReadFile(s.record())
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(record, s); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.record(), err)
	}
	if s.Format != setFormat || s.Options != o {
		return nil, fmt.Errorf("read %s: the set was made with other options", s.record())
	}
	return s, nil
}

// writeExports draws the days in their order and writes each in a goroutine of
// its own, at most as many at a time as there are processors.
func (s *Set) writeExports(ctx context.Context) error {
	drawn := newDrawing(s.Options)
	files := exportfile.NewSet(newValues(s.Options.Seed).columns)
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for day := -carryDays; day < s.Options.Days && groupCtx.Err() == nil; day++ {
		rows := drawn.day(day)
		if day < 0 {
			continue
		}
		dir := filepath.Join(s.Exports(), "dt="+(First+reconcile.Date(day)).String())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return errors.Join(err, group.Wait())
		}
		group.Go(func() error { return files.Write(groupCtx, filepath.Join(dir, "part-0000.parquet"), rows) })
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return err
	}
	s.Messages, s.Rows = drawn.messages, drawn.messages+drawn.repeats
	s.Files, s.Bytes = files.Written()
	return nil
}
