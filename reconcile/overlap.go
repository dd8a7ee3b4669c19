package reconcile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// marketForm says how a placement names its market.
type marketForm uint8

const (
	marketAll    marketForm = iota // names none: covers all
	marketNamed                    // as the line names it
	marketAround                   // the market around the country that the line names
)

// placement is one way in which a cell lies among the others. A cell has one
// as its lines name it and, where they name a country, one for each market
// that the country belongs to.
type placement struct {
	cell     int // index, in order of appearance
	account  string
	currency string
	business string
	category Category
	form     marketForm
	market   string
	from, to Date
}

// placementShape says which dimensions a placement narrows.
type placementShape struct {
	business, category bool
	form               marketForm
}

// shared is the dimensions that two placements both narrow. Placements meet
// where these are equal and their dates meet.
type shared struct {
	account, currency, business, market string
	category                            Category
}

// checkOverlaps looks for two cells that a charge could fall into both. Cells
// of different currencies cannot share a charge. The work grows with the
// number of cells, not with its square: the placements of any two shapes meet
// in buckets of equal shared dimensions, and there only neighbours in time are
// compared.
func checkOverlaps(cells []*cell, markets *Markets) error {
	groups := groupByShape(cells, markets)
	worst := overlap{later: noCell}
	for i, a := range groups {
		worst = earlier(worst, firstOverlap(a, nil))
		for _, b := range groups[:i] {
			worst = earlier(worst, firstOverlap(a, b))
		}
	}
	if worst.later == noCell {
		return nil
	}
	row, other := cells[worst.later].where, cells[worst.earlier].where
	return &RowError{
		Where: row,
		Other: other,
		Err:   fmt.Errorf("overlaps %s: both cover the same charges without naming the same cell", other),
	}
}

// shapeGroup is the placements of one shape.
type shapeGroup struct {
	placementShape
	placements []placement
}

func groupByShape(cells []*cell, markets *Markets) []*shapeGroup {
	var groups []*shapeGroup
	byShape := make(map[placementShape]*shapeGroup)
	for i, c := range cells {
		for _, p := range placementsOf(i, c, markets) {
			shape := placementShape{p.business != "", p.category != NoCategory, p.form}
			g := byShape[shape]
			if g == nil {
				g = &shapeGroup{placementShape: shape}
				byShape[shape] = g
				groups = append(groups, g)
			}
			g.placements = append(g.placements, p)
		}
	}
	return groups
}

// meets says whether placements of the two shapes are compared: the market
// around a country with that market where a line names it, but never two
// countries for the market they have in common.
func (a placementShape) meets(b placementShape) bool {
	if a.form == marketAround || b.form == marketAround {
		return a.form == marketNamed || b.form == marketNamed
	}
	return true
}

func placementsOf(i int, c *cell, markets *Markets) []placement {
	named := placement{
		cell: i, account: c.account, currency: c.currency, business: c.business,
		category: c.category, from: c.from, to: c.to,
	}
	if c.market == "" {
		return []placement{named}
	}
	named.form, named.market = marketNamed, c.market
	all := []placement{named}
	for _, around := range markets.around(c.market) {
		p := named
		p.form, p.market = marketAround, around.Market
		p.from, p.to = max(c.from, around.from), min(c.to, around.to-1)
		if p.from <= p.to && p.market != c.market {
			all = append(all, p)
		}
	}
	return all
}

// around lists the markets that a country's numbers have been in; none for a
// text that is no country.
func (m *Markets) around(country string) []datedPlace {
	var distinct []datedPlace
	for _, p := range m.countries[country] {
		if !slices.Contains(distinct, p) {
			distinct = append(distinct, p)
		}
	}
	return distinct
}

// overlap is a pair of cells by their index.
type overlap struct{ earlier, later int }

// earlier is the one of two pairs that a reader of the invoices comes upon
// first, so that what is reported does not follow from the order of a map.
func earlier(a, b overlap) overlap {
	if cmp.Or(cmp.Compare(a.later, b.later), cmp.Compare(a.earlier, b.earlier)) <= 0 {
		return a
	}
	return b
}

// noCell is an index beyond every cell.
const noCell = math.MaxInt

// sided is a placement and which of two groups it comes from.
type sided struct {
	*placement
	side int
}

// firstOverlap compares two groups, or where b is nil, one with itself.
func firstOverlap(a, b *shapeGroup) overlap {
	worst := overlap{later: noCell}
	oneSided := b == nil
	if oneSided {
		b = &shapeGroup{placementShape: a.placementShape}
	}
	if !a.meets(b.placementShape) {
		return worst
	}
	buckets := make(map[shared][]sided)
	for i := range a.placements {
		key := sharedOf(&a.placements[i], a.placementShape, b.placementShape)
		buckets[key] = append(buckets[key], sided{&a.placements[i], 0})
	}
	for i := range b.placements {
		key := sharedOf(&b.placements[i], a.placementShape, b.placementShape)
		buckets[key] = append(buckets[key], sided{&b.placements[i], 1})
	}
	for _, bucket := range buckets {
		worst = earlier(worst, sweep(bucket, oneSided))
	}
	return worst
}

func sharedOf(p *placement, a, b placementShape) shared {
	key := shared{account: p.account, currency: p.currency}
	if a.business && b.business {
		key.business = p.business
	}
	if a.category && b.category {
		key.category = p.category
	}
	if a.form != marketAll && b.form != marketAll {
		key.market = p.market
	}
	return key
}

// sweep goes through a bucket by date and compares each placement with the one
// that lasts longest among those before it on the other side, or on its own
// side where there is but one.
func sweep(bucket []sided, oneSided bool) overlap {
	slices.SortFunc(bucket, func(a, b sided) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.cell, b.cell))
	})
	worst := overlap{later: noCell}
	var longest [2]*placement
	for _, p := range bucket {
		own, other := p.side, 1-p.side
		if oneSided {
			other = own
		}
		if q := longest[other]; q != nil && q.to >= p.from {
			worst = earlier(worst, overlap{min(p.cell, q.cell), max(p.cell, q.cell)})
		}
		if longest[own] == nil || p.to > longest[own].to {
			longest[own] = p.placement
		}
	}
	return worst
}
