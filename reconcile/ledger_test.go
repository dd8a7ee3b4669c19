package reconcile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawnCharge is a charge as the ledger's test has it, in the order of R12.
type drawnCharge struct {
	account  string
	at       int64
	tie      int // business number, contact: what the order has beyond the instant
	category Category
	status   ChargeStatus
	reason   Reason
}

func (c drawnCharge) date(zone *Zone) Date { return zone.Date(c.at) }

// ledgerStory is recharges and charges of some accounts.
type ledgerStory struct {
	accounts  *Accounts
	book      *RateBook
	recharges *Recharges
	charges   []drawnCharge
	from, to  Date
}

// The instants of a story are multiples of step: so purchases, expiries, charges
// and midnights meet.
const ledgerStep = DayMillis / 4

func drawLedgerStory(t *rapid.T, zones []*Zone) *ledgerStory {
	day := Date(19900)
	instant := func(name string) int64 {
		return day.Start() + int64(rapid.IntRange(6, 30).Draw(t, name))*ledgerStep
	}
	ids := []string{"a", "b", "never"}
	var rows []Account
	for _, id := range ids {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		rows = append(rows, Account{ID: id, Plan: "list", Zone: zone, From: MinDate, To: MaxDate})
	}
	s := &ledgerStory{from: day + 3, to: day + 6}
	var err error
	if s.accounts, err = NewAccounts(rows); err != nil {
		t.Fatal(err)
	}
	var rates []Rate
	for _, plan := range []string{"list", "small", "large"} {
		for _, c := range []Category{Marketing, Service, Utility} {
			from := MinDate
			for _, to := range []Date{day + 4, MaxDate} {
				if rapid.IntRange(0, 5).Draw(t, "priced") > 0 {
					rates = append(rates, Rate{
						Plan: plan, Market: "*", Category: c, From: from, To: to,
						Price:    Micros(rapid.IntRange(0, 4).Draw(t, "price")),
						Currency: rapid.SampledFrom([]string{"EUR", "EUR", "USD"}).Draw(t, "currency"),
					})
				}
				from = to
			}
		}
	}
	if s.book, err = NewRateBook(rates); err != nil {
		t.Fatal(err)
	}
	var recharges []Recharge
	for i := range rapid.IntRange(1, 8).Draw(t, "recharges") {
		r := Recharge{
			ID: fmt.Sprintf("R%d", i), Account: rapid.SampledFrom(ids[:2]).Draw(t, "of"), Plan: rapid.SampledFrom([]string{"small", "large", "no such plan"}).Draw(t, "plan"),
			PurchasedAt: instant("purchased"), ExpiresAt: NeverExpires,
			Net: Micros(rapid.IntRange(1, 20).Draw(t, "net")), Currency: rapid.SampledFrom([]string{"EUR", "EUR", "USD"}).Draw(t, "in"),
		}
		if rapid.Bool().Draw(t, "expires") {
			r.ExpiresAt = r.PurchasedAt + int64(rapid.IntRange(1, 20).Draw(t, "lasts"))*ledgerStep
		}
		recharges = append(recharges, r)
	}
	if s.recharges, err = NewRecharges(rapid.Permutation(recharges).Draw(t, "order")); err != nil {
		t.Fatal(err)
	}
	for i := range rapid.IntRange(10, 40).Draw(t, "charges") {
		c := drawnCharge{account: rapid.SampledFrom(ids).Draw(t, "by"), at: instant("at"), tie: i, category: rapid.SampledFrom([]Category{Marketing, Service, Utility}).Draw(t, "category")}
		switch rapid.IntRange(0, 9).Draw(t, "status") {
		case 0:
			c.status = Free
		case 1:
			c.status, c.reason = Unrated, ReasonUnknownMarket
		case 2:
			c.status, c.reason = Unrated, ReasonUnknownAccount
		case 3:
			c.status, c.reason = Unrated, ReasonNoPrice
		}
		if c.date(s.zone(c.account)) <= s.to { // no run draws later ones
			s.charges = append(s.charges, c)
		}
	}
	slices.SortFunc(s.charges, func(a, b drawnCharge) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.at, b.at), cmp.Compare(a.tie, b.tie))
	})
	return s
}

