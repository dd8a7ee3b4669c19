package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"waconcile/batch"
)

// waitingMonth is a closed month whose adjustments are on no statement until
// another month is closed.
type waitingMonth struct {
	Month string `json:"adjusted_period"`
	For   string `json:"waits_for"`
}

func waitingMonths(waiting []batch.Waiting) []waitingMonth {
	var months []waitingMonth
	for _, w := range waiting {
		months = append(months, waitingMonth{w.Month, w.For})
	}
	return months
}

func (w waitingMonth) text() string {
	return fmt.Sprintf("the adjustments of %s wait until %s is run and closed: its statements are to take them in", w.Month, w.For)
}

// closedText tells what months being closed means to the run: what it changes
// in its own, whose adjustments its statements take in, and whose they cannot.
func (f *figures) closedText() string {
	var lines []string
	if len(f.TakenIn) > 0 {
		lines = append(lines, "statements take in the adjustments of "+strings.Join(f.TakenIn, ", "))
	}
	for _, w := range f.Waiting {
		lines = append(lines, w.text())
	}
	if len(f.Within) > 0 {
		lines = append(lines, withinText(f.Within))
	}
	switch {
	case f.SealedRun == "":
	case f.Adjustments == nil:
		lines = append(lines, f.Period+" is closed: this run is what was billed")
	default:
		lines = append(lines, fmt.Sprintf("%s is closed: it was billed by %s, and this run adjusts it", f.Period, f.SealedRun),
			strings.TrimSuffix(textTable(f.adjustmentRows()), "\n"), "in "+f.Adjustments.Table)
	}
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func (f *figures) adjustmentRows() [][]string {
	rows := countRows("adjustments", f.Adjustments.Rows)
	for _, currency := range slices.Sorted(maps.Keys(f.Adjustments.Amounts)) {
		rows = append(rows, []string{"  " + currency, f.Adjustments.Amounts[currency]})
	}
	return rows
}

// withinText is of a day or a range of days.
func withinText(months []string) string {
	be := "is"
	if len(months) > 1 {
		be = "are"
	}
	return fmt.Sprintf("%s %s closed: only a run of a whole month adjusts it, this one neither bills nor adjusts", strings.Join(months, ", "), be)
}

// closedLines are closedText for what a run would do.
func (p *planned) closedLines() [][2]string {
	var lines [][2]string
	switch {
	case p.SealedRun == "":
	case p.Published:
		lines = append(lines, [2]string{"closed", "billed by " + p.SealedRun})
	default:
		lines = append(lines, [2]string{"closed", "billed by " + p.SealedRun + ": a run adjusts it"})
	}
	if len(p.TakenIn) > 0 {
		lines = append(lines, [2]string{"takes in", "the adjustments of " + strings.Join(p.TakenIn, ", ")})
	}
	for _, w := range p.Waiting {
		lines = append(lines, [2]string{"waiting", w.text()})
	}
	if len(p.Within) > 0 {
		lines = append(lines, [2]string{"closed", withinText(p.Within)})
	}
	return lines
}
