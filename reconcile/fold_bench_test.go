package reconcile_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"runtime"
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

func (s *countingSink) Conversation(*Conversation)  { s.conversations++ }
func (s *countingSink) Finding(*Finding)            {}
func (s *countingSink) Messages(h []uint64, _ Date) { s.messages += len(h) }

func newBenchEngine(tb testing.TB, sink Sink) *Engine {
	utc := NewZone(time.UTC)
	e, err := NewEngine(EngineConfig{
		Terms:        func(Name) *AccountTerms { return &AccountTerms{Zone: utc} },
		Text:         func(n Name) string { return fmt.Sprint(n) },
		DeliveryDays: 30,
		Begins:       []Date{DateOf(storyStart)},
		End:          storyStart + 1_000_000*DayMillis,
	}, sink)
	if err != nil {
		tb.Fatal(err)
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
			days, rows := newBenchDays(b), 0
			day := func(at int) {
				packed := days.packed(at)
				rows = 0
				for _, p := range packed {
					rows += p.Len()
				}
				switchTimer(b, phase == "add")
				days.add(at, packed)
				switchTimer(b, phase == "fold")
				days.fold(at)
				switchTimer(b, true)
			}
			at := 0
			for ; at < benchWarm; at++ {
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

// TestFoldAllocatesNothing: once an engine has been warmed up, no row takes
// memory of its own, neither as it is added nor as its day is folded.
func TestFoldAllocatesNothing(t *testing.T) {
	days := newBenchDays(t)
	for at := range benchWarm + benchDays {
		packed, rows := days.packed(at), 0
		for _, p := range packed {
			rows += p.Len()
		}
		added := allocations(func() { days.add(at, packed) })
		folded := allocations(func() { days.fold(at) })
		if most := uint64(rows / 1000); at >= benchWarm && (added > most || folded > most) {
			t.Errorf("day %d: %d allocations as %d rows are added, %d as they are folded", at, added, rows, folded)
		}
	}
}

func allocations(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// benchWarm is how many days it takes until an engine's memory has grown to
// what it needs.
const benchWarm = 2 * benchDays

// benchEngine is an engine and the days that it takes, again and again.
type benchEngine struct {
	*Engine
	rng   *rand.Rand
	first Date
	days  [benchDays][]*Rows
}

func newBenchDays(tb testing.TB) *benchEngine {
	e := &benchEngine{Engine: newBenchEngine(tb, &countingSink{}), rng: rand.New(rand.NewPCG(1, 2)), first: DateOf(storyStart)}
	for d := range e.days {
		e.days[d] = benchDay(e.rng, e.first+Date(d), benchRows)
	}
	return e
}

// packed are the rows of a day, as a shard gets them, in another order each
// time that they come.
func (e *benchEngine) packed(at int) []*Packed {
	var packed []*Packed
	for _, block := range e.days[at%benchDays] {
		packed = append(packed, shuffled(e.rng, block))
		moveOn(block)
	}
	return packed
}

func (e *benchEngine) add(at int, packed []*Packed) {
	for _, p := range packed {
		e.Add(p, e.first+Date(at))
	}
}

func (e *benchEngine) fold(at int) { e.Advance(e.first + Date(at)) }

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
