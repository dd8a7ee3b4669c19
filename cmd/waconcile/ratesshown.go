package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"waconcile/reconcile"
)

// shownPrice is what show prints: a price, or why there is none, and where
// that comes from.
type shownPrice struct {
	Contact      string        `json:"contact"` // normalised
	Date         string        `json:"date"`
	Account      *shownAccount `json:"account,omitempty"` // where one was asked for
	Plan         string        `json:"plan"`              // empty where no row of the account is valid
	PlanUnknown  bool          `json:"plan_without_rates,omitempty"`
	Category     string        `json:"category"`
	PricedAs     string        `json:"priced_as"` // the category whose price holds
	Unit         string        `json:"unit"`
	Country      string        `json:"country"`
	Market       string        `json:"market"`
	Prefix       *shownPrefix  `json:"prefix"` // null where none leads to a market
	Status       string        `json:"status"` // charged or unrated
	Reason       string        `json:"reason,omitempty"`
	Price        string        `json:"price,omitempty"`
	Currency     string        `json:"currency,omitempty"`
	Rate         *shownRate    `json:"rate"` // the row that decides; it may say n/a
	LostRates    []shownRate   `json:"lost_rates"`
	LostPrefixes []shownPrefix `json:"lost_prefixes"`
}

type shownAccount struct {
	ID    string `json:"account_id"`
	Row   string `json:"row"` // empty where none is valid on the date
	Rules string `json:"rules"`
}

type shownPrefix struct {
	Row     string `json:"row"`
	Prefix  string `json:"prefix"`
	Country string `json:"country"`
	Market  string `json:"market"`
	From    string `json:"valid_from"`
	To      string `json:"valid_to"`
	Why     string `json:"why"`

	validity string
}

type shownRate struct {
	bookPrice
	Market string `json:"market"`
	Unit   string `json:"unit"`
	From   string `json:"valid_from"`
	To     string `json:"valid_to"`
	Why    string `json:"why"`

	validity string
}

// takeAccount takes plan, unit and category from the terms of an account.
func (s *shownPrice) takeAccount(id string, terms *reconcile.AccountTerms, p *priceOf, t table) {
	s.Account = &shownAccount{ID: id, Rules: terms.Rules.String()}
	if row := terms.On(p.date); row != nil {
		s.Plan, s.Account.Row = row.Plan, t.at(row.Where)
	}
	unit, billed := terms.Rules.Billed(p.category, p.date)
	if !billed {
		p.category = p.category.Conversation() // R3
	}
	if !p.unitSet {
		p.unit = unit
	}
}

// takePlan checks the plan that was asked for, and takes the category that
// rules conversation price by conversation.
func (s *shownPrice) takePlan(plans []string, p *priceOf) error {
	if !slices.Contains(plans, s.Plan) {
		return fmt.Errorf("%w: --plan %q: the rates have no such plan, only %s", errUsage, s.Plan, strings.Join(plans, ", "))
	}
	if p.unit == reconcile.UnitConversation {
		p.category = p.category.Conversation() // R3
	}
	return nil
}

// takeMarkets finds where the contact is.
func (s *shownPrice) takeMarkets(m *reconcile.Markets, p priceOf, t table) (place reconcile.Place, known bool) {
	place, known = m.OfContact(p.contact, p.country, p.date)
	s.Country, s.Market = place.Country, place.Market
	for _, c := range m.Candidates(p.contact, p.country, p.date) {
		row := shownPrefix{
			Row: t.at(c.Row.Where), Prefix: c.Row.Prefix, Country: c.Row.Country, Market: c.Row.Market,
			From: boundText(c.Row.From), To: boundText(c.Row.To), Why: c.Verdict.String(), validity: reconcile.ValidityText(c.Row.From, c.Row.To),
		}
		if c.Verdict == reconcile.CandidateHolds {
			s.Prefix = &row
		} else {
			s.LostPrefixes = append(s.LostPrefixes, row)
		}
	}
	return place, known
}

