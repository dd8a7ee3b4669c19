package reconcile

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The naive reading: every charge by itself is held against every line, in
// fractions, with nothing of what the package does for speed.

// oneCharge is a single charge.
type oneCharge struct {
	CellKey
	price Micros
}

// naiveRow is a row of the differences in fractions and texts, without ids
// and detail.
type naiveRow struct {
	name                                                     string
	class                                                    DifferenceClass
	ours, theirs, ourAmount, theirAmount                     string
	difference, quantity, price, arithmetic, roundingPublish string
}

type naive struct {
	from, to Date
	lines    []InvoiceLine
	charges  []oneCharge
	markets  *Markets
	noData   NoDataFunc
}

func rat(d decimal.Decimal) *big.Rat { return d.Rat() }

func ratText(r *big.Rat) string {
	text, exact := r.FloatPrec()
	if !exact {
		return r.RatString()
	}
	return r.FloatString(text)
}

// halfEven rounds to 6 decimals.
func halfEven(r *big.Rat) *big.Rat {
	million := big.NewRat(1_000_000, 1)
	scaled := new(big.Rat).Mul(r, million)
	floor := new(big.Int).Div(scaled.Num(), scaled.Denom()) // Denom is positive: Euclid's is the floor
	rest := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(floor))
	if c := rest.Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && floor.Bit(0) == 1 {
		floor.Add(floor, big.NewInt(1))
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(floor), million)
}

func naiveName(l *InvoiceLine) string {
	return fmt.Sprint(l.Account, "|", l.Business, "|", l.From, "|", l.To, "|", l.Market, "|", l.Category, "|", l.Currency)
}

// lineCovers says whether a charge falls into a line's cell but for the currency.
func lineCovers(l *InvoiceLine, c *oneCharge) bool {
	return l.Account == c.Account && (l.Business == "" || l.Business == c.Business) &&
		l.From <= c.Date && c.Date <= l.To &&
		(l.Market == "" || l.Market == c.Country || l.Market == c.Market) &&
		(l.Category == NoCategory || l.Category == c.Category)
}

func (n *naive) inside(l *InvoiceLine) bool { return l.From >= n.from && l.To <= n.to }

func (n *naive) inScope(account string) bool {
	return slices.ContainsFunc(n.lines, func(l InvoiceLine) bool {
		return l.Kind == UsageLine && l.Account == account
	})
}

func lineAmounts(l *InvoiceLine) (amount, computed *big.Rat) {
	amount = halfEven(rat(*l.Amount))
	computed = amount
	if l.Quantity != nil && l.UnitPrice != nil {
		computed = halfEven(new(big.Rat).Mul(rat(*l.Quantity), rat(*l.UnitPrice)))
	}
	return amount, computed
}

// row compares the cell of the lines, which all name the same one.
func (n *naive) row(lines []InvoiceLine) naiveRow {
	first := &lines[0]
	row := naiveRow{name: naiveName(first)}
	if !n.inside(first) {
		row.class = OutsidePeriod
		return row
	}
	usage := slices.ContainsFunc(lines, func(l InvoiceLine) bool { return l.Kind == UsageLine })
	ours, ourAmount := new(big.Rat), new(big.Rat)
	others, unrated := 0, 0
	for i := range n.charges {
		c := &n.charges[i]
		switch {
		case !usage || !lineCovers(first, c):
		case c.Status == Unrated:
			unrated++
		case c.Status == Charged && c.Currency != first.Currency:
			others++
		case c.Status == Charged:
			ours.Add(ours, big.NewRat(1, 1))
			ourAmount.Add(ourAmount, big.NewRat(int64(c.price), 1_000_000))
		}
	}
	var theirs *big.Rat
	amount, computed := new(big.Rat), new(big.Rat)
	for i := range lines {
		a, c := lineAmounts(&lines[i])
		amount.Add(amount, a)
		computed.Add(computed, c)
		if q := lines[i].Quantity; q != nil {
			if theirs == nil {
				theirs = new(big.Rat)
			}
			theirs.Add(theirs, rat(*q))
		}
	}
	f := naiveFigures(ours, ourAmount, theirs, amount, computed)
	minorUnits, _ := MinorUnits(first.Currency)
	tolerance := rat(decimal.New(5, -minorUnits-1).Mul(decimal.NewFromInt(int64(len(lines)))))
	f.fill(&row, tolerance)
	row.class = f.class(usage, n.noData(first.Account, first.From, first.To), others, unrated, tolerance)
	return row
}

