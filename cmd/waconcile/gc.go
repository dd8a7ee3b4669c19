package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"waconcile/writer"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// gcSettings are the flags of gc alone.
type gcSettings struct {
	olderThan time.Duration
	remove    bool
}

// garbageAge is how long what a dead run left stays unless told otherwise: a
// week, in which somebody will have looked why it died.
const garbageAge = 7 * 24 * time.Hour

func newGCCommand(a *app) *cobra.Command {
	gc := gcSettings{olderThan: garbageAge}
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Say what dead runs left behind; with --delete, remove it",
		Long: `gc looks for what runs left behind that died before they were published:
prefixes of runs and simulations without a manifest and checkpoints without
their header, of all periods, and in a directory temporary files. No reader
looks at any of it. What is older than --older-than it removes if --delete is
given. It never touches a run or a simulation that has a manifest, current or
not, nor anything else.

A run that writes into the same prefix while gc removes it is not published,
and can be done again. --older-than should be more than the longest run takes,
whose temporary files wait that long.`,
		Example: `  waconcile gc --out s3://results/waconcile
  waconcile gc --out s3://results/waconcile --delete`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.gc(cmd, &gc) },
	}
	gc.flags(cmd.Flags())
	a.settings.placeFlags(cmd.Flags())
	a.settings.unsafeFlag(cmd.Flags())
	a.settings.nowFlag(cmd.Flags())
	a.settings.commonFlags(cmd.Flags())
	return cmd
}

func (gc *gcSettings) flags(fs *pflag.FlagSet) {
	fs.DurationVar(&gc.olderThan, "older-than", gc.olderThan, "least age, by the newest file, at least 1h")
	fs.BoolVar(&gc.remove, "delete", false, "remove what is found")
}

// collected is what gc prints.
type collected struct {
	Out       string    `json:"out"`
	OlderThan string    `json:"older_than"`
	Deleted   bool      `json:"deleted"` // --delete was given
	Garbage   []garbage `json:"garbage"` // old enough
	Newer     []garbage `json:"newer"`

	olderThan time.Duration
}

type garbage struct {
	Kind    writer.GarbageKind `json:"kind"`
	Key     string             `json:"key"`
	Objects int                `json:"objects"`
	Bytes   int64              `json:"bytes"`
	Written time.Time          `json:"last_written"`
	Begun   bool               `json:"removal_begun"`
	Removed bool               `json:"removed"`
	Kept    string             `json:"kept,omitempty"` // why it was not removed
}

func (a *app) gc(cmd *cobra.Command, gc *gcSettings) error {
	if err := a.load(cmd); err != nil {
		return err
	}
	switch {
	case a.settings.out == "":
		return fmt.Errorf("%w: required settings are missing: --out", errUsage)
	case gc.olderThan < writer.GarbageAgeMin:
		return fmt.Errorf("%w: --older-than %s is less than %s: what is newer may belong to a run that is under way", errUsage, gc.olderThan, writer.GarbageAgeMin)
	}
	now, err := a.settings.instant()
	if err != nil {
		return err
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
	return a.collect(ctx, out, gc, now)
}

// collect says what it finds, and only then removes it.
func (a *app) collect(ctx context.Context, out writer.Store, gc *gcSettings, now time.Time) error {
	found, err := writer.FindGarbage(ctx, out)
	if err != nil {
		return err
	}
	c := &collected{Out: a.settings.out, OlderThan: gc.olderThan.String(), olderThan: gc.olderThan, Deleted: gc.remove, Garbage: []garbage{}, Newer: []garbage{}}
	var old []writer.Garbage
	for _, g := range found {
		item := garbage{Kind: g.Kind, Key: g.Key, Objects: g.Objects, Bytes: g.Bytes, Written: g.Modified.UTC(), Begun: g.Begun}
		if g.Old(now, gc.olderThan) {
			old, c.Garbage = append(old, g), append(c.Garbage, item)
		} else {
			c.Newer = append(c.Newer, item)
		}
	}
	if !a.settings.json {
		if _, err := io.WriteString(a.stdout, c.text(now)); err != nil {
			return err
		}
	}
	if gc.remove && len(old) > 0 {
		err = a.removeGarbage(ctx, out, old, c)
	}
	if a.settings.json {
		return errors.Join(err, printJSON(a.stdout, c))
	}
	return err
}

// removeGarbage tells of each piece as it goes.
func (a *app) removeGarbage(ctx context.Context, out writer.Store, old []writer.Garbage, c *collected) error {
	place, ok := out.(writer.GarbageStore)
	if !ok {
		return fmt.Errorf("%w: nothing can be removed from %s", errUsage, c.Out)
	}
	if p, ok := out.(interface{ Probe(context.Context) error }); ok && !a.settings.unsafeStore {
		if err := p.Probe(ctx); err != nil { // the tombstones must not replace a manifest
			return err
		}
	}
	for i, g := range old {
		kept, err := writer.RemoveGarbage(ctx, place, g, time.Now)
		if err != nil {
			return err
		}
		c.Garbage[i].Removed, c.Garbage[i].Kept = kept == "", kept
		if a.settings.json {
			continue
		}
		line := "removed  " + g.Key
		if kept != "" {
			line = "kept     " + g.Key + ": " + kept
		}
		if _, err := fmt.Fprintln(a.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

func (c *collected) text(now time.Time) string {
	var b strings.Builder
	switch {
	case len(c.Garbage) == 0:
		fmt.Fprintf(&b, "nothing older than %s is left over in %s\n", ageText(c.olderThan), c.Out)
	case c.Deleted:
		fmt.Fprintf(&b, "left over in %s, and to be removed now:\n\n%s\n", c.Out, garbageTable(c.Garbage, now))
	default:
		fmt.Fprintf(&b, "left over in %s, and removed by --delete:\n\n%s", c.Out, garbageTable(c.Garbage, now))
	}
	if len(c.Newer) > 0 {
		fmt.Fprintf(&b, "\nleft alone, since it is newer and a run may be at work there:\n\n%s\n", garbageTable(c.Newer, now))
	}
	return b.String()
}

func garbageTable(items []garbage, now time.Time) string {
	rows := [][]string{{"key", "kind", "files", "bytes", "age"}}
	for _, g := range items {
		kind := string(g.Kind)
		if g.Begun {
			kind += ", removal begun"
		}
		rows = append(rows, []string{g.Key, kind, grouped(int64(g.Objects)), grouped(g.Bytes), ageText(now.Sub(g.Written))})
	}
	return textTable(rows)
}

// ageText writes an age in days and hours, or, of less than a day, in hours
// and minutes: 8d 20h.
func ageText(age time.Duration) string {
	const day = 24 * time.Hour
	large, small, largeUnit, smallUnit := day, time.Hour, "d", "h"
	if age = max(age, 0).Truncate(time.Minute); age < day {
		large, small, largeUnit, smallUnit = time.Hour, time.Minute, "h", "m"
	}
	parts := []string{fmt.Sprintf("%d%s", age/large, largeUnit), fmt.Sprintf("%d%s", age%large/small, smallUnit)}
	switch {
	case age%large/small == 0 && age >= large:
		parts = parts[:1]
	case age < large:
		parts = parts[1:]
	}
	return strings.Join(parts, " ")
}
