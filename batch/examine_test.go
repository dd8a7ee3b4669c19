package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

const (
	soundRates = `plan,market,category,unit,price,currency,valid_from,valid_to
list,*,marketing,conversation,0.07,EUR,2024-01-01,
list,*,utility,conversation,0.05,EUR,2024-01-01,
list,*,authentication,conversation,0.03,EUR,2024-01-01,
list,*,service,conversation,0.04,EUR,2024-01-01,
`
	soundAccounts = `account_id,plan,vat_rate,time_zone
acme,list,0.22,Europe/Rome
`
)

// sound is a job of two days without a fault, and the stores of it.
func sound(t *testing.T) (e Examination, exports *readertest.Mem, out *probed) {
	t.Helper()
	exports = &readertest.Mem{}
	for _, day := range []string{"2024-07-01", "2024-07-02", "2024-07-03"} {
		d, err := reconcile.ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		putExport(t, exports, day+"/a", "acme", d.Start())
	}
	job, mem := testJob(t, exports, "2024-07-02..2024-07-03")
	out = &probed{Mem: mem}
	job.Out, job.Rates, job.Accounts = out, tableSource(soundRates), tableSource(soundAccounts)
	return Examination{Job: job, Now: (job.Period.To + 1).Start()}, exports, out
}

// putExport makes an export of one message.
func putExport(t *testing.T, exports *readertest.Mem, file, account string, sent int64) {
	t.Helper()
	row := readertest.ExportRow{
		MessageID: "m", Account: account, Business: "390200000001", Contact: "393310000001",
		Direction: "outbound", Type: "template", Category: "marketing", Status: "sent", SentAt: sent,
	}
	data, err := readertest.Export([]readertest.ExportRow{row}, 10)
	if err != nil {
		t.Fatal(err)
	}
	exports.Put("dt="+file+".parquet", data)
}

// linesOf are the checks as lines.
func linesOf(checks []Check) []string {
	var lines []string
	for _, c := range checks {
		lines = append(lines, fmt.Sprintf("%s %s: %s", c.State, c.Name, c.Found))
		for _, more := range c.More {
			lines = append(lines, "  "+more)
		}
	}
	return lines
}

func TestExamineSound(t *testing.T) {
	t.Parallel()
	e, _, out := sound(t)
	found, err := Examine(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ok exports: can be listed in memory",
		"ok rates: 4 rows in 1 file of memory",
		"ok accounts: 1 row in 1 file of memory",
		"ok account time zones: known: Europe/Rome",
		"ok markets: the built-in table",
		"ok out: list: memory can be listed",
		"ok out: write: can be written to, by .probe/kept, which stays",
		"ok out: conditional writes: refused: to create what is there, to replace another version, to replace what is not there",
		"ok out: read: can be read, and has no run of 2024-07-02_2024-07-03",
		"skipped out: delete: not tried, since no run deletes anything: s3:DeleteObject is for waconcile gc --delete alone",
		"ok prices: 0 errors, 0 warnings",
		"ok published so far: 2024-07-02_2024-07-03 is open, nothing is published of it",
		"ok days: 3 days from 2024-07-01 to 2024-07-03; of 3 days before them that a run without a checkpoint reads, 0",
		"ok export files: 3 files of 3 days, 3 rows, all with their columns",
		"ok accounts in the exports: 1 account with a row each, by 1 row of 2024-07-03, in 1 of its 1 file",
		"ok memory: no limit is known: 2 of 2 workers, 1 pass",
	}
	if diff := cmp.Diff(want, linesOf(found.Checks)); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
	if found.Rows != 3 || found.Passes != 1 || out.asked != 1 {
		t.Errorf("%d rows, %d passes, probed %d times; want 3, 1 and 1", found.Rows, found.Passes, out.asked)
	}
	if n := len(out.Objects()); n != 0 {
		t.Errorf("%d objects were written", n)
	}
}

// brokenSetup is one fault, and the lines that it leads to.
type brokenSetup struct {
	name  string
	spoil func(t *testing.T, e *Examination, exports *readertest.Mem, out *probed)
	want  []string // the lines that a sound setup does not have
	err   error    // of the first check that failed; nil: there is none
}