// figures of a row.
type figures struct {
	ours, ourAmount, theirs, amount, difference, quantity, price, residual *big.Rat
}

func naiveFigures(ours, ourAmount, theirs, amount, computed *big.Rat) figures {
	f := figures{ours: ours, ourAmount: ourAmount, theirs: theirs, amount: amount}
	f.difference = new(big.Rat).Sub(amount, ourAmount)
	f.residual = new(big.Rat).Sub(amount, computed)
	f.quantity = new(big.Rat)
	if ours.Sign() == 0 {
		f.quantity.Set(computed)
	} else if theirs != nil {
		each := new(big.Rat).Quo(ourAmount, ours)
		f.quantity = halfEven(each.Mul(each, new(big.Rat).Sub(theirs, ours)))
	}
	f.price = new(big.Rat).Sub(computed, ourAmount)
	f.price.Sub(f.price, f.quantity)
	return f
}

func (f figures) fill(row *naiveRow, tolerance *big.Rat) {
	row.ours, row.ourAmount, row.theirAmount = ratText(f.ours), ratText(f.ourAmount), ratText(f.amount)
	if f.theirs != nil {
		row.theirs = ratText(f.theirs)
	}
	row.difference, row.quantity, row.price = ratText(f.difference), ratText(f.quantity), ratText(f.price)
	row.arithmetic, row.roundingPublish = ratText(f.residual), "0"
	if new(big.Rat).Abs(f.residual).Cmp(tolerance) <= 0 {
		row.arithmetic, row.roundingPublish = row.roundingPublish, row.arithmetic
	}
}

func (f figures) class(usage, noData bool, others, unrated int, tolerance *big.Rat) DifferenceClass {
	none := f.ours.Sign() == 0
	sameQuantity := f.theirs == nil || f.theirs.Cmp(f.ours) == 0
	price := new(big.Rat).Abs(f.price).Cmp(tolerance) > 0
	for _, candidate := range []struct {
		class DifferenceClass
		holds bool
	}{
		{NoData, noData},
		{CreditAlone, !usage},
		{OtherCurrency, none && others > 0},
		{UnratedCharges, unrated > 0},
		{MissingOurs, none},
		{Match, f.difference.Sign() == 0 && sameQuantity},
		{WrongArithmetic, new(big.Rat).Abs(f.residual).Cmp(tolerance) > 0},
		{QuantityAndPrice, !sameQuantity && price},
		{WrongQuantity, !sameQuantity},
		{WrongPrice, price},
	} {
		if candidate.holds {
			return candidate.class
		}
	}
	return WithinRounding
}

// rows is the whole table, sorted by name and class.
func (n *naive) rows() []naiveRow {
	cells := make(map[string][]InvoiceLine)
	for _, l := range n.lines {
		if l.Kind == UsageLine || l.Kind == CreditLine {
			cells[naiveName(&l)] = append(cells[naiveName(&l)], l)
		}
	}
	var rows []naiveRow
	for _, lines := range cells {
		rows = append(rows, n.row(lines))
	}
	uncovered := make(map[InvoiceLine][]oneCharge)
	for _, c := range n.charges {
		if c.Status != Charged || !n.inScope(c.Account) || n.covered(&c) {
			continue
		}
		key := InvoiceLine{Account: c.Account, From: n.from, To: n.to, Market: c.Country, Category: c.Category, Currency: c.Currency}
		uncovered[key] = append(uncovered[key], c)
	}
	for key, charges := range uncovered {
		ourAmount := new(big.Rat)
		for _, c := range charges {
			ourAmount.Add(ourAmount, big.NewRat(int64(c.price), 1_000_000))
		}
		row := naiveRow{name: naiveName(&key), class: MissingTheirs}
		f := naiveFigures(big.NewRat(int64(len(charges)), 1), ourAmount, new(big.Rat), new(big.Rat), new(big.Rat))
		f.fill(&row, new(big.Rat))
		rows = append(rows, row)
	}
	slices.SortFunc(rows, compareNaive)
	return rows
}

func compareNaive(a, b naiveRow) int {
	return strings.Compare(a.name+string(a.class), b.name+string(b.class))
}

func (n *naive) covered(c *oneCharge) bool {
	return slices.ContainsFunc(n.lines, func(l InvoiceLine) bool {
		return l.Kind == UsageLine && n.inside(&l) && l.Currency == c.Currency && lineCovers(&l, c)
	})
}

