package reconcile

import (
	"bytes"
	"slices"
)

// carry is what an engine takes from the state it starts from, and keeps for
// the states that it is to take. Where there are neither, it stays empty.
type carry struct {
	start    Date // rows sent before it belong to what the state has folded
	from     []carried
	byHash   map[uint64][]int // into from
	settled  bool             // from has been merged with the rows before start
	before   looseRows        // rows sent before start
	beforeIn []Date           // the partition of each
	seen     map[uint64]bool  // hashes of rows before start that are in no carried message
	late     map[LateKey]int64

	wanted      []Date // of the states to be taken
	oldest      Date   // messages sent before are in none of them
	early       []earlyRow
	reached     map[Date]Date // by the day messages were sent on: the latest partition with a row of them, where it is late
	undelivered []message
	spread      map[uint64]spread // messages by hash
	states      []*State
}

// carried is a message of the state that the engine starts from.
type carried struct {
	message
	role MessageRole
	rows []uint32 // indexes of before
}

// earlyRow is a row that lay in a partition before the day it was sent on.
type earlyRow struct {
	message
	partition Date
	latest    Date // the last partition that it was merged from
}

// spread is a message of which a row spread to have been sent later than the
// row that sorts first.
type spread struct {
	message
	lastSent int64
}

// LateKey names what a finding of late rows is about.
type LateKey struct {
	Account Name
	Day     Date // on which the rows were sent
}

func newCarry(cfg *EngineConfig) carry {
	c := carry{
		start: cfg.start(), wanted: cfg.States, oldest: MaxDate,
		byHash: make(map[uint64][]int), seen: make(map[uint64]bool),
		late: make(map[LateKey]int64), spread: make(map[uint64]spread), reached: make(map[Date]Date),
	}
	if len(c.wanted) > 0 {
		c.oldest = c.wanted[0] - Date(cfg.DeliveryDays)
	}
	return c
}

// between tells whether a state is taken after one day and not after another.
func (c *carry) between(after, last Date) bool {
	return slices.ContainsFunc(c.wanted, func(at Date) bool { return after < at && at <= last })
}

// addBefore sets aside a row sent before the state.
func (c *carry) addBefore(rows *Packed, i int, partition Date) {
	c.before.add(rows.row(i))
	c.beforeIn = append(c.beforeIn, partition)
}

// reach notes that messages of a day were made from rows of a partition.
func (c *carry) reach(sent, partition Date) {
	if known, ok := c.reached[sent]; len(c.wanted) > 0 && (!ok || known < partition) {
		c.reached[sent] = partition
	}
}

// find is the carried message of that id, nil where there is none.
func (c *carry) find(hash uint64, id []byte) *carried {
	for _, i := range c.byHash[hash] {
		if bytes.Equal(c.from[i].id, id) {
			return &c.from[i]
		}
	}
	return nil
}

// restore takes over the state to start from.
func (e *Engine) restore() {
	from := e.cfg.From
	if from == nil {
		return
	}
	e.pairs.restore(from)
	for i := range from.Messages {
		m := &from.Messages[i]
		if m.Role == Early {
			e.restoreEarly(m)
			continue
		}
		hash := m.Hash()
		e.carry.byHash[hash] = append(e.carry.byHash[hash], len(e.carry.from))
		e.carry.from = append(e.carry.from, carried{message: m.message(), role: m.Role})
		if m.LastSent > m.Sent {
			e.carry.spread[hash] = spread{m.message(), m.LastSent}
		}
	}
}

// restoreEarly adds a row that an earlier partition had.
func (e *Engine) restoreEarly(s *MessageState) {
	m, partition := s.message(), e.carry.start-1
	e.tally.Carried++
	if e.cfg.Scattered[m.hash] {
		e.scattered.add(m.row, m.id)
		e.scatteredIn = append(e.scatteredIn, partition)
		return
	}
	e.addRow(&m.row, m.id)
	if e.carry.between(partition, DateOf(m.sent)) {
		e.carry.early = append(e.carry.early, earlyRow{m, partition, partition})
	}
}

// settleCarried merges the carried messages with the rows sent before the
// state, of which all have been added by now. Rows of other messages belong
// to what counted before it.
func (e *Engine) settleCarried() {
	c := &e.carry
	if c.settled {
		return
	}
	c.settled = true
	for i := range uint32(c.before.len()) {
		if m := c.find(c.before.at(i).hash, c.before.id(i)); m != nil {
			m.rows = append(m.rows, i)
		} else {
			e.ignore(i)
		}
	}
	for i := range c.from {
		e.settleOne(&c.from[i])
	}
	c.before, c.beforeIn = looseRows{}, nil
}

// ignore counts a row whose message counted before the state.
func (e *Engine) ignore(i uint32) {
	c, r := &e.carry, e.carry.before.at(i)
	e.tally.Before++
	if day := DateOf(r.sent); c.beforeIn[i]-day > Date(e.cfg.LateDays) {
		e.tally.Late++
		c.late[LateKey{r.account, day}]++
	}
	if !c.seen[r.hash] && len(c.byHash[r.hash]) == 0 {
		c.seen[r.hash] = true
		e.see(r)
	}
}

