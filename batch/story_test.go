package batch

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/shopspring/decimal"
)

// The tables of the tests: accounts in three zones, on both bases, prices by
// country and for all.
const (
	testAccounts = `account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to
rome,Roma,small,,,Europe/Rome,0.22,,,
auckland,Auckland,small,conversation,sent,Pacific/Auckland,0.15,,,
angeles,Los Angeles,usd,conversation,delivered,America/Los_Angeles,,,,
`
	testRates = `plan,market,category,unit,price,currency,valid_from,valid_to
small,IT,marketing,conversation,0.14,EUR,2024-01-01,
small,*,marketing,conversation,0.12,EUR,2024-01-01,
small,*,utility,conversation,0.031415,EUR,2024-01-01,
small,*,authentication,conversation,0.05,EUR,2024-01-01,
small,*,service,conversation,0,EUR,2024-01-01,
usd,*,marketing,conversation,0.1,USD,2024-01-01,
usd,*,utility,conversation,0.02,USD,2024-01-01,2024-07-03
usd,*,utility,conversation,0.03,USD,2024-07-03,
usd,*,service,conversation,0.01,USD,2024-01-01,
`
)

// tableSource is a Source of one table.
func tableSource(text string) *readertest.Mem {
	m := &readertest.Mem{}
	m.Put("table.csv", []byte(text))
	return m
}

// testJob is a job over what lies in exports, into memory.
func testJob(t *testing.T, exports *readertest.Mem, period string) (Job, *writertest.Mem) {
	t.Helper()
	out := &writertest.Mem{}
	from, to, _ := strings.Cut(period, "..")
	first, err := reconcile.ParseDate(from)
	if err != nil {
		t.Fatal(err)
	}
	last := first
	if to != "" {
		if last, err = reconcile.ParseDate(to); err != nil {
			t.Fatal(err)
		}
	}
	return Job{
		Config: Config{
			Period: Period{first, last}, Workers: 2,
			LookbackDays: DefaultLookbackDays, LateDays: DefaultLateDays, DeliveryDays: DefaultDeliveryDays, ExpiryDays: DefaultExpiryDays,
			MaxRejectRatio: decimal.RequireFromString("0.5"),
			IgnoreTypes:    DefaultIgnoreTypes(),
		},
		Program:  writer.Program{Name: "waconcile", Version: "test"},
		Exports:  exports,
		Rates:    tableSource(testRates),
		Accounts: tableSource(testAccounts),
		Out:      out,
		Log:      slog.New(slog.DiscardHandler),
	}, out
}

// crowd makes random stories of a few contacts over some days: crowded around
// the 24-hour edges, with duplicates that carry other statuses on the same or
// a later day, failures, rejects, and a few messages whose rows disagree.
type crowd struct {
	rng   *rand.Rand
	first reconcile.Date
	days  int
	late  reconcile.Date                            // how many days after its sending a row may come; -1: any
	quiet bool                                      // every pair is quiet for a day in three
	rows  map[reconcile.Date][]readertest.ExportRow // by partition
	count int
}

func newCrowd(seed uint64, first reconcile.Date, days int) *crowd {
	return &crowd{
		rng: rand.New(rand.NewPCG(seed, 1)), first: first, days: days, late: -1,
		rows: make(map[reconcile.Date][]readertest.ExportRow),
	}
}

func (c *crowd) fill(messages int) {
	for range messages {
		r := c.message()
		for c.quiet && c.asleep(&r) {
			r = c.message()
		}
		c.send(r)
	}
	for d := c.first; d < c.first+reconcile.Date(c.days); d++ {
		if len(c.rows[d]) == 0 {
			r := c.message()
			if c.late >= 0 {
				r.SentAt, r.DeliveredAt = d.Start(), 0
			}
			c.put(d, r)
		}
		c.rng.Shuffle(len(c.rows[d]), func(i, k int) { c.rows[d][i], c.rows[d][k] = c.rows[d][k], c.rows[d][i] })
	}
}

// asleep tells the days on which a contact neither writes nor is written to.
func (c *crowd) asleep(r *readertest.ExportRow) bool {
	asleep := func(at int64) bool {
		return (int(reconcile.DateOf(at))+len(r.Contact)+int(r.Contact[len(r.Contact)-1]))%3 == 0
	}
	return asleep(r.SentAt) || r.DeliveredAt != 0 && asleep(r.DeliveredAt)
}

