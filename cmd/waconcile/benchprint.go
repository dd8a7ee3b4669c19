package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"waconcile/cmd/waconcile/bench"
)

func (a *app) printBench(r *bench.Result) error {
	if a.settings.json {
		return printJSON(a.stdout, r)
	}
	_, err := io.WriteString(a.stdout, benchText(r))
	return err
}

// benchText is the table of a Result for a person.
func benchText(r *bench.Result) string {
	sets := [][]string{{"data", "days", "messages", "rows", "files", "bytes"}}
	for _, s := range r.Sets {
		sets = append(sets, []string{s.Name, strconv.Itoa(s.Options.Days), grouped(s.Messages), grouped(s.Rows), grouped(int64(s.Files)), grouped(s.Bytes)})
	}
	rows := [][]string{{"figure", "measured", "bar", "reached", "of", "against"}}
	var notes strings.Builder
	for _, f := range r.Figures {
		rows = append(rows, []string{
			f.Name, benchValue(f.Measured, f.Unit), benchBar(&f), yesNo(f.Reached), benchHalf(&f.Of), benchHalf(f.Against),
		})
		fmt.Fprintf(&notes, "%s: %s\n", f.Name, f.What)
	}
	for _, l := range r.LeftOut {
		fmt.Fprintf(&notes, "%s is left out: %s\n", l.Figure, l.Why)
	}
	sides := [][]string{{"side", "wall", "CPU", "peak"}}
	for _, m := range r.Sides {
		sides = append(sides, []string{m.Side, benchValue(m.Wall.Median(), bench.Seconds), benchValue(m.CPU.Median(), bench.Seconds), benchValue(m.Peak.Median(), bench.Bytes)})
	}
	ran := fmt.Sprintf("medians of %d; each process on %d processors\n", r.Runs, r.Processors)
	return strings.Join([]string{textTable(sets), textTable(rows), notes.String(), textTable(sides), ran}, "\n")
}

func benchHalf(h *bench.Half) string {
	if h == nil {
		return ""
	}
	return h.What + " " + benchValue(h.Median, h.Unit)
}

func benchBar(f *bench.Figure) string {
	if f.AtLeast != nil {
		return "at least " + benchValue(*f.AtLeast, f.Unit)
	}
	return "at most " + benchValue(*f.AtMost, f.Unit)
}

// benchValue writes a value as far as it means something.
func benchValue(v float64, unit bench.Unit) string {
	const mib = 1 << 20
	switch unit {
	case bench.Bytes:
		return fmt.Sprintf("%.0f MiB", math.Ceil(v/mib))
	case bench.Seconds:
		return fmt.Sprintf("%.2f s", v)
	}
	return fmt.Sprintf("%.2f times", v)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
