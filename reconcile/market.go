package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MarketRow is one row of the markets table: numbers that begin with Prefix
// lie in Country and Market on the dates [From, To).
type MarketRow struct {
	Where    string // the row, as "markets.csv:7", for messages
	Prefix   string // calling code and, where listed, area code: digits
	Country  string // ISO 3166 alpha-2, upper case
	Market   string
	From, To Date
}

// Place is where a contact is (R11). The zero Place is none.
type Place struct {
	Country string
	Market  string
}

// Markets is the markets table as a trie over the digits of the prefixes. It
// is safe for use by many goroutines.
type Markets struct {
	rows      []MarketRow
	nodes     []marketNode // nodes[0] is the root
	places    []datedPlace // those of one node side by side
	ids       map[Place]int32
	depth     int // length of the longest prefix
	countries map[string][]datedPlace
	markets   map[string]struct{}
}

// marketNode is one prefix. 0 is no child: nothing leads back to the root.
type marketNode struct {
	children   [10]int32
	first, end int32 // its rows in places
}

type datedPlace struct {
	Place
	id       int32 // equal for equal places
	from, to Date
}

// NewMarkets makes the table. A prefix that is no digits, and rows of one
// prefix that overlap, are a *RowError. In every row From < To.
func NewMarkets(rows []MarketRow) (*Markets, error) {
	for _, r := range rows {
		if err := checkPrefix(r.Prefix); err != nil {
			return nil, &RowError{Where: r.Where, Err: err}
		}
	}
	lines, err := timelines(rows,
		func(r MarketRow) string { return r.Prefix },
		func(r MarketRow) (Date, Date) { return r.From, r.To },
		func(r MarketRow) string { return "prefix " + r.Prefix },
		func(r MarketRow) string { return r.Where })
	if err != nil {
		return nil, err
	}
	m := &Markets{
		rows:      rows,
		nodes:     make([]marketNode, 1),
		ids:       make(map[Place]int32),
		countries: make(map[string][]datedPlace),
		markets:   make(map[string]struct{}),
	}
	// A country with several prefixes takes the market of the shortest, which
	// is the one that no area code narrows.
	prefixes := make([]string, 0, len(lines))
	for prefix := range lines {
		prefixes = append(prefixes, prefix)
	}
	slices.SortFunc(prefixes, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	for _, prefix := range prefixes {
		m.add(prefix, lines[prefix], rows)
	}
	return m, nil
}

func checkPrefix(prefix string) error {
	if !isDigits([]byte(prefix)) {
		return fmt.Errorf("prefix %q is not digits", prefix)
	}
	if len(prefix) > phoneDigitsMax {
		return errors.New("prefix is longer than a phone number")
	}
	return nil
}

// add enters the rows of one prefix.
func (m *Markets) add(prefix string, line timeline, rows []MarketRow) {
	m.depth = max(m.depth, len(prefix))
	at := int32(0)
	for _, digit := range []byte(prefix) {
		next := m.nodes[at].children[digit-'0']
		if next == 0 {
			next = int32(len(m.nodes))
			m.nodes[at].children[digit-'0'] = next
			m.nodes = append(m.nodes, marketNode{})
		}
		at = next
	}
	m.nodes[at].first = int32(len(m.places))
	for _, s := range line {
		r := rows[s.row]
		place := Place{strings.ToUpper(r.Country), r.Market}
		id, ok := m.ids[place]
		if !ok {
			id = int32(len(m.ids))
			m.ids[place] = id
		}
		p := datedPlace{place, id, s.from, s.to}
		m.places = append(m.places, p)
		m.countries[p.Country] = append(m.countries[p.Country], p)
		m.markets[p.Market] = struct{}{}
	}
	m.nodes[at].end = int32(len(m.places))
}

// OfContact is where a contact is on a date of its account's time zone (R11):
// by the longest prefix of its number among the rows valid on d, or, for a
// contact that is no number, by the export's country. Where nothing is found,
// ok is false, and the place holds the export's country at most, so that a
// charge without a market still says where it belongs.
func (m *Markets) OfContact(c Contact, country string, d Date) (p Place, ok bool) {
	if c&contactOpaque != 0 {
		market, ok := m.MarketOf(country, d)
		if !IsCountryCode(country) {
			return Place{}, false
		}
		return Place{strings.ToUpper(country), market}, ok
	}
	best := m.find(c, d)
	if best == nil {
		return Place{}, false
	}
	return best.Place, true
}

// NoPlace is the PlaceID of a number that no prefix covers.
const NoPlace int32 = -1

// PlaceID stands for the place of a phone number on a date, so that places can
// be told apart without comparing texts: it is equal where OfContact gives
// equal places, and NoPlace where it gives none.
func (m *Markets) PlaceID(c Contact, d Date) int32 {
	if best := m.find(c, d); best != nil {
		return best.id
	}
	return NoPlace
}

// find is the row of the longest prefix of a phone number that is valid on d.
func (m *Markets) find(c Contact, d Date) *datedPlace {
	length := int(c >> contactLengthBits)
	known := min(length, m.depth)
	lead := uint64(c&contactValueMask) / powerOf10(length-known)
	var digits [phoneDigitsMax]uint8
	for i := known - 1; i >= 0; i-- {
		digits[i] = uint8(lead % 10)
		lead /= 10
	}
	var best *datedPlace
	at := int32(0)
	for _, digit := range digits[:known] {
		at = m.nodes[at].children[digit]
		if at == 0 {
			break
		}
		node := &m.nodes[at]
		for i := node.first; i < node.end; i++ {
			if row := &m.places[i]; row.from <= d && d < row.to {
				best = row
				break
			}
		}
	}
	return best
}

// powerOf10 is 10^n for 0 ≤ n ≤ phoneDigitsMax.
func powerOf10(n int) uint64 {
	return [phoneDigitsMax + 1]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}[n&15]
}

// MarketOf is the market of a country on a date. Where prefixes of one
// country lie in several markets, the shortest prefix decides, then the
// smallest.
func (m *Markets) MarketOf(country string, d Date) (market string, ok bool) {
	for _, p := range m.countries[strings.ToUpper(country)] {
		if p.from <= d && d < p.to {
			return p.Market, true
		}
	}
	return "", false
}

// Rows is all rows in the order given; they belong to m.
func (m *Markets) Rows() []MarketRow { return m.rows }

// IsCountry says whether any row, of whatever date, names the country.
func (m *Markets) IsCountry(s string) bool {
	_, ok := m.countries[strings.ToUpper(s)]
	return ok
}

// IsMarket says whether any row, of whatever date, names the market.
func (m *Markets) IsMarket(s string) bool {
	_, ok := m.markets[s]
	return ok
}

// MarketKey is the form in which the market column of rates and invoices is
// compared: a country code in upper case, any other name as it is.
func MarketKey(s string) string {
	if IsCountryCode(s) {
		return strings.ToUpper(s)
	}
	return s
}

// IsCountryCode says whether s has the form of an ISO 3166 alpha-2 code.
func IsCountryCode(s string) bool {
	return len(s) == 2 && isLetter(s[0]) && isLetter(s[1])
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