func brokenSetups() []brokenSetup {
	denied := fmt.Errorf("%w: AccessDenied", reader.ErrStore)
	tables := func(set func(*Examination)) func(*testing.T, *Examination, *readertest.Mem, *probed) {
		return func(_ *testing.T, e *Examination, _ *readertest.Mem, _ *probed) { set(e) }
	}
	hook := func(op string) func(*testing.T, *Examination, *readertest.Mem, *probed) {
		return func(_ *testing.T, _ *Examination, _ *readertest.Mem, out *probed) {
			out.Hook = func(o, _ string) (bool, error) {
				if o == op {
					return false, writer.ErrStore
				}
				return true, nil
			}
		}
	}
	return []brokenSetup{
		{"exports cannot be listed", func(_ *testing.T, _ *Examination, exports *readertest.Mem, _ *probed) {
			exports.OnList = func(string) error { return denied }
		}, []string{
			"failed exports: storage: AccessDenied",
			"skipped days: needs exports",
			"skipped export files: needs exports",
			"skipped accounts in the exports: needs exports",
			"ok memory: no limit is known: 2 of 2 workers",
		}, reader.ErrStore},
		{"one day cannot be listed", func(_ *testing.T, _ *Examination, exports *readertest.Mem, _ *probed) {
			exports.OnList = func(prefix string) error {
				if prefix == "dt=2024-07-03/" {
					return denied
				}
				return nil
			}
		}, []string{
			"failed days: storage: AccessDenied",
			"skipped export files: needs days",
			"skipped accounts in the exports: needs days",
			"ok memory: no limit is known: 2 of 2 workers",
		}, reader.ErrStore},
		{"exports cannot be read", func(_ *testing.T, _ *Examination, exports *readertest.Mem, _ *probed) {
			exports.OnRead = func(key string, _ int64, _ int) error {
				if key == "dt=2024-07-02/a.parquet" {
					return denied
				}
				return nil
			}
		}, []string{
			"failed export files: storage: AccessDenied",
			"skipped accounts in the exports: needs export files",
			"ok memory: no limit is known: 2 of 2 workers",
		}, reader.ErrStore},
		{"rates refused", tables(func(e *Examination) {
			e.Rates = tableSource(soundRates + "list,*,marketing,conversation,0.08,EUR,2024-02-01,\nlist,*,utility,conversation,-1,EUR,,\n")
		}), []string{
			"failed rates: 2 rows of memory refused",
			`  table.csv:7 column price: -1 is negative`,
			`  table.csv:6: overlaps table.csv:2: plan "list", market "*", marketing, conversation is valid [2024-02-01, open) here and [2024-01-01, open) there`,
			"skipped prices: needs rates",
		}, reader.ErrInput},
		{"rates of a store that fails", tables(func(e *Examination) {
			e.Rates = &readertest.Mem{OnList: func(string) error { return denied }}
		}), []string{
			"failed rates: read rates in memory: storage: AccessDenied",
			"skipped prices: needs rates",
		}, reader.ErrStore},
		{"unknown time zone", tables(func(e *Examination) {
			e.Accounts = tableSource(strings.ReplaceAll(soundAccounts, "Rome", "Roma"))
		}), []string{
			"failed accounts: 1 row of memory refused",
			`  table.csv:2 column time_zone: "Europe/Roma" is no time zone: unknown time zone Europe/Roma`,
			"skipped account time zones: needs accounts",
			"skipped prices: needs accounts",
			"skipped days: needs accounts",
			"skipped export files: needs accounts",
			"skipped accounts in the exports: needs accounts",
			"ok memory: no limit is known: 2 of 2 workers",
		}, reader.ErrInput},
		{"markets refused", tables(func(e *Examination) {
			e.Markets = tableSource("prefix,country,market\n39,ITA,Italy\n")
		}), []string{
			"failed markets: 1 row of memory refused",
			`  table.csv:2 column country: "ITA" is no ISO 3166 country code`,
			"skipped prices: needs markets",
		}, reader.ErrInput},
		{"recharges refused, and prices looked at all the same", tables(func(e *Examination) {
			e.Recharges = tableSource("recharge_id,account_id,plan,purchased_at,net_amount,currency,expires_at\nr,acme,list,2024-05-01T00:00:00Z,-1,EUR,\n")
		}), []string{
			"failed recharges: 1 row of memory refused",
			`  table.csv:2 column net_amount: -1 is not above 0`,
		}, reader.ErrInput},
		{"recharges refused, which plans are used by", tables(func(e *Examination) {
			e.Rates = tableSource(soundRates + strings.ReplaceAll(soundRates[strings.Index(soundRates, "list"):], "list", "large"))
			e.Recharges = tableSource("recharge_id,account_id,plan,purchased_at,net_amount,currency,expires_at\nr,acme,large,2024-05-01T00:00:00Z,-1,EUR,\n")
		}), []string{
			"ok rates: 8 rows in 1 file of memory",
			"failed recharges: 1 row of memory refused",
			`  table.csv:2 column net_amount: -1 is not above 0`,
		}, reader.ErrInput},
		{"no invoices where there should be", tables(func(e *Examination) { e.Invoices = &readertest.Mem{} }),
			[]string{"warning invoices: no file in memory"}, nil},
		{"invoice lines that overlap", tables(func(e *Examination) {
			e.Invoices = tableSource("invoice_id,line_id,account_id,business_number,date_from,date_to,market,category,kind,quantity,unit_price,amount,currency\n" +
				"I,1,acme,,2024-07-02,2024-07-02,IT,marketing,usage,1,0.07,0.07,EUR\nI,2,acme,,2024-07-02,2024-07-02,,marketing,usage,1,0.07,0.07,EUR\n")
		}), []string{"failed invoices: input refused: table.csv:3: overlaps table.csv:2: both cover the same charges without naming the same cell"}, reader.ErrInput},
		{"half a cost book, and invoices", tables(func(e *Examination) {
			e.CostRates = tableSource(soundRates)
			e.Invoices = tableSource("invoice_id,line_id,account_id,business_number,date_from,date_to,market,category,kind,quantity,unit_price,amount,currency\n")
		}), []string{
			"failed cost book: configuration: cost-rates and cost-accounts go together",
			"ok invoices: 0 rows in 1 file of memory",
		}, ErrConfig},
		{"half a cost book", tables(func(e *Examination) { e.CostRates = tableSource(soundRates) }),
			[]string{"failed cost book: configuration: cost-rates and cost-accounts go together"}, ErrConfig},
		{"cost accounts of another zone", tables(func(e *Examination) {
			e.CostRates, e.CostAccounts = tableSource(soundRates), tableSource("account_id,plan\nacme,list\n")
		}), []string{
			"ok cost book: margins, and invoices compared with the book cost",
			"ok cost-rates: 4 rows in 1 file of memory",
			`failed cost-accounts: input refused: cost-accounts in memory against accounts in memory: table.csv:2: disagrees with table.csv:2: time_zone of account "acme" is UTC here and Europe/Rome there`,
			"ok cost-markets: the built-in table",
			"skipped costs: needs cost-accounts",
		}, reader.ErrInput},
		{"a gap in the costs", tables(func(e *Examination) {
			e.CostRates = tableSource(strings.Replace(soundRates, "2024-01-01", "2024-07-03", 1))
			e.CostAccounts = tableSource("account_id,plan,time_zone\nacme,list,Europe/Rome\n")
			e.Fx = tableSource("date,from,to,rate\n2024-07-01,USD,EUR,0.9\n")
		}), []string{
			"ok cost book: margins, and invoices compared with the book cost",
			"ok cost-rates: 4 rows in 1 file of memory",
			"ok cost-accounts: 1 row in 1 file of memory",
			"ok cost-markets: the built-in table",
			"ok fx: 1 row in 1 file of memory",
			"failed costs: 1 error, 0 warnings",
			`  cost-rates table.csv:2: error category_without_price: plan "list", marketing, conversation: no market has a price on [2024-07-02, 2024-07-03)`,
		}, ErrUnrated},
		{"a simulation of no plan", tables(func(e *Examination) { e.Simulation = &writer.Simulation{Plan: "none"} }),
			[]string{`failed simulation: configuration: plan "none": the rates have no such plan, only list`}, ErrConfig},
		{"a gap in the rates", tables(func(e *Examination) {
			e.Rates = tableSource(strings.Replace(soundRates, "2024-01-01,", "2024-01-01,2024-07-03", 1))
		}), []string{
			"failed prices: 1 error, 0 warnings",
			`  rates table.csv:2: error category_without_price: plan "list", marketing, conversation: no market has a price on [2024-07-03, 2024-07-04)`,
		}, ErrUnrated},
		{"no VAT rate", tables(func(e *Examination) {
			e.Accounts = tableSource(strings.ReplaceAll(soundAccounts, "0.22", ""))
		}), []string{
			"warning prices: 0 errors, 1 warning",
			`  accounts table.csv:2: warning no_vat_rate: account "acme": no vat_rate is given, so that its statements are without VAT`,
		}, nil},
		{"out cannot be listed", hook("list"), []string{
			"failed out: list: list current/: storage",
			"skipped published so far: needs out: list",
		}, writer.ErrStore},
		{"checkpoints cannot be listed", func(_ *testing.T, _ *Examination, _ *readertest.Mem, out *probed) {
			out.Hook = func(op, key string) (bool, error) {
				if op == "list" && strings.HasPrefix(key, "checkpoints/") {
					return false, writer.ErrStore
				}
				return true, nil
			}
		}, []string{
			"failed out: list: list checkpoints/: storage",
			"skipped published so far: needs out: list",
		}, writer.ErrStore},
		{"out cannot be read", hook("get"), []string{
			"failed out: read: get current/2024-07-02_2024-07-03.json: storage",
			"skipped published so far: needs out: read",
		}, writer.ErrStore},
		{"out cannot be written to", func(_ *testing.T, _ *Examination, _ *readertest.Mem, out *probed) { out.answer = denied }, []string{
			"failed out: write: storage: AccessDenied",
			"skipped out: conditional writes: needs out: write",
		}, reader.ErrStore},
		{"a store without conditions", func(_ *testing.T, _ *Examination, _ *readertest.Mem, out *probed) { out.answer = writer.ErrUnsafeStore }, []string{
			"failed out: conditional writes: store does not honour conditional writes",
		}, writer.ErrUnsafeStore},
		{"a store without conditions, allowed", func(_ *testing.T, e *Examination, _ *readertest.Mem, out *probed) {
			out.answer, e.UnsafeStore = writer.ErrUnsafeStore, true
		}, []string{"warning out: conditional writes: store does not honour conditional writes"}, nil},
		{"a pointer that is damaged", func(t *testing.T, e *Examination, _ *readertest.Mem, out *probed) {
			if err := out.Put(t.Context(), "current/2024-07-02_2024-07-03.json", []byte("{"), writer.Condition{}); err != nil {
				t.Fatal(err)
			}
		}, []string{
			"ok out: read: can be read, and has a run of 2024-07-02_2024-07-03",
			"failed published so far: read current/2024-07-02_2024-07-03.json: verification failed: pointer: unexpected EOF",
		}, writer.ErrVerify},
		{"a day is missing", func(_ *testing.T, _ *Examination, exports *readertest.Mem, _ *probed) {
			exports.Remove("dt=2024-07-03/a.parquet")
		}, []string{
			"failed days: input is not complete: period 2024-07-02_2024-07-03 needs days that have no data: 2024-07-03",
			"ok export files: 2 files of 2 days, 2 rows, all with their columns",
			"ok accounts in the exports: 1 account with a row each, by 1 row of 2024-07-02, in 1 of its 1 file",
		}, ErrIncomplete},
		{"a day is missing, allowed", func(_ *testing.T, e *Examination, exports *readertest.Mem, _ *probed) {
			exports.Remove("dt=2024-07-01/a.parquet")
			e.AllowMissing = true
		}, []string{
			"warning days: 1 of 3 days from 2024-07-01 to 2024-07-03 missing: 2024-07-01",
			"ok export files: 2 files of 2 days, 2 rows, all with their columns",
		}, nil},
		{"all days are missing", func(_ *testing.T, e *Examination, _ *readertest.Mem, _ *probed) { e.Exports = &readertest.Mem{} }, []string{
			"failed days: input is not complete: period 2024-07-02_2024-07-03 needs days that have no data: 2024-07-01, 2024-07-02, 2024-07-03",
			"skipped export files: there is none",
			"skipped accounts in the exports: needs export files",
			"ok memory: no limit is known: 2 of 2 workers",
		}, ErrIncomplete},
		{"a marker is missing", func(_ *testing.T, e *Examination, exports *readertest.Mem, _ *probed) {
			e.CompleteMarker = "_SUCCESS"
			exports.Put("dt=2024-07-01/_SUCCESS", nil)
			exports.Put("dt=2024-07-03/_SUCCESS", nil)
		}, []string{"failed days: input is not complete: period 2024-07-02_2024-07-03 needs days that have no data or no _SUCCESS: 2024-07-02"}, ErrIncomplete},
		{"files refused", func(_ *testing.T, e *Examination, exports *readertest.Mem, _ *probed) {
			exports.Put("dt=2024-07-02/b.parquet", []byte("no Parquet at all"))
			exports.Put("dt=2024-07-03/b.parquet", nil)
		}, []string{
			"failed export files: 2 of 5 files cannot be used",
			"  read dt=2024-07-02/b.parquet: not a Parquet file or cut short",
			"  read dt=2024-07-03/b.parquet: not a Parquet file or cut short",
			"skipped accounts in the exports: needs export files",
			"ok memory: no limit is known: 2 of 2 workers",
		}, reader.ErrData},
		{"a column is missing", tables(func(e *Examination) { e.Columns = map[string]string{"contact": "to_number"} }), []string{
			"failed export files: 3 of 3 files cannot be used",
			"  read dt=2024-07-01/a.parquet column to_number: column is missing",
			"  read dt=2024-07-02/a.parquet column to_number: column is missing",
			"  read dt=2024-07-03/a.parquet column to_number: column is missing",
			"skipped accounts in the exports: needs export files",
			"ok memory: no limit is known: 2 of 2 workers",
		}, reader.ErrData},
		{"an account without a row", func(t *testing.T, _ *Examination, exports *readertest.Mem, _ *probed) {
			putExport(t, exports, "2024-07-03/b", "beta", 1_720_000_000_000)
		}, []string{
			"ok export files: 4 files of 3 days, 4 rows, all with their columns",
			"failed accounts in the exports: charges would be unrated or wrong: no row of the accounts is valid for 1 of 2 accounts, by 2 rows of 2024-07-03, in 2 of its 2 files",
			`  account "beta"`,
		}, ErrUnrated},
		{"the day after the period, of which zones need a part", func(t *testing.T, e *Examination, exports *readertest.Mem, _ *probed) {
			e.Accounts = tableSource(strings.ReplaceAll(soundAccounts, "Europe/Rome", "America/Lima"))
			putExport(t, exports, "2024-07-04/a", "beta", 1_720_100_000_000)
		}, []string{
			"ok account time zones: known: America/Lima",
			"ok days: 3 days from 2024-07-02 to 2024-07-04; of 3 days before them that a run without a checkpoint reads, 1",
			"ok export files: 4 files of 4 days, 4 rows, all with their columns",
		}, nil},
		{"an account whose row has ended", func(t *testing.T, e *Examination, exports *readertest.Mem, _ *probed) {
			putExport(t, exports, "2024-07-03/a", "beta", 1_720_000_000_000)
			e.Accounts = tableSource("account_id,plan,vat_rate,time_zone,valid_to\nacme,list,0.22,Europe/Rome,\nbeta,list,0.22,Europe/Rome,2024-07-02\n")
		}, []string{
			"ok accounts: 2 rows in 1 file of memory",
			"failed accounts in the exports: charges would be unrated or wrong: no row of the accounts is valid for 1 of 1 account, by 1 row of 2024-07-03, in 1 of its 1 file",
			`  account "beta"`,
		}, ErrUnrated},
		{"an account whose row ends on that day in UTC, and later where it is", func(t *testing.T, e *Examination, exports *readertest.Mem, _ *probed) {
			putExport(t, exports, "2024-07-03/a", "beta", 1_720_000_000_000)
			e.Accounts = tableSource("account_id,plan,vat_rate,time_zone,valid_to\nacme,list,0.22,Europe/Rome,\nbeta,list,0.22,Europe/Rome,2024-07-03\n")
		}, []string{
			"ok accounts: 2 rows in 1 file of memory",
		}, nil},
		{"an account that all others stand for", func(t *testing.T, e *Examination, exports *readertest.Mem, _ *probed) {
			putExport(t, exports, "2024-07-03/a", "beta", 1_720_000_000_000)
			e.Accounts = tableSource(soundAccounts + "*,list,0.22,Europe/Rome\n")
		}, []string{
			"ok accounts: 2 rows in 1 file of memory",
			"warning prices: 0 errors, 1 warning",
			`  accounts table.csv:3: warning any_account: every account id without a row of its own is charged by plan "list"`,
		}, nil},
		{"little memory", tables(func(e *Examination) { e.Memory = 32 << 20 }),
			[]string{"warning memory: 32MiB: 1 of 2 workers, 2 passes, each of which reads all exports, unless a checkpoint saves some: less than a run keeps within"}, nil},
		{"several passes", tables(func(e *Examination) { e.passes = 3 }),
			[]string{"ok memory: no limit is known: 2 of 2 workers, 3 passes, each of which reads all exports, unless a checkpoint saves some"}, nil},
		{"no period", tables(func(e *Examination) { e.Lacking = map[string]string{PeriodNeeded: "settings"} }), []string{
			"skipped exports: needs settings",
			"skipped out: list: needs settings",
			"skipped out: read: needs settings",
			"skipped prices: needs settings",
			"skipped published so far: needs settings",
			"skipped days: needs settings",
			"skipped export files: needs settings",
			"skipped accounts in the exports: needs settings",
			"skipped memory: needs settings",
		}, nil},
		{"a bucket that cannot be reached", tables(func(e *Examination) {
			e.Lacking = map[string]string{"exports": "bucket b", "out": "bucket b"}
		}), []string{
			"skipped exports: needs bucket b",
			"skipped out: list: needs bucket b",
			"skipped out: write: needs bucket b",
			"skipped out: conditional writes: needs bucket b",
			"skipped out: read: needs bucket b",
			"skipped published so far: needs bucket b",
			"skipped days: needs bucket b",
			"skipped export files: needs bucket b",
			"skipped accounts in the exports: needs bucket b",
			"ok memory: no limit is known: 2 of 2 workers",
		}, nil},
	}
}

