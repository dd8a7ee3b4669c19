package reconcile_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	. "waconcile/reconcile"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const hour int64 = 3_600_000

// The handles of a tale. Their numbers run against the order of their texts,
// since nothing may follow from them.
const (
	onSent      Name = 32
	onDelivered Name = 31
)

func taleText(n Name) string {
	return map[Name]string{
		0: "", onSent: "acme", onDelivered: "bolt", 41: "390200002", 42: "390200001",
		11: "template", 12: "text", 13: "reaction", 14: "image", 21: "IT", 22: "DE", 23: "AR",
	}[n]
}

// taleAnchors are the days at which tales begin: one in summer, then days
// before the clocks change and before a leap day, and the end of a year.
var taleAnchors = []string{"2024-07-10", "2024-03-30", "2024-10-26", "2024-03-09", "2024-11-02", "2024-02-28", "2023-12-30"}

// tale is a random story: what there is to read and how it is fed.
type tale struct {
	reading
	anchor int64    // the instant from which its times are written
	feed   []string // what was done with the engine, for people
}

// shape bounds what a tale holds. A property is looked at in several shapes,
// since what is rare in one is frequent in another.
type shape struct {
	name             string
	pairs            []int // of talePair
	days             int   // on which messages are sent
	fewest, messages int
	echoes           int
	rounds           int // of rapid's checks
}

func taleShapes() []shape {
	return []shape{
		{name: "any", pairs: []int{0, 1, 2, 3, 4}, days: 6, fewest: 1, messages: 40, echoes: 12, rounds: 3},
		{name: "few messages of one pair", pairs: []int{0}, days: 3, fewest: 2, messages: 8, echoes: 1, rounds: 8},
		{name: "delivered late", pairs: []int{1, 3}, days: 3, fewest: 2, messages: 12, echoes: 4, rounds: 4},
		{name: "one busy day", pairs: []int{0, 1}, days: 1, fewest: 17, messages: 60, echoes: 20, rounds: 1},
	}
}

// checkTales holds a property against tales of every shape.
func checkTales(t *testing.T, property func(*rapid.T, *tale)) {
	for _, sh := range taleShapes() {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			for range sh.rounds {
				rapid.Check(t, func(rt *rapid.T) { property(rt, drawTale(rt, sh)) })
			}
		})
	}
}

// drawTale draws settings and rows. Small draws make simple tales.
func drawTale(rt *rapid.T, sh shape) *tale {
	anchor, err := ParseDate(rapid.SampledFrom(taleAnchors).Draw(rt, "anchor"))
	if err != nil {
		rt.Fatal(err)
	}
	s := &tale{anchor: anchor.Start()}
	s.text = taleText
	s.basis = func(n Name) Basis {
		if n == onDelivered {
			return BasisDelivered
		}
		return BasisSent
	}
	s.deliveryDays = rapid.SampledFrom([]int{30, 1, 2, 0}).Draw(rt, "delivery days")
	begins := rapid.SampledFrom([][]Date{{-1}, {0}, {1}, {2}, {-31}, {-1, 1}, {0, 2}, {-1, 2, 4}, {-2, 3}}).Draw(rt, "begins")
	for _, d := range begins {
		s.begins = append(s.begins, anchor+d)
	}
	s.end = (anchor + rapid.SampledFrom([]Date{100, 3, 2, 5, 31}).Draw(rt, "days")).Start()
	last := rapid.IntRange(0, sh.days-1).Draw(rt, "last day")
	drafts := rapid.SliceOfN(drawDraft(sh.pairs, last), sh.fewest, sh.messages).Draw(rt, "messages")
	for i, d := range drafts {
		s.rows = append(s.rows, d.row(s, i))
	}
	for _, e := range rapid.SliceOfN(drawEcho(), 0, sh.echoes).Draw(rt, "echoes") {
		s.rows = append(s.rows, e.row(s, &s.rows[e.of%len(drafts)]))
	}
	return s
}

// draft is a row as it is drawn: places in lists, which shrink well.
type draft struct {
	pair, day, hour, milli int
	what                   string
	prefix                 string // of the id
	status                 Status
	delivered, read        delay
	typ, country           Name
}

// delay is the time from sending to delivery; it is absent where hours is
// negative. In place of hours days may stand, counted in delivery days.
type delay struct{ hours, milli, limits int }