// asNaive is the package's table in the naive form.
func asNaive(rows []Difference) []naiveRow {
	var out []naiveRow
	for _, d := range rows {
		row := naiveRow{class: d.Class, name: naiveName(&InvoiceLine{
			Account: d.Account, Business: d.Business, From: d.From, To: d.To, Market: d.Market, Category: d.Category, Currency: d.Currency,
		})}
		if e := d.Effects; e != nil {
			row.ours, row.ourAmount, row.theirAmount = fmt.Sprint(e.OurQuantity), e.OurAmount.String(), e.TheirAmount.String()
			if e.TheirQuantity != nil {
				row.theirs = e.TheirQuantity.String()
			}
			row.difference, row.quantity, row.price = e.AmountDifference.String(), e.QuantityEffect.String(), e.PriceEffect.String()
			row.arithmetic, row.roundingPublish = e.ArithmeticEffect.String(), e.RoundingEffect.String()
		}
		out = append(out, row)
	}
	slices.SortFunc(out, compareNaive)
	return out
}

// overlapping says whether two lines that name different cells could cover
// the same charge, by trying every charge there could be.
func (n *naive) overlapping(a, b *InvoiceLine) bool {
	if a.Account != b.Account || a.Currency != b.Currency || naiveName(a) == naiveName(b) {
		return false
	}
	c := oneCharge{CellKey: CellKey{Account: a.Account}}
	for c.Date = max(a.From, b.From); c.Date <= min(a.To, b.To); c.Date++ {
		for _, c.Business = range []string{"391", "392"} {
			for _, c.Category = range []Category{Marketing, Utility} {
				for _, c.Country = range []string{"IT", "FR", "BE", "SM", "Atlantis"} {
					c.Market, _ = n.markets.MarketOf(c.Country, c.Date)
					if lineCovers(a, &c) && lineCovers(b, &c) {
						return true
					}
				}
			}
		}
	}
	return false
}

// The period of the properties, in which San Marino changes its market.
var (
	propertyFrom = mustDate("2024-07-14")
	propertyTo   = mustDate("2024-07-17")
)

func genCharges(rt *rapid.T, markets *Markets) []oneCharge {
	n := rapid.IntRange(0, 40).Draw(rt, "charges")
	all := make([]oneCharge, n)
	for i := range all {
		c := &all[i]
		c.Account = rapid.SampledFrom([]string{"A", "A", "B"}).Draw(rt, "account")
		c.Business = rapid.SampledFrom([]string{"391", "392"}).Draw(rt, "business")
		c.Date = propertyFrom + Date(rapid.IntRange(0, int(propertyTo-propertyFrom)).Draw(rt, "day"))
		c.Country = rapid.SampledFrom([]string{"IT", "FR", "BE", "SM"}).Draw(rt, "country")
		c.Market, _ = markets.MarketOf(c.Country, c.Date)
		c.Category = rapid.SampledFrom([]Category{Marketing, Utility}).Draw(rt, "category")
		c.Status = rapid.SampledFrom([]ChargeStatus{Charged, Charged, Charged, Charged, Charged, Charged, Free, Unrated}).Draw(rt, "status")
		if c.Status == Charged {
			c.price = rapid.SampledFrom([]Micros{0, 1, 61_800, 140_000, 333_333}).Draw(rt, "price")
		}
		if c.Status != Unrated {
			c.Currency = rapid.SampledFrom([]string{"EUR", "EUR", "EUR", "JPY"}).Draw(rt, "currency")
		}
	}
	return all
}

