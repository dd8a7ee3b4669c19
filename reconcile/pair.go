package reconcile

// Slot is the place of a conversation's category among a pair's open
// conversations: at most one of each (R8).
type Slot uint8

// SlotCount is how many conversations a pair can have open at once.
const SlotCount = 4

const serviceSlot Slot = 3

// slotOf is the slot of a template's category.
func slotOf(c Category) Slot {
	switch c.Conversation() {
	case Authentication:
		return 0
	case Marketing:
		return 1
	}
	return 2
}

// SlotOf is the slot of a conversation's category, which is no other than the
// four that Slot.Category gives.
func SlotOf(c Category) Slot {
	if c == Service {
		return serviceSlot
	}
	return slotOf(c)
}

// Category is the category of a slot's conversation.
func (s Slot) Category() Category {
	return [SlotCount]Category{Authentication, Marketing, Utility, Service}[s]
}

// Step is one message that counts, as rules R3 to R9 see it.
type Step struct {
	At       int64 // event time
	Kind     Kind  // Inbound, Template or FreeForm
	Category Category
	// WindowOpen tells, for a free-form message, whether the customer service
	// window was open when it was sent (R5).
	WindowOpen bool
}

// Verdict is what became of a message.
type Verdict uint8

// The verdicts.
const (
	Alone         Verdict = iota // inbound, in no open conversation (R6)
	Joined                       // counted in an open conversation (R3, R4, R6)
	Opened                       // opened a conversation (R3, R4)
	OutsideJoined                // free-form outside the window, in an open conversation (R5)
	OutsideAlone                 // free-form outside the window, in none (R5)
)

// Pair is what the rules need to know of one account, business number and
// contact: rules R3 to R9 as a step function. Its zero value is not ready;
// NewPair makes one.
type Pair struct {
	inbound int64            // the last inbound message
	opened  [SlotCount]int64 // when the last conversation of each category opened
	last    Slot             // the category that opened last
	proven  uint8            // bit of each slot whose chain is proven
	quiet   [SlotCount]int64 // since when no message has been seen that bears on the chain
}

// NewPair is a pair of which nothing has happened from the instant since on,
// as far as the data tells: the beginning of the data, or later.
func NewPair(since int64) Pair {
	p := Pair{inbound: NoTime}
	for s := range p.opened {
		p.opened[s] = NoTime
	}
	p.doubt(since)
	return p
}

// doubt takes back what was proven: days are missing before since.
func (p *Pair) doubt(since int64) {
	p.proven = 0
	for s := range p.quiet {
		p.quiet[s] = since
	}
}

// WindowOpen tells whether the customer service window is open at an instant
// that no inbound message taken so far lies after (R7).
func (p *Pair) WindowOpen(at int64) bool { return covers(p.inbound, at) }

// Open tells whether the conversation of a slot is open at an instant not
// before its opening (R7).
func (p *Pair) Open(s Slot, at int64) bool { return covers(p.opened[s], at) }

// covers tells whether [start, start+24h) holds an instant at or after start.
func covers(start, at int64) bool { return start != NoTime && at-start < DayMillis }

// Step takes the pair's next message in the order of R1. slot is the
// conversation that the message opened or joined, where it did.
func (p *Pair) Step(m Step) (v Verdict, slot Slot) {
	switch m.Kind {
	case Inbound:
		return p.stepInbound(m)
	case Template:
		return p.stepTemplate(m)
	}
	return p.stepFreeForm(m)
}

func (p *Pair) stepInbound(m Step) (Verdict, Slot) {
	p.inbound = m.At
	if p.Open(p.last, m.At) {
		return Joined, p.last
	}
	return Alone, 0
}

func (p *Pair) stepTemplate(m Step) (Verdict, Slot) {
	s := slotOf(m.Category)
	p.prove(s, m.At)
	p.prove(serviceSlot, m.At)
	if p.Open(s, m.At) {
		return Joined, s
	}
	p.open(s, m.At)
	return Opened, s
}

// The conversation opened last ends last, since all are equally long: if it
// has ended, none is open (R4).
func (p *Pair) stepFreeForm(m Step) (Verdict, Slot) {
	p.prove(serviceSlot, m.At)
	switch {
	case p.Open(p.last, m.At) && m.WindowOpen:
		return Joined, p.last
	case p.Open(p.last, m.At):
		return OutsideJoined, p.last
	case !m.WindowOpen:
		return OutsideAlone, 0
	}
	p.open(serviceSlot, m.At)
	return Opened, serviceSlot
}

func (p *Pair) open(s Slot, at int64) {
	p.opened[s] = at
	p.last = s
}

// prove notes a message that bears on the chain of a slot: the chain is
// proven once 24 hours without such a message have been seen, because then
// nothing opened before the data began can still be open.
func (p *Pair) prove(s Slot, at int64) {
	if at-p.quiet[s] >= DayMillis {
		p.proven |= 1 << s
	}
	p.quiet[s] = max(p.quiet[s], at)
}

// Proven tells whether the openings in a slot are certain, wherever the data
// begins.
func (p *Pair) Proven(s Slot) bool { return p.proven&(1<<s) != 0 }

// idle tells whether nothing before an instant bears on what comes at or
// after it: no window, no open conversation, no chain younger than 24 hours.
func (p *Pair) idle(at int64) bool {
	if p.WindowOpen(at) || p.Open(p.last, at) {
		return false
	}
	for s := range p.quiet {
		if at-p.quiet[s] < DayMillis {
			return false
		}
	}
	return true
}