// send puts a message's rows into the partitions in which they come.
func (c *crowd) send(r readertest.ExportRow) {
	day := reconcile.DateOf(r.SentAt)
	behind := func(days reconcile.Date) reconcile.Date {
		if c.late >= 0 {
			days = min(days, c.late)
		}
		return day + days
	}
	c.put(day, r)
	switch c.rng.IntN(20) {
	case 0: // the same row again
		c.put(day, r)
	case 1: // a later status, in the next day's partition
		r.Status = "read"
		c.put(behind(1), r)
	case 2: // late by several days
		r.Status = "delivered"
		c.put(behind(reconcile.Date(2+c.rng.IntN(4))), r)
	case 3: // another sending time
		if shift := int64(c.rng.IntN(3) - 1); c.late != 0 && !c.quiet {
			r.SentAt += shift * reconcile.DayMillis
		}
		c.put(reconcile.DateOf(r.SentAt), r)
	case 4: // a clock ahead: in the partition of the day before
		if c.late >= 0 {
			c.put(day-1, r)
		}
	}
}

// fillOnce is fill without messages whose rows lie on different days, so that
// a run needs one passage.
func (c *crowd) fillOnce(messages int) {
	for i := range messages {
		r := c.message()
		day := c.first + reconcile.Date(i%c.days)
		r.SentAt = day.Start() + r.SentAt%reconcile.DayMillis
		c.put(day, r)
		switch c.rng.IntN(20) {
		case 0:
			c.put(day, r)
		case 1:
			r.Status = "read"
			c.put(day+1, r)
		}
	}
}

func (c *crowd) put(day reconcile.Date, r readertest.ExportRow) {
	if day >= c.first && day < c.first+reconcile.Date(c.days) {
		c.rows[day] = append(c.rows[day], r)
	}
}

func (c *crowd) message() readertest.ExportRow {
	c.count++
	accounts := []string{"rome", "auckland", "angeles", "nobody"}
	account := accounts[min(c.rng.IntN(10)/3, 3)]
	r := readertest.ExportRow{
		MessageID: fmt.Sprintf("m%05d", c.count), Account: account, Business: "39 02 " + account[:1] + "1",
		Contact:   []string{"+39 333 1234567", "00393331234568", "12045550100", "+7777000111", "user.one", "99999999"}[c.rng.IntN(6)],
		Direction: "outbound", Type: "text", Status: []string{"sent", "delivered", "read", "failed", "delivered"}[c.rng.IntN(5)],
		SentAt: c.instant(),
	}
	if r.Contact == "user.one" && c.rng.IntN(2) == 0 {
		r.Country = "de"
	}
	switch c.rng.IntN(8) {
	case 0, 1:
		r.Direction, r.Status = "inbound", ""
	case 2, 3, 4, 5:
		r.Type = "template"
		r.Category = []string{"marketing", "UTILITY", "authentication", "authentication-international"}[c.rng.IntN(4)]
	case 6:
		r.Type = []string{"reaction", "text", "image"}[c.rng.IntN(3)]
	}
	if r.Direction == "outbound" && c.rng.IntN(3) > 0 {
		r.DeliveredAt = r.SentAt + []int64{-1, 0, 1, 3_600_000, reconcile.DayMillis, 31 * reconcile.DayMillis}[c.rng.IntN(6)]
	}
	if c.rng.IntN(200) == 0 {
		r.Type, r.Category = "template", "sonnet" // rejected
	}
	return r
}

// instant is a time near a multiple of an hour, so that many lie 24 hours
// apart but for a millisecond.
func (c *crowd) instant() int64 {
	hour := int64(c.rng.IntN(c.days * 24))
	return c.first.Start() + hour*3_600_000 + int64(c.rng.IntN(3)-1)
}

// exports lays the rows out: each day cut into as many files as cut says, in
// any order, with row groups of groupRows.
func (c *crowd) exports(t *testing.T, rng *rand.Rand, cut int, groupRows int64) *readertest.Mem {
	t.Helper()
	m := &readertest.Mem{}
	for _, d := range slices.Sorted(maps.Keys(c.rows)) {
		rows := slices.Clone(c.rows[d])
		rng.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
		for i, piece := range slices.Collect(slices.Chunk(rows, max(1, (len(rows)+cut-1)/cut))) {
			data, err := readertest.Export(piece, groupRows)
			if err != nil {
				t.Fatal(err)
			}
			m.Put(fmt.Sprintf("%spart-%d.parquet", partition(d), i), data)
		}
	}
	return m
}
