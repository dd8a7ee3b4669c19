package batch

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// twoRuns is a month's day that is run, changed and run again.
type twoRuns struct {
	t       *testing.T
	job     Job
	out     *writertest.Mem
	exports *readertest.Mem
	a, b    *writer.Manifest
}

const diffDay = "2024-07-02"

// newTwoRuns has a message a day of a pair of its own, so that no day is
// missing.
func newTwoRuns(t *testing.T) *twoRuns {
	t.Helper()
	s := &twoRuns{t: t, exports: &readertest.Mem{}}
	for _, day := range []string{"2024-06-29", "2024-06-30", "2024-07-01", "2024-07-02", "2024-07-03", "2024-07-04"} {
		s.put(day, "filler", s.row("filler "+day, "rome", "393339999999", day+"T12:00", "utility", "delivered"))
	}
	s.job, s.out = testJob(t, s.exports, diffDay)
	return s
}

func (s *twoRuns) row(id, account, contact, sent, category, status string) readertest.ExportRow {
	s.t.Helper()
	day, clock, _ := strings.Cut(sent, "T")
	d, err := reconcile.ParseDate(day)
	if err != nil {
		s.t.Fatal(err)
	}
	var h, m int64
	if _, err := fmt.Sscanf(clock, "%d:%d", &h, &m); err != nil {
		s.t.Fatal(err)
	}
	return readertest.ExportRow{
		MessageID: id, Account: account, Business: "390211", Contact: contact, Direction: "outbound",
		Type: "template", Category: category, Status: status, SentAt: d.Start() + (h*60+m)*60_000,
	}
}

