package reconcile_test

import (
	"fmt"
	"slices"
	"testing"

	. "waconcile/reconcile"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A chain of engines, each of which starts from the state of the one before
// and reads no partition from before it, makes what one engine makes that
// reads everything: the same conversations with the same counts, proven or
// not. No row comes later than the late days after its message.
func TestStateProperty(t *testing.T) {
	t.Parallel()
	checkTales(t, func(rt *rapid.T, s *tale) {
		c := drawChain(rt, s)
		want := s.read()
		var got recorder
		var state *State
		for i := range len(c.midnights) + 1 {
			state = c.link(rt, i, state, &got)
		}
		if diff := gocmp.Diff(s.tell(want.conversations), s.tell(got.conversations)); diff != "" {
			rt.Fatalf("conversations (-one engine +chain):\n%s\n%s", diff, c)
		}
		if diff := gocmp.Diff(s.tellFindings(c.ofRows(want.findings)), s.tellFindings(c.ofRows(got.findings))); diff != "" {
			rt.Fatalf("findings (-one engine +chain):\n%s\n%s", diff, c)
		}
	})
}

// chain is a tale read by several engines.
type chain struct {
	*tale
	lateDays   int
	partitions []Date // of each row
	midnights  []Date // at which states are taken
	spare      []Date // partitions that a link reads beyond what it must
}

func drawChain(rt *rapid.T, s *tale) *chain {
	c := &chain{tale: s, lateDays: rapid.IntRange(0, 2).Draw(rt, "late days")}
	firstSent := make(map[string]Date)
	name := func(r *oneRow) string { return s.pairName(r.pair) + " " + r.id }
	for i := range s.rows {
		d, seen := firstSent[name(&s.rows[i])]
		if sent := DateOf(s.rows[i].sent); !seen || sent < d {
			firstSent[name(&s.rows[i])] = sent
		}
	}
	var rows []oneRow
	for _, r := range s.rows {
		earliest, latest := DateOf(r.sent)-2, firstSent[name(&r)]+Date(c.lateDays)
		if latest < earliest {
			continue // it would come too late
		}
		rows = append(rows, r)
		lie := max(earliest, min(latest, DateOf(r.sent)+Date(rapid.SampledFrom([]int{0, 0, 1, 2, -1, -2}).Draw(rt, "partition"))))
		c.partitions = append(c.partitions, lie)
	}
	s.rows = rows
	// The data begins before everything: a chain that has no beginning is
	// nothing that a run could start from.
	s.begins = slices.DeleteFunc(s.begins, func(d Date) bool { return d < DateOf(s.anchor)-2 })
	s.begins = slices.Compact(append([]Date{DateOf(s.anchor) - 4}, s.begins...))
	for d := DateOf(s.anchor) - 2; d <= min(DateOf(s.anchor)+8, DateOf(s.end)-1); d++ {
		if !slices.Contains(s.begins, d) && rapid.IntRange(0, 2).Draw(rt, "state") == 2 {
			c.midnights = append(c.midnights, d)
			c.spare = append(c.spare, Date(rapid.IntRange(0, 3).Draw(rt, "spare")))
		}
	}
	return c
}

// ofRows leaves the findings that rows give by themselves: whether a free-form
// message was sent outside its window shows when it counts, which may be in
// the next link, and of a message sent before that nothing is published.
func (c *chain) ofRows(findings []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f Finding) bool { return f.Kind == OutsideWindow })
}

