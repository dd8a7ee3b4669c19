package batch

import (
	"fmt"
	"strings"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer/writertest"
)

// utcAccounts has one account, on basis sent, whose days are those of UTC.
const utcAccounts = `account_id,name,plan,rules,basis,time_zone,vat_rate,portfolio,valid_from,valid_to
rome,Roma,small,,,UTC,0.22,,,
`

// utcJob is a job for one day of July over that account, into out.
func utcJob(t *testing.T, day int, exports *readertest.Mem, out *writertest.Mem) Job {
	t.Helper()
	j := july(t, day, exports, out)
	j.Accounts = tableSource(utcAccounts)
	return j
}

// plainDays are exports with one message a day, of a contact that has nothing
// to do with what else a test adds.
func plainDays(t *testing.T, from, to string) *readertest.Mem {
	t.Helper()
	m := &readertest.Mem{}
	for d := mustDate(t, from); d <= mustDate(t, to); d++ {
		addPlain(t, m, d)
	}
	return m
}

func addPlain(t *testing.T, m *readertest.Mem, d reconcile.Date) {
	t.Helper()
	addRows(t, m, partition(d)+"plain.parquet", readertest.ExportRow{
		MessageID: "plain " + d.String(), Account: "rome", Business: "39 02 r1", Contact: "393339999999",
		Direction: "inbound", Type: "text", SentAt: d.Start(),
	})
}

func addRows(t *testing.T, m *readertest.Mem, key string, rows ...readertest.ExportRow) {
	t.Helper()
	data, err := readertest.Export(rows, 10)
	if err != nil {
		t.Fatal(err)
	}
	m.Put(key, data)
}

// templateAt is a marketing template of the account rome.
func templateAt(id string, at int64) readertest.ExportRow {
	return readertest.ExportRow{
		MessageID: id, Account: "rome", Business: "39 02 r1", Contact: "393331234567",
		Direction: "outbound", Type: "template", Category: "marketing", Status: "sent", SentAt: at,
	}
}

// hour is an instant, in ms.
func hour(t *testing.T, day string, h int64) int64 {
	t.Helper()
	return mustDate(t, day).Start() + h*3_600_000
}

// addChain adds templates to one contact, 20 hours apart: each second one opens
// a conversation, and which of them do can be told only from the first.
func addChain(t *testing.T, m *readertest.Mem, from, to string) {
	t.Helper()
	i := 0
	for at := hour(t, from, 1); at < hour(t, to, 0); at += 20 * 3_600_000 {
		addRows(t, m, fmt.Sprintf("%schain-%d.parquet", partition(reconcile.DateOf(at)), i), templateAt(fmt.Sprint("chain ", i), at))
		i++
	}
}

// checkRefused holds that a run is the one that it would be without
// checkpoints, and that its log says why it took none.
func checkRefused(t *testing.T, j Job, reason string) {
	t.Helper()
	log, alone := &logged{}, j
	j.Log, alone.Out = log.logger(), &writertest.Mem{}
	res, want := mustRun(t, j), mustRun(t, alone)
	if res.RunID != want.RunID || res.Manifest.Checkpoint != nil {
		t.Errorf("run %s from %s, want %s as without checkpoints", res.RunID, startOf(res), want.RunID)
	}
	if text := log.String(); !strings.Contains(text, "checkpoint refused") || !strings.Contains(text, reason) {
		t.Errorf("log %q, want a refusal for %q", text, reason)
	}
}

// startOf is the key of the checkpoint that a run started from; empty for none.
func startOf(res *Result) string {
	if res.Manifest.Checkpoint == nil {
		return ""
	}
	return *res.Manifest.Checkpoint
}

// startDay is the day of that checkpoint.
func startDay(res *Result) string {
	day, _, _ := strings.Cut(strings.TrimPrefix(startOf(res), "checkpoints/"), "/")
	return day
}

// checkpointDays are the days of the checkpoints that are there, in order.
func checkpointDays(out *writertest.Mem) []string {
	var days []string
	for _, key := range checkpointObjects(out) {
		if day, header := strings.CutSuffix(key, "/checkpoint.json"); header {
			days = append(days, strings.Split(day, "/")[1])
		}
	}
	return days
}