// put writes a file of a day's partition, over one of that name.
func (s *twoRuns) put(day, name string, rows ...readertest.ExportRow) {
	s.t.Helper()
	data, err := readertest.Export(rows, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	s.exports.Put("dt="+day+"/"+name+".parquet", data)
}

func (s *twoRuns) run() *writer.Manifest {
	s.t.Helper()
	res, err := Run(s.t.Context(), s.job)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.Manifest
}

// diff gives the differences between both runs as lines.
func (s *twoRuns) diff(withExports bool) []string {
	s.t.Helper()
	job := DiffJob{Out: s.out, A: s.a, B: s.b}
	if withExports {
		job.Exports = s.exports
		var err error
		if job.Accounts, _, err = reader.ReadAccounts(s.t.Context(), s.job.Accounts); err != nil {
			s.t.Fatal(err)
		}
	}
	var lines []string
	_, err := Diff(s.t.Context(), job, func(d *ChargeDiff) error {
		line := fmt.Sprintf("%s %s %s: %s", d.Kind, d.OpenedBy, d.Date, d.ReasonText())
		for _, c := range d.Columns {
			line += fmt.Sprintf("; %s %s→%s", c.Name, orNull(c.Old), orNull(c.New))
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return lines
}

func orNull(text *string) string {
	if text == nil {
		return "null"
	}
	return *text
}

// Every story changes something between two runs; the lines are what came of
// it, with the exports at hand and without.
func TestDiffStories(t *testing.T) {
	t.Parallel()
	const contact = "393331111111"
	for _, story := range []struct {
		name          string
		before, after func(*twoRuns)
		want, without []string
	}{{
		name: "late message opens earlier",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m2", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "late", s.row("m1", "rome", contact, "2024-07-02T09:00", "marketing", "sent"))
		},
		want:    []string{"came m1 2024-07-02: late_message", "went m2 2024-07-02: late_message"},
		without: []string{"came m1 2024-07-02: exports_changed", "went m2 2024-07-02: exports_changed"},
	}, {
		name: "late message joins, and one that failed is no reason",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "late",
				s.row("m2", "rome", contact, "2024-07-02T11:00", "marketing", "sent"),
				s.row("m3", "rome", contact, "2024-07-02T11:30", "marketing", "failed"))
		},
		want:    []string{"changed m1 2024-07-02: late_message; messages_out 1→2"},
		without: []string{"changed m1 2024-07-02: exports_changed; messages_out 1→2"},
	}, {
		name: "failed becomes delivered on basis delivered",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "angeles", contact, "2024-07-02T10:00", "marketing", "failed"))
		},
		after: func(s *twoRuns) {
			r := s.row("m1", "angeles", contact, "2024-07-02T10:00", "marketing", "delivered")
			r.DeliveredAt = r.SentAt + 60_000
			s.put("2024-07-02", "status", r)
		},
		want:    []string{"came m1 2024-07-02: status_changed"},
		without: []string{"came m1 2024-07-02: exports_changed"},
	}, {
		name: "how far a message came does not matter on basis sent",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "late",
				s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "read"),
				s.row("m2", "rome", contact, "2024-07-02T11:00", "marketing", "sent"))
		},
		want: []string{"changed m1 2024-07-02: late_message; messages_out 1→2"},
	}, {
		name: "what was sent is delivered on basis delivered",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "angeles", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "late", s.row("m1", "angeles", contact, "2024-07-02T10:00", "marketing", "read"))
		},
		want: []string{"came m1 2024-07-02: status_changed"},
	}, {
		name: "what had been sent has failed",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "late", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "failed"))
		},
		want: []string{"went m1 2024-07-02: status_changed"},
	}, {
		name: "price corrected, and a late message of the same pair",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a",
				s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"),
				s.row("u1", "rome", contact, "2024-07-02T11:00", "utility", "sent"))
		},
		after: func(s *twoRuns) {
			s.job.Rates = tableSource(strings.Replace(testRates, "small,IT,marketing,conversation,0.14", "small,IT,marketing,conversation,0.15", 1))
			s.put("2024-07-02", "late", s.row("u2", "rome", contact, "2024-07-02T12:00", "utility", "sent"))
		},
		want: []string{
			"changed m1 2024-07-02: price_changed; unit_price 0.140000→0.150000; amount 0.140000→0.150000",
			"changed u1 2024-07-02: late_message; messages_out 1→2",
		},
		without: []string{
			"changed m1 2024-07-02: price_changed; unit_price 0.140000→0.150000; amount 0.140000→0.150000",
			"changed u1 2024-07-02: exports_changed; messages_out 1→2",
		},
	}, {
		name: "account has another plan",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "auckland", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.job.Accounts = tableSource(strings.Replace(testAccounts, "auckland,Auckland,small", "auckland,Auckland,usd", 1))
		},
		want: []string{"changed m1 2024-07-02: price_changed; plan small→usd; unit_price 0.140000→0.100000; currency EUR→USD; amount 0.140000→0.100000"},
	}, {
		name: "account is in another zone",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T23:30", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.job.Accounts = tableSource(strings.Replace(testAccounts, "Europe/Rome", "UTC", 1))
		},
		want: []string{"came m1 2024-07-02: account_changed"},
	}, {
		name: "a rejected row is corrected in its file",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a",
				s.row("m1", "rome", contact, "2024-07-02T10:00", "sonnet", "sent"),
				s.row("x1", "rome", "393332222222", "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "a",
				s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"),
				s.row("x1", "rome", "393332222222", "2024-07-02T10:00", "marketing", "sent"))
		},
		want:    []string{"came m1 2024-07-02: file_replaced"},
		without: []string{"came m1 2024-07-02: exports_changed"},
	}, {
		name: "in a file that is replaced, what opened a charge has failed",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "failed"))
		},
		want: []string{"went m1 2024-07-02: status_changed"},
	}, {
		name: "a file is gone",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) { s.exports.Remove("dt=2024-07-02/a.parquet") },
		want:  []string{"went m1 2024-07-02: file_replaced"},
	}, {
		name: "the same file again, later ones beside it",
		before: func(s *twoRuns) {
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "b", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
	}, {
		name: "more types are ignored",
		before: func(s *twoRuns) {
			r := s.row("m2", "rome", contact, "2024-07-02T11:00", "", "sent")
			r.Type = "image"
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"), r)
		},
		after: func(s *twoRuns) { s.job.IgnoreTypes = append(slices.Clone(s.job.IgnoreTypes), "image") },
		want:  []string{"changed m1 2024-07-02: settings_changed; messages_out 2→1"},
	}, {
		name: "a day before the period is read only later",
		before: func(s *twoRuns) {
			s.job.LookbackDays = 0
			s.put("2024-07-01", "a", s.row("m0", "rome", contact, "2024-07-01T20:00", "marketing", "sent"))
			s.put("2024-07-02", "a", s.row("m1", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
			s.job.Accounts = tableSource("account_id,name,plan,time_zone,vat_rate\nrome,Roma,small,UTC,0\n")
		},
		after: func(s *twoRuns) { s.job.LookbackDays = 3 },
		want:  []string{"went m1 2024-07-02: history", "changed filler 2024-07-02 2024-07-02: history; certainty assumed→proven"},
	}} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			s := newTwoRuns(t)
			story.before(s)
			s.a = s.run()
			story.after(s)
			s.b = s.run()
			got := s.wantDiff(t, story.want, story.without)
			// The other way round the same charges differ.
			s.a, s.b = s.b, s.a
			if back := s.diff(true); len(back) != len(got) {
				t.Errorf("the other way round: %q", back)
			}
		})
	}
}

