package reconcile

import (
	"cmp"
	"slices"

	"github.com/shopspring/decimal"
)

// Pool is the usage and credit lines of all invoices given, added up cell by
// cell. It does not change once made.
type Pool struct {
	from, to   Date
	cells      []*cell // in order of appearance
	counts     [LineKindCount]int64
	accounts   map[string]bool            // named by a usage line, inside the period or not
	billed     map[string]decimal.Decimal // by currency, inside the period, added line by line
	currencies []string                   // of the cells that claim charges, sorted
	shapes     []laneShape                // of the cells that claim charges
	lanes      map[laneKey][]claim
}

// NewPool adds up the lines of the invoices that are held against the period
// from…to, both included. Ids of lines that are added up stand in the order of
// lines; nothing else depends on it. A line that cannot be
// compared, and two cells that overlap, are a *RowError.
func NewPool(lines []InvoiceLine, from, to Date, markets *Markets) (*Pool, error) {
	p := &Pool{
		from: from, to: to,
		accounts: make(map[string]bool),
		billed:   make(map[string]decimal.Decimal),
		lanes:    make(map[laneKey][]claim),
	}
	if err := p.addLines(lines); err != nil {
		return nil, err
	}
	var claiming []*cell
	for _, c := range p.cells {
		if c.usage {
			p.accounts[c.account] = true
			claiming = append(claiming, c)
		}
	}
	if err := checkOverlaps(claiming, markets); err != nil {
		return nil, err
	}
	for i, c := range p.cells {
		if c.usage && c.inside {
			p.claim(i)
		}
	}
	p.sortClaims()
	return p, nil
}

// LineCount is the number of lines of a kind that the pool was made from.
func (p *Pool) LineCount(kind LineKind) int64 { return p.counts[kind] }

// idOf is an id that a cell has listed.
type idOf struct {
	cell *cell
	line bool // a line's id, else an invoice's
	id   string
}

func (p *Pool) addLines(lines []InvoiceLine) error {
	byName := make(map[cellName]*cell)
	listed := make(map[idOf]bool)
	for i := range lines {
		l := &lines[i]
		p.counts[l.Kind]++
		if !l.compared() {
			continue
		}
		if err := l.validate(); err != nil {
			return err
		}
		name := nameOf(l)
		c := byName[name]
		if c == nil {
			c = &cell{cellName: name, where: l.Where, inside: l.From >= p.from && l.To <= p.to}
			byName[name] = c
			p.cells = append(p.cells, c)
		}
		c.add(l)
		if id := (idOf{c, false, l.InvoiceID}); l.InvoiceID != "" && !listed[id] {
			listed[id] = true
			c.invoices = append(c.invoices, l.InvoiceID)
		}
		if id := (idOf{c, true, l.LineID}); l.LineID != "" && !listed[id] {
			listed[id] = true
			c.ids = append(c.ids, l.LineID)
		}
		if c.inside {
			p.billed[l.Currency] = p.billed[l.Currency].Add(l.billed())
		}
	}
	return nil
}

// laneShape says which of the dimensions that may be empty a cell names.
type laneShape struct {
	business, market, category bool
}

// laneKey is a cell's name without its dates.
type laneKey struct {
	account, business, market string
	category                  Category
	currency                  string
}

// claim is the dates of one cell in its lane. The claims of a lane do not
// overlap.
type claim struct {
	from, to Date
	cell     int
}

// claim lets cell i take the charges that it covers.
func (p *Pool) claim(i int) {
	c := p.cells[i]
	if !slices.Contains(p.currencies, c.currency) {
		p.currencies = append(p.currencies, c.currency)
	}
	shape := laneShape{c.business != "", c.market != "", c.category != NoCategory}
	if !slices.Contains(p.shapes, shape) {
		p.shapes = append(p.shapes, shape)
	}
	key := laneKey{c.account, c.business, c.market, c.category, c.currency}
	p.lanes[key] = append(p.lanes[key], claim{c.from, c.to, i})
}

func (p *Pool) sortClaims() {
	slices.Sort(p.currencies)
	for _, claims := range p.lanes {
		slices.SortFunc(claims, func(a, b claim) int { return cmp.Compare(a.from, b.from) })
	}
}

// covering is the cell of a currency that covers a charge. The check for
// overlaps leaves at most one.
func (p *Pool) covering(charge *CellKey, currency string) (cell int, ok bool) {
	for _, shape := range p.shapes {
		key := laneKey{account: charge.Account, currency: currency}
		if shape.business {
			key.business = charge.Business
		}
		if shape.category {
			key.category = charge.Category
		}
		if shape.market {
			key.market = charge.Country
		}
		if i, ok := p.claimOn(key, charge.Date); ok {
			return i, true
		}
		if shape.market && charge.Market != charge.Country {
			key.market = charge.Market
			if i, ok := p.claimOn(key, charge.Date); ok {
				return i, true
			}
		}
	}
	return 0, false
}

// claimOn is the cell of a lane that covers a date.
func (p *Pool) claimOn(key laneKey, date Date) (cell int, ok bool) {
	claims := p.lanes[key]
	after, _ := slices.BinarySearchFunc(claims, date, func(c claim, d Date) int {
		if c.from <= d {
			return -1
		}
		return 1
	})
	if after == 0 || claims[after-1].to < date {
		return 0, false
	}
	return claims[after-1].cell, true
}