// takeRates finds the row that decides, and those that lost.
func (s *shownPrice) takeRates(b *reconcile.RateBook, place reconcile.Place, p priceOf, t table) {
	for _, c := range b.Candidates(s.Plan, place, p.category, p.unit, p.date) {
		row := shownRate{
			bookPrice: *t.price(c.Rate), Market: c.Rate.Market, Unit: c.Rate.Unit.String(),
			From: boundText(c.Rate.From), To: boundText(c.Rate.To), Why: c.Verdict.String(), validity: reconcile.ValidityText(c.Rate.From, c.Rate.To),
		}
		if c.Verdict == reconcile.CandidateHolds {
			s.Rate = &row
		} else {
			s.LostRates = append(s.LostRates, row)
		}
	}
}

// judge says what a charge would come to, in the words of the charges table.
func (s *shownPrice) judge(known bool) {
	reason := reconcile.NoReason
	switch {
	case s.Plan == "":
		reason = reconcile.ReasonUnknownAccount
	case !known:
		reason = reconcile.ReasonUnknownMarket
	case s.Rate == nil || s.Rate.Price == noPriceText:
		reason = reconcile.ReasonNoPrice
	default:
		s.Status, s.Price, s.Currency = reconcile.Charged.String(), s.Rate.Price, s.Rate.Currency
		return
	}
	s.Status, s.Reason = reconcile.Unrated.String(), string(reason)
}

func (s *shownPrice) text() string {
	lines := [][2]string{{"contact", s.Contact}, {"date", s.Date}, {"market", s.marketText()}}
	if s.Account != nil {
		lines = append(lines, [2]string{"account", s.accountText()})
	}
	if s.Plan != "" {
		lines = append(lines, [2]string{"plan", s.Plan})
	}
	category := s.Category
	if s.PricedAs != s.Category {
		category += ", priced as " + s.PricedAs
	}
	lines = append(lines, [2]string{"category", category}, [2]string{"unit", s.Unit}, [2]string{"price", s.priceText()})
	if s.Rate != nil {
		lines = append(lines, [2]string{"row", fmt.Sprintf("%s, market %s, valid %s", s.Rate.Row, s.Rate.Market, s.Rate.validity)})
	}
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%-10s%s\n", l[0], l[1])
	}
	s.lost(&b)
	return b.String()
}

func (s *shownPrice) marketText() string {
	if s.Prefix == nil {
		return strings.TrimSpace("none " + s.Country)
	}
	return fmt.Sprintf("%s, country %s, by prefix %s in %s", s.Market, s.Country, s.Prefix.Prefix, s.Prefix.Row)
}

func (s *shownPrice) accountText() string {
	if s.Account.Row == "" {
		return s.Account.ID + ", no row is valid on the date"
	}
	return fmt.Sprintf("%s, rules %s, in %s", s.Account.ID, s.Account.Rules, s.Account.Row)
}

func (s *shownPrice) priceText() string {
	switch {
	case s.Reason == "":
		return s.Price + " " + s.Currency
	case s.Rate != nil:
		return fmt.Sprintf("none: %s (%s), the row says n/a", s.Status, s.Reason)
	case s.PlanUnknown:
		return fmt.Sprintf("none: %s (%s), no rate is of plan %q", s.Status, s.Reason, s.Plan)
	}
	return fmt.Sprintf("none: %s (%s)", s.Status, s.Reason)
}

// lost lists the rows that did not decide.
func (s *shownPrice) lost(b *strings.Builder) {
	w := tabwriter.NewWriter(b, 0, 0, columnGap, ' ', 0)
	if len(s.LostRates) > 0 {
		fmt.Fprint(w, "\nrates that lost\n")
	}
	for _, r := range s.LostRates {
		fmt.Fprintf(w, "%s\tmarket %s\t%s\t%s\t%s\n", r.Row, r.Market, r.validity, r.text(), r.Why)
	}
	if len(s.LostPrefixes) > 0 {
		fmt.Fprint(w, "\nprefixes that lost\n")
	}
	for _, m := range s.LostPrefixes {
		fmt.Fprintf(w, "%s\tprefix %s\t%s\t%s, country %s\t%s\n", m.Row, m.Prefix, m.validity, m.Market, m.Country, m.Why)
	}
	_ = w.Flush() // a strings.Builder never fails
}