// A charge that moves to another date changes, and neither comes nor goes.
func TestDiffMovedCharges(t *testing.T) {
	t.Parallel()
	s := newTwoRuns(t)
	s.job.Period = Period{s.job.Period.From - 1, s.job.Period.To}
	for n, clock := range []string{"T21:30", "T22:30", "T23:30"} {
		s.put("2024-07-01", fmt.Sprint(n), s.row(fmt.Sprintf("m%d", n), "rome", fmt.Sprintf("39333111111%d", n), "2024-07-01"+clock, "marketing", "sent"))
	}
	s.a = s.run()
	s.job.Accounts = tableSource(strings.Replace(testAccounts, "Europe/Rome", "UTC", 1))
	s.b = s.run()
	want := []string{
		"changed m1 2024-07-01: account_changed; billing_date 2024-07-02→2024-07-01",
		"changed m2 2024-07-01: account_changed; billing_date 2024-07-02→2024-07-01",
	}
	if diff := cmp.Diff(want, s.diff(true)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.a, s.b = s.b, s.a
	for i := range want {
		want[i] = strings.Replace(strings.Replace(want[i], "2024-07-01:", "2024-07-02:", 1), "2024-07-02→2024-07-01", "2024-07-01→2024-07-02", 1)
	}
	if diff := cmp.Diff(want, s.diff(true)); diff != "" {
		t.Errorf("the other way round (-want +got):\n%s", diff)
	}
}

// chargesOf reads all charges of a run: their rows as text, by charge_id.
func (s *twoRuns) chargesOf(m *writer.Manifest) map[string]string {
	s.t.Helper()
	schema, charges := writer.ChargesSchema(), make(map[string]string)
	for _, f := range m.Files {
		if !strings.HasPrefix(f.Name, "charges/") {
			continue
		}
		for frame, err := range writer.ReadTable(s.t.Context(), s.out, m.RunKey()+f.Name, schema) {
			if err != nil {
				s.t.Fatal(err)
			}
			for row := range frame.Rows {
				var cells []string
				for i, spec := range schema {
					text, null := frame.Columns[i].CellText(spec.Type, row)
					cells = append(cells, fmt.Sprint(text, null))
				}
				charges[frame.Columns[0].Text[row]] = strings.Join(cells, "|")
			}
		}
	}
	return charges
}

// Diff finds what a comparison of all charges in memory finds, for crowds of
// which some files are late, some replaced and prices corrected.
func TestDiffIsTheDifference(t *testing.T) {
	t.Parallel()
	first, err := reconcile.ParseDate("2024-06-28")
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 7))
			c := newCrowd(seed, first, 14)
			c.fill(1500)
			laid := func() *readertest.Mem { return c.exports(t, rand.New(rand.NewPCG(seed, 8)), 3, 100) }
			whole, early := laid(), laid()
			s := &twoRuns{t: t, exports: whole}
			for day := first + 3; day < first+14; day++ {
				if rng.IntN(2) == 0 {
					early.Remove(partition(day) + "part-1.parquet")
				}
			}
			s.job, s.out = testJob(t, early, "2024-07-01..2024-07-06")
			s.a = s.run()
			s.job.Exports = whole
			if seed%2 == 0 {
				s.job.Rates = tableSource(strings.Replace(testRates, "0.12,", "0.121,", 1))
				s.job.Accounts = tableSource(strings.Replace(testAccounts, "Pacific/Auckland", "Asia/Tokyo", 1))
			}
			s.b = s.run()
			before, after := s.chargesOf(s.a), s.chargesOf(s.b)
			want := make(map[string]DiffKind)
			for id := range after {
				if _, ok := before[id]; !ok {
					want[id] = Came
				} else if before[id] != after[id] {
					want[id] = Changed
				}
			}
			for id := range before {
				if _, ok := after[id]; !ok {
					want[id] = Went
				}
			}
			got := make(map[string]DiffKind)
			job := DiffJob{Out: s.out, A: s.a, B: s.b, Exports: whole}
			totals, err := Diff(t.Context(), job, func(d *ChargeDiff) error {
				if _, twice := got[d.ChargeID]; twice || len(d.Reasons) == 0 || slices.Contains(d.Reasons, Unexplained) {
					t.Errorf("%+v: twice, or without a reason", d)
				}
				got[d.ChargeID] = d.Kind
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			count := make(map[DiffKind]int64)
			for _, kind := range got {
				count[kind]++
			}
			for kind, n := range totals.Charges {
				if count[kind] != n {
					t.Errorf("%d charges %s, the totals have %d", count[kind], kind, n)
				}
			}
			if len(got) < 20 {
				t.Errorf("only %d differences: %v", len(got), slices.Collect(maps.Values(got)))
			}
		})
	}
}

