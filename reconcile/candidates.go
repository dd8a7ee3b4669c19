package reconcile

import (
	"cmp"
	"slices"
	"strings"
)

// CandidateVerdict says why a row of a table holds for a charge, or why it does not.
type CandidateVerdict uint8

// The verdicts, from what holds to what is furthest from it.
const (
	CandidateHolds        CandidateVerdict = iota // it is the row that decides
	CandidateLessSpecific                         // valid, but a row that names the place more closely decides
	CandidateShorterMatch                         // valid, but a longer prefix decides
	CandidateLongerMatch                          // valid, but a country is taken to be where its shortest prefix is
	CandidateNotYet                               // valid from a later date only
	CandidateEnded                                // valid to an earlier date only
	CandidateOtherUnit                            // a price for another unit
)

func (v CandidateVerdict) String() string {
	return [...]string{"holds", "less specific", "shorter prefix", "longer prefix", "not valid yet", "no longer valid", "other unit"}[v]
}

// RateCandidate is a row that might be the price of a charge.
type RateCandidate struct {
	Rate    *Rate
	Verdict CandidateVerdict
}

// Candidates is every row of the plan for the place and category, and what
// Lookup makes of it. The row that decides comes first, if there is one; it
// may say that there is no price. The others follow from the most specific to
// the least, in order of their dates, those of the other unit last.
func (b *RateBook) Candidates(plan string, p Place, c Category, u Unit, d Date) []RateCandidate {
	var all, others []RateCandidate
	decided := false
	for _, market := range distinctMarkets(p) {
		for unit := UnitConversation; unit <= UnitMessage; unit++ {
			for _, s := range b.lines[rateKey{plan, market, c, unit}] {
				candidate := RateCandidate{&b.rates[s.row], s.verdict(d)}
				switch {
				case unit != u:
					candidate.Verdict = CandidateOtherUnit
					others = append(others, candidate)
					continue
				case candidate.Verdict == CandidateHolds && decided:
					candidate.Verdict = CandidateLessSpecific
				case candidate.Verdict == CandidateHolds:
					decided = true
				}
				all = append(all, candidate)
			}
		}
	}
	all = append(all, others...)
	slices.SortStableFunc(all, func(x, y RateCandidate) int { return compareHolds(x.Verdict, y.Verdict) })
	return all
}

// distinctMarkets is the market column of the rows for a place, from the most
// specific.
func distinctMarkets(p Place) []string {
	return slices.Compact([]string{p.Country, p.Market, AnyMarket})
}

// verdict is what the dates of a row say about d.
func (s span) verdict(d Date) CandidateVerdict {
	switch {
	case d < s.from:
		return CandidateNotYet
	case d >= s.to:
		return CandidateEnded
	}
	return CandidateHolds
}

// compareHolds puts what holds before all else.
func compareHolds(a, b CandidateVerdict) int {
	return cmp.Compare(min(a, CandidateLessSpecific), min(b, CandidateLessSpecific))
}

// MarketCandidate is a row that might say where a contact is.
type MarketCandidate struct {
	Row     *MarketRow
	Verdict CandidateVerdict
}

// Candidates is every row whose prefix a phone number begins with, or for a
// contact that is no number every row of the country, and what OfContact makes
// of it. The row that decides comes first, if there is one. The others follow
// from the longest prefix to the shortest, or for a country the other way
// round.
func (m *Markets) Candidates(c Contact, country string, d Date) []MarketCandidate {
	digits := string(c.AppendDigits(nil))
	_, opaque := c.Opaque()
	var all []MarketCandidate
	for i := range m.rows {
		r := &m.rows[i]
		if !opaque && strings.HasPrefix(digits, r.Prefix) || opaque && strings.EqualFold(r.Country, country) {
			all = append(all, MarketCandidate{r, span{from: r.From, to: r.To}.verdict(d)})
		}
	}
	slices.SortFunc(all, func(a, b MarketCandidate) int {
		length := cmp.Compare(len(b.Row.Prefix), len(a.Row.Prefix))
		if opaque {
			length = -length
		}
		return cmp.Or(length, cmp.Compare(a.Row.Prefix, b.Row.Prefix), cmp.Compare(a.Row.From, b.Row.From))
	})
	decided := false
	for i := range all {
		switch {
		case all[i].Verdict != CandidateHolds:
		case decided && opaque:
			all[i].Verdict = CandidateLongerMatch
		case decided:
			all[i].Verdict = CandidateShorterMatch
		}
		decided = decided || all[i].Verdict == CandidateHolds
	}
	slices.SortStableFunc(all, func(x, y MarketCandidate) int { return compareHolds(x.Verdict, y.Verdict) })
	return all
}
