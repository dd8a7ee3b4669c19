package reconcile

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// The kinds of findings that recharges give.
const (
	NoCredit    FindingKind = "no_credit"    // of a charge: no recharge could pay (R12)
	ExpiresSoon FindingKind = "expires_soon" // of a recharge that is not used up
	RunsOut     FindingKind = "runs_out"     // of an account's recharges in one currency
)

// Outlook is a finding about what is left of recharges as the period ends.
type Outlook struct {
	Kind    FindingKind
	Account string
	At      int64 // when it expires or runs out
	Detail  string
}

// Outlooks are the recharges that expire within some days of the end of the
// period, both ends included, and the accounts whose recharges will not last so long at the pace
// of the period. They are sorted by kind, account, instant and detail.
func (l *Ledger) Outlooks(days int) []Outlook {
	var all []Outlook
	for _, credit := range l.all() {
		until := credit.end + int64(days)*DayMillis
		all = append(all, credit.expiring(until)...)
		all = append(all, credit.runningOut(until)...)
	}
	slices.SortFunc(all, func(a, b Outlook) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Account, b.Account), cmp.Compare(a.At, b.At), strings.Compare(a.Detail, b.Detail))
	})
	return all
}

// usableAtEnd tells whether something of a lot can be used up to the end of the
// period: what expires at that very instant expires in the next one.
func (c *Credit) usableAtEnd(l *lot) bool {
	return l.PurchasedAt < c.end && c.end <= l.ExpiresAt && l.left > 0
}

func (c *Credit) expiring(until int64) []Outlook {
	var found []Outlook
	for i := range c.lots {
		if l := &c.lots[i]; c.usableAtEnd(l) && l.ExpiresAt <= until {
			found = append(found, Outlook{
				Kind: ExpiresSoon, Account: l.Account, At: l.ExpiresAt,
				Detail: fmt.Sprintf("recharge %s: %s %s of %s are left and expire on %s", l.ID, l.left.Decimal(), l.Currency, l.Net.Decimal(), c.zone.Date(l.ExpiresAt)),
			})
		}
	}
	return found
}

// runningOut looks, for each currency in which recharges paid in the period, how
// long the others last if it goes on like this.
func (c *Credit) runningOut(until int64) []Outlook {
	used := make(map[string]Micros)
	for i := range c.lots {
		used[c.lots[i].Currency] += c.lots[i].used
	}
	var found []Outlook
	for currency, sum := range used {
		if sum == 0 {
			continue
		}
		at, left := c.lasts(currency, sum)
		if at >= until {
			continue
		}
		pace := sum.Decimal().Mul(decimal.NewFromInt(DayMillis)).DivRound(decimal.NewFromInt(c.end-c.start), -microsExponent)
		found = append(found, Outlook{
			Kind: RunsOut, Account: c.lots[0].Account, At: at,
			Detail: fmt.Sprintf("%s %s are left; at the period's pace of %s a day they last until %s", left.Decimal(), currency, pace, c.zone.Date(at)),
		})
	}
	return found
}

// lasts is when the recharges of a currency are used up, if each is used in
// its turn at the pace of the period or expires, and what is left of them now.
func (c *Credit) lasts(currency string, used Micros) (at int64, left Micros) {
	at = c.end
	for i := range c.lots {
		l := &c.lots[i]
		if l.Currency != currency || !c.usableAtEnd(l) {
			continue
		}
		left += l.left
		if at < l.ExpiresAt {
			at = min(l.ExpiresAt, later(at, l.left, used, c.end-c.start))
		}
	}
	return at, left
}

// later is the instant at which an amount is used up from an instant on, at the
// pace of used in span milliseconds; NeverExpires where that is beyond all time.
func later(from int64, amount, used Micros, span int64) int64 {
	high, low := bits.Mul64(uint64(amount), uint64(span))
	if high >= uint64(used) {
		return NeverExpires
	}
	lasts, _ := bits.Div64(high, low, uint64(used))
	if lasts > uint64(NeverExpires-from) {
		return NeverExpires
	}
	return from + int64(lasts)
}
