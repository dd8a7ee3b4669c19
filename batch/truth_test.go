package batch

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer/writertest"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"
)

// The passage by days, over several shards, with late rows taken ahead and
// messages with rows on different days brought together, comes to what one
// engine makes of all rows at once.
func TestPassageAgainstOneEngine(t *testing.T) {
	t.Parallel()
	first, err := reconcile.ParseDate("2024-06-24")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			c := newCrowd(100+seed, first, 18)
			c.fill(1500)
			exports := c.exports(t, rand.New(rand.NewPCG(seed, 2)), 2, 50)
			job, out := testJob(t, exports, "2024-07-01..2024-07-06")
			res, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			want := allAtOnce(t, job)
			got := publishedCharges(t, out, res.RunKey)
			if len(want) < 100 {
				t.Fatalf("only %d charges to compare", len(want))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("charges (-one engine +run):\n%s", diff)
			}
		})
	}
}

// allAtOnce folds every row that the run reads through one engine.
func allAtOnce(t *testing.T, job Job) []string {
	t.Helper()
	job.Out = &writertest.Mem{} // a run that is published already reads nothing
	plan, err := NewPlan(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	names := reader.NewNames()
	exports, err := reader.NewExports(job.Exports, names, reader.ExportOptions{IgnoreTypes: job.IgnoreTypes})
	if err != nil {
		t.Fatal(err)
	}
	sink := &chargeLines{plan: plan, names: names}
	last := plan.Read[len(plan.Read)-1]
	engine, err := reconcile.NewEngine(reconcile.EngineConfig{
		Terms:        func(n reconcile.Name) *reconcile.AccountTerms { return plan.in.accounts.Of(names.Text(n)) },
		Text:         names.Text,
		DeliveryDays: job.DeliveryDays,
		Begins:       []reconcile.Date{plan.Read[0]},
		End:          last.Start() + reconcile.DayMillis,
	}, sink)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range plan.files() {
		err := exports.Scan(t.Context(), o, plan.Objects[i].Day, reconcile.NoTime, func(b *reader.Block) error {
			engine.AddScattered(reconcile.Pack(&b.Rows), plan.Objects[i].Day)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	engine.Finish()
	slices.Sort(sink.lines)
	return sink.lines
}

// chargeLines writes conversations of the period as publishedCharges does.
type chargeLines struct {
	plan  *Plan
	names *reader.Names
	lines []string
}

func (s *chargeLines) Conversation(c *reconcile.Conversation) {
	terms := s.plan.in.accounts.Of(s.names.Text(c.Account))
	date := terms.Zone.Date(c.OpenedAt)
	if !s.plan.Period.Has(date) {
		return
	}
	certainty := certaintyAssumed
	if c.Proven {
		certainty = certaintyProven
	}
	s.lines = append(s.lines, strings.Join([]string{
		s.names.Text(c.Account), s.names.Text(c.Business), s.names.ContactText(c.Contact), c.Category.String(),
		fmt.Sprint(c.OpenedAt), date.String(), string(c.OpenedBy), fmt.Sprint(c.Out), fmt.Sprint(c.In), certainty,
	}, " "))
}

func (s *chargeLines) Finding(*reconcile.Finding)        {}
func (s *chargeLines) Messages([]uint64, reconcile.Date) {}

// publishedCharges reads a run's charge tables.
func publishedCharges(t *testing.T, out *writertest.Mem, run string) []string {
	t.Helper()
	var lines []string
	for key, data := range out.Objects() {
		if strings.HasPrefix(key, run+"charges/") {
			lines = append(lines, readCharges(t, data)...)
		}
	}
	slices.Sort(lines)
	return lines
}

func readCharges(t *testing.T, data []byte) []string {
	t.Helper()
	table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(data), parquet.NewReaderProperties(memory.DefaultAllocator),
		pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	lines := make([]string, table.NumRows())
	for _, name := range []string{
		"account_id", "business_number", "contact", "category", "opened_at", "billing_date", "opened_by",
		"messages_out", "messages_in", "certainty",
	} {
		row := 0
		for _, chunk := range table.Column(table.Schema().FieldIndices(name)[0]).Data().Chunks() {
			for i := range chunk.Len() {
				value := chunk.ValueStr(i)
				if name == "opened_at" {
					value = millisText(t, value)
				}
				lines[row] = strings.TrimSpace(lines[row] + " " + value)
				row++
			}
		}
	}
	return lines
}

func millisText(t *testing.T, value string) string {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04:05.999Z", value)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(at.UnixMilli())
}

// The comparisons above mean something only if the stories hold late rows and
// messages with rows on different days.
func TestCrowdHasWhatItPromises(t *testing.T) {
	t.Parallel()
	first, _ := reconcile.ParseDate("2024-06-24")
	c := newCrowd(100, first, 18)
	c.fill(1500)
	late, elsewhere := 0, 0
	days := make(map[string]map[reconcile.Date]bool)
	for d, rows := range c.rows {
		for _, r := range rows {
			sent := reconcile.DateOf(r.SentAt)
			if d-sent > DefaultLateDays {
				late++
			}
			if days[r.MessageID] == nil {
				days[r.MessageID] = make(map[reconcile.Date]bool)
			}
			days[r.MessageID][sent] = true
		}
	}
	for _, sent := range days {
		if len(sent) > 1 {
			elsewhere++
		}
	}
	if late == 0 || elsewhere == 0 {
		t.Errorf("%d late rows, %d messages with rows on different days; want some of each", late, elsewhere)
	}
}