func (s *ledgerStory) zone(account string) *Zone { return s.accounts.Of(account).Zone }

func (s *ledgerStory) ledger(balances map[string]Micros, midnights ...int64) *Ledger {
	return NewLedger(LedgerConfig{
		Recharges: s.recharges, Accounts: s.accounts, Book: s.book, From: s.from, To: s.to,
		Balances: balances, Midnights: midnights,
	})
}

// drawn is what one charge came to: the recharge that paid at which price, or
// whether one should have.
type drawn struct {
	Recharge, Plan string
	Price          Micros
	NoCredit       bool
}

// draw has a ledger draw charges, with a quote for each date and kind.
func (s *ledgerStory) draw(l *Ledger, charges []drawnCharge) []drawn {
	type kind struct {
		account  string
		category Category
		status   ChargeStatus
		reason   Reason
		date     Date
	}
	quotes := make(map[kind]*Quote)
	out := make([]drawn, len(charges))
	for i, c := range charges {
		credit := l.Credit(c.account)
		if credit == nil {
			continue
		}
		k := kind{c.account, c.category, c.status, c.reason, c.date(credit.zone)}
		q, known := quotes[k]
		if !known {
			q = credit.Quote(&Rating{Status: c.status, Reason: c.reason}, Place{Country: "IT", Market: "Italy"}, c.category, UnitConversation, k.date)
			quotes[k] = q
		}
		if q == nil {
			continue
		}
		paid, prepaid := credit.Draw(q, c.at)
		out[i].NoCredit = paid == NoLot && prepaid
		if paid != NoLot {
			r := credit.Rating(q, paid)
			out[i] = drawn{Recharge: r.Recharge.ID, Plan: r.Plan(), Price: r.Rate.Price}
		}
	}
	return out
}

// naiveLedger keeps what was taken of each recharge, charge by charge.
type naiveLedger struct {
	story *ledgerStory
	taken map[string][]naiveTake
}

type naiveTake struct {
	at    int64
	price Micros
}

// left is what a recharge has before an instant, whether or not it can be used.
func (n *naiveLedger) left(r *Recharge, before int64) Micros {
	left := r.Net
	for _, t := range n.taken[r.ID] {
		if t.at < before {
			left -= t.price
		}
	}
	return left
}

func (n *naiveLedger) price(plan string, c drawnCharge) *Rate {
	for i := range n.story.book.rates {
		r := &n.story.book.rates[i]
		d := c.date(n.story.zone(c.account))
		if r.Plan == plan && r.Category == c.category && r.From <= d && d < r.To {
			return r
		}
	}
	return nil
}

func (n *naiveLedger) draw(c drawnCharge) drawn {
	if c.status == Free || c.reason == ReasonUnknownAccount || c.reason == ReasonUnknownMarket {
		return drawn{}
	}
	var oldest, rate = (*Recharge)(nil), (*Rate)(nil)
	prepaid := false
	for i := range n.story.recharges.rows {
		r := &n.story.recharges.rows[i]
		if r.Account != c.account || r.PurchasedAt > c.at {
			continue
		}
		prepaid = true
		p := n.price(r.Plan, c)
		if c.at >= r.ExpiresAt || p == nil || p.Currency != r.Currency || n.left(r, NeverExpires) < p.Price {
			continue
		}
		if oldest == nil || r.PurchasedAt < oldest.PurchasedAt || r.PurchasedAt == oldest.PurchasedAt && r.ID < oldest.ID {
			oldest, rate = r, p
		}
	}
	if oldest == nil {
		return drawn{NoCredit: prepaid}
	}
	n.taken[oldest.ID] = append(n.taken[oldest.ID], naiveTake{c.at, rate.Price})
	return drawn{Recharge: oldest.ID, Plan: oldest.Plan, Price: rate.Price}
}

// usable is what could be used of a recharge at an instant, were there a charge.
func (n *naiveLedger) usable(r *Recharge, at int64) Micros {
	if at <= r.PurchasedAt || at > r.ExpiresAt {
		return 0
	}
	return n.left(r, at)
}