func (d delay) after(sent int64, deliveryDays int) int64 {
	if d.hours < 0 {
		return NoTime
	}
	return sent + int64(d.hours)*hour + int64(d.milli) + int64(d.limits*deliveryDays)*DayMillis
}

var (
	drawWhat    = rapid.SampledFrom([]string{"marketing", "free", "inbound", "utility", "authentication", "free", "inbound", "authentication_international", "reaction"})
	drawStatus  = rapid.SampledFrom([]Status{Delivered, Delivered, Sent, Failed, Read, Accepted, Played, Queued, NoStatus})
	drawCountry = rapid.SampledFrom([]Name{0, 21, 22, 23})
	drawMilli   = rapid.SampledFrom([]int{0, 0, -1, 1})
)

func drawDelay() *rapid.Generator[delay] {
	return rapid.Custom(func(rt *rapid.T) delay {
		return delay{
			hours:  rapid.SampledFrom([]int{-1, -1, 0, 1, 11, 23, 24, 25, 48}).Draw(rt, "hours"),
			milli:  drawMilli.Draw(rt, "milli"),
			limits: rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(rt, "limits"),
		}
	})
}

func drawDraft(pairs []int, last int) *rapid.Generator[draft] {
	return rapid.Custom(func(rt *rapid.T) draft {
		return draft{
			pair:      rapid.SampledFrom(pairs).Draw(rt, "pair"),
			day:       rapid.IntRange(0, last).Draw(rt, "day"),
			hour:      rapid.SampledFrom([]int{0, 1, 12, 23}).Draw(rt, "hour"),
			milli:     drawMilli.Draw(rt, "milli"),
			what:      drawWhat.Draw(rt, "what"),
			prefix:    rapid.SampledFrom([]string{"m", "", "a", "M", "é"}).Draw(rt, "prefix"),
			status:    drawStatus.Draw(rt, "status"),
			delivered: drawDelay().Draw(rt, "delivered"),
			read:      drawDelay().Draw(rt, "read"),
			typ:       rapid.SampledFrom([]Name{12, 14}).Draw(rt, "type"),
			country:   drawCountry.Draw(rt, "country"),
		}
	})
}

// talePair is one of five pairs on both bases: some differ in the account, the
// business number or an opaque contact alone.
func talePair(i int) PairKey {
	contact, _ := PhoneContact([]byte("393331234567"))
	return []PairKey{
		{Account: onSent, Business: 41, Contact: contact},
		{Account: onDelivered, Business: 41, Contact: contact},
		{Account: onSent, Business: 42, Contact: contact},
		{Account: onDelivered, Business: 41, Contact: OpaqueContact(41)},
		{Account: onSent, Business: 41, Contact: OpaqueContact(42)},
	}[i]
}

func (d *draft) row(s *tale, i int) oneRow {
	r := oneRow{
		pair:   talePair(d.pair),
		id:     fmt.Sprint(d.prefix, i),
		typ:    d.typ,
		status: d.status, country: d.country,
		sent: s.anchor + int64(d.day)*DayMillis + int64(d.hour)*hour + int64(d.milli),
	}
	r.deliveredAt, r.readAt = d.delivered.after(r.sent, s.deliveryDays), d.read.after(r.sent, s.deliveryDays)
	r.become(d.what)
	return r
}

// become makes the row one of a kind, with what follows from it.
func (r *oneRow) become(what string) {
	r.category = NoCategory
	switch what {
	case "inbound":
		r.kind, r.status, r.deliveredAt, r.readAt = Inbound, NoStatus, NoTime, NoTime
	case "free":
		r.kind = FreeForm
	case "reaction":
		r.kind, r.typ = Ignored, 13
	default:
		r.kind, r.typ = Template, 11
		r.category, _ = ParseCategory(what)
	}
}

// echo is a further row of a message.
type echo struct {
	of              int
	what            string // empty: as the message
	shift           int64  // of its sent_at
	status          Status
	delivered, read delay
	typ, country    Name
}

