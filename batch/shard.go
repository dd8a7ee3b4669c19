package batch

import (
	"context"

	"waconcile/reader"
	"waconcile/reconcile"
)

// shard owns the pairs of a share of the contacts: an engine, and what the
// engine's conversations have become. One goroutine drives it.
type shard struct {
	engine *reconcile.Engine
	pricer *reconcile.Pricer
	names  *reader.Names
	period Period
	todo   chan work

	terms     []*reconcile.AccountTerms // by account; nil: not asked yet
	charges   map[reconcile.Date][]charge
	delivered reconcile.Date // charges up to this date have been handed on
	groups    map[groupKey]*group
	findings  []reconcile.Finding
	log       *sightings
	logErr    error
	outside   int64 // conversations whose billing date lies outside the period
	tally     reconcile.Tally
}

// work is one thing for a shard to do; exactly one field is set.
type work struct {
	rows      *reconcile.Rows
	scattered *reconcile.Rows
	advance   *reconcile.Date
}

// charge is a conversation with its price, as it waits for its table. Its
// texts are handles; which charges there are, and their order, follow from
// the data alone once they are sorted.
type charge struct {
	reconcile.PairKey
	openedAt int64
	openedBy string
	rating   *reconcile.Rating
	place    reconcile.Place
	out, in  int32
	category reconcile.Category
	proven   bool
}

// groupKey is the grain on which money is computed. A rating stands for the
// place, date, category, plan and price that it was made for.
type groupKey struct {
	account, business reconcile.Name
	rating            *reconcile.Rating
}

type group struct {
	date     reconcile.Date
	place    reconcile.Place
	category reconcile.Category
	quantity int64
}

// shardQueue bounds the blocks that wait for a shard.
const shardQueue = 2

// run drives the shard until there is no more to do, and returns blocks to
// free as they are used up.
func (s *shard) run(ctx context.Context, free chan<- *reconcile.Rows, deliver func(reconcile.Date, []charge) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case w, more := <-s.todo:
			if !more {
				s.tally = s.engine.Finish()
				return s.handOn(s.period.To, deliver)
			}
			if err := s.do(w, free, deliver); err != nil {
				return err
			}
		}
	}
}

func (s *shard) do(w work, free chan<- *reconcile.Rows, deliver func(reconcile.Date, []charge) error) (err error) {
	switch {
	case w.rows != nil:
		s.engine.Add(w.rows)
		recycle(free, w.rows)
	case w.scattered != nil:
		s.engine.AddScattered(w.scattered)
		recycle(free, w.scattered)
	default:
		s.engine.Advance(*w.advance)
		err = s.handOn(*w.advance-finalAfterDays, deliver)
	}
	if err == nil {
		err = s.logErr
	}
	return err
}

// finalAfterDays is how many more days must be folded until the charges of a
// billing date are final: the date ends up to half a day later in the west,
// and a conversation a day after its opening.
const finalAfterDays = 2

// handOn gives away the charges of the period's dates up to last.
func (s *shard) handOn(last reconcile.Date, deliver func(reconcile.Date, []charge) error) error {
	for d := s.delivered + 1; d <= min(last, s.period.To); d++ {
		if err := deliver(d, s.charges[d]); err != nil {
			return err
		}
		delete(s.charges, d)
		s.delivered = d
	}
	return nil
}

// recycle offers a used block for new rows.
func recycle(free chan<- *reconcile.Rows, rows *reconcile.Rows) {
	rows.Reset()
	select {
	case free <- rows:
	default:
	}
}

// Conversation prices a conversation whose billing date lies in the period.
func (s *shard) Conversation(c *reconcile.Conversation) {
	terms := s.termsOf(c.Account)
	date := terms.Zone.Date(c.OpenedAt)
	if !s.period.Has(date) {
		s.outside++
		return
	}
	country := ""
	if _, opaque := c.Contact.Opaque(); opaque {
		country = s.names.Text(c.Country)
	}
	place, known := s.pricer.Place(c.Contact, country, date)
	rating := s.pricer.Price(terms, place, known, c.Category, reconcile.UnitConversation, date)
	s.charges[date] = append(s.charges[date], charge{
		PairKey:  c.PairKey,
		openedAt: c.OpenedAt,
		openedBy: c.OpenedBy,
		rating:   rating,
		place:    place,
		out:      c.Out,
		in:       c.In,
		category: c.Category,
		proven:   c.Proven,
	})
	key := groupKey{c.Account, c.Business, rating}
	g := s.groups[key]
	if g == nil {
		g = &group{date: date, place: place, category: c.Category}
		s.groups[key] = g
	}
	g.quantity++
}

// Finding keeps a finding of the period.
func (s *shard) Finding(f *reconcile.Finding) {
	if s.period.Has(s.termsOf(f.Account).Zone.Date(f.At)) {
		s.findings = append(s.findings, *f)
	}
}

// Message notes a message's hash, so that one that was sent twice, as it
// claims on different days, is found out.
func (s *shard) Message(hash uint64, _ reconcile.Date) {
	if s.logErr == nil {
		s.logErr = s.log.add(hash)
	}
}

func (s *shard) termsOf(account reconcile.Name) *reconcile.AccountTerms {
	if int(account) >= len(s.terms) {
		s.terms = append(s.terms, make([]*reconcile.AccountTerms, int(account)+16)...)
	}
	if s.terms[account] == nil {
		s.terms[account] = s.pricer.Terms(s.names.Text(account))
	}
	return s.terms[account]
}
