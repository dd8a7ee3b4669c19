package main

import (
	"context"
	"fmt"

	"waconcile/batch"
	"waconcile/reconcile"
	"waconcile/writer"

	"github.com/shopspring/decimal"
	"github.com/spf13/pflag"
)

// simulationFlags make a run one of what other prices would charge.
func (s *settings) simulationFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&s.simulate, "simulate", false, "say what these rates, accounts and markets would charge: publish under simulations/, bill nothing")
	fs.StringVar(&s.plan, "plan", "", "with --simulate, the `plan` that every account is on; what a recharge pays keeps that of the recharge")
}

// checkSimulation refuses a plan that nothing would follow.
func (s *settings) checkSimulation() error {
	if s.plan != "" && !s.simulate {
		return fmt.Errorf("%w: --plan %s is for --simulate alone: what is billed goes by the plans of the accounts", errUsage, s.plan)
	}
	return nil
}

// simulation is nil where a run is none.
func (s *settings) simulation() *writer.Simulation {
	if !s.simulate {
		return nil
	}
	return &writer.Simulation{Plan: s.plan}
}

// simulated is a simulation beside the run that counts.
type simulated struct {
	Plan         string            `json:"plan,omitempty"` // of every account
	ComparedWith *string           `json:"compared_with"`  // the run that counts; null: there is none
	Prices       []string          `json:"prices_differ"`  // tables, and "plan", that are other than there
	Beside       []string          `json:"also_differ"`    // what is other beside the prices
	Totals       []simulationTotal `json:"totals"`         // by currency
	Rows         []simulationRow   `json:"rows"`           // by account, market, category and currency

	recharges bool // were given
}

// simulationTotal is all charges of a currency. Now and what follows from it
// are null where there is no run to compare with.
type simulationTotal struct {
	Currency   *string            `json:"currency"` // null: the charges have no price
	Now        *chargeSum         `json:"now"`
	Simulated  *chargeSum         `json:"simulated"`
	Difference *decimal.Decimal   `json:"net_difference"` // simulated minus now
	Percent    *reconcile.Percent `json:"percent"`        // of now; null where that is 0

	sides reconcile.Sides
}

// chargeSum is a number of charges and their money.
type chargeSum struct {
	Quantity int64           `json:"quantity"`
	Unrated  int64           `json:"unrated"`
	Net      decimal.Decimal `json:"net_amount"`
}

type simulationRow struct {
	Account  string `json:"account_id"`
	Market   string `json:"market,omitempty"` // or the country; empty: none is known
	Category string `json:"category"`
	simulationTotal
}

// readSimulation compares a simulation that is published.
func readSimulation(ctx context.Context, out writer.Target, result *batch.Result) (*simulated, error) {
	c, err := batch.CompareSimulation(ctx, out, result.Manifest, result.Against)
	if err != nil {
		return nil, err
	}
	f := &simulated{
		Plan: result.Manifest.Simulation.Plan, Prices: append([]string{}, c.Prices...), Beside: append([]string{}, c.Beside...),
		Totals: []simulationTotal{}, Rows: []simulationRow{},
		recharges: len(result.Manifest.InputsOf(writer.RechargesInput)) > 0,
	}
	if result.Against != nil {
		f.ComparedWith = new(result.Against.RunKey())
	}
	for _, t := range c.Charges.Totals() {
		f.Totals = append(f.Totals, f.total(t.Currency, t.Sides))
	}
	for _, r := range c.Charges.Rows() {
		f.Rows = append(f.Rows, simulationRow{r.Account, r.Market, r.Category.String(), f.total(r.Currency, r.Sides)})
	}
	return f, nil
}

func (f *simulated) total(currency string, sides reconcile.Sides) simulationTotal {
	sum := func(c reconcile.ChargeSum) *chargeSum { return &chargeSum{c.Quantity, c.Unrated, c.Net} }
	t := simulationTotal{Simulated: sum(sides.Simulated), sides: sides}
	if currency != "" {
		t.Currency = &currency
	}
	if f.ComparedWith != nil {
		t.Now, t.Difference = sum(sides.Now), new(sides.Difference())
		if more, ok := sides.Percent(); ok {
			t.Percent = &more
		}
	}
	return t
}