func drawEcho() *rapid.Generator[echo] {
	return rapid.Custom(func(rt *rapid.T) echo {
		e := echo{
			of:        rapid.IntRange(0, 60).Draw(rt, "of"),
			shift:     rapid.SampledFrom([]int64{0, 0, 0, 1, -1, hour, -24 * hour, 24 * hour, 49 * hour}).Draw(rt, "shift"),
			status:    drawStatus.Draw(rt, "status"),
			delivered: drawDelay().Draw(rt, "delivered"),
			read:      drawDelay().Draw(rt, "read"),
			typ:       rapid.SampledFrom([]Name{12, 14}).Draw(rt, "type"),
			country:   drawCountry.Draw(rt, "country"),
		}
		if rapid.IntRange(0, 3).Draw(rt, "other") == 3 {
			e.what = drawWhat.Draw(rt, "what")
		}
		return e
	})
}

func (e *echo) row(s *tale, first *oneRow) oneRow {
	r := *first
	r.sent += e.shift
	r.status, r.typ, r.country = e.status, e.typ, e.country
	r.deliveredAt, r.readAt = e.delivered.after(r.sent, s.deliveryDays), e.read.after(r.sent, s.deliveryDays)
	r.become(cmp.Or(e.what, r.what()))
	return r
}

// what is the word for the row in the text form of a story.
func (r *oneRow) what() string {
	if r.kind == Template {
		return r.category.String()
	}
	return map[Kind]string{Inbound: "inbound", FreeForm: "free", Ignored: "reaction"}[r.kind]
}

// scattered says whether the rows of r's message were sent on several days.
func (s *tale) scattered(r *oneRow) bool {
	return slices.ContainsFunc(s.rows, func(x oneRow) bool {
		return x.pair == r.pair && x.id == r.id && DateOf(x.sent) != DateOf(r.sent)
	})
}

// play feeds an engine with the tale, in blocks, orders and steps that are
// drawn, and holds what has been handed on against want after each step.
func (s *tale) play(rt *rapid.T, want *outcome) (*recorder, Tally) {
	sink := &recorder{}
	zones := map[Name]*Zone{onSent: NewZone(mustLocation("Europe/Rome")), onDelivered: NewZone(mustLocation("America/New_York"))}
	e, err := NewEngine(EngineConfig{
		Terms:        func(n Name) *AccountTerms { return &AccountTerms{Zone: zones[n], Basis: s.basis(n)} },
		Text:         s.text,
		DeliveryDays: s.deliveryDays,
		Begins:       s.begins,
		End:          s.end,
	}, sink)
	if err != nil {
		rt.Fatal(err)
	}
	first, last := DateOf(s.anchor)-2, min(DateOf(s.anchor)+8, DateOf(s.end)-1)
	var advances []Date
	for d := first; d <= last; d++ {
		if rapid.Bool().Draw(rt, "advance") {
			advances = append(advances, d)
		}
	}
	parts := s.part(rt, advances)
	for step, rows := range parts {
		s.add(rt, e, rows, step == 0)
		if step < len(advances) {
			e.Advance(advances[step])
			s.feed = append(s.feed, fmt.Sprintf("advance %v", advances[step]))
			s.checkEnded(rt, want, sink, advances[step])
		}
	}
	return sink, e.Finish()
}

// part deals the rows out to the steps: before each advance, and after the
// last, some that need not have been added yet and all that must.
func (s *tale) part(rt *rapid.T, advances []Date) [][]oneRow {
	parts := make([][]oneRow, len(advances)+1)
	for i := range s.rows {
		r := &s.rows[i]
		latest := 0
		if !s.scattered(r) {
			latest, _ = slices.BinarySearch(advances, DateOf(r.sent))
		}
		step := latest - rapid.IntRange(0, latest).Draw(rt, "early")
		parts[step] = append(parts[step], *r)
	}
	for i := range parts {
		parts[i] = rapid.Permutation(parts[i]).Draw(rt, "order")
	}
	return parts
}

// add gives rows to the engine in blocks. Before the first advance some
// messages come as scattered ones though they are none.
func (s *tale) add(rt *rapid.T, e *Engine, rows []oneRow, first bool) {
	var blocks [2]Rows
	flush := func(scattered int) {
		block, add := &blocks[scattered], e.Add
		if scattered == 1 {
			add = e.AddScattered
		}
		add(Pack(block), DateOf(s.anchor))
		s.feed = append(s.feed, fmt.Sprintf("add %d rows, scattered: %t", block.Len(), scattered == 1))
		block.Reset()
	}
	whole := first && rapid.IntRange(0, 5).Draw(rt, "all scattered") == 5 && s.allIn(rows)
	for i := range rows {
		scattered := 0
		if whole || s.scattered(&rows[i]) {
			scattered = 1
		}
		rows[i].appendTo(&blocks[scattered])
		if rapid.IntRange(0, 4).Draw(rt, "flush") == 4 {
			flush(scattered)
		}
	}
	flush(0)
	if first {
		flush(1)
	}
}

