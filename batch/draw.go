package batch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"waconcile/reader"
	"waconcile/reconcile"
)

// drawer has the charges of prepaid accounts draw on their recharges (R12), one
// billing date after the other: what a date leaves is what the next finds. A
// charge that a recharge pays moves to a group of that recharge; nothing after
// here knows of balances.
type drawer struct {
	ledger   *reconcile.Ledger
	names    *reader.Names
	period   Period
	findings heldFindings

	keys, spare []chargeKey // of the date that is drawn
	drawn       [][]uint32  // of each share's charges, the group that they move to
}

// newDrawer is a drawer for one reading of the data; nil where no recharge was
// bought by the end of the period.
func (r *run) newDrawer() *drawer {
	p := r.plan
	if !p.purchase.made {
		return nil
	}
	config := reconcile.LedgerConfig{
		Recharges: p.in.recharges, Accounts: p.in.accounts, Book: p.in.rates,
		From: p.Period.From, To: p.Period.To, Balances: p.start.balances(),
	}
	for _, day := range p.states(p.in.accounts.Zones()) {
		config.Midnights = append(config.Midnights, day.Start())
	}
	return &drawer{ledger: reconcile.NewLedger(config), names: r.names, period: p.Period}
}

// payer is a group of charges whose account has recharges.
type payer struct {
	share, index uint32 // of the group
	account      uint32 // a number of the account, and the place of the business number in the order of texts
	number       int
	credit       *reconcile.Credit
	quote        *reconcile.Quote
	paid         map[int]uint32 // by lot, the group in the share that its charges move to
	last, lastAt int            // the lot that paid last, and that group
	unpaid       string         // what is said of charges that none pays; empty: none was met
}

// draw draws the charges of a date, all of them or those of a span of time that
// follows on the last.
func (d *drawer) draw(date reconcile.Date, shares []*dateCharges) {
	d.keys, d.drawn = d.keys[:0], d.drawn[:0]
	payers, codes := d.payers(date, shares)
	if len(payers) == 0 {
		return
	}
	for s, share := range shares {
		d.addKeys(date, share, payers, codes[s])
		d.drawn = append(d.drawn, make([]uint32, share.len()))
	}
	d.sort(shares, payers)
	for _, key := range d.keys {
		d.drawOne(&payers[key.rest>>indexBits], key, date, shares)
	}
	for s, share := range shares {
		share.move(d.drawn[s])
	}
}

// noPayer is the code of a group whose charges no recharge can pay.
const noPayer = -1

// payers finds the groups that draw on recharges, and for each share the codes
// of its groups among them.
func (d *drawer) payers(date reconcile.Date, shares []*dateCharges) (payers []payer, codes [][]int32) {
	accounts := make(map[reconcile.Name]uint32)
	codes = make([][]int32, len(shares))
	for s, share := range shares {
		codes[s] = make([]int32, len(share.groups))
		for i := range share.groups {
			g := &share.groups[i]
			codes[s][i] = noPayer
			credit := d.ledger.Credit(d.names.Text(g.account))
			if credit == nil || g.rating.Recharge != nil {
				continue
			}
			quote := credit.Quote(g.rating, g.place, g.category, reconcile.UnitConversation, date)
			if quote == nil {
				continue
			}
			account, known := accounts[g.account]
			if !known {
				account = uint32(len(accounts))
				accounts[g.account] = account
			}
			codes[s][i] = int32(len(payers))
			payers = append(payers, payer{
				share: uint32(s), index: uint32(i), account: account, credit: credit, quote: quote,
				paid: make(map[int]uint32), last: reconcile.NoLot,
			})
		}
	}
	d.rankNumbers(payers, shares)
	return payers, codes
}