// genLine makes a line that is right about the charges, or has a mistake.
func genLine(rt *rapid.T, i int, charges []oneCharge) InvoiceLine {
	l := InvoiceLine{
		Where: fmt.Sprint("x.csv:", i), InvoiceID: rapid.SampledFrom([]string{"I", "J"}).Draw(rt, "invoice"), LineID: fmt.Sprint(i),
		Account:  rapid.SampledFrom([]string{"A", "A", "A", "A", "B", "B", "C"}).Draw(rt, "line account"),
		Business: rapid.SampledFrom([]string{"", "", "", "", "391", "392"}).Draw(rt, "line business"),
		Market:   rapid.SampledFrom([]string{"", "", "", "IT", "FR", "West", "West", "SM", "Atlantis"}).Draw(rt, "line market"),
		Category: rapid.SampledFrom([]Category{NoCategory, Marketing, Utility}).Draw(rt, "line category"),
		Kind:     rapid.SampledFrom([]LineKind{UsageLine, UsageLine, UsageLine, UsageLine, CreditLine, FeeLine}).Draw(rt, "kind"),
		Currency: rapid.SampledFrom([]string{"EUR", "EUR", "EUR", "JPY"}).Draw(rt, "line currency"),
	}
	l.From = propertyFrom + Date(rapid.SampledFrom([]int{0, 0, 0, 0, 0, 1, 2, -1}).Draw(rt, "from"))
	l.To = max(l.From, propertyTo-Date(rapid.SampledFrom([]int{0, 0, 0, 0, 0, 1, 2, -1}).Draw(rt, "to")))
	quantity, amount := decimal.Decimal{}, decimal.Decimal{}
	for k := range charges {
		if c := &charges[k]; c.Status == Charged && c.Currency == l.Currency && lineCovers(&l, c) {
			quantity, amount = quantity.Add(dec("1")), amount.Add(c.price.Decimal())
		}
	}
	price := dec("0.14")
	if !quantity.IsZero() {
		price = amount.Div(quantity)
	}
	quantity = quantity.Add(dec(rapid.SampledFrom([]string{"0", "0", "0", "3", "-1", "-50", "0.5"}).Draw(rt, "quantity mistake")))
	price = price.Add(dec(rapid.SampledFrom([]string{"0", "0", "0", "0.0000001", "0.001", "-0.02"}).Draw(rt, "price mistake")))
	l.Amount = new(quantity.Mul(price))
	if rapid.Bool().Draw(rt, "amount given") {
		mistake := dec(rapid.SampledFrom([]string{"0", "0", "0.005", "-0.01", "1", "-0.000001"}).Draw(rt, "amount mistake"))
		l.Amount, l.AmountGiven = new(amount.Add(mistake)), true
	}
	if missing := rapid.SampledFrom([]string{"", "", "", "quantity", "price"}).Draw(rt, "missing"); l.AmountGiven && missing != "" {
		if missing == "quantity" {
			l.UnitPrice = &price
		} else {
			l.Quantity = &quantity
		}
		return l
	}
	l.Quantity, l.UnitPrice = &quantity, &price
	return l
}

func genNaive(rt *rapid.T, markets *Markets) *naive {
	n := &naive{from: propertyFrom, to: propertyTo, markets: markets, charges: genCharges(rt, markets)}
	blind := rapid.SampledFrom([]string{"", "", "A", "B"}).Draw(rt, "account without data")
	n.noData = func(account string, from, to Date) bool {
		return account == blind && from <= propertyFrom+1 && to > propertyFrom
	}
	for i := range rapid.IntRange(0, 8).Draw(rt, "lines") {
		if i > 0 && rapid.IntRange(0, 3).Draw(rt, "same cell") == 0 {
			again := n.lines[rapid.IntRange(0, i-1).Draw(rt, "as line")]
			l := genLine(rt, i, n.charges)
			l.Account, l.Business, l.From, l.To = again.Account, again.Business, again.From, again.To
			l.Market, l.Category, l.Currency = again.Market, again.Category, again.Currency
			n.lines = append(n.lines, l)
			continue
		}
		n.lines = append(n.lines, genLine(rt, i, n.charges))
	}
	return n
}

// clash finds two usage lines that overlap.
func (n *naive) clash() (a, b *InvoiceLine) {
	for i := range n.lines {
		for j := range i {
			a, b = &n.lines[i], &n.lines[j]
			if a.Kind == UsageLine && b.Kind == UsageLine && n.overlapping(a, b) {
				return a, b
			}
		}
	}
	return nil, nil
}

// dropClashes leaves lines that can be compared.
func (n *naive) dropClashes() {
	all := n.lines
	n.lines = nil
	for _, l := range all {
		n.lines = append(n.lines, l)
		if a, _ := n.clash(); a != nil {
			n.lines = n.lines[:len(n.lines)-1]
		}
	}
}

func TestOverlapProperty(t *testing.T) {
	t.Parallel()
	markets := exampleMarkets(t)
	rapid.Check(t, func(rt *rapid.T) {
		n := genNaive(rt, markets)
		_, err := NewPool(n.lines, n.from, n.to, markets)
		a, _ := n.clash()
		if (err != nil) != (a != nil) {
			rt.Fatalf("error %v, but a naive search finds %v", err, a)
		}
		rowError, ok := errors.AsType[*RowError](err)
		if !ok {
			return
		}
		at := func(where string) *InvoiceLine {
			return &n.lines[slices.IndexFunc(n.lines, func(l InvoiceLine) bool { return l.Where == where })]
		}
		if !n.overlapping(at(rowError.Where), at(rowError.Other)) {
			rt.Fatalf("%v, but they do not", err)
		}
	})
}