// allIn says whether rows are all there are.
func (s *tale) allIn(rows []oneRow) bool { return len(rows) == len(s.rows) }

func (r *oneRow) appendTo(b *Rows) {
	b.ID.Append([]byte(r.id))
	b.Account, b.Business, b.Contact = append(b.Account, r.pair.Account), append(b.Business, r.pair.Business), append(b.Contact, r.pair.Contact)
	b.Type, b.Country = append(b.Type, r.typ), append(b.Country, r.country)
	b.Kind, b.Category, b.Status = append(b.Kind, r.kind), append(b.Category, r.category), append(b.Status, r.status)
	b.SentAt, b.DeliveredAt, b.ReadAt = append(b.SentAt, r.sent), append(b.DeliveredAt, r.deliveredAt), append(b.ReadAt, r.readAt)
}

// checkEnded holds that an engine that has advanced over a day has handed on
// what has ended by its end, and nothing else.
func (s *tale) checkEnded(rt *rapid.T, want *outcome, got *recorder, last Date) {
	end := last.Start() + DayMillis
	ended := slices.DeleteFunc(slices.Clone(want.conversations), func(c Conversation) bool { return c.OpenedAt+24*hour > end })
	if diff := gocmp.Diff(s.tell(ended), s.tell(got.conversations)); diff != "" {
		rt.Fatalf("conversations ended by the end of %v (-want +got):\n%s\n%s", last, diff, s)
	}
}

// tell writes conversations as a story does, one a line, sorted.
func (s *tale) tell(conversations []Conversation) []string {
	lines := []string{}
	for _, c := range conversations {
		lines = append(lines, fmt.Sprintf("%s: %s@%s by %s out %d in %d proven %t country %q",
			s.pairName(c.PairKey), c.Category, s.clock(c.OpenedAt), c.OpenedBy, c.Out, c.In, c.Proven, s.text(c.Country)))
	}
	slices.Sort(lines)
	return lines
}

func (s *tale) tellFindings(findings []Finding) []string {
	lines := []string{}
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s: finding %s %s at %s", s.pairName(f.PairKey), f.Kind, f.MessageID, s.clock(f.At)))
	}
	slices.Sort(lines)
	return lines
}

func (s *tale) clock(at int64) string {
	return (time.Duration(at-s.anchor) * time.Millisecond).String()
}

func (s *tale) pairName(p PairKey) string {
	contact := string(p.Contact.AppendDigits(nil))
	if n, opaque := p.Contact.Opaque(); opaque {
		contact = fmt.Sprint("opaque", n)
	}
	return fmt.Sprintf("%s %s %s", s.text(p.Account), s.text(p.Business), contact)
}

// String is the tale in the grammar of testdata/conversation.txt, a case for
// each pair; what the grammar has no words for stands in comments.
func (s *tale) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# 0h is %v, data begins %v and ends %v, delivery days %d\n", DateOf(s.anchor), s.begins, DateOf(s.end), s.deliveryDays)
	rows := slices.Clone(s.rows)
	slices.SortStableFunc(rows, func(a, b oneRow) int {
		return cmp.Or(strings.Compare(s.pairName(a.pair), s.pairName(b.pair)), cmp.Compare(a.sent, b.sent))
	})
	for i, r := range rows {
		if i == 0 || r.pair != rows[i-1].pair {
			fmt.Fprintf(&b, "\ncase %s\n", s.pairName(r.pair))
			if s.basis(r.pair.Account) == BasisDelivered {
				b.WriteString("basis delivered\n")
			}
		}
		fmt.Fprintf(&b, "# %s: type %q country %q\n%s %s", r.id, s.text(r.typ), s.text(r.country), s.clock(r.sent), r.what())
		if r.status != NoStatus {
			fmt.Fprintf(&b, " %s", r.status)
		} else if r.outbound() {
			b.WriteString(" without-status")
		}
		fmt.Fprintf(&b, " id=%s", r.id)
		if r.deliveredAt != NoTime {
			fmt.Fprintf(&b, " delivered=%s", s.clock(r.deliveredAt))
		}
		if r.readAt != NoTime {
			fmt.Fprintf(&b, " read=%s", s.clock(r.readAt))
		}
		b.WriteString("\n")
	}
	for _, f := range s.feed {
		fmt.Fprintf(&b, "# %s\n", f)
	}
	return b.String()
}

