package batch

import (
	"strings"
	"testing"

	"waconcile/reader/readertest"

	"github.com/google/go-cmp/cmp"
)

// twoRecharges pay for one marketing charge each, at 0.11 and 0.12.
const twoRecharges = `recharge_id,account_id,plan,purchased_at,net_amount,currency,expires_at
R1,rome,pre,2024-07-01T00:00:00Z,0.15,EUR,
R2,rome,small,2024-07-01T01:00:00Z,0.15,EUR,
`

// The columns of a charge tell by which book or messages it changed: each book
// answers for its own, and messages of the whole account for the recharge that
// pays.
func TestDiffBooks(t *testing.T) {
	t.Parallel()
	const contact, other = "393331111111", "393332222222"
	prepaid := func(s *twoRuns) {
		s.job.Rates, s.job.Recharges = tableSource(testRates+prepaidRates), tableSource(twoRecharges)
		s.put("2024-07-02", "a", s.row("m2", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
	}
	late := func(s *twoRuns, at string) {
		day, _, _ := strings.Cut(at, "T")
		s.put(day, "late", s.row("late", "rome", other, at, "marketing", "sent"))
	}
	dearer := func(rates, from, to string) *readertest.Mem {
		if !strings.Contains(rates, from) {
			t.Errorf("no %s", from)
		}
		return tableSource(strings.Replace(rates, from, to, 1))
	}
	sold := func(s *twoRuns) { // other prices of what no charge is
		s.job.Rates = dearer(testRates+prepaidRates, "deal,*,authentication,conversation,0.04", "deal,*,authentication,conversation,0.05")
	}
	bought := func(s *twoRuns) {
		s.job.CostRates = dearer(costRates, "meta,RU,marketing,conversation,0.07", "meta,RU,marketing,conversation,0.08")
	}
	const drawn = "; plan pre→small; unit_price 0.110000→0.140000; amount 0.110000→0.140000; recharge_id R1→R2"
	nowhere := func(s *twoRuns) readertest.ExportRow {
		return s.row("m3", "rome", "user.one", "2024-07-02T10:00", "marketing", "sent")
	}
	from := func(r readertest.ExportRow, country string) readertest.ExportRow {
		r.Country = country
		return r
	}
	const (
		somewhere = "; country null→DE; market null→Germany; unit_price null→0.120000; currency null→EUR; amount null→0.120000; status unrated→charged; reason unknown_market→null"
		there     = "; cost_country null→DE; cost_market null→South; cost_unit_price null→0.050000; cost_currency null→EUR; cost_amount null→0.050000; cost_status unrated→charged; cost_reason unknown_market→null"
	)
	for _, story := range []struct {
		name          string
		before, after func(*twoRuns)
		want, without []string
	}{{
		name: "a late message takes the recharge of another pair's charge", before: prepaid,
		after:   func(s *twoRuns) { late(s, "2024-07-02T09:00") },
		want:    []string{"changed m2 2024-07-02: late_message" + drawn, "came late 2024-07-02: late_message"},
		without: []string{"changed m2 2024-07-02: exports_changed" + drawn, "came late 2024-07-02: exports_changed"},
	}, {
		name: "so does one before the period", before: prepaid,
		after: func(s *twoRuns) { late(s, "2024-07-01T11:00") },
		want:  []string{"changed m2 2024-07-02: late_message" + drawn},
	}, {
		name: "the tables can have done it, too", before: prepaid,
		after:   func(s *twoRuns) { late(s, "2024-07-02T09:00"); sold(s) },
		want:    []string{"changed m2 2024-07-02: late_message price_changed" + drawn, "came late 2024-07-02: late_message"},
		without: []string{"changed m2 2024-07-02: exports_changed price_changed" + drawn, "came late 2024-07-02: exports_changed"},
	}, {
		name: "what is sent later does not", before: prepaid,
		after: func(s *twoRuns) {
			late(s, "2024-07-02T11:00")
			s.job.Recharges = dearer(twoRecharges, "small,2024-07-01T01:00:00Z,0.15", "small,2024-07-01T01:00:00Z,0.50")
			s.job.Rates = dearer(testRates+prepaidRates, "pre,*,marketing,conversation,0.11", "pre,*,marketing,conversation,0.16")
		},
		want: []string{"changed m2 2024-07-02: price_changed" + drawn, "came late 2024-07-02: late_message"},
	}, {
		name:   "the provider's book has no bearing on recharges",
		before: func(s *twoRuns) { prepaid(s); withCosts(&s.job) },
		after:  func(s *twoRuns) { late(s, "2024-07-02T09:00"); bought(s) },
		want:   []string{"changed m2 2024-07-02: late_message" + drawn, "came late 2024-07-02: late_message"},
	}, {
		name:   "the file that took the recharge is gone",
		before: func(s *twoRuns) { prepaid(s); late(s, "2024-07-02T09:00") },
		after:  func(s *twoRuns) { s.exports.Remove("dt=2024-07-02/late.parquet"); sold(s) },
		want: []string{
			"changed m2 2024-07-02: file_replaced price_changed; plan small→pre; unit_price 0.140000→0.110000; amount 0.140000→0.110000; recharge_id R2→R1",
			"went late 2024-07-02: file_replaced",
		},
	}, {
		name: "what comes later for the pair itself does not either",
		before: func(s *twoRuns) {
			prepaid(s)
			s.put("2024-07-02", "b", s.row("x1", "rome", other, "2024-07-02T09:00", "marketing", "failed"))
		},
		after: func(s *twoRuns) {
			s.put("2024-07-02", "late", s.row("x1", "rome", other, "2024-07-02T09:00", "marketing", "delivered"),
				s.row("m3", "rome", contact, "2024-07-02T11:00", "authentication", "sent"))
		},
		want: []string{
			"changed m2 2024-07-02: status_changed" + drawn,
			"came m3 2024-07-02: late_message", "came x1 2024-07-02: status_changed",
		},
	}, {
		name: "a charge on another date",
		before: func(s *twoRuns) {
			s.job.Period.From--
			s.job.Rates = tableSource(testRates + prepaidRates)
			s.job.Recharges = tableSource(strings.NewReplacer("2024-07-01T", "2024-06-29T", "pre,2024-07-01", "pre,2024-06-29", "00Z,0.15,EUR,\nR2", "00Z,0.21,EUR,\nR2").Replace(twoRecharges))
			s.put("2024-07-01", "a", s.row("m2", "rome", contact, "2024-07-01T23:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			late(s, "2024-06-30T09:00")
			s.job.Accounts = dearer(testAccounts, "Europe/Rome", "UTC")
		},
		want: []string{"changed m2 2024-07-01: late_message price_changed; billing_date 2024-07-02→2024-07-01" + drawn},
	}, {
		name:   "the country that a message has said before",
		before: func(s *twoRuns) { s.put("2024-07-02", "a", from(nowhere(s), "de")) },
		after: func(s *twoRuns) {
			r := nowhere(s)
			r.MessageID, r.SentAt = "m4", r.SentAt+3_600_000
			s.put("2024-07-02", "late", nowhere(s), from(r, "de"))
		},
		want: []string{"changed m3 2024-07-02: late_message; messages_out 1→2"},
	}, {
		name: "the cost alone",
		before: func(s *twoRuns) {
			withCosts(&s.job)
			s.put("2024-07-02", "a", s.row("m2", "rome", contact, "2024-07-02T10:00", "marketing", "sent"))
		},
		after: func(s *twoRuns) {
			s.job.CostRates = dearer(costRates, "meta,South,marketing,conversation,0.05", "meta,South,marketing,conversation,0.06")
		},
		want: []string{"changed m2 2024-07-02: price_changed; cost_unit_price 0.050000→0.060000; cost_amount 0.050000→0.060000"},
	}} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			s := newTwoRuns(t)
			story.before(s)
			s.a = s.run()
			story.after(s)
			s.b = s.run()
			s.wantDiff(t, story.want, story.without)
		})
	}
	// A contact that is no number has the country that a message says, by both
	// books: only one of them is another, and the message is asked for the rest.
	for name, change := range map[string]func(*twoRuns){
		"what is sold":  sold,
		"what it costs": bought,
	} {
		t.Run("country, and another book of "+name, func(t *testing.T) {
			t.Parallel()
			s := newTwoRuns(t)
			withCosts(&s.job)
			s.put("2024-07-02", "a", nowhere(s))
			s.a = s.run()
			s.put("2024-07-02", "later", from(nowhere(s), "de"))
			change(s)
			s.b = s.run()
			want := []string{"changed m3 2024-07-02: price_changed status_changed" + somewhere + there}
			if diff := cmp.Diff(want, s.diff(true)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
