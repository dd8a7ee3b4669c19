package main

import (
	"fmt"
	"strings"

	"waconcile/reconcile"
)

// simulationRowsMax is how many rows of a comparison are printed as text.
const simulationRowsMax = 200

// headText is the first line of a run's summary.
func (f *figures) headText() string {
	state := "published"
	if f.Already {
		state = "was published before with the same inputs"
	}
	if f.Simulation == nil {
		return fmt.Sprintf("%s: run %s %s (%s)\n", f.Period, f.RunID, state, f.Verdict)
	}
	text := fmt.Sprintf("%s: SIMULATION %s %s (%s)\nnothing of it is billed, and no pointer names it\n", f.Period, f.RunID, state, f.Verdict)
	if f.Simulation.Plan != "" {
		text += "every account is on plan " + f.Simulation.Plan + exceptPaid(f.Simulation.recharges) + "\n"
	}
	return text
}

// exceptPaid says what a plan for every account leaves alone, where there are
// recharges: their price lists are part of what was bought (R12).
func exceptPaid(recharges bool) string {
	if !recharges {
		return ""
	}
	return ", and what a recharge pays on that of the recharge"
}

// comparisonText is empty of a run that is no simulation.
func (f *figures) comparisonText() string {
	s := f.Simulation
	switch {
	case s == nil:
		return ""
	case s.ComparedWith == nil:
		return fmt.Sprintf("nothing is published of %s that the simulation could be compared with\n\n%s", f.Period, s.tables())
	}
	text := "compared with " + *s.ComparedWith + "\n"
	if len(s.Prices) > 0 {
		text += "other prices by: " + strings.Join(s.Prices, ", ") + "\n"
	} else {
		text += "its prices are those of that run\n"
	}
	if len(s.Beside) > 0 {
		text += "beside the prices differ: " + strings.Join(s.Beside, ", ") + "; what differs does not come from prices alone\n"
	}
	return text + "\n" + s.tables()
}

// tables are the totals and the rows. Rows in which nothing differs are left
// out, and so are those beyond what a person reads.
func (s *simulated) tables() string {
	totals := [][]string{s.header("all charges")}
	for i := range s.Totals {
		totals = append(totals, append([]string{currencyText(s.Totals[i].Currency)}, s.Totals[i].cells()...))
	}
	rows := [][]string{s.header("account", "market", "category", "")}
	same, more := 0, 0
	for i := range s.Rows {
		r := &s.Rows[i]
		switch {
		case s.ComparedWith != nil && r.sides.Same():
			same++
		case len(rows) > simulationRowsMax:
			more++
		default:
			names := []string{r.Account, marketText(r.Market), r.Category, currencyText(r.Currency)}
			rows = append(rows, append(names, r.cells()...))
		}
	}
	text := textTable(totals)
	if len(rows) > 1 {
		text += "\n" + alignedTable(rows, 4)
	}
	if more > 0 {
		text += grouped(int64(more)) + " more rows: --json prints all\n"
	}
	if same > 0 {
		text += fmt.Sprintf("the same in both: %s of %s rows\n", grouped(int64(same)), grouped(int64(len(s.Rows))))
	}
	return text
}

// header is that of a table whose first columns have those names.
func (s *simulated) header(names ...string) []string {
	if s.ComparedWith == nil {
		return append(names, "charges", "net")
	}
	return append(names, "charges now", "simulated", "net now", "simulated", "difference", "")
}

func (t *simulationTotal) cells() []string {
	priced := t.Currency != nil
	net := func(c *chargeSum) string {
		if !priced {
			return ""
		}
		return money(c.Net)
	}
	if t.Now == nil {
		return []string{grouped(t.Simulated.Quantity), net(t.Simulated)}
	}
	cells := []string{grouped(t.Now.Quantity), grouped(t.Simulated.Quantity), net(t.Now), net(t.Simulated), "", ""}
	if priced {
		cells[4] = money(*t.Difference)
	}
	if t.Percent != nil {
		cells[5] = percentText(t.Percent)
	}
	return cells
}

// percentText is a percentage as every command prints it.
func percentText(p *reconcile.Percent) string { return p.String() + " %" }

// currencyText of charges without a price is what they are.
func currencyText(currency *string) string {
	if currency == nil {
		return "no price"
	}
	return *currency
}

func marketText(market string) string {
	if market == "" {
		return "no market"
	}
	return market
}

// plannedSimulation is what plan says of a simulation.
type plannedSimulation struct {
	Plan         string  `json:"plan,omitempty"`
	ComparedWith *string `json:"compared_with"` // null: there is no run of the period

	recharges bool // are given
}

// lines are of the text that plan prints.
func (s *plannedSimulation) lines() [][2]string {
	if s == nil {
		return nil
	}
	what, with := "it bills nothing and moves no pointer", "nothing: no run of the period is published"
	if s.Plan != "" {
		what = "every account on plan " + s.Plan + exceptPaid(s.recharges) + "; " + what
	}
	if s.ComparedWith != nil {
		with = *s.ComparedWith
	}
	return [][2]string{{"SIMULATION", what}, {"compared with", with}}
}