// The engine agrees with the naive reading on every tale, however it is fed.
func TestEngineProperty(t *testing.T) {
	t.Parallel()
	checkTales(t, func(rt *rapid.T, s *tale) {
		want := s.read()
		got, tally := s.play(rt, want)
		if diff := gocmp.Diff(s.tell(want.conversations), s.tell(got.conversations)); diff != "" {
			rt.Fatalf("conversations (-want +got):\n%s\n%s", diff, s)
		}
		if diff := gocmp.Diff(s.tellFindings(want.findings), s.tellFindings(got.findings)); diff != "" {
			rt.Fatalf("findings (-want +got):\n%s\n%s", diff, s)
		}
		if diff := gocmp.Diff(want.tally, tally); diff != "" {
			rt.Fatalf("tally (-want +got):\n%s\n%s", diff, s)
		}
		checkIdentities(rt, s, tally)
		s.checkSightings(rt, want, got)
	})
}

// checkIdentities holds the control totals of messages (contract).
func checkIdentities(rt *rapid.T, s *tale, n Tally) {
	if n.Rows != n.Merged+n.Messages {
		rt.Errorf("rows %d, merged %d + messages %d\n%s", n.Rows, n.Merged, n.Messages, s)
	}
	if sum := n.Inbound + n.Ignored + n.Failed + n.Undelivered + n.Joined + n.Opened + n.OutsideAlone + n.Ahead; sum != n.Messages {
		rt.Errorf("messages %d, accounted for %d: %+v\n%s", n.Messages, sum, n, s)
	}
}

// checkSightings holds that each message was shown once, on the day it was
// sent on.
func (s *tale) checkSightings(rt *rapid.T, want *outcome, got *recorder) {
	sightings := make(map[uint64][]Date)
	for i := range want.messages {
		var b Rows
		want.messages[i].appendTo(&b)
		sightings[b.Hash(0)] = append(sightings[b.Hash(0)], DateOf(want.messages[i].sent))
	}
	if diff := gocmp.Diff(sightings, got.sightings); diff != "" {
		rt.Fatalf("messages by hash (-want +got):\n%s\n%s", diff, s)
	}
}

func mustLocation(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

// What the engine calls proven holds whatever was sent on the days that are
// missing: the same conversation comes out where those days are there.
func TestProvenProperty(t *testing.T) {
	t.Parallel()
	checkTales(t, func(rt *rapid.T, s *tale) {
		s.basis = func(Name) Basis { return BasisSent }
		seen := map[string]bool{}
		s.rows = slices.DeleteFunc(s.rows, func(r oneRow) bool {
			again := seen[r.id]
			seen[r.id] = true
			return again
		})
		whole := s.tellOpenings(s.read().conversations, false)
		s.rows = slices.DeleteFunc(s.rows, func(r oneRow) bool {
			day := DateOf(r.sent)
			return day < s.begins[0] || slices.Contains(s.begins, day+1)
		})
		got, _ := s.play(rt, s.read())
		for _, c := range s.tellOpenings(got.conversations, true) {
			if !slices.Contains(whole, c) {
				rt.Fatalf("proven, but not so where no day is missing: %s\nthere: %q\n%s", c, whole, s)
			}
		}
	})
}

// tellOpenings writes what decides what is charged, of all conversations or
// of those proven.
func (s *tale) tellOpenings(conversations []Conversation, proven bool) (lines []string) {
	for _, c := range conversations {
		if c.Proven || !proven {
			lines = append(lines, fmt.Sprintf("%s: %s@%s by %s", s.pairName(c.PairKey), c.Category, s.clock(c.OpenedAt), c.OpenedBy))
		}
	}
	return lines
}