// link runs engine i of the chain, adds the conversations that opened and the
// findings of messages sent between its state and the next to made, and
// returns the next.
func (c *chain) link(rt *rapid.T, i int, from *State, made *recorder) *State {
	first, last := MinDate, MaxDate
	cfg := EngineConfig{
		Terms: func(n Name) *AccountTerms { return &AccountTerms{Basis: c.basis(n)} }, Text: c.text,
		DeliveryDays: c.deliveryDays, LateDays: c.lateDays, Begins: c.begins, End: c.end, From: from,
	}
	if from != nil {
		first = from.At
		cfg.Begins = []Date{from.Since}
		for _, d := range c.begins {
			if d > from.At {
				cfg.Begins = append(cfg.Begins, d)
			}
		}
	}
	if i < len(c.midnights) {
		cfg.States = c.midnights[i : i+1]
		last = c.midnights[i] + Date(c.lateDays) + c.spare[i]
		cfg.End = min(cfg.End, (last + 1).Start())
	}
	rows, partitions := c.between(first, last)
	scattered := scatteredHashes(rows, from)
	cfg.Scattered = scattered
	sink := &recorder{}
	e, err := NewEngine(cfg, sink)
	if err != nil {
		rt.Fatal(err)
	}
	c.feedLink(rt, e, rows, partitions, scattered)
	checkLink(rt, c, e, e.Finish())
	begin, end, next := int64(NoTime), c.end+100*DayMillis, (*State)(nil)
	if from != nil {
		begin = from.At.Start()
	}
	if i < len(c.midnights) {
		end, next = c.midnights[i].Start(), e.States()[0]
	}
	for _, v := range sink.conversations {
		if begin <= v.OpenedAt && v.OpenedAt < end {
			made.conversations = append(made.conversations, v)
		}
	}
	for _, f := range sink.findings {
		if begin <= f.At && f.At < end {
			made.findings = append(made.findings, f)
		}
	}
	return next
}

// between are the rows of the partitions first to last.
func (c *chain) between(first, last Date) (rows []oneRow, partitions []Date) {
	for i, p := range c.partitions {
		if first <= p && p <= last {
			rows, partitions = append(rows, c.rows[i]), append(partitions, p)
		}
	}
	return rows, partitions
}

// scatteredHashes are those of the messages that are seen on several days
// among the rows and in the state.
func scatteredHashes(rows []oneRow, from *State) map[uint64]bool {
	days := make(map[uint64]Date)
	scattered := make(map[uint64]bool)
	see := func(hash uint64, sent int64) {
		if d, seen := days[hash]; seen && d != DateOf(sent) {
			scattered[hash] = true
		}
		days[hash] = DateOf(sent)
	}
	for i := range rows {
		var b Rows
		rows[i].appendTo(&b)
		see(b.Hash(0), rows[i].sent)
	}
	if from == nil {
		return scattered
	}
	for i := range from.Messages {
		m := &from.Messages[i]
		if see(m.Hash(), m.Sent); m.Ahead(from.At.Start()) {
			scattered[m.Hash()] = true
		}
	}
	return scattered
}

// feedLink gives an engine all rows, in any order.
func (c *chain) feedLink(rt *rapid.T, e *Engine, rows []oneRow, partitions []Date, scattered map[uint64]bool) {
	for _, i := range rapid.Permutation(indices(len(rows))).Draw(rt, "order") {
		var b Rows
		rows[i].appendTo(&b)
		if scattered[b.Hash(0)] {
			e.AddScattered(Pack(&b), partitions[i])
		} else {
			e.Add(Pack(&b), partitions[i])
		}
	}
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func checkLink(rt *rapid.T, c *chain, e *Engine, n Tally) {
	if n.Rows+n.Carried != n.Merged+n.Before+n.Messages {
		rt.Errorf("rows %d + carried %d, merged %d + before %d + messages %d\n%s", n.Rows, n.Carried, n.Merged, n.Before, n.Messages, c)
	}
	if sum := n.Inbound + n.Ignored + n.Failed + n.Undelivered + n.Joined + n.Opened + n.OutsideAlone + n.Ahead; sum != n.Messages {
		rt.Errorf("messages %d, accounted for %d: %+v\n%s", n.Messages, sum, n, c)
	}
	if n.Late != 0 || len(e.Late()) != 0 {
		rt.Errorf("late rows %d, where no row is late\n%s", n.Late, c)
	}
}

func (c *chain) String() string {
	return fmt.Sprintf("# states at %v, late days %d, partitions %v\n%s", c.midnights, c.lateDays, c.partitions, c.tale)
}
