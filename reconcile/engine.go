package reconcile

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"slices"
)

// EngineConfig is what an Engine needs to know beside the rows.
type EngineConfig struct {
	// Terms gives the terms of an account, never nil. It is asked once for
	// each account.
	Terms func(account Name) *AccountTerms
	// Text gives the text of a handle.
	Text func(Name) string
	// DeliveryDays is how long after its sending a message's delivery may come.
	DeliveryDays int
	// Begins are the days before which data is missing, in order: the first
	// day read, and each day that follows a missing one. Chains of
	// conversations are proven from there on.
	Begins []Date
	// End is the midnight UTC at which the data ends. Messages that count there
	// or later are only counted as ahead.
	End int64
	// LateDays is how many days after the day it was sent on a row's partition
	// may lie: rows before From that came later are counted as late.
	LateDays int
	// From is the state to start from, nil for none. Begins then starts with
	// its Since, and the rows added are those of the partitions from its At on.
	From *State
	// States are the days at whose beginning a State is to be taken, in order,
	// all after From.
	States []Date
	// Scattered tells the hashes of the messages whose rows come by
	// AddScattered; nil: none.
	Scattered map[uint64]bool
}

// Validate tells what c lacks.
func (c *EngineConfig) Validate() error {
	switch {
	case c.Terms == nil || c.Text == nil:
		return errors.New("make engine: no accounts or no texts")
	case len(c.Begins) == 0 || !slices.IsSorted(c.Begins):
		return errors.New("make engine: no beginning of the data, or out of order")
	case c.DeliveryDays < 0:
		return errors.New("make engine: delivery days are negative")
	case c.End != DateOf(c.End).Start():
		return errors.New("make engine: the data does not end at midnight UTC")
	case c.From != nil && (c.Begins[0] != c.From.Since || c.From.Since >= c.From.At):
		return errors.New("make engine: the data does not begin where that of the state does")
	case !slices.IsSorted(c.States) || len(c.States) > 0 && (c.States[0] <= c.start() || c.States[len(c.States)-1].Start() > c.End):
		return errors.New("make engine: states out of order, or outside the data")
	}
	return nil
}

// start is the first day that has not been folded yet.
func (c *EngineConfig) start() Date {
	if c.From == nil {
		return MinDate
	}
	return c.From.At
}

// Engine rebuilds the conversations of the pairs of one shard: it merges
// duplicates, orders each pair's messages (R1) and folds them through Pair,
// one UTC day after the other. It keeps the rows of days not yet folded, the
// pairs of which something may still be open, and messages that are sent but
// count on a later day; so its memory follows a day, not the period.
//
// An Engine is owned by one goroutine.
type Engine struct {
	cfg    EngineConfig
	merger merger
	sink   Sink
	basis  []Basis // by account; known where knownBasis
	known  []bool
	days   map[Date]*day // not folded yet
	spare  []*day        // empty, for days to come
	// scattered holds rows that settle brings to their days before any day is
	// folded.
	scattered   looseRows
	scatteredIn []Date // the partition of each
	carry       carry
	pairs       pairTable
	chunks      chunkPool
	fold        folder  // memory of the part being folded, kept for the next
	begin       int     // index into Begins of the stretch being folded
	finding     Finding // what is handed on
	tally       Tally
}

// NewEngine makes an engine that hands what it makes to sink.
func NewEngine(cfg EngineConfig, sink Sink) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:    cfg,
		merger: merger{deliveryMillis: int64(cfg.DeliveryDays) * DayMillis, text: cfg.Text},
		sink:   sink,
		days:   make(map[Date]*day),
		carry:  newCarry(&cfg),
	}
	e.restore()
	return e, nil
}

// Add takes a block of rows of one day's partition, in any order. Rows sent on
// a day that has been folded already are the caller's mistake, but for those
// before the state that the engine starts from.
func (e *Engine) Add(rows *Packed, partition Date) {
	for i := 0; i < rows.Len(); {
		sentOn := DateOf(rows.rows[i].sent)
		if sentOn < e.carry.start {
			e.carry.addBefore(rows, i, partition)
			i++
			continue
		}
		into, start, first := e.dayOf(sentOn), sentOn.Start(), i
		for i < rows.Len() && sentWithin(rows.rows[i].sent, start) {
			i = into.addRun(rows, i, start, &e.chunks)
		}
		e.noteAdded(rows, first, i, sentOn, partition)
	}
	e.tally.Rows += int64(rows.Len())
}

// noteAdded keeps what states have to know of rows that were sent on one day.
func (e *Engine) noteAdded(rows *Packed, first, end int, sentOn, partition Date) {
	if partition-sentOn > Date(e.cfg.LateDays) {
		e.carry.reach(sentOn, partition)
	}
	if sentOn <= partition || !e.carry.between(partition, sentOn) {
		return
	}
	for i := first; i < end; i++ {
		e.carry.early = append(e.carry.early, earlyRow{newMessage(rows.row(i)), partition, partition})
	}
}

// AddScattered takes rows of one day's partition, of messages whose rows were
// sent, as they claim, on different days. All rows of such a message must come
// this way, before the first Advance: they are merged at once, and the message
// then lies on the day of the row that sorts first.
func (e *Engine) AddScattered(rows *Packed, partition Date) {
	for i := range rows.Len() {
		e.scattered.add(rows.row(i))
		e.scatteredIn = append(e.scatteredIn, partition)
	}
	e.tally.Rows += int64(rows.Len())
}

