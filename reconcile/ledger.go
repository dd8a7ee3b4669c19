package reconcile

import (
	"cmp"
	"maps"
	"slices"
)

// Ledger has the charges of prepaid accounts draw on their recharges, first in,
// first out (R12). It belongs to one goroutine.
//
// Charges are drawn in their order within an account, from the first purchase
// on or from where balances are known; those before the period only carry the
// balances on. What one account has bears on no other.
type Ledger struct {
	config  LedgerConfig
	credits map[string]*Credit
}

// LedgerConfig is what a Ledger begins with.
type LedgerConfig struct {
	Recharges *Recharges
	Accounts  *Accounts
	Book      *RateBook
	From, To  Date              // the period's billing dates, both included
	Balances  map[string]Micros // by recharge id, what was left as the charges that are drawn begin; Net where it is not here
	Midnights []int64           // the instants at which balances are wanted
}

// NewLedger begins a ledger.
func NewLedger(config LedgerConfig) *Ledger {
	return &Ledger{config: config, credits: make(map[string]*Credit)}
}

// Credit is the recharges of one account, in the order in which they pay.
type Credit struct {
	ledger     *Ledger
	start, end int64 // of the period in the account's time zone
	zone       *Zone
	lots       []lot
	plans      []string // of the lots, each once
}

// lot is a recharge with what was taken of it.
type lot struct {
	*Recharge
	plan         int      // index into plans
	left         Micros   // by now
	before, used Micros   // what charges took before the period and in it
	taken        []Micros // what they took before each midnight
}

// Credit is that of an account; nil where it has never bought a recharge. The
// same account gives the same pointer.
func (l *Ledger) Credit(account string) *Credit {
	credit, known := l.credits[account]
	if !known {
		credit = l.newCredit(account)
		l.credits[account] = credit
	}
	return credit
}

func (l *Ledger) newCredit(account string) *Credit {
	recharges := l.config.Recharges.Of(account)
	if len(recharges) == 0 {
		return nil
	}
	zone := l.config.Accounts.Of(account).Zone
	c := &Credit{ledger: l, zone: zone, start: zone.Start(l.config.From), end: zone.Start(l.config.To + 1)}
	for _, r := range recharges {
		plan := slices.Index(c.plans, r.Plan)
		if plan < 0 {
			plan, c.plans = len(c.plans), append(c.plans, r.Plan)
		}
		left, known := l.config.Balances[r.ID]
		if !known {
			left = r.Net
		}
		bought := lot{Recharge: r, plan: plan, left: left, before: r.Net - left, taken: make([]Micros, len(l.config.Midnights))}
		for i := range bought.taken {
			bought.taken[i] = bought.before
		}
		c.lots = append(c.lots, bought)
	}
	return c
}

// Quote is what charges that are alike cost by the recharges of an account. It
// is good for charges drawn in their order.
type Quote struct {
	base     *Rating
	place    Place
	category Category
	unit     Unit
	date     Date
	rates    []quotedRate // by plan of the credit
	next     int          // no lot before can pay any of these charges any more
}

type quotedRate struct {
	rate  *Rate
	asked bool
}

// Quote is for charges that their account's plan rates as base says; nil where
// no recharge can ever pay for them: they are free, or no price list could
// have a price for them.
func (c *Credit) Quote(base *Rating, place Place, category Category, unit Unit, date Date) *Quote {
	if base.Status == Free || base.Status == Unrated && base.Reason != ReasonNoPrice {
		return nil
	}
	return &Quote{base: base, place: place, category: category, unit: unit, date: date, rates: make([]quotedRate, len(c.plans))}
}

// rate is the price by the plan of a lot, nil where there is none in the lot's
// currency.
func (q *Quote) rate(c *Credit, l *lot) *Rate {
	of := &q.rates[l.plan]
	if !of.asked {
		of.rate, of.asked = c.ledger.config.Book.Lookup(l.Plan, q.place, q.category, q.unit, q.date), true
	}
	if of.rate == nil || of.rate.Currency != l.Currency {
		return nil
	}
	return of.rate
}