// Each fault shows in the line of its check, and in those that depend on it,
// and in no other.
func TestExamineBroken(t *testing.T) {
	t.Parallel()
	e, _, _ := sound(t)
	found, err := Examine(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	usual := linesOf(found.Checks)
	for _, tt := range brokenSetups() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, exports, out := sound(t)
			tt.spoil(t, &e, exports, out)
			found, err := Examine(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			got := slices.DeleteFunc(linesOf(found.Checks), func(line string) bool { return slices.Contains(usual, line) })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			first := slices.IndexFunc(found.Checks, func(c Check) bool { return c.State == CheckFailed })
			switch {
			case (first >= 0) != (tt.err != nil):
				t.Errorf("first failed check is %d, want an error %v", first, tt.err)
			case first >= 0 && !errors.Is(found.Checks[first].Err, tt.err):
				t.Errorf("%v; want %v", found.Checks[first].Err, tt.err)
			}
			for _, c := range found.Checks {
				if (c.State == CheckFailed || c.State == CheckWarning) != (c.Next != "") {
					t.Errorf("%s %s: what to do is %q", c.State, c.Name, c.Next)
				}
			}
		})
	}
}

// Long lists are cut.
func TestCheckList(t *testing.T) {
	t.Parallel()
	var c Check
	c.list(make([]string, moreMax+3))
	if n := len(c.More); n != moreMax+1 || c.More[moreMax] != "… and 3 more" {
		t.Errorf("%d lines, the last is %q", n, c.More[n-1])
	}
	c.list(make([]string, moreMax))
	if n := len(c.More); n != moreMax {
		t.Errorf("%d lines of %d", n, moreMax)
	}
}

