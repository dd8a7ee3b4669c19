package reconcile

import (
	"cmp"
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// Simulation holds what a period would be charged by other prices against what
// it is charged now, from the summaries of both. The zero value is empty.
type Simulation struct {
	rows map[SimulationKey]*SimulationRow
}

// SimulationKey is the grain of the comparison. Amounts of different
// currencies never meet.
type SimulationKey struct {
	Account  string
	Market   string // of the markets table, or else the country; empty: none is known
	Category Category
	Currency string // empty: the charges have no price
}

// SimulationRow is one key with both sides; either may be nothing.
type SimulationRow struct {
	SimulationKey
	Sides
}

// Sides are what there is now and what there would be.
type Sides struct {
	Now, Simulated ChargeSum
}

// ChargeSum is a number of charges and their money.
type ChargeSum struct {
	Quantity int64
	Unrated  int64 // of these, charges without a price for the want of one
	Net      decimal.Decimal
}

func (c *ChargeSum) add(other ChargeSum) {
	c.Quantity += other.Quantity
	c.Unrated += other.Unrated
	c.Net = c.Net.Add(other.Net)
}

// SimulationTotal is all rows of one currency.
type SimulationTotal struct {
	Currency string // empty: the charges have no price
	Sides
}

// AddNow adds a row of the summary of the run that counts.
func (s *Simulation) AddNow(row *SummaryRow) { s.of(row).Now.add(sumOf(row)) }

// AddSimulated adds a row of the simulation's summary.
func (s *Simulation) AddSimulated(row *SummaryRow) { s.of(row).Simulated.add(sumOf(row)) }

func (s *Simulation) of(row *SummaryRow) *SimulationRow {
	key := SimulationKey{Account: row.Account, Market: cmp.Or(row.Market, row.Country), Category: row.Category, Currency: row.Currency}
	if s.rows == nil {
		s.rows = make(map[SimulationKey]*SimulationRow)
	}
	if s.rows[key] == nil {
		s.rows[key] = &SimulationRow{SimulationKey: key}
	}
	return s.rows[key]
}

func sumOf(row *SummaryRow) ChargeSum {
	sum := ChargeSum{Quantity: row.Quantity, Net: row.Net}
	if row.Status == Unrated {
		sum.Unrated = row.Quantity
	}
	return sum
}

// Rows are sorted by their keys, texts by bytes; they are copies.
func (s *Simulation) Rows() []SimulationRow {
	rows := make([]SimulationRow, 0, len(s.rows))
	for _, row := range s.rows {
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b SimulationRow) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Market, b.Market),
			cmp.Compare(a.Category, b.Category), cmp.Compare(a.Currency, b.Currency))
	})
	return rows
}

// Totals are the rows added up by currency, in the order of the codes; what
// has no price comes first.
func (s *Simulation) Totals() []SimulationTotal {
	sums := make(map[string]*SimulationTotal)
	for key, row := range s.rows {
		t := sums[key.Currency]
		if t == nil {
			t = &SimulationTotal{Currency: key.Currency}
			sums[key.Currency] = t
		}
		t.Now.add(row.Now)
		t.Simulated.add(row.Simulated)
	}
	totals := make([]SimulationTotal, 0, len(sums))
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		totals = append(totals, *sums[currency])
	}
	return totals
}

// Same says whether both sides are the same charges and money.
func (s *Sides) Same() bool {
	return s.Now.Quantity == s.Simulated.Quantity && s.Now.Unrated == s.Simulated.Unrated && s.Now.Net.Equal(s.Simulated.Net)
}

// Difference is what would be charged more, exactly; less where it is negative.
func (s *Sides) Difference() decimal.Decimal { return s.Simulated.Net.Sub(s.Now.Net) }

// Percent is by how much more would be charged than is now. ok is false where
// that is nothing.
func (s *Sides) Percent() (more Percent, ok bool) {
	if s.Now.Net.IsZero() {
		return Percent{}, false
	}
	return percent(s.Simulated.Net, s.Now.Net), true
}