func (n *naiveLedger) movements() map[string]RechargeMovement {
	out := make(map[string]RechargeMovement)
	for i := range n.story.recharges.rows {
		r := &n.story.recharges.rows[i]
		zone := n.story.zone(r.Account)
		start, end := zone.Start(n.story.from), zone.Start(n.story.to+1)
		if r.PurchasedAt >= end {
			continue
		}
		m := RechargeMovement{Recharge: r, Opening: n.usable(r, start), Closing: n.usable(r, end)}
		if start <= r.PurchasedAt {
			m.Bought = r.Net
		}
		for _, t := range n.taken[r.ID] {
			if start <= t.at && t.at < end {
				m.Used += t.price
			}
		}
		if start <= r.ExpiresAt && r.ExpiresAt < end {
			m.Expired = n.left(r, r.ExpiresAt)
		}
		out[r.ID] = m
	}
	return out
}

func TestLedgerProperty(t *testing.T) {
	t.Parallel()
	zones := []*Zone{loadZone(t, "UTC"), loadZone(t, "Asia/Tokyo"), loadZone(t, "America/Lima")}
	rapid.Check(t, func(t *rapid.T) {
		s := drawLedgerStory(t, zones)
		naive := &naiveLedger{story: s, taken: make(map[string][]naiveTake)}
		var want []drawn
		for _, c := range s.charges {
			want = append(want, naive.draw(c))
		}
		mark := s.from.Start() + int64(rapid.IntRange(-8, 8).Draw(t, "mark"))*ledgerStep
		whole := s.ledger(nil, mark)
		if diff := gocmp.Diff(want, s.draw(whole, s.charges)); diff != "" && len(want) > 0 {
			t.Fatalf("drawn (-naive +got):\n%s", diff)
		}
		checkMovements(t, naive, whole)
		balances := whole.Balances(0)
		for i := range s.recharges.rows {
			r := &s.recharges.rows[i]
			if left, known := balances[r.ID]; known != (r.PurchasedAt < mark) || known && left != naive.left(r, mark) {
				t.Errorf("balance of %s is %d, %v", r.ID, left, known)
			}
		}
		if start := s.from.Start(); mark > start-DayMillis/2 { // the period begins no earlier anywhere
			return
		}
		resumed := s.ledger(balances)
		var later []drawnCharge
		var wanted []drawn
		for i, c := range s.charges {
			if c.at >= mark {
				later, wanted = append(later, c), append(wanted, want[i])
			}
		}
		if diff := gocmp.Diff(wanted, s.draw(resumed, later)); diff != "" && len(wanted) > 0 {
			t.Fatalf("drawn from balances (-naive +got):\n%s", diff)
		}
		checkMovements(t, naive, resumed)
	})
}

func checkMovements(t *rapid.T, naive *naiveLedger, l *Ledger) {
	t.Helper()
	want, rows := naive.movements(), l.Movements()
	if len(rows) != len(want) || !slices.IsSortedFunc(rows, func(a, b RechargeMovement) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.ID, b.ID))
	}) {
		t.Fatalf("%d movements, want %d in order", len(rows), len(want))
	}
	for _, m := range rows {
		if m != want[m.ID] {
			t.Errorf("%+v of %+v, want %+v", m, *m.Recharge, want[m.ID])
		}
		if m.Opening+m.Bought-m.Used-m.Expired != m.Closing {
			t.Errorf("%+v does not add up", m)
		}
	}
}

