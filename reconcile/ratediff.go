package reconcile

import (
	"cmp"
	"slices"
)

// RateChangeKind says what became of a key of the rates table.
type RateChangeKind uint8

// The kinds of a RateChange.
const (
	RateAdded   RateChangeKind = iota // the first book has no row of the key
	RateRemoved                       // the second has none
	RateChanged                       // both have, and not the same prices on the same dates
)

func (k RateChangeKind) String() string { return [3]string{"added", "removed", "changed"}[k] }

// RateChange is what differs between two books for one plan, market, category
// and unit: the dates on which they do not hold the same.
type RateChange struct {
	Kind     RateChangeKind
	Plan     string
	Market   string
	Category Category
	Unit     Unit
	Spans    []RateSpan // in order of their dates
}

// RateSpan is the dates [From, To) on which two books differ in the same way,
// and the first row of each that holds there; nil where there is none.
type RateSpan struct {
	From, To Date
	Old, New *Rate
}

// Percent is by how much the new price is more than the old. ok is false where
// there are not two prices in one currency, and where the old is 0.
func (s RateSpan) Percent() (more Percent, ok bool) {
	if s.Old == nil || s.New == nil || s.Old.NoPrice || s.New.NoPrice || s.Old.Currency != s.New.Currency || s.Old.Price == 0 {
		return Percent{}, false
	}
	return percent(s.New.Price.Decimal(), s.Old.Price.Decimal()), true
}

// DiffRates compares two books by what they hold when, so that a row that is
// cut into two of the same price is no difference. The changes are in the
// order of plan, market, category and unit.
func DiffRates(a, b *RateBook) []RateChange {
	keys := make([]rateKey, 0, len(a.lines))
	for key := range a.lines {
		keys = append(keys, key)
	}
	for key := range b.lines {
		if _, both := a.lines[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(x, y rateKey) int {
		return cmp.Or(cmp.Compare(x.plan, y.plan), cmp.Compare(x.market, y.market), cmp.Compare(x.category, y.category), cmp.Compare(x.unit, y.unit))
	})
	var changes []RateChange
	for _, key := range keys {
		spans := diffSpans(a, b, key)
		if len(spans) == 0 {
			continue
		}
		kind := RateChanged
		if _, there := a.lines[key]; !there {
			kind = RateAdded
		} else if _, there := b.lines[key]; !there {
			kind = RateRemoved
		}
		changes = append(changes, RateChange{kind, key.plan, key.market, key.category, key.unit, spans})
	}
	return changes
}

func diffSpans(a, b *RateBook, key rateKey) []RateSpan {
	var cuts []Date
	for _, line := range []timeline{a.lines[key], b.lines[key]} {
		for _, s := range line {
			cuts = append(cuts, s.from, s.to)
		}
	}
	var spans []RateSpan
	for _, s := range (span{from: MinDate, to: MaxDate}).pieces(cuts) {
		before, after := a.valid(key, s.from), b.valid(key, s.from)
		last := len(spans) - 1
		switch {
		case before.holdsAs(after):
		case last >= 0 && spans[last].To == s.from && spans[last].Old.holdsAs(before) && spans[last].New.holdsAs(after):
			spans[last].To = s.to
		default:
			spans = append(spans, RateSpan{s.from, s.to, before, after})
		}
	}
	return spans
}

// valid is the row of a key that is valid on d; nil where there is none.
func (b *RateBook) valid(key rateKey, d Date) *Rate {
	if row, ok := b.lines[key].on(d); ok {
		return &b.rates[row]
	}
	return nil
}

// holdsAs says whether two rows of one key, each of which may be nil, come to
// the same price or to none.
func (r *Rate) holdsAs(other *Rate) bool {
	if r == nil || other == nil {
		return r == other
	}
	if r.NoPrice || other.NoPrice {
		return r.NoPrice == other.NoPrice
	}
	return r.Price == other.Price && r.Currency == other.Currency
}