func TestDifferencesProperty(t *testing.T) {
	t.Parallel()
	markets := exampleMarkets(t)
	rapid.Check(t, func(rt *rapid.T) {
		n := genNaive(rt, markets)
		n.dropClashes()
		pool, err := NewPool(n.lines, n.from, n.to, markets)
		if err != nil {
			rt.Fatal(err)
		}
		got := pool.Compare(n.usage(rt, pool), n.noData)
		if diff := cmp.Diff(n.rows(), asNaive(got.Rows), cmp.AllowUnexported(naiveRow{})); diff != "" {
			rt.Fatalf("rows (-naive +got):\n%s", diff)
		}
		n.checkSums(rt, got)
		n.checkOrder(rt, got)
	})
}

// usage adds the charges up, in any order.
func (n *naive) usage(rt *rapid.T, pool *Pool) *Usage {
	u := pool.Usage()
	for _, i := range rapid.Permutation(indexes(len(n.charges))).Draw(rt, "order of charges") {
		u.Add(n.charges[i].CellKey, 1, n.charges[i].price.Decimal())
	}
	return u
}

func indexes(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// checkSums holds the identities that the contract promises.
func (n *naive) checkSums(rt *rapid.T, got *Comparison) {
	charges, rows := int64(0), int64(0)
	for i := range n.charges {
		if c := &n.charges[i]; c.Status == Charged && n.inScope(c.Account) {
			charges++
		}
	}
	for _, d := range got.Rows {
		e := d.Effects
		if e == nil {
			continue
		}
		rows += e.OurQuantity
		effects := decimal.Sum(e.QuantityEffect, e.PriceEffect, e.ArithmeticEffect, e.RoundingEffect)
		if !effects.Equal(e.AmountDifference) || !e.AmountDifference.Equal(e.TheirAmount.Sub(e.OurAmount)) {
			rt.Fatalf("effects add up to %s, not to %s: %+v", effects, e.AmountDifference, d)
		}
		for _, figure := range []decimal.Decimal{e.OurAmount, e.TheirAmount, e.QuantityEffect, e.PriceEffect, e.ArithmeticEffect, e.RoundingEffect} {
			if !withinPlaces(figure) {
				rt.Fatalf("%s has more decimals than are published: %+v", figure, d)
			}
		}
		if d.Detail == "" || strings.Contains(d.Detail, "%!") {
			rt.Fatalf("detail %q", d.Detail)
		}
	}
	if charges != rows {
		rt.Fatalf("%d charges in scope, %d in the rows", charges, rows)
	}
	for _, total := range got.Totals {
		if !total.Holds() {
			rt.Fatalf("control total does not hold: %+v", total)
		}
		theirs := new(big.Rat)
		for i := range n.lines {
			if l := &n.lines[i]; l.compared() && l.Currency == total.Currency && n.inside(l) {
				amount, _ := lineAmounts(l)
				theirs.Add(theirs, amount)
			}
		}
		if ratText(theirs) != total.Theirs.String() {
			rt.Fatalf("invoices come to %s, control total says %s", ratText(theirs), total.Theirs)
		}
	}
}

// checkOrder shuffles the lines: nothing but the order of ids may change.
func (n *naive) checkOrder(rt *rapid.T, want *Comparison) {
	lines := rapid.Permutation(slices.Clone(n.lines)).Draw(rt, "order of lines")
	pool, err := NewPool(lines, n.from, n.to, n.markets)
	if err != nil {
		rt.Fatal(err)
	}
	got := pool.Compare(n.usage(rt, pool), n.noData)
	if diff := cmp.Diff(sortedIDs(want), sortedIDs(got)); diff != "" {
		rt.Fatalf("lines in another order (-want +got):\n%s", diff)
	}
}

func sortedIDs(c *Comparison) *Comparison {
	sorted := func(ids string) string {
		fields := strings.Fields(ids)
		slices.Sort(fields)
		return strings.Join(fields, " ")
	}
	out := &Comparison{Totals: c.Totals}
	for _, d := range c.Rows {
		d.InvoiceID, d.LineIDs = sorted(d.InvoiceID), sorted(d.LineIDs)
		out.Rows = append(out.Rows, d)
	}
	slices.SortFunc(out.Rows, compareDifferences)
	return out
}