// rankNumbers puts the business numbers in the byte order of their texts.
func (d *drawer) rankNumbers(payers []payer, shares []*dateCharges) {
	var texts []string
	text := func(p *payer) string { return d.names.Text(shares[p.share].groups[p.index].business) }
	for i := range payers {
		texts = append(texts, text(&payers[i]))
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	for i := range payers {
		payers[i].number, _ = slices.BinarySearchFunc(texts, text(&payers[i]), strings.Compare)
	}
}

// timeBits holds the instants at which charges of one billing date open, in
// whatever zones their accounts are: three days from drawStart on.
const (
	timeBits = 28
	timeMask = 1<<timeBits - 1
)

// drawStart is before every charge of a billing date.
func drawStart(date reconcile.Date) int64 { return (date - 1).Start() }

// addKeys adds the charges of a share that draw: by account and instant, with
// the payer's code and the place in the share.
func (d *drawer) addKeys(date reconcile.Date, share *dateCharges, payers []payer, codes []int32) {
	start, index := drawStart(date), uint64(0)
	for _, chunk := range share.chunks {
		for i := range chunk.charges {
			c := &chunk.charges[i]
			if code := codes[c.group]; code != noPayer {
				d.keys = append(d.keys, chargeKey{
					contact: uint64(payers[code].account)<<timeBits | uint64(c.openedAt-start),
					rest:    uint64(code)<<indexBits | index,
				})
			}
			index++
		}
	}
}

// sort puts the keys into the order in which charges draw: of an account, by
// opened_at, business_number, contact, category. Few open at one instant.
func (d *drawer) sort(shares []*dateCharges, payers []payer) {
	d.spare = slices.Grow(d.spare[:0], len(d.keys))
	sortKeys(d.keys, d.spare[:len(d.keys)])
	for start := 0; start < len(d.keys); {
		end := start + 1
		for end < len(d.keys) && d.keys[end].contact == d.keys[start].contact {
			end++
		}
		if end > start+1 {
			slices.SortFunc(d.keys[start:end], func(a, b chargeKey) int { return d.compareTied(a, b, shares, payers) })
		}
		start = end
	}
}

func (d *drawer) compareTied(a, b chargeKey, shares []*dateCharges, payers []payer) int {
	p, q := &payers[a.rest>>indexBits], &payers[b.rest>>indexBits]
	if p.number != q.number {
		return cmp.Compare(p.number, q.number)
	}
	x, _ := shares[p.share].at(a.index())
	y, _ := shares[q.share].at(b.index())
	return cmp.Or(compareContacts(x.contact, y.contact, d.names),
		cmp.Compare(shares[p.share].groups[p.index].category, shares[q.share].groups[q.index].category))
}

// drawOne has one charge draw and notes where it moves to.
func (d *drawer) drawOne(p *payer, key chargeKey, date reconcile.Date, shares []*dateCharges) {
	share := shares[p.share]
	lot, prepaid := p.credit.Draw(p.quote, drawStart(date)+int64(key.contact&timeMask))
	switch {
	case lot != reconcile.NoLot:
		d.drawn[p.share][key.index()] = p.groupOf(lot, share) + 1
	case prepaid && d.period.Has(date):
		charge, id := share.at(key.index())
		d.noCredit(p, &share.groups[p.index], charge, id)
	}
}

// groupOf is the group of the charges of p that a lot pays.
func (p *payer) groupOf(lot int, share *dateCharges) uint32 {
	if lot != p.last {
		at, known := p.paid[lot]
		if !known {
			at = uint32(len(share.groups))
			paid := share.groups[p.index]
			paid.rating, paid.quantity = p.credit.Rating(p.quote, lot), 0
			share.groups = append(share.groups, paid)
			p.paid[lot] = at
		}
		p.last, p.lastAt = lot, int(at)
	}
	return uint32(p.lastAt)
}

func (d *drawer) noCredit(p *payer, g *group, c *charge, id []byte) {
	if p.unpaid == "" {
		price := "without a price"
		if r := g.rating.Rate; r != nil {
			price = fmt.Sprintf("at %s %s", r.Price.Decimal(), r.Currency)
		}
		p.unpaid = fmt.Sprintf("%s in %s %s by plan %s: no recharge can pay", g.category, g.place.Country, price, g.rating.Plan())
	}
	d.findings.add(&reconcile.Finding{
		Kind:      reconcile.NoCredit,
		PairKey:   reconcile.PairKey{Contact: c.contact, Account: g.account, Business: g.business},
		MessageID: string(id),
		At:        c.openedAt,
		Detail:    p.unpaid,
	})
}