// see tells of one message by itself.
func (e *Engine) see(r *row) {
	e.fold.seen = append(e.fold.seen[:0], r.hash)
	e.sink.Messages(e.fold.seen, DateOf(r.sent))
}

// settleOne merges a carried message with its rows. Rows that would make it
// count before the state come too late for that.
func (e *Engine) settleOne(m *carried) {
	e.see(&m.row)
	merged, basis := m.message, e.basisOf(m.account)
	if len(m.rows) > 0 {
		of := []row{m.row}
		for _, i := range m.rows {
			of = append(of, *e.carry.before.at(i))
		}
		e.merger.merge(&merged, of)
	}
	why, at := merged.counts(basis)
	if m.role == Settled || why == Counts && at < e.carry.start.Start() {
		for _, i := range m.rows {
			e.ignore(i)
		}
		merged = m.message
		why, at = merged.counts(basis)
	} else {
		e.tally.Merged += int64(len(m.rows))
		for _, i := range m.rows {
			e.carry.reach(DateOf(m.sent), e.carry.beforeIn[i])
		}
	}
	if m.role == Settled {
		return
	}
	e.tally.Carried++
	e.tally.Messages++
	if why == Counts {
		e.dayOf(DateOf(at)).wait(merged)
		return
	}
	e.tallyUncounted(why)
	if e.mayArrive(&merged, why) {
		e.carry.undelivered = append(e.carry.undelivered, merged)
	}
}

// mayArrive tells whether a later row may yet make a message count that a
// state to be taken would have to know of.
func (e *Engine) mayArrive(m *message, why Uncounted) bool {
	return (why == Undelivered || why == FailedMessage) && e.basisOf(m.account) == BasisDelivered && DateOf(m.sent) >= e.carry.oldest
}

// noteScattered keeps what a state has to know of a message with rows of
// several days.
func (e *Engine) noteScattered(m *message, rows []uint32) {
	c := &e.carry
	if len(c.wanted) == 0 {
		return
	}
	first, latest, last := e.scatteredIn[rows[0]], e.scatteredIn[rows[0]], m.sent
	for _, i := range rows {
		first, latest = min(first, e.scatteredIn[i]), max(latest, e.scatteredIn[i])
		last = max(last, e.scattered.at(i).sent)
	}
	day := DateOf(m.sent)
	c.reach(day, latest)
	if c.between(day, DateOf(last)) {
		c.spread[m.hash] = spread{m.clone(), last}
	}
	if c.between(first, day) {
		c.early = append(c.early, earlyRow{m.clone(), first, latest})
	}
}

// Late tells how many rows came too late for the state that the engine
// started from, by account and the day they were sent on.
func (e *Engine) Late() map[LateKey]int64 { return e.carry.late }

// States are the states taken, in order.
func (e *Engine) States() []*State { return e.carry.states }

// state takes the state at the beginning of a day up to which everything has
// been folded.
func (e *Engine) state(at Date) *State {
	e.enter(at - 1)
	e.pairs.sweep(at.Start(), e.sink)
	s := &State{At: at, Since: e.cfg.Begins[e.begin], Latest: MinDate}
	if e.cfg.From != nil {
		s.Accounts = append(s.Accounts, e.cfg.From.Accounts...)
	}
	for account, known := range e.known {
		if known {
			s.Accounts = append(s.Accounts, AccountBasis{Name(account), e.basis[account]})
		}
	}
	for sent, partition := range e.carry.reached {
		if sent < at {
			s.Latest = max(s.Latest, partition)
		}
	}
	e.pairs.save(s)
	e.carry.save(s, e.days, at-Date(e.cfg.DeliveryDays))
	return s
}

// save adds the messages that the state has to hold; those not delivered are
// dropped when they were sent before oldest, since no delivery of theirs would
// be believed.
func (c *carry) save(s *State, days map[Date]*day, oldest Date) {
	held := make(map[uint64]bool)
	hold := func(m *message, role MessageRole) {
		held[m.hash] = true
		s.Messages = append(s.Messages, m.state(role, c.spread[m.hash].lastSent))
	}
	for _, of := range days {
		for part := range of.pending {
			for i := range of.pending[part] {
				hold(&of.pending[part][i], Waiting)
			}
		}
	}
	for i := range c.undelivered {
		if m := &c.undelivered[i]; DateOf(m.sent) >= oldest {
			hold(m, NotDelivered)
		}
	}
	for i := range c.early {
		if r := &c.early[i]; r.partition < s.At && DateOf(r.sent) >= s.At {
			s.Messages = append(s.Messages, r.state(Early, r.sent))
			s.Latest = max(s.Latest, r.latest)
		}
	}
	for hash, m := range c.spread {
		if DateOf(m.sent) < s.At && m.lastSent >= s.At.Start() && !held[hash] {
			s.Messages = append(s.Messages, m.state(Settled, m.lastSent))
		}
	}
}
