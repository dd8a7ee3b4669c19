package bench

import (
	"math/rand/v2"

	"waconcile/reconcile"
)

// what a message is.
type what uint8

const (
	inboundText what = iota
	inboundImage
	freeForm
	marketing
	utility
	authentication
	whatCount
)

// status of an outbound message; inbound ones have none of their own.
type status uint8

const (
	read status = iota
	delivered
	failed
	received
	statusCount
)

// row is one row of an export, less what follows from its numbers.
type row struct {
	sent     int64  // ms
	number   uint64 // of the thread and the step in it; the message id follows from it
	contact  uint32
	business uint8
	what     what
	status   status
}

const (
	businesses = 40
	// threadContacts is how many threads a contact has on average.
	threadContacts = 6
	// repeatEvery: one message in so many is exported twice.
	repeatEvery = 500
	// stepBits of a number are the step in its thread.
	stepBits = 4
	// carryDays is how many days a thread may run on. Threads are drawn from
	// so many days before the first, so that it is as full as all others.
	carryDays = 3
	// share is what shares of the threads are parts of.
	share = 1_000_000
)

// A thread has 3.495 messages on average.
const threadMessagesNumerator, threadMessagesDenominator = 699, 200

// drawing draws the rows of a set, one day after the other, from one seeded
// generator.
type drawing struct {
	*rand.Rand
	options  SetOptions
	threads  int // in all days
	contacts int64
	waiting  [carryDays + 1][]row // by day after the current one
	today    int
	number   uint64 // of the last thread

	messages, repeats int64
}

func newDrawing(o SetOptions) *drawing {
	const stream = 0x62656e6368
	threads := o.Messages * threadMessagesDenominator / threadMessagesNumerator
	return &drawing{
		Rand: rand.New(rand.NewPCG(o.Seed, stream)), options: o,
		threads: threads, contacts: max(1, int64(threads)/threadContacts),
	}
}

// day draws the threads that start on a day, and gives the day's rows. Days
// come in their order, from -carryDays on.
func (d *drawing) day(day int) []row {
	d.today = day
	quota := func(day int) int { return d.threads * day / d.options.Days }
	n := quota(day+1+carryDays) - quota(day+carryDays)
	for range n {
		d.thread()
	}
	rows := d.waiting[0]
	copy(d.waiting[:], d.waiting[1:])
	d.waiting[carryDays] = nil
	if day < 0 {
		return nil
	}
	d.messages += int64(len(rows))
	return d.repeat(rows)
}

// repeat appends the rows that are exported twice.
func (d *drawing) repeat(rows []row) []row {
	n := len(rows)
	for _, r := range rows[:n] {
		if mix(r.number)%repeatEvery == 0 {
			rows = append(rows, r)
			d.repeats++
		}
	}
	return rows
}

// mix spreads a number over all bits.
func mix(number uint64) uint64 { return rand.NewPCG(number, 0).Uint64() }

// thread is one story between one business number and one contact.
type thread struct {
	*drawing
	start    int64
	contact  uint32
	business uint8
}

// thread draws one that starts today. Some contacts are busy: theirs are small
// numbers, which come far more often.
func (d *drawing) thread() {
	d.number++
	t := thread{
		drawing: d,
		start:   (First + reconcile.Date(d.today)).Start() + d.Int64N(reconcile.DayMillis),
		contact: uint32(d.Int64N(d.Int64N(d.contacts) + 1)), business: uint8(d.Int64N(businesses)),
	}
	switch style := d.Int64N(share); {
	case style < 400_000:
		t.campaign(style % 100)
	case style < 700_000:
		t.support(2 + style%10)
	case style < 850_000:
		t.password(1 + style%3)
	default:
		t.order(2 + style%4)
	}
}

// campaign is a template; one contact in five answers, another is reminded.
func (t *thread) campaign(style int64) {
	t.say(0, 0, marketing)
	later := func() int64 { return 30 * t.Int64N(share) }
	switch {
	case style < 20:
		t.say(1, later(), inboundText)
		t.say(2, later(), freeForm)
		t.say(3, later(), inboundText)
	case style >= 80:
		t.say(1, later(), marketing)
	}
}

// support is a chat that the contact starts.
func (t *thread) support(steps int64) {
	for step := range steps {
		w := inboundText
		if step%2 == 1 {
			w = freeForm
		}
		t.say(step, 60_000+9*t.Int64N(share), w)
	}
}

// password is one to three codes in a row.
func (t *thread) password(steps int64) {
	for step := range steps {
		t.say(step, 20_000+t.Int64N(share)/20, authentication)
	}
}

// order is the updates of an order over some days; some contacts ask back.
func (t *thread) order(steps int64) {
	for step := range steps {
		w := utility
		switch luck := t.Int64N(10); {
		case step == 2 && luck < 3:
			w = inboundText
		case step == 3 && luck < 5:
			w = freeForm
		}
		t.say(step, 3_600_000+60*t.Int64N(share), w)
	}
}

// say puts a message into its day, so many steps of some milliseconds after
// the start. One inbound message in five is an image; three outbound ones in a
// hundred fail.
func (t *thread) say(step, millis int64, w what) {
	r := row{
		sent: t.start + step*millis, number: t.number<<stepBits | uint64(step),
		contact: t.contact, business: t.business, what: w, status: received,
	}
	switch luck := t.Int64N(100); {
	case w == inboundText:
		if luck < 20 {
			r.what = inboundImage
		}
	case luck < 3:
		r.status = failed
	case luck < 40:
		r.status = delivered
	default:
		r.status = read
	}
	after := int(reconcile.DateOf(r.sent)-First) - t.today
	t.waiting[after] = append(t.waiting[after], r)
}