func TestOutlooks(t *testing.T) {
	t.Parallel()
	zone := loadZone(t, "Europe/Rome")
	from, to := date(t, "2024-06-01"), date(t, "2024-06-30")
	end := zone.Start(to + 1)
	accounts, err := NewAccounts([]Account{{ID: "acme", Plan: "p", Zone: zone, From: MinDate, To: MaxDate}})
	if err != nil {
		t.Fatal(err)
	}
	book, err := NewRateBook([]Rate{{Plan: "p", Market: "*", Category: Service, Price: 3_000_000, Currency: "EUR", From: MinDate, To: MaxDate}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		recharges []Recharge
		charges   int // of 3 EUR, in June
		want      []Outlook
	}{
		{"nothing used, nothing expires", []Recharge{{Net: 5_000_000, ExpiresAt: NeverExpires}}, 0, nil},
		{"expires on the last day that counts", []Recharge{{Net: 5_000_000, ExpiresAt: end + 30*DayMillis}}, 0,
			[]Outlook{{ExpiresSoon, "acme", end + 30*DayMillis, "recharge R0: 5 EUR of 5 are left and expire on 2024-07-31"}}},
		{"expires a millisecond later", []Recharge{{Net: 5_000_000, ExpiresAt: end + 30*DayMillis + 1}}, 0, nil},
		{"expires as the period ends", []Recharge{{Net: 5_000_000, ExpiresAt: end}}, 0,
			[]Outlook{{ExpiresSoon, "acme", end, "recharge R0: 5 EUR of 5 are left and expire on 2024-07-01"}}},
		{"expires just before", []Recharge{{Net: 5_000_000, ExpiresAt: end - 1}}, 0, nil},
		{"lasts as long again", []Recharge{{Net: 60_000_000, ExpiresAt: NeverExpires}}, 10, nil},
		{"lasts half as long", []Recharge{{Net: 45_000_000, ExpiresAt: NeverExpires}}, 10,
			[]Outlook{{RunsOut, "acme", end + 15*DayMillis, "15 EUR are left; at the period's pace of 1 a day they last until 2024-07-16"}}},
		{"nothing is left", []Recharge{{Net: 30_000_000, ExpiresAt: NeverExpires}}, 10,
			[]Outlook{{RunsOut, "acme", end, "0 EUR are left; at the period's pace of 1 a day they last until 2024-07-01"}}},
		{"what expires first is no help", []Recharge{{Net: 45_000_000, ExpiresAt: end + 5*DayMillis}}, 10,
			[]Outlook{
				{ExpiresSoon, "acme", end + 5*DayMillis, "recharge R0: 15 EUR of 45 are left and expire on 2024-07-06"},
				{RunsOut, "acme", end + 5*DayMillis, "15 EUR are left; at the period's pace of 1 a day they last until 2024-07-06"}}},
		{"the next takes over", []Recharge{{Net: 45_000_000, ExpiresAt: end + 5*DayMillis}, {Net: 10_000_000, ExpiresAt: NeverExpires}}, 10,
			[]Outlook{
				{ExpiresSoon, "acme", end + 5*DayMillis, "recharge R0: 15 EUR of 45 are left and expire on 2024-07-06"},
				{RunsOut, "acme", end + 15*DayMillis, "25 EUR are left; at the period's pace of 1 a day they last until 2024-07-16"}}},
		{"another currency is no help", []Recharge{{Net: 30_000_000, ExpiresAt: NeverExpires}, {Net: 90_000_000, ExpiresAt: NeverExpires, Currency: "USD"}}, 10,
			[]Outlook{{RunsOut, "acme", end, "0 EUR are left; at the period's pace of 1 a day they last until 2024-07-01"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for i := range c.recharges {
				r := &c.recharges[i]
				r.ID, r.Account, r.Plan, r.PurchasedAt = fmt.Sprintf("R%d", i), "acme", "p", zone.Start(from)
				if r.Currency == "" {
					r.Currency = "EUR"
				}
			}
			recharges, err := NewRecharges(c.recharges)
			if err != nil {
				t.Fatal(err)
			}
			l := NewLedger(LedgerConfig{Recharges: recharges, Accounts: accounts, Book: book, From: from, To: to})
			credit := l.Credit("acme")
			q := credit.Quote(&Rating{}, Place{"IT", "Italy"}, Service, UnitConversation, from)
			for range c.charges {
				if paid, _ := credit.Draw(q, zone.Start(from)); paid == NoLot {
					t.Fatal("a charge was not paid")
				}
			}
			if diff := gocmp.Diff(c.want, l.Outlooks(30)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestLastsBeyondTime has products of money and time that no 64 bits hold.
func TestLastsBeyondTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount, used Micros
		want         int64
	}{
		{1 << 62, 1 << 62, 100 + 31*DayMillis},
		{1 << 62, 1, NeverExpires},
		{1 << 62, 1 << 40, 100 + (1<<22)*31*DayMillis},
		{math.MaxInt64, 1 << 31, NeverExpires},
	} {
		got := later(100, c.amount, c.used, 31*DayMillis)
		if got != c.want {
			t.Errorf("%d at a pace of %d lasts until %d, want %d", c.amount, c.used, got, c.want)
		}
	}
}
