package reconcile_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	. "waconcile/reconcile"
)

// benchDay makes the rows of a day as exports have them, in blocks: threads of
// a few messages between one business number and one of many contacts.
func benchDay(rng *rand.Rand, day Date, rows int) (blocks []*Rows) {
	const blockRows = 4096
	for n := 0; n < rows; {
		if len(blocks) == 0 || blocks[len(blocks)-1].Len() >= blockRows {
			blocks = append(blocks, &Rows{})
		}
		n += benchThread(rng, blocks[len(blocks)-1], day.Start(), rows)
	}
	return blocks
}

// benchThread adds the messages of one thread and returns how many they are.
func benchThread(rng *rand.Rand, to *Rows, start int64, contacts int) int {
	contact, _ := PhoneContact(fmt.Appendf(nil, "39333%07d", rng.IntN(contacts)))
	business := Name(rng.IntN(40))
	at, n := rng.Int64N(DayMillis/2), 1+rng.IntN(6)
	template := rng.IntN(3) > 0
	for i := range n {
		to.ID.Append(fmt.Appendf(nil, "wamid.%016x%016x", rng.Uint64(), rng.Uint64()))
		to.Account, to.Business, to.Contact = append(to.Account, 100+business/4), append(to.Business, 200+business), append(to.Contact, contact)
		to.Type, to.Country = append(to.Type, 1), append(to.Country, 0)
		kind, category, status := Inbound, NoCategory, NoStatus
		switch {
		case template && i == 0:
			kind, category, status = Template, Marketing, Read
		case !template && i%2 == 1:
			kind, status = FreeForm, Delivered
		}
		to.Kind, to.Category, to.Status = append(to.Kind, kind), append(to.Category, category), append(to.Status, status)
		to.SentAt = append(to.SentAt, start+at+int64(i)*600_000)
		to.DeliveredAt, to.ReadAt = append(to.DeliveredAt, NoTime), append(to.ReadAt, NoTime)
	}
	return n
}

// shuffled packs rows in no order but that of their parts, as they come from
// the router.
func shuffled(rng *rand.Rand, rows *Rows) *Packed {
	order := make([]uint32, rows.Len())
	for i, at := range rng.Perm(rows.Len()) {
		order[i] = uint32(at)
	}
	slices.SortStableFunc(order, func(a, b uint32) int {
		return cmp.Compare(rows.Pair(int(a)).Part(), rows.Pair(int(b)).Part())
	})
	p := NewPacked(rows.Len())
	p.Append(rows, order)
	return p
}

// countingSink counts what it is told.
type countingSink struct{ conversations, messages int }

func (s *countingSink) Conversation(*Conversation) { s.conversations++ }
func (s *countingSink) Finding(*Finding)           {}
func (s *countingSink) Message(uint64, Date)       { s.messages++ }

func newBenchEngine(b *testing.B, sink Sink) *Engine {
	utc := NewZone(time.UTC)
	e, err := NewEngine(EngineConfig{
		Terms:        func(Name) *AccountTerms { return &AccountTerms{Zone: utc} },
		Text:         func(n Name) string { return fmt.Sprint(n) },
		DeliveryDays: 30,
		Begins:       []Date{DateOf(storyStart)},
		End:          storyStart + 1_000_000*DayMillis,
	}, sink)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// benchRows is how many rows a day of the benchmarks has.
const benchRows = 350_000

// benchDays is how many different days there are.
const benchDays = 4

// BenchmarkEngine adds and folds one day after the other, and measures either.
// The days come again and again, each time later, so that an engine that has
// warmed up goes on for as long as is measured.
func BenchmarkEngine(b *testing.B) {
	for _, phase := range []string{"add", "fold"} {
		b.Run(phase, func(b *testing.B) {
			rng, first := rand.New(rand.NewPCG(1, 2)), DateOf(storyStart)
			var days [benchDays][]*Rows
			for d := range days {
				days[d] = benchDay(rng, first+Date(d), benchRows)
			}
			e, rows := newBenchEngine(b, &countingSink{}), 0
			day := func(at int) {
				blocks := days[at%benchDays]
				packed := make([]*Packed, len(blocks))
				rows = 0
				for i, block := range blocks {
					packed[i] = shuffled(rng, block)
					rows += block.Len()
					moveOn(block)
				}
				switchTimer(b, phase == "add")
				for _, p := range packed {
					e.Add(p, first+Date(at))
				}
				switchTimer(b, phase == "fold")
				e.Advance(first + Date(at))
				switchTimer(b, true)
			}
			at := 0
			for ; at < 2*benchDays; at++ {
				day(at)
			}
			b.ReportAllocs()
			b.ResetTimer()
			done := 0
			for b.Loop() {
				b.StopTimer()
				day(at)
				at, done = at+1, done+rows
			}
			b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func switchTimer(b *testing.B, on bool) {
	b.StopTimer()
	if on {
		b.StartTimer()
	}
}

// moveOn sends the rows of a block so much later that its day can come again.
func moveOn(rows *Rows) {
	for i := range rows.SentAt {
		rows.SentAt[i] += benchDays * DayMillis
	}
}
