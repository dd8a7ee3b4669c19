package batch

import (
	"fmt"
	"slices"
	"strings"
)

// The books as one would keep them by hand: every charge by itself, in cents,
// with nothing of what the program does to read little. All prices are tens of
// cents and all VAT rates tens of per cent, so that nothing is ever rounded.

// absent is the price, or the VAT rate, that is not there.
const absent = -1

type price struct {
	cents    int64
	currency string
}

type priceKey struct{ account, category string }

// posting is a charge as it is billed. One without a price is in no currency.
type posting struct {
	account, category string
	price             price
	vat               int64 // per cent
}

// same says that nothing of a charge has to be billed otherwise. One without
// an amount is at any VAT rate.
func (p posting) same(other posting) bool {
	if p.price.cents <= 0 {
		p.vat, other.vat = 0, 0
	}
	return p == other
}

// world is what the exports and the tables say at a moment.
type world struct {
	opened map[string]sent // conversations, by the id of the message that opens them
	prices map[priceKey]price
	vat    map[string]int64 // by account
}

type sent struct{ account, category, day string }

// postings are the charges of a month, or of a day, by the message that opens
// them.
func (w *world) postings(period string) map[string]posting {
	all := make(map[string]posting)
	for id, s := range w.opened {
		if strings.HasPrefix(s.day, period) {
			all[id] = posting{s.account, s.category, w.prices[priceKey{s.account, s.category}], w.vat[s.account]}
		}
	}
	return all
}

// rates and vatRates are the world's tables. Each account has a plan of its
// own, which has a price that nobody asks for, so that it is never empty.
func (w *world) rates() string {
	rows := []string{"plan,market,category,unit,price,currency,valid_from,valid_to"}
	for account := range w.vat {
		rows = append(rows, account+",*,authentication,conversation,1,EUR,2024-01-01,")
	}
	for key, p := range w.prices {
		if p.cents != absent {
			rows = append(rows, fmt.Sprintf("%s,*,%s,conversation,%d.%02d,%s,2024-01-01,", key.account, key.category, p.cents/100, p.cents%100, p.currency))
		}
	}
	slices.Sort(rows[1:])
	return strings.Join(rows, "\n") + "\n"
}

func (w *world) vatRates() string {
	rows := []string{"account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to"}
	for account, percent := range w.vat {
		rate := ""
		if percent != absent {
			rate = fmt.Sprintf("0.%02d", percent)
		}
		rows = append(rows, fmt.Sprintf("%s,%s,%s,,,UTC,%s,,,", account, account, account, rate))
	}
	slices.Sort(rows[1:])
	return strings.Join(rows, "\n") + "\n"
}

// sheet is figures by what they are for. Charges are counted on the line of
// their account and month without a currency, since a charge without a price
// is on any statement of its account.
type sheet map[sheetLine]figures

type sheetLine struct {
	account, month string // the month that was charged, whichever bills it
	currency       string
	vat            int64 // per cent
}

type figures struct{ charges, unrated, net, vat int64 } // money in millionths

// count and money add to a sheet.
func (s sheet) count(account, month string, charges, unrated int64) {
	s.add(sheet{{account: account, month: month}: {charges: charges, unrated: unrated}})
}

func (s sheet) money(line sheetLine, net, vat int64) {
	s.add(sheet{line: {net: net, vat: vat}})
}

// add leaves out what comes to nothing.
func (s sheet) add(other sheet) {
	for line, f := range other {
		was := s[line]
		sum := figures{was.charges + f.charges, was.unrated + f.unrated, was.net + f.net, was.vat + f.vat}
		s[line] = sum
		if sum == (figures{}) {
			delete(s, line)
		}
	}
}

// post adds a charge of a month, or with a sign of -1 takes it back.
func (s sheet) post(month string, p posting, sign int64) {
	if p.price.cents == absent {
		s.count(p.account, month, sign, sign)
		return
	}
	s.count(p.account, month, sign, 0)
	const centInMillionths = 10_000
	net := sign * p.price.cents * centInMillionths
	s.money(sheetLine{p.account, month, p.price.currency, p.vat}, net, net*max(p.vat, 0)/100)
}

func (s sheet) postAll(month string, all map[string]posting) {
	for _, p := range all {
		s.post(month, p, 1)
	}
}

// correction is a run of a month after it was closed.
type correction struct {
	month, run string
	rows       int // charges that are taken back or made
	changes    sheet
}

// newCorrection is what has changed since the run before.
func newCorrection(month, run string, before, after map[string]posting) *correction {
	c := &correction{month: month, run: run, changes: sheet{}}
	for id, p := range before {
		if now, stays := after[id]; !stays || !p.same(now) {
			c.changes.post(month, p, -1)
			c.rows++
		}
	}
	for id, p := range after {
		if was, stays := before[id]; !stays || !p.same(was) {
			c.changes.post(month, p, 1)
			c.rows++
		}
	}
	return c
}

// page is what has become of a month.
type page struct {
	run         string // the newest run; of a closed month the sealed one
	closed      bool
	taken       []*correction      // on the statements of run
	corrections []*correction      // since it was closed
	charges     map[string]posting // of the newest run, corrections included
}

// newest is the newest run, whether it bills the month or corrects it.
func (p *page) newest() string {
	if len(p.corrections) > 0 {
		return p.corrections[len(p.corrections)-1].run
	}
	return p.run
}

// keeper keeps the books: a page for each month, in the order of months.
type keeper struct {
	world
	months []string
	pages  map[string]*page
}

func newKeeper(months ...string) *keeper {
	k := &keeper{months: months, pages: make(map[string]*page), world: world{
		opened: make(map[string]sent), prices: make(map[priceKey]price), vat: make(map[string]int64),
	}}
	for _, m := range months {
		k.pages[m] = &page{}
	}
	return k
}

// pending are the corrections of a month that change anything and that no
// closed month has taken in.
func (k *keeper) pending(month string) []*correction {
	var pending []*correction
	for _, c := range k.pages[month].corrections {
		if c.rows > 0 && !k.billed(c) {
			pending = append(pending, c)
		}
	}
	return pending
}

func (k *keeper) billed(c *correction) bool {
	for _, p := range k.pages {
		if p.closed && slices.Contains(p.taken, c) {
			return true
		}
	}
	return false
}

// toTake is what a run of a month takes in: if it is open, what is pending of
// the closed months right before it.
func (k *keeper) toTake(month string) []*correction {
	if k.pages[month].closed {
		return k.pages[month].taken
	}
	var take []*correction
	for i := slices.Index(k.months, month) - 1; i >= 0 && k.pages[k.months[i]].closed; i-- {
		take = append(take, k.pending(k.months[i])...)
	}
	return take
}

// waiting is what an open month cannot take in, since one between is open, too.
func (k *keeper) waiting(month string) []Waiting {
	if k.pages[month].closed {
		return nil
	}
	var waiting []Waiting
	open := ""
	for _, m := range slices.Backward(k.months[:slices.Index(k.months, month)]) {
		if !k.pages[m].closed {
			open = m
		} else if open != "" && len(k.pending(m)) > 0 {
			waiting = append(waiting, Waiting{m, open})
		}
	}
	slices.Reverse(waiting)
	return waiting
}

// published notes a run of a month. One of a closed month that was there
// before is no other correction.
func (k *keeper) published(month, run string) {
	p, now := k.pages[month], k.postings(month)
	switch {
	case p.closed && run != p.newest():
		p.corrections = append(p.corrections, newCorrection(month, run, p.charges, now))
	case !p.closed:
		p.run, p.taken = run, k.toTake(month)
	}
	p.charges = now
}