// NoLot says that no recharge paid.
const NoLot = -1

// Draw has a charge opened at an instant draw on the oldest recharge that is
// usable then and has its price left, and says which that is. Where none is,
// the charge keeps the account's plan and price, and prepaid tells whether it
// should have been paid: whether the account had bought a recharge by then.
func (c *Credit) Draw(q *Quote, at int64) (paid int, prepaid bool) {
	for i := q.next; i < len(c.lots); i++ {
		l := &c.lots[i]
		if l.PurchasedAt > at {
			break
		}
		rate := q.rate(c, l)
		if rate != nil && at < l.ExpiresAt && rate.Price <= l.left {
			c.take(l, rate.Price, at)
			return i, true
		}
		q.next = i + 1 // time goes on, and what is left only gets less
	}
	return NoLot, c.lots[0].PurchasedAt <= at
}

func (c *Credit) take(l *lot, price Micros, at int64) {
	l.left -= price
	if at < c.start {
		l.before += price
	} else {
		l.used += price
	}
	for i, midnight := range c.ledger.config.Midnights {
		if at < midnight {
			l.taken[i] += price
		}
	}
}

// Rating is that of the charges of q that a recharge paid.
func (c *Credit) Rating(q *Quote, paid int) *Rating {
	l := &c.lots[paid]
	return &Rating{Account: q.base.Account, Rate: q.rate(c, l), Status: Charged, Recharge: l.Recharge}
}

// Balances are what was left of each recharge that had been bought by one of the
// midnights, once all charges opened before have been drawn.
func (l *Ledger) Balances(midnight int) map[string]Micros {
	left := make(map[string]Micros)
	for _, credit := range l.all() {
		for i := range credit.lots {
			if lot := &credit.lots[i]; lot.PurchasedAt < l.config.Midnights[midnight] {
				left[lot.ID] = lot.Net - lot.taken[midnight]
			}
		}
	}
	return left
}

// all is every account's credit in the order of accounts, those without a
// charge among them.
func (l *Ledger) all() []*Credit {
	var all []*Credit
	for _, account := range slices.Sorted(maps.Keys(l.config.Recharges.byAccount)) {
		all = append(all, l.Credit(account))
	}
	return all
}

// RechargeMovement is a row of the recharges table: what became of a recharge
// in the period. Opening + Bought - Used - Expired = Closing.
type RechargeMovement struct {
	*Recharge
	Opening Micros // left as the period begins in the account's time zone
	Bought  Micros // Net, where it was bought in the period
	Used    Micros // by charges of the period
	Expired Micros // left as it expired, where it did in the period
	Closing Micros // left as the period ends
}

// Movements are those of all recharges bought before the period ends, by
// account and id, once all charges have been drawn.
func (l *Ledger) Movements() []RechargeMovement {
	var rows []RechargeMovement
	for _, credit := range l.all() {
		for i := range credit.lots {
			if credit.lots[i].PurchasedAt < credit.end {
				rows = append(rows, credit.movement(&credit.lots[i]))
			}
		}
	}
	slices.SortFunc(rows, func(a, b RechargeMovement) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID))
	})
	return rows
}

// movement comes to the opening from what was taken before and to the closing
// from what is left, so that the identity between them can fail.
func (c *Credit) movement(l *lot) RechargeMovement {
	m := RechargeMovement{Recharge: l.Recharge, Used: l.used}
	if l.PurchasedAt >= c.start {
		m.Bought = l.Net
	} else if l.ExpiresAt >= c.start {
		m.Opening = l.Net - l.before
	}
	switch {
	case l.ExpiresAt >= c.end:
		m.Closing = l.left
	case l.ExpiresAt >= c.start:
		m.Expired = l.left
	}
	return m
}
