package report

import (
	"cmp"
	"html/template"
	"maps"
	"slices"

	"github.com/shopspring/decimal"
)

// view is what the template shows: texts, ready to stand in their cells.
type view struct {
	Data
	Style template.CSS

	Complete    bool
	Facts       []fact
	Cards       []card
	Statements  []statement
	HasPrepaid  bool
	Credits     []credit
	UnknownTo   string // the last of the unknown days
	Adjustments []adjustment
	Charts      []chart
	Days        dayTable
	Markets     []marketTable
	Margins     []marginTable
	NoRates     []string // the exchange rates that margins lack
	Classes     []class
	Differences []difference
	Matches     string // how many lines are right; empty if none
	MoreDiffs   string
	Findings    []kind
	FindingRows []Finding
	MoreFinds   string
	Rejects     []kind
	RejectRows  []reject
	MoreRejects string
	InputRows   []entry
	MoreInputs  string
	FileRows    []entry
	ControlsOK  bool
}

// How many rows of a long list are shown.
const (
	differencesMax = 200
	findingsMax    = 50
	rejectsMax     = 50
	inputsMax      = 400
)

func newView(d *Data) *view {
	v := &view{Data: *d, Style: template.CSS(style), Complete: d.Verdict == "complete"}
	v.Statements, v.HasPrepaid = statements(d)
	v.Credits = credits(d)
	if n := len(d.Unknown); n > 0 {
		v.UnknownTo = d.Unknown[n-1]
	}
	v.Adjustments = adjustments(d)
	v.Cards = cards(d)
	v.Facts = facts(d)
	days := newDays(d)
	v.Charts, v.Days = days.charts(), days.table()
	v.Markets = marketTables(d)
	v.Margins, v.NoRates = marginTables(d), missingRates(d)
	v.Classes, v.Matches = classes(d)
	v.Differences, v.MoreDiffs = differences(d)
	v.Findings = kinds(d.Findings, findingMeaning)
	v.FindingRows, v.MoreFinds = findings(d)
	v.Rejects = kinds(d.Rejects, rejectMeaning)
	v.RejectRows, v.MoreRejects = rejects(d)
	v.InputRows, v.MoreInputs = inputs(d)
	v.FileRows = files(d)
	v.ControlsOK = !slices.ContainsFunc(d.Controls, func(c Control) bool { return !c.OK })
	return v
}

// fact is a number in the page's head.
type fact struct{ Name, Value string }

func facts(d *Data) []fact {
	var charges, unrated int64
	for _, row := range d.Summary {
		charges += row.Quantity
		if row.Status == unratedStatus {
			unrated += row.Quantity
		}
	}
	return []fact{
		{"rows read", count(d.RowsRead)},
		{"messages", count(d.MessagesRead)},
		{"charges", count(charges)},
		{"of them without a price", count(unrated)},
		{"findings", count(total(d.Findings))},
		{"rows rejected", count(total(d.Rejects))},
	}
}

func total(counts []Count) int64 {
	var n int64
	for _, c := range counts {
		n += c.N
	}
	return n
}

// card is the total of a currency.
type card struct {
	Currency, Net, VAT, Gross string
	Prepaid, Payable          string // empty where recharges paid nothing
	Charges                   string
	Compared                  bool   // with an invoice
	Over, Under               string // billed too much and too little; empty for nothing
	Difference                string // both together
}

// sums are a card in the making.
type sums struct {
	net, prepaid, payable, vat, gross decimal.Decimal
	over, under                       decimal.Decimal
	charges                           int64
	compared                          bool
	hasPrepaid                        bool
}

// cards are the totals by currency, in the order of their codes.
func cards(d *Data) []card {
	by := map[string]*sums{}
	of := func(currency string) *sums {
		if by[currency] == nil {
			by[currency] = &sums{}
		}
		return by[currency]
	}
	for _, s := range d.Statements {
		if s.Currency != "" {
			c := of(s.Currency)
			c.net, c.prepaid, c.payable = c.net.Add(s.Net), c.prepaid.Add(s.Prepaid), c.payable.Add(s.Payable)
			c.vat, c.gross = c.vat.Add(s.VAT), c.gross.Add(s.Gross)
			c.charges += s.Charges
			c.hasPrepaid = c.hasPrepaid || !s.Prepaid.IsZero()
		}
	}
	for _, diff := range d.Differences {
		if !diff.Amount.Valid || diff.Currency == "" {
			continue
		}
		c := of(diff.Currency)
		c.compared = true
		if diff.Amount.Decimal.IsPositive() {
			c.over = c.over.Add(diff.Amount.Decimal)
		} else {
			c.under = c.under.Sub(diff.Amount.Decimal)
		}
	}
	var list []card
	for _, currency := range slices.Sorted(maps.Keys(by)) {
		list = append(list, by[currency].card(currency))
	}
	return list
}

func (s *sums) card(currency string) card {
	c := card{
		Currency: currency, Charges: count(s.charges), Net: rounded(s.net, currency),
		VAT: rounded(s.vat, currency), Gross: rounded(s.gross, currency),
		Compared: s.compared, Difference: signed(s.over.Sub(s.under), currency),
	}
	if s.hasPrepaid {
		c.Prepaid, c.Payable = rounded(s.prepaid, currency), rounded(s.payable, currency)
	}
	if s.over.IsPositive() {
		c.Over = exact(s.over, currency)
	}
	if s.under.IsPositive() {
		c.Under = exact(s.under, currency)
	}
	return c
}

// statement is one account's row.
type statement struct {
	Account, Currency, Charges, Unrated string
	Adjusted, Note                      string
	Net, Prepaid, Payable               string
	VATRate, VAT, Gross                 string
}

func statements(d *Data) (rows []statement, hasPrepaid bool) {
	sorted := slices.SortedStableFunc(slices.Values(d.Statements), func(a, b Statement) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Currency, b.Currency), compareOptional(a.VATRate, b.VATRate), cmp.Compare(a.Adjusted, b.Adjusted))
	})
	for _, s := range sorted {
		hasPrepaid = hasPrepaid || !s.Prepaid.IsZero()
		row := statement{Account: s.Account, Currency: s.Currency, Charges: count(s.Charges), Unrated: count(s.Unrated), Adjusted: s.Adjusted, Note: s.Note}
		if s.Currency != "" {
			row.Net, row.Prepaid, row.Payable = rounded(s.Net, s.Currency), rounded(s.Prepaid, s.Currency), rounded(s.Payable, s.Currency)
			row.VAT, row.Gross = rounded(s.VAT, s.Currency), rounded(s.Gross, s.Currency)
		}
		if s.Currency != "" && s.VATRate.Valid {
			const percent = 2
			row.VATRate = s.VATRate.Decimal.Shift(percent).String() + " %"
		}
		rows = append(rows, row)
	}
	return rows, hasPrepaid
}

// compareOptional puts what is absent first.
func compareOptional(a, b decimal.NullDecimal) int {
	switch {
	case a.Valid && b.Valid:
		return a.Decimal.Cmp(b.Decimal)
	case a.Valid:
		return 1
	case b.Valid:
		return -1
	}
	return 0
}