// settle merges the scattered rows and puts each message on its day.
func (e *Engine) settle() {
	d := &e.scattered
	if d.len() == 0 {
		return
	}
	order := make([]uint32, d.len())
	for i := range order {
		order[i] = uint32(i)
	}
	same := func(a, b uint32) int {
		return cmp.Or(cmp.Compare(d.at(a).hash, d.at(b).hash), bytes.Compare(d.id(a), d.id(b)))
	}
	slices.SortStableFunc(order, same)
	for len(order) > 0 {
		n := 1
		for n < len(order) && same(order[0], order[n]) == 0 {
			n++
		}
		e.settleMessage(order[:n])
		order = order[n:]
	}
	e.scattered, e.scatteredIn = looseRows{}, nil
}

// settleMessage merges the scattered rows of one message. Where it was sent
// before the state that the engine starts from, they are rows before it,
// whenever they claim to have been sent.
func (e *Engine) settleMessage(rows []uint32) {
	d, id := &e.scattered, e.scattered.id(rows[0])
	m := message{id: id}
	of := make([]row, len(rows))
	for i, at := range rows {
		of[i] = *d.at(at)
	}
	e.merger.merge(&m, of)
	if DateOf(m.sent) < e.carry.start || e.carry.find(m.hash, id) != nil {
		for _, i := range rows {
			e.carry.before.add(*d.at(i), id)
			e.carry.beforeIn = append(e.carry.beforeIn, e.scatteredIn[i])
		}
		return
	}
	e.tally.Merged += int64(len(rows) - 1)
	e.addRow(&m.row, id)
	e.noteScattered(&m, rows)
}

// addRow puts a row on its day.
func (e *Engine) addRow(r *row, id []byte) {
	e.dayOf(DateOf(r.sent)).addRow(r, id, &e.chunks)
}

func (e *Engine) dayOf(d Date) *day {
	of := e.days[d]
	if of == nil {
		if n := len(e.spare); n > 0 {
			of, e.spare = e.spare[n-1], e.spare[:n-1]
		} else {
			of = &day{}
		}
		e.days[d] = of
	}
	return of
}

// release gives up a day, whose rows have been given back.
func (e *Engine) release(d Date) {
	of := e.days[d]
	delete(e.days, d)
	of.empty()
	e.spare = append(e.spare, of)
}

// Advance folds every day up to and including last, and hands on every
// conversation that has ended by its end. All rows sent on those days must
// have been added.
func (e *Engine) Advance(last Date) {
	e.settle()
	for len(e.cfg.States) > 0 && e.cfg.States[0]-1 <= last {
		at := e.cfg.States[0]
		e.cfg.States = e.cfg.States[1:]
		e.advance(at - 1)
		e.carry.states = append(e.carry.states, e.state(at))
	}
	e.advance(last)
}

func (e *Engine) advance(last Date) {
	if last >= e.carry.start {
		e.settleCarried()
	}
	for day, ok := e.nextDay(last); ok; day, ok = e.nextDay(last) {
		e.foldDay(day)
	}
	e.pairs.sweep(last.Start()+DayMillis, e.sink)
}

// Finish folds what is left of the data, counts what lies beyond its end and
// hands on the conversations still open. The engine is then empty.
func (e *Engine) Finish() Tally {
	e.Advance(DateOf(e.cfg.End - 1))
	for day, ok := e.nextDay(MaxDate); ok; day, ok = e.nextDay(MaxDate) {
		e.countAhead(day)
	}
	e.pairs.sweep(math.MaxInt64, e.sink)
	e.chunks, e.spare, e.fold, e.pairs = chunkPool{}, nil, folder{}, pairTable{} // their memory is of use to others
	return e.tally
}

// nextDay is the first day up to and including last with something to fold.
// It is looked for anew after each day folded, since messages of that day may
// count on a day on which nothing was sent.
func (e *Engine) nextDay(last Date) (next Date, ok bool) {
	for d := range e.days {
		if d <= last && (!ok || d < next) {
			next, ok = d, true
		}
	}
	return next, ok
}

func (e *Engine) foldDay(date Date) {
	e.enter(date)
	of := e.dayOf(date)
	for part := range PartCount {
		e.foldPart(date, of, part)
	}
	e.pairs.swept = date.Start() + DayMillis
	e.release(date)
}

// enter begins a day: where days are missing before it, nothing is proven
// any more.
func (e *Engine) enter(day Date) {
	for e.begin+1 < len(e.cfg.Begins) && e.cfg.Begins[e.begin+1] <= day {
		e.begin++
		e.pairs.doubt(e.cfg.Begins[e.begin].Start())
	}
	e.pairs.since = max(e.cfg.Begins[e.begin].Start(), day.Start()-DayMillis)
}

// basisOf is the basis of an account, asked for once.
func (e *Engine) basisOf(account Name) Basis {
	if int(account) >= len(e.basis) {
		grown := int(account)*2 + 16
		e.basis = append(e.basis, make([]Basis, grown-len(e.basis))...)
		e.known = append(e.known, make([]bool, grown-len(e.known))...)
	}
	if !e.known[account] {
		e.basis[account] = e.cfg.Terms(account).Basis
		e.known[account] = true
	}
	return e.basis[account]
}

// countAhead merges what was sent, or counts, beyond the end of the data.
func (e *Engine) countAhead(date Date) {
	f, of := &e.fold, e.dayOf(date)
	for part := range PartCount {
		e.load(of, part)
		for group := range f.groups() {
			messages := e.mergeGroup(group.rows)
			e.tally.Ahead += int64(len(messages) + len(group.pending))
		}
		e.sink.Messages(f.seen, date)
		e.chunks.give(&of.rows[part])
	}
	e.release(date)
}
