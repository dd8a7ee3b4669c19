package reconcile

// ChargeStatus says whether a charge costs.
type ChargeStatus uint8

// The statuses of a charge.
const (
	Charged ChargeStatus = iota // it has a price, which may be 0
	Free                        // the rules make it free
	Unrated                     // it should have a price and has none
)

func (s ChargeStatus) String() string { return [3]string{"charged", "free", "unrated"}[s] }

// Reason says why a charge is free or unrated.
type Reason string

// The reasons, those of unrated charges in the order in which they are looked
// for.
const (
	NoReason             Reason = ""
	ReasonUnknownAccount Reason = "unknown_account"
	ReasonUnknownMarket  Reason = "unknown_market"
	ReasonNoPrice        Reason = "no_price"
)

// Rating is the price of a charge and where it comes from.
type Rating struct {
	Account *Account // nil where no row covers the date
	Rate    *Rate    // nil where Status is not Charged
	Status  ChargeStatus
	Reason  Reason
	// Recharge is what paid, and whose plan Rate belongs to then (R12); nil
	// where none did.
	Recharge *Recharge
}

// Plan is the price list that holds: that of the recharge that paid, or else
// that of the account; empty where neither is known.
func (r *Rating) Plan() string {
	switch {
	case r.Recharge != nil:
		return r.Recharge.Plan
	case r.Account != nil:
		return r.Account.Plan
	}
	return ""
}

// Pricer prices charges (R10). It belongs to one goroutine; the tables that
// it looks into may be shared.
type Pricer struct {
	accounts *Accounts
	markets  *Markets
	book     *RateBook
	seen     map[priceKey]*Rating
}

// priceKey is all that a price depends on. The charges of a period have few
// of them.
type priceKey struct {
	terms    *AccountTerms
	place    Place
	date     Date
	category Category
	unit     Unit
	known    bool
}

// NewPricer makes a Pricer over the three tables.
func NewPricer(accounts *Accounts, markets *Markets, book *RateBook) *Pricer {
	return &Pricer{accounts: accounts, markets: markets, book: book, seen: make(map[priceKey]*Rating)}
}

// Terms is the terms of an account: Accounts.Of.
func (p *Pricer) Terms(account string) *AccountTerms { return p.accounts.Of(account) }

// Place is where a contact is on a date: Markets.OfContact.
func (p *Pricer) Place(c Contact, country string, d Date) (place Place, known bool) {
	return p.markets.OfContact(c, country, d)
}

// PlaceID stands for the place of a phone number: Markets.PlaceID.
func (p *Pricer) PlaceID(c Contact, d Date) int32 { return p.markets.PlaceID(c, d) }

// Price rates one charge: c is the category it is priced as, d its billing
// date in the account's time zone, place and known what Place said. Equal
// arguments give the same pointer.
func (p *Pricer) Price(terms *AccountTerms, place Place, known bool, c Category, u Unit, d Date) *Rating {
	key := priceKey{terms, place, d, c, u, known}
	if r, ok := p.seen[key]; ok {
		return r
	}
	r := p.rate(key)
	p.seen[key] = r
	return r
}

func (p *Pricer) rate(k priceKey) *Rating {
	account := k.terms.On(k.date)
	if account == nil {
		return &Rating{Status: Unrated, Reason: ReasonUnknownAccount}
	}
	if !k.known {
		return &Rating{Account: account, Status: Unrated, Reason: ReasonUnknownMarket}
	}
	rate := p.book.Lookup(account.Plan, k.place, k.category, k.unit, k.date)
	if rate == nil {
		return &Rating{Account: account, Status: Unrated, Reason: ReasonNoPrice}
	}
	return &Rating{Account: account, Rate: rate, Status: Charged}
}
