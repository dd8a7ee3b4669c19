package demo

import "waconcile/reconcile"

const (
	second = int64(1_000)
	minute = 60 * second
)

// month draws the messages of all days, one day after the other.
type month struct {
	draw
	calendar calendar
	accounts []account
	contacts []int64     // per account: how many it has
	next     []int64     // per account: the place that a campaign reaches next
	shares   []uint64    // per account: of today's stories
	agendas  []agenda    // per account: today's
	days     [][]message // rows drawn so far, by the day in whose export they lie
	left     int         // messages still to be drawn today
	number   uint64      // of the last message
	repeats  int64       // rows that repeat a message
}

// contactMessages is how many messages a contact has on average.
const contactMessages = 8

func newMonth(o Options) *month {
	m := &month{draw: newDraw(o.Seed), calendar: newCalendar(), accounts: accounts()}
	m.days = make([][]message, m.calendar.days)
	for i := range m.accounts {
		m.contacts = append(m.contacts, 8+int64(m.accounts[i].share)*int64(o.Messages)/1000/contactMessages)
	}
	m.next = make([]int64, len(m.accounts))
	m.shares = make([]uint64, len(m.accounts))
	m.agendas = make([]agenda, len(m.accounts))
	return m
}

// tell draws the stories that start on a day, until they have given quota
// messages.
func (m *month) tell(day, quota int) {
	m.left = quota
	for i := range m.accounts {
		m.agendas[i] = m.agenda(day, &m.accounts[i])
		m.shares[i] = m.accounts[i].share * m.agendas[i].weight()
	}
	for m.left > 0 {
		i := m.pick(m.shares)
		a := &m.accounts[i]
		scene := scene{month: m, account: uint8(i), business: uint8(m.below(int64(len(a.numbers))))}
		switch story(m.pick(m.agendas[i].stories[:])) {
		case campaign:
			scene.campaign(m.agendas[i].slots)
		case support:
			scene.support(day)
		case password:
			scene.password(day)
		case order:
			scene.order(day)
		}
	}
}

// agenda is what an account does on one day.
type agenda struct {
	stories [storyCount]uint64 // weights
	slots   []int64            // when campaigns start; none on a day without
}

// agenda draws one: two working days in five have a campaign or two, which
// then are much of what is sent.
func (m *month) agenda(day int, a *account) agenda {
	g := agenda{stories: a.stories}
	if m.calendar.weekend(day) || !m.chance(400) {
		g.stories[campaign] = 0
		return g
	}
	g.stories[campaign] *= 3
	for range 1 + m.below(2) {
		g.slots = append(g.slots, m.local(day, a, m.between(9, 19)*hour))
	}
	return g
}

// weight is how much there is to do.
func (g *agenda) weight() uint64 {
	var sum uint64
	for _, w := range g.stories {
		sum += w
	}
	return sum
}

// local is the instant of the UTC day at which the clocks of an account show
// a time of day.
func (m *month) local(day int, a *account, time int64) int64 {
	within := (time - a.utc + reconcile.DayMillis) % reconcile.DayMillis
	return m.calendar.start(day) + within
}

// scene is one story between one business number and one contact.
type scene struct {
	*month
	account  uint8
	business uint8
	contact  uint32
}

func (s *scene) sender() *account { return &s.accounts[s.account] }

// campaign sends a template within the hour to one contact after the other.
// Some answer, some are reminded.
func (s *scene) campaign(slots []int64) {
	s.contact = uint32(s.next[s.account] % s.contacts[s.account])
	s.next[s.account]++
	t := slots[s.below(int64(len(slots)))] + s.below(40*minute)
	s.template(t, reconcile.Marketing)
	if s.chance(180) {
		s.chat(t+s.soon(minute, 20*hour), s.between(1, 4), false)
	}
	if s.chance(80) {
		s.template(t+s.between(3*hour, 30*hour), reconcile.Marketing)
	}
}

// support is a chat that the contact starts, sometimes from an ad. Some are
// never answered, some too late.
func (s *scene) support(day int) {
	s.contact = s.busy(s.contacts[s.account])
	t := s.local(day, s.sender(), s.between(8*hour, 22*hour))
	ad := s.chance(50)
	switch how := s.below(100); {
	case how < 6:
		s.inbound(t, ad)
	case how < 8:
		s.inbound(t, ad)
		s.freeForm(t + s.between(24*hour, 30*hour))
	default:
		s.chat(t, 1+s.soon(0, 9), ad)
	}
}

// chat is some turns of question and answer, from a question at t.
func (s *scene) chat(t, turns int64, ad bool) {
	for turn := range turns {
		s.inbound(t, ad && turn == 0)
		t += s.soon(10*second, 40*minute)
		s.freeForm(t)
		if s.chance(150) {
			s.freeForm(t + s.between(second, minute))
		}
		t += s.soon(20*second, 3*hour)
	}
}

// password is one to three codes in a row.
func (s *scene) password(day int) {
	s.contact = s.busy(s.contacts[s.account])
	category := reconcile.Authentication
	a := s.sender()
	if a.person(s.account, s.contact).origin.country != a.mix[0].country {
		category = reconcile.AuthenticationInternational
	}
	t := s.local(day, a, s.between(7*hour, 24*hour))
	for range 1 + s.soon(0, 3) {
		s.template(t, category)
		t += s.between(30*second, 3*minute)
	}
}

// order is the updates of an order over some days; some contacts ask back.
func (s *scene) order(day int) {
	s.contact = s.busy(s.contacts[s.account])
	t := s.local(day, s.sender(), s.between(8*hour, 23*hour))
	for range 2 + s.below(3) {
		s.template(t, reconcile.Utility)
		if s.chance(120) {
			s.chat(t+s.soon(minute, 8*hour), 1, false)
		}
		t += s.between(2*hour, 30*hour)
	}
}

func (s *scene) inbound(t int64, ad bool) {
	kind := typeText
	if r := s.below(20); r < 4 {
		kind = typeImage + textType(r)
	}
	s.say(t, message{kind: kind, inbound: true, referral: ad, delivered: noDelay, read: noDelay})
}

func (s *scene) freeForm(t int64) {
	kind := typeText
	if r := s.below(50); r < 5 {
		kind = typeImage + textType(r)
	}
	s.say(t, s.fate(message{kind: kind}))
}

func (s *scene) template(t int64, c reconcile.Category) {
	s.say(t, s.fate(message{kind: typeTemplate, category: c}))
}

// fate draws how far an outbound message came: three in a hundred fail.
func (s *scene) fate(m message) message {
	m.delivered, m.read = noDelay, noDelay
	luck := s.below(100)
	switch {
	case luck < 3:
		m.status = reconcile.Failed
		return m
	case luck < 11:
		m.status = reconcile.Sent
		return m
	}
	m.status = reconcile.Delivered
	m.delivered = int32(s.soon(second/2, 20*minute))
	if luck >= 45 {
		m.status = reconcile.Read
		m.read = m.delivered + int32(s.soon(second, 10*hour))
	}
	return m
}

// say adds a message to the day on which it is sent, unless today's quota is
// used up or the exports end before it.
func (s *scene) say(t int64, m message) {
	if s.left == 0 || t >= s.calendar.end() {
		return
	}
	s.left--
	s.number++
	m.sent, m.number, m.contact, m.account, m.business = t, s.number, s.contact, s.account, s.business
	s.add(m)
}