// How a month stands: open, run, closed, adjusted, and what waits.
func TestExamineStanding(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		st   standing
		want []string
	}{
		"closed": {standing{period: "2024-07", whole: true, seal: &writer.Seal{Run: "runs/2024-07/a/"}},
			[]string{"ok : 2024-07 is closed by runs/2024-07/a/: a run adjusts it if anything changed"}},
		"half closed": {standing{period: "2024-07", seal: &writer.Seal{Run: "runs/2024-07/a/"}}, []string{
			"warning : 2024-07 is closed by runs/2024-07/a/: a run adjusts it if anything changed",
			"  a close was cut off before its seal was whole",
		}},
		"adjusted": {standing{period: "2024-07", whole: true, seal: &writer.Seal{Run: "runs/2024-07/a/"}, adjusted: &current{pointer: &writer.Pointer{Run: "runs/2024-07/b/"}}},
			[]string{"ok : 2024-07 is closed by runs/2024-07/a/, and adjusted by runs/2024-07/b/: a run adjusts it again if anything changed"}},
		"current": {standing{period: "2024-07", current: &current{pointer: &writer.Pointer{Run: "runs/2024-07/a/"}}},
			[]string{"ok : 2024-07 is open, current is runs/2024-07/a/"}},
		"waiting": {standing{period: "2024-08", waiting: []Waiting{{"2024-05", "2024-06"}}}, []string{
			"warning : 2024-08 is open, nothing is published of it",
			"  the adjustments of 2024-05 wait until 2024-06 is closed",
		}},
		"within": {standing{period: "2024-07-03", within: []string{"2024-07"}}, []string{
			"ok : 2024-07-03 is open, nothing is published of it",
			"  2024-07 is closed: a run of 2024-07-03 neither bills nor adjusts it",
		}},
		"takes in": {standing{period: "2024-08", taken: []*writer.Manifest{{Period: "2024-07", RunID: "b"}}}, []string{
			"ok : 2024-08 is open, nothing is published of it",
			"  the statements take in what adjusts 2024-07, of runs/2024-07/b/",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Check{State: CheckOK}
			tt.st.tell(&c)
			if diff := cmp.Diff(tt.want, linesOf([]Check{c})); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// A closed month is not run without its days, whatever --allow-missing says.
func TestExamineClosedMonthNeedsDays(t *testing.T) {
	t.Parallel()
	x := &examiner{lacking: map[string]string{}}
	x.AllowMissing = true
	x.plan = &Plan{standing: &standing{seal: &writer.Seal{}}, Missing: []reconcile.Date{1}, span: daySpan{requiredLast: 5}, exports: &exportDays{}}
	c := Check{State: CheckOK}
	x.tellDays(&c)
	if c.State != CheckFailed || !errors.Is(c.Err, ErrUnfinished) {
		t.Errorf("%s: %v", c.State, c.Err)
	}
}

// A place that can be tried without a trace is tried so.
func TestExamineProbesAside(t *testing.T) {
	t.Parallel()
	e, _, _ := sound(t)
	out := &aside{probed: probed{Mem: &writertest.Mem{}}}
	e.Out = out
	found, err := Examine(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	line := "ok out: write: can be written to, by files in there that are removed again"
	if !slices.Contains(linesOf(found.Checks), line) || out.asked != 0 {
		t.Errorf("asked otherwise %d times:\n%s", out.asked, strings.Join(linesOf(found.Checks), "\n"))
	}
}

type aside struct{ probed }

func (*aside) ProbeAside(context.Context) (string, error) { return "there", nil }

// The end of the context is not a check that failed.
func TestExamineEnds(t *testing.T) {
	t.Parallel()
	e, exports, _ := sound(t)
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	exports.OnList = func(string) error { cancel(stopped); return nil }
	if _, err := Examine(ctx, e); !errors.Is(err, stopped) {
		t.Errorf("examine: %v", err)
	}
}