// What was found is held against the manifests.
func TestDiffChecksItself(t *testing.T) {
	t.Parallel()
	s := newTwoRuns(t)
	s.a = s.run()
	s.put("2024-07-02", "late", s.row("m1", "rome", "393331111111", "2024-07-02T09:00", "marketing", "sent"))
	s.b = s.run()
	job := DiffJob{Out: s.out, A: s.a, B: s.b}
	ignore := func(*ChargeDiff) error { return nil }
	totals, err := Diff(t.Context(), job, ignore)
	if err != nil {
		t.Fatal(err)
	}
	want := []DiffTotal{{Kind: Came, Reason: "exports_changed", Currency: "EUR", Charges: 1, New: decimal.RequireFromString("0.14")}}
	if diff := cmp.Diff(want, totals.Rows); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	at := slices.IndexFunc(s.b.Files, func(f writer.FileEntry) bool { return strings.HasPrefix(f.Name, "charges/") })
	good := s.b.Files[at]
	for name, tc := range map[string]struct {
		spoil func(*writer.FileEntry)
		want  error
	}{
		"rows":   {func(f *writer.FileEntry) { f.Rows++ }, ErrControl},
		"amount": {func(f *writer.FileEntry) { f.Totals = map[string]string{"amount": "7"} }, ErrControl},
		"total":  {func(f *writer.FileEntry) { f.Totals = nil }, writer.ErrVerify},
		"sha256": {func(f *writer.FileEntry) { f.SHA256 = strings.Repeat("0", 64) }, writer.ErrVerify},
		"bytes":  {func(f *writer.FileEntry) { f.Bytes++ }, writer.ErrVerify},
	} {
		s.b.Files[at] = good
		tc.spoil(&s.b.Files[at])
		if name == "bytes" {
			s.b.Files[at].SHA256 = strings.Repeat("0", 64) // else the date is not looked at
		}
		if _, err := Diff(t.Context(), job, ignore); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	s.b.Files[at] = good
	other := *s.b
	other.Period = "2024-07"
	job.B = &other
	if _, err := Diff(t.Context(), job, ignore); !errors.Is(err, ErrConfig) {
		t.Errorf("two periods: %v", err)
	}
	stop := errors.New("enough")
	job.B = s.b
	if _, err := Diff(t.Context(), job, func(*ChargeDiff) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped: %v", err)
	}
}

// What charges cost is added up apart from what they are sold for, and held
// against the manifests likewise.
func TestDiffCosts(t *testing.T) {
	t.Parallel()
	s := newTwoRuns(t)
	withCosts(&s.job)
	s.put("2024-07-02", "a", s.row("m1", "rome", "393331111111", "2024-07-02T09:00", "marketing", "sent"),
		s.row("m2", "rome", "393332222222", "2024-07-02T09:00", "authentication", "sent"))
	s.a = s.run()
	s.put("2024-07-02", "late", s.row("m3", "rome", "393333333333", "2024-07-02T09:00", "marketing", "sent"))
	s.job.CostRates = tableSource(strings.Replace(costRates, "meta,South,marketing,conversation,0.05,EUR", "meta,South,marketing,conversation,0.06,USD", 1) +
		"meta,*,authentication,conversation,0.02,EUR,,\n")
	s.b = s.run()
	ignore := func(*ChargeDiff) error { return nil }
	totals, err := Diff(t.Context(), DiffJob{Out: s.out, A: s.a, B: s.b}, ignore)
	if err != nil {
		t.Fatal(err)
	}
	amount := decimal.RequireFromString
	sold := []DiffTotal{
		{Kind: Came, Reason: "exports_changed", Currency: "EUR", Charges: 1, New: amount("0.14")},
		{Kind: Changed, Reason: "price_changed", Currency: "EUR", Charges: 2, Old: amount("0.19"), New: amount("0.19")},
	}
	bought := []DiffTotal{
		{Kind: Came, Reason: "exports_changed", Currency: "USD", Charges: 1, New: amount("0.06")},
		{Kind: Changed, Reason: "price_changed"},
		{Kind: Changed, Reason: "price_changed", Currency: "EUR", Charges: 1, Old: amount("0.05"), New: amount("0.02")},
		{Kind: Changed, Reason: "price_changed", Currency: "USD", Charges: 1, New: amount("0.06")},
	}
	if diff := cmp.Diff(sold, totals.Rows); diff != "" {
		t.Errorf("sold (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(bought, totals.Costs); diff != "" {
		t.Errorf("bought (-want +got):\n%s", diff)
	}
	for i := range s.b.Files {
		if f := &s.b.Files[i]; strings.HasPrefix(f.Name, "charges/") {
			f.Totals = maps.Clone(f.Totals)
			f.Totals["cost_amount"] = "7"
		}
	}
	if _, err := Diff(t.Context(), DiffJob{Out: s.out, A: s.a, B: s.b}, ignore); !errors.Is(err, ErrControl) {
		t.Errorf("another total of the costs: %v", err)
	}
	one := s.job
	one.CostRates, one.CostAccounts, one.CostMarkets, one.Fx = nil, nil, nil, nil
	s.job = one
	if totals, err = Diff(t.Context(), DiffJob{Out: s.out, A: s.a, B: s.run()}, ignore); err != nil || totals.Costs != nil {
		t.Errorf("a run of one book: %v, %v", totals, err)
	}
}

// Totals come in the order of their counts: came, went, changed.
func TestDiffTotalsOrder(t *testing.T) {
	t.Parallel()
	totals := newDiffTotals()
	for _, kind := range []DiffKind{Changed, Went, Came} {
		for _, reason := range []string{"b", "a"} {
			totalOf(&totals.Rows, kind, reason, "EUR").Charges++
		}
	}
	var got []string
	for _, r := range totals.Rows {
		got = append(got, string(r.Kind)+" "+r.Reason)
	}
	want := []string{"came a", "came b", "went a", "went b", "changed a", "changed b"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

// wantDiff holds what differs, as it is told with the exports and, where without
// is not nil, without them. It gives the former.
func (s *twoRuns) wantDiff(t *testing.T, want, without []string) (got []string) {
	t.Helper()
	got = s.diff(true)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("with the exports (-want +got):\n%s", diff)
	}
	if without != nil {
		if diff := cmp.Diff(without, s.diff(false)); diff != "" {
			t.Errorf("without the exports (-want +got):\n%s", diff)
		}
	}
	return got
}
