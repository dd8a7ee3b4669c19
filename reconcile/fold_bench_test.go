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

// benchDays makes blocks of rows, day by day, as exports have them: threads of
// a few messages between one business number and one of many contacts.
func benchDays(days, rowsADay int) [][]*Rows {
	const blockRows = 4096
	rng := rand.New(rand.NewPCG(1, 2))
	begin := DateOf(storyStart)
	blocks := make([][]*Rows, days)
	for d := range blocks {
		start := (begin + Date(d)).Start()
		for n := 0; n < rowsADay; {
			if len(blocks[d]) == 0 || blocks[d][len(blocks[d])-1].Len() >= blockRows {
				blocks[d] = append(blocks[d], &Rows{})
			}
			n += benchThread(rng, blocks[d][len(blocks[d])-1], start, rowsADay)
		}
		for _, b := range blocks[d] {
			shuffleRows(rng, b)
		}
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

// shuffleRows brings rows in no order but that of their parts, as they come
// from the router.
func shuffleRows(rng *rand.Rand, rows *Rows) {
	order := rng.Perm(rows.Len())
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows.Pair(a).Part(), rows.Pair(b).Part()) })
	mixed := NewRows(rows.Len())
	for _, i := range order {
		mixed.AppendRow(rows, i)
	}
	*rows = *mixed
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

// BenchmarkEngine adds and folds one day after the other, each moved on by as
// many days as the ones before it took, so that an engine that has warmed up
// goes on for as long as is measured.
func BenchmarkEngine(b *testing.B) {
	for _, phase := range []string{"add", "fold"} {
		b.Run(phase, func(b *testing.B) {
			days := benchDays(4, benchRows)
			e, at := newBenchEngine(b, &countingSink{}), 0
			rows := 0
			next := func() {
				for _, block := range days[at%len(days)] {
					e.Add(block, DateOf(storyStart)+Date(at))
					rows += block.Len()
					moveOn(block, int64(len(days)))
				}
				at++
			}
			fold := func() { e.Advance(DateOf(storyStart) + Date(at) - 1) }
			for range 2 * len(days) {
				next()
				fold()
			}
			rows = 0
			b.ReportAllocs()
			for b.Loop() {
				if phase == "add" {
					next()
					b.StopTimer()
					fold()
					b.StartTimer()
				} else {
					b.StopTimer()
					next()
					b.StartTimer()
					fold()
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// moveOn sends the rows of a block some days later.
func moveOn(rows *Rows, days int64) {
	for i := range rows.SentAt {
		rows.SentAt[i] += days * DayMillis
	}
}
