package reconcile

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Basis says when an outbound message counts (rules, event time).
type Basis uint8

// The bases.
const (
	BasisSent      Basis = iota // when it was sent
	BasisDelivered              // when it was delivered or read
)

func (b Basis) String() string { return [2]string{"sent", "delivered"}[b] }

// ParseBasis reads a basis without regard to case.
func ParseBasis(s string) (Basis, bool) {
	for b := BasisSent; b <= BasisDelivered; b++ {
		if enumEqual(s, b.String()) {
			return b, true
		}
	}
	return BasisSent, false
}

// AnyAccount is the account id that stands for all ids without a row.
const AnyAccount = "*"

// Account is one row of the accounts table: the terms of one account on the
// dates [From, To) of its time zone.
type Account struct {
	Where     string // the row, as "accounts.csv:7", for messages
	ID        string
	Name      string
	Plan      string
	Rules     Rules
	Basis     Basis
	Zone      *Zone
	VATRate   *decimal.Decimal // a fraction; nil where none is given
	Portfolio string
	From, To  Date
}

// Accounts is the accounts table. It is safe for use by many goroutines.
type Accounts struct {
	rows      []Account
	byID      map[string]*AccountTerms
	unlisted  *AccountTerms // of every id without a row
	zones     []*Zone
	delivered bool
}

// AccountTerms are all rows of one account: what never changes, and what
// holds on a date.
type AccountTerms struct {
	Zone  *Zone
	Rules Rules
	Basis Basis
	rows  []Account // in order of From, without overlaps
}

// NewAccounts makes the table. Rows of one id that overlap, or that differ in
// time zone, rules or basis, are a *RowError. Every row has a Zone, and From < To.
func NewAccounts(rows []Account) (*Accounts, error) {
	lines, err := timelines(rows,
		func(r Account) string { return r.ID },
		func(r Account) (Date, Date) { return r.From, r.To },
		func(r Account) string { return fmt.Sprintf("account %q", r.ID) },
		func(r Account) string { return r.Where })
	if err != nil {
		return nil, err
	}
	a := &Accounts{
		rows:     rows,
		byID:     make(map[string]*AccountTerms, len(lines)),
		unlisted: &AccountTerms{Zone: NewZone(time.UTC), Basis: BasisSent},
	}
	first := make(map[string]Account, len(lines))
	for _, r := range rows {
		if f, seen := first[r.ID]; !seen {
			first[r.ID] = r
			a.byID[r.ID] = &AccountTerms{Zone: r.Zone, Rules: r.Rules, Basis: r.Basis}
			a.delivered = a.delivered || r.Basis == BasisDelivered
			a.zones = append(a.zones, r.Zone)
		} else if err := agree(r, f); err != nil {
			return nil, err
		}
	}
	for id, line := range lines {
		for _, s := range line {
			a.byID[id].rows = append(a.byID[id].rows, rows[s.row])
		}
	}
	if t, ok := a.byID[AnyAccount]; ok {
		a.unlisted = t
	}
	if len(a.zones) == 0 {
		a.zones = []*Zone{a.unlisted.Zone}
	}
	slices.SortStableFunc(a.zones, func(x, y *Zone) int { return cmp.Compare(x.Name(), y.Name()) })
	a.zones = slices.CompactFunc(a.zones, func(x, y *Zone) bool { return x.Name() == y.Name() })
	return a, nil
}

// agree holds row r of an account against its first row: a time zone, rules or
// a basis that change would move messages between days already billed.
func agree(r, first Account) error {
	var what, here, there string
	switch {
	case r.Zone.Name() != first.Zone.Name():
		what, here, there = "time_zone", r.Zone.Name(), first.Zone.Name()
	case r.Rules != first.Rules:
		what, here, there = "rules", r.Rules.String(), first.Rules.String()
	case r.Basis != first.Basis:
		what, here, there = "basis", r.Basis.String(), first.Basis.String()
	default:
		return nil
	}
	return disagreement(r.Where, first.Where, what, r.ID, here, there)
}

// Of is the terms of an account: its own rows, or those of "*" where it has
// no row at all, or UTC and basis sent without any row. It is never nil, and
// equal terms are the same pointer.
func (a *Accounts) Of(id string) *AccountTerms {
	if t, ok := a.byID[id]; ok {
		return t
	}
	return a.unlisted
}

// Rows is all rows in the order given; they belong to a.
func (a *Accounts) Rows() []Account { return a.rows }

// Zones is the distinct time zones of all rows in order of their names; UTC
// alone where there is no row.
func (a *Accounts) Zones() []*Zone { return a.zones }

// AnyDelivered says whether any row is on basis delivered.
func (a *Accounts) AnyDelivered() bool { return a.delivered }

// Spans are the dates [from, to) of the rows, in order.
func (t *AccountTerms) Spans() iter.Seq2[Date, Date] {
	return func(yield func(from, to Date) bool) {
		for i := range t.rows {
			if !yield(t.rows[i].From, t.rows[i].To) {
				return
			}
		}
	}
}

// On is the row that is valid on d, a date in t.Zone; nil where none is.
func (t *AccountTerms) On(d Date) *Account {
	for i := range t.rows {
		if r := &t.rows[i]; r.From <= d && d < r.To {
			return r
		}
	}
	return nil
}

// Agrees holds the accounts of the provider's book against those that are sold
// by. The messages of an account are folded once, by the time zone and the
// basis of the sale, so each row of the provider's, an account's own or that of
// "*", must have these two, also where the sale has no row and means UTC and
// basis sent. Rules and plans may differ. The first in the order of the ids that
// does not agree is a *RowError of the provider's row, "*" the last.
func (a *Accounts) Agrees(cost *Accounts) error {
	ids := slices.Concat(slices.Collect(maps.Keys(a.byID)), slices.Collect(maps.Keys(cost.byID)))
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == AnyAccount })
	slices.Sort(ids)
	for _, id := range append(slices.Compact(ids), AnyAccount) {
		if err := agreesOf(id, a.Of(id), cost.Of(id)); err != nil {
			return err
		}
	}
	return nil
}

// agreesOf holds the provider's terms of an account against those of the sale.
func agreesOf(id string, sold, bought *AccountTerms) error {
	var what, here, there string
	switch {
	case len(bought.rows) == 0: // it costs nothing on any date
		return nil
	case bought.Zone.Name() != sold.Zone.Name():
		what, here, there = "time_zone", bought.Zone.Name(), sold.Zone.Name()
	case bought.Basis != sold.Basis:
		what, here, there = "basis", bought.Basis.String(), sold.Basis.String()
	default:
		return nil
	}
	row := bought.rows[0]
	if len(sold.rows) == 0 {
		return &RowError{
			Where: row.Where,
			Err:   fmt.Errorf("account %q has no row in accounts, which stands for %s %s: it is %s here", id, what, there, here),
		}
	}
	return disagreement(row.Where, sold.rows[0].Where, what, id, here, there)
}

// disagreement is that of two rows about an account.
func disagreement(where, other, what, id, here, there string) error {
	return &RowError{
		Where: where,
		Other: other,
		Err:   fmt.Errorf("disagrees with %s: %s of account %q is %s here and %s there", other, what, id, here, there),
	}
}
