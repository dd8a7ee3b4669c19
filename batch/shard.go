package batch

import (
	"context"
	"sync"

	"waconcile/reader"
	"waconcile/reconcile"
)

// shard owns the pairs of a share of the contacts: an engine, and what the
// engine's conversations have become. One goroutine drives it.
type shard struct {
	engine     *reconcile.Engine
	pricer     *reconcile.Pricer
	costPricer *reconcile.Pricer // by the provider's book; nil: there is none
	names      *reader.Names
	period     Period
	queue      chan work

	terms     []*reconcile.AccountTerms // by account; nil: not asked yet
	dates     map[reconcile.Date]*dateCharges
	spare     *sync.Pool     // of *chargeChunk, one for all shards
	delivered reconcile.Date // charges up to this date have been handed on
	findings  heldFindings
	foundMax  int       // findings that may become texts at the end
	found     []finding // these, in order
	log       *sightings
	logErr    error
	repeated  map[uint64]bool // hashes that the log has more than once, at the end
	outside   int64           // conversations whose billing date lies outside the period
	opensFrom int64           // those opened before have been counted by an earlier run
	// drawsSince is the instant from which on charges of an account draw on
	// recharges, be they before the period; nil: none does.
	drawsSince func(account string) int64
	draws      []int64 // that instant, by account; 0: not asked yet
	tally      reconcile.Tally
}

// work is one thing for a shard to do; exactly one of the pointers is set.
type work struct {
	rows      *reconcile.Packed
	scattered *reconcile.Packed
	partition reconcile.Date // in which the rows lie
	advance   *reconcile.Date
}

// shardQueue bounds the blocks that wait for a shard.
const shardQueue = 2

// run drives the shard until there is no more to do, and returns blocks to
// free as they are used up.
func (s *shard) run(ctx context.Context, free chan<- *reconcile.Packed, deliver func(reconcile.Date, *dateCharges) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case w, more := <-s.queue:
			if !more {
				return s.finish(deliver)
			}
			if err := s.do(w, free, deliver); err != nil {
				return err
			}
		}
	}
}

// finish comes to the end of the data. What can wait comes last, while the last
// charges are written.
func (s *shard) finish(deliver func(reconcile.Date, *dateCharges) error) error {
	s.tally = s.engine.Finish()
	if s.logErr != nil {
		return s.logErr
	}
	if err := s.handOn(s.period.To, deliver); err != nil {
		return err
	}
	if n := s.findings.len(); n <= s.foundMax {
		s.found = s.findings.take(n).sorted(s.names)
	}
	s.repeated = make(map[uint64]bool)
	return s.log.repeated(s.repeated)
}

func (s *shard) do(w work, free chan<- *reconcile.Packed, deliver func(reconcile.Date, *dateCharges) error) (err error) {
	switch {
	case w.rows != nil:
		s.engine.Add(w.rows, w.partition)
		recycle(free, w.rows)
	case w.scattered != nil:
		s.engine.AddScattered(w.scattered, w.partition)
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
func (s *shard) handOn(last reconcile.Date, deliver func(reconcile.Date, *dateCharges) error) error {
	for d := s.delivered + 1; d <= min(last, s.period.To); d++ {
		if err := deliver(d, s.dateOf(d)); err != nil {
			return err
		}
		delete(s.dates, d)
		s.delivered = d
	}
	return nil
}

// recycle offers a used block for new rows.
func recycle(free chan<- *reconcile.Packed, rows *reconcile.Packed) {
	rows.Reset()
	select {
	case free <- rows:
	default:
	}
}

// Conversation prices a conversation whose billing date lies in the period, or
// before it where its account is prepaid: then it only takes of what is left.
func (s *shard) Conversation(c *reconcile.Conversation) {
	terms := s.termsOf(c.Account)
	date := terms.Zone.Date(c.OpenedAt)
	if !s.period.Has(date) {
		if c.OpenedAt >= s.opensFrom {
			s.outside++
		}
		if date > s.period.To || c.OpenedAt < s.drawing(c.Account) {
			return
		}
	}
	key := groupKey{account: c.Account, business: c.Business, category: c.Category}
	if _, key.opaque = c.Contact.Opaque(); key.opaque {
		key.country = c.Country
	} else {
		key.place = s.pricer.PlaceID(c.Contact, date)
		if s.costs(date) {
			key.costPlace = s.costPricer.PlaceID(c.Contact, date)
		}
	}
	charges := s.dateOf(date)
	index, found := charges.index.of(&key, uint32(len(charges.groups)))
	if !found {
		charges.groups = append(charges.groups, s.price(c, terms, date))
	}
	charges.add(c, index)
}

// price makes the group of a conversation that is the first of its kind.
func (s *shard) price(c *reconcile.Conversation, terms *reconcile.AccountTerms, date reconcile.Date) group {
	country := s.names.Text(c.Country)
	place, known := s.pricer.Place(c.Contact, country, date)
	return group{
		account: c.Account, business: c.Business, category: c.Category, place: place,
		rating: s.pricer.Price(terms, place, known, c.Category, reconcile.UnitConversation, date),
		cost:   s.cost(c, s.names.Text(c.Account), country, date),
	}
}

// drawing is the instant from which on an account's charges bear on what is left
// of its recharges.
func (s *shard) drawing(account reconcile.Name) int64 {
	if s.drawsSince == nil {
		return reconcile.NeverExpires
	}
	if int(account) >= len(s.draws) {
		s.draws = append(s.draws, make([]int64, int(account)+16)...)
	}
	if s.draws[account] == 0 {
		s.draws[account] = s.drawsSince(s.names.Text(account))
	}
	return s.draws[account]
}

func (s *shard) dateOf(date reconcile.Date) *dateCharges {
	charges := s.dates[date]
	if charges == nil {
		charges = newDateCharges(s.spare)
		s.dates[date] = charges
	}
	return charges
}

// Finding keeps a finding of the period.
func (s *shard) Finding(f *reconcile.Finding) {
	if s.period.Has(s.termsOf(f.Account).Zone.Date(f.At)) {
		s.findings.add(f)
	}
}

// Messages notes messages by their hashes, so that one that was sent twice, as
// it claims on different days, is found out.
func (s *shard) Messages(hashes []uint64, _ reconcile.Date) {
	if s.logErr == nil {
		s.logErr = s.log.add(hashes)
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
