package batch

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/batch/checkpoint"
	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// One run over all days, daily runs with checkpoints, and daily runs of which
// any checkpoints were deleted publish the same charges for each date, and the
// same summary, statements, differences and findings for each period, where no
// row comes later than the late days.
//
// In quiet histories, every pair is quiet for a day in three: three days of
// reading back prove each chain. In the others, reading back goes to the
// beginning of the data.
func TestCheckpointsChangeNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) { checkHistory(t, rt, rapid.Bool().Draw(rt, "quiet")) })
}

const historyDays = 5

func checkHistory(t *testing.T, rt *rapid.T, quiet bool) {
	first, _ := reconcile.ParseDate("2024-06-28")
	c := newCrowd(rapid.Uint64().Draw(rt, "seed"), first, historyDays+5)
	c.late, c.quiet = reconcile.Date(rapid.IntRange(0, 2).Draw(rt, "late days")), quiet
	c.fill(rapid.IntRange(20, 200).Draw(rt, "messages"))
	if rapid.Bool().Draw(rt, "prepaid") {
		c.prepay(rapid.IntRange(1, 12).Draw(rt, "recharges"))
	}
	costs := rapid.Bool().Draw(rt, "costs")
	exports := c.exports(t, rand.New(rand.NewPCG(1, 2)), 2, 100)
	job := func(from, to int, out *writertest.Mem) Job {
		j, _ := testJob(t, exports, "2024-07-01")
		j.Out, j.Period = out, Period{first + reconcile.Date(from), first + reconcile.Date(to)}
		j.Workers = rapid.IntRange(1, 3).Draw(rt, "workers")
		if passes := rapid.IntRange(1, 3).Draw(rt, "passes"); passes > 1 {
			inPasses(&j, passes)
		}
		j.LateDays = int(c.late)
		j.Invoices = tableSource(historyInvoices)
		if c.recharges != "" {
			j.Rates, j.Recharges = tableSource(testRates+prepaidRates), tableSource(c.recharges)
		}
		if costs {
			withCosts(&j)
		}
		if quiet {
			j.DeliveryDays = 2
		} else {
			j.LookbackDays = 20
		}
		return j
	}
	run := func(j Job) map[string]string {
		res, err := Run(t.Context(), j)
		if err != nil {
			rt.Fatal(err)
		}
		return tablesOf(t, j.Out.(*writertest.Mem), res.RunKey)
	}
	all := run(job(3, 3+historyDays-1, &writertest.Mem{}))
	daily := &writertest.Mem{}
	looked := rapid.IntRange(0, historyDays-1).Draw(rt, "run without checkpoints")
	for day := range historyDays {
		deleteSome(rt, daily)
		got := run(job(3+day, 3+day, daily))
		date := (first + reconcile.Date(3+day)).String()
		if diff := tablesDiffer(t.Context(), chargesOf(all, date), chargesOf(got, date)); diff != "" {
			rt.Fatalf("charges of %s (-one run +daily):\n%s", date, diff)
		}
		if day != looked {
			continue
		}
		if diff := tablesDiffer(t.Context(), run(job(3+day, 3+day, &writertest.Mem{})), got); diff != "" {
			rt.Fatalf("tables of %s (-without checkpoints +with):\n%s", date, diff)
		}
	}
}

const historyInvoices = `invoice_id,line_id,account_id,business_number,date_from,date_to,market,category,kind,quantity,unit_price,amount,currency
I,1,rome,,2024-07-03,2024-07-03,,marketing,usage,3,0.14,0.42,EUR
`

// tablesDiffer tells which tables differ, and how those that can be read as text do.
func tablesDiffer(ctx context.Context, want, got map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name] != got[name] {
			fmt.Fprintf(&b, "%s:\n-%s\n+%s\n", name, strings.Join(readable(ctx, name, want[name]), "\n-"), strings.Join(readable(ctx, name, got[name]), "\n+"))
		}
	}
	if len(want) != len(got) {
		b.WriteString(cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))))
	}
	return b.String()
}

// readable is a table as lines of text.
func readable(ctx context.Context, name, data string) (lines []string) {
	_, schema, known := writer.SchemaOf(name)
	if !known || !strings.HasSuffix(name, ".parquet") {
		return strings.Split(data, "\n")
	}
	for f, err := range writer.DecodeParquet(ctx, name, []byte(data), schema) {
		if err != nil {
			return append(lines, err.Error())
		}
		for i := range f.Rows {
			var line []string
			for k, c := range f.Columns {
				switch {
				case c.Null != nil && c.Null[i]:
				case c.Text != nil:
					line = append(line, schema[k].Name+"="+c.Text[i])
				case c.Int != nil:
					line = append(line, fmt.Sprint(schema[k].Name, "=", c.Int[i]))
				}
			}
			lines = append(lines, strings.Join(line, " "))
		}
	}
	return lines
}

func chargesOf(tables map[string]string, date string) map[string]string {
	of := maps.Clone(tables)
	maps.DeleteFunc(of, func(name, _ string) bool { return !strings.HasPrefix(name, "charges/"+date+"/") })
	return of
}

// deleteSome deletes some checkpoints, whole or in part.
func deleteSome(rt *rapid.T, out *writertest.Mem) {
	for _, key := range checkpointObjects(out) {
		if rapid.IntRange(0, 9).Draw(rt, "delete") == 9 {
			if err := out.Remove(rt.Context(), key); err != nil {
				rt.Fatal(err)
			}
		}
	}
}

func checkpointObjects(out *writertest.Mem) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(out.Objects())), func(key string) bool { return !strings.HasPrefix(key, checkpoint.Prefix) })
}

// july is a job for one day of a small history, into out.
func july(t *testing.T, day int, exports *readertest.Mem, out *writertest.Mem) Job {
	t.Helper()
	j, _ := testJob(t, exports, fmt.Sprintf("2024-07-%02d", day))
	j.Out = out
	return j
}

func smallHistory(t *testing.T) *readertest.Mem {
	t.Helper()
	first, _ := reconcile.ParseDate("2024-06-28")
	c := newCrowd(7, first, 14)
	c.late = 1
	c.fill(200)
	return c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 100)
}

func mustRun(t *testing.T, j Job) *Result {
	t.Helper()
	res, err := Run(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// A run says which checkpoint it started from, reads nothing from before it,
// and is another run than one that reads back.
func TestStartsFromCheckpoint(t *testing.T) {
	t.Parallel()
	exports, out := smallHistory(t), &writertest.Mem{}
	if m := mustRun(t, july(t, 1, exports, out)).Manifest; m.Checkpoint != nil {
		t.Errorf("the first run started from %s", *m.Checkpoint)
	}
	back := mustRun(t, july(t, 2, exports, &writertest.Mem{}))
	from := mustRun(t, july(t, 2, exports, out))
	m := from.Manifest
	if m.Checkpoint == nil || !strings.HasPrefix(*m.Checkpoint, "checkpoints/2024-07-01/") {
		t.Fatalf("started from %v, want the checkpoint of 2024-07-01", m.Checkpoint)
	}
	if m.DaysRead[0] != "2024-07-01" {
		t.Errorf("days read %v, want them from the checkpoint on", m.DaysRead)
	}
	if from.RunID == back.RunID || m.InputsSHA256 != back.Manifest.InputsSHA256 {
		t.Errorf("run ids %s and %s, inputs %s and %s: want other runs of the same inputs", from.RunID, back.RunID, m.InputsSHA256, back.Manifest.InputsSHA256)
	}
	if m.Counts.BeforeCheckpoint == 0 || m.Counts.Carried == 0 {
		t.Errorf("counts %+v: want rows before the checkpoint, and some taken over", m.Counts)
	}
	if again := mustRun(t, july(t, 2, exports, out)); !again.Already {
		t.Error("the same inputs were published again")
	}
}

// Inputs that are again what they were are the run that was published of them,
// whatever checkpoint there is by now; a run that has lost a file is made anew.
func TestInputsAgainWhatTheyWere(t *testing.T) {
	t.Parallel()
	exports, out := smallHistory(t), &writertest.Mem{}
	one := july(t, 2, exports, out)
	one.Accounts = tableSource(strings.NewReplacer("Europe/Rome", "UTC", "Pacific/Auckland", "UTC", "America/Los_Angeles", "UTC").Replace(testAccounts))
	first, other := mustRun(t, one), one
	other.Rates = tableSource(strings.Replace(testRates, "0.14", "0.15", 1))
	second := mustRun(t, other)
	if second.RunID == first.RunID || second.Manifest.Checkpoint == nil {
		t.Fatalf("the second run is %s from %v, want another, from the checkpoint that the first has left", second.RunID, second.Manifest.Checkpoint)
	}
	before := out.Objects()
	again := mustRun(t, one)
	if !again.Already || again.RunKey != first.RunKey {
		t.Errorf("already %t, run %s; want %s", again.Already, again.RunKey, first.RunKey)
	}
	for key, data := range out.Objects() {
		if key != "current/2024-07-02.json" && !bytes.Equal(before[key], data) {
			t.Errorf("%s was written", key)
		}
	}
	mustRun(t, other)
	if err := out.Remove(t.Context(), first.RunKey+"summary.csv"); err != nil {
		t.Fatal(err)
	}
	anew := mustRun(t, one)
	if anew.Already || anew.RunKey == first.RunKey {
		t.Errorf("already %t, run %s, which has lost a file", anew.Already, anew.RunKey)
	}
}

// Checkpoints that must not be used are refused with a reason, and the run is
// then as if they were absent.
func TestRefusedCheckpoints(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(t *testing.T, j *Job, exports *readertest.Mem, out *writertest.Mem)
		reason string
	}{
		"other rules": {func(t *testing.T, _ *Job, _ *readertest.Mem, out *writertest.Mem) {
			rewriteCheckpoints(t, out, func(h *checkpoint.Header) { h.RulesVersion = "conversation-2023-06-01" })
		}, "rules conversation-2023-06-01"},
		"another format": {func(t *testing.T, _ *Job, _ *readertest.Mem, out *writertest.Mem) {
			damage(t, out, "/checkpoint.json", func(data []byte) []byte {
				return bytes.Replace(data, []byte(`"format_version": 1`), []byte(`"format_version": 2`), 1)
			})
		}, "format version 2"},
		"settings": {func(_ *testing.T, j *Job, _ *readertest.Mem, _ *writertest.Mem) { j.DeliveryDays = 29 }, "settings"},
		"columns": {func(_ *testing.T, j *Job, _ *readertest.Mem, _ *writertest.Mem) {
			j.Columns = map[string]string{"contact": "contact"}
		}, "settings"},
		"late days":    {func(_ *testing.T, j *Job, _ *readertest.Mem, _ *writertest.Mem) { j.LateDays = 2 }, "LateDays:2"},
		"ignore types": {func(_ *testing.T, j *Job, _ *readertest.Mem, _ *writertest.Mem) { j.IgnoreTypes = []string{"poll"} }, "IgnoreTypes:[poll]"},
		"complete marker": {func(t *testing.T, j *Job, exports *readertest.Mem, _ *writertest.Mem) {
			for d := j.Period.From - 1; d <= j.Period.To+1; d++ {
				exports.Put(partition(d)+"_DONE", nil)
			}
			j.CompleteMarker = "_DONE"
		}, "CompleteMarker:_DONE"},
		"an account's basis": {func(_ *testing.T, j *Job, _ *readertest.Mem, _ *writertest.Mem) {
			j.Accounts = tableSource(strings.Replace(testAccounts, "conversation,sent,Pacific", "conversation,delivered,Pacific", 1))
		}, "account auckland was on basis sent, and is on delivered"},
		"a changed object": {func(t *testing.T, _ *Job, exports *readertest.Mem, _ *writertest.Mem) {
			replaceExport(t, exports, "dt=2024-06-30/part-0.parquet")
		}, "the objects of 2024-06-30"},
		"a new object of a late day": {func(t *testing.T, _ *Job, exports *readertest.Mem, _ *writertest.Mem) {
			addExport(t, exports, "dt=2024-07-01/part-9.parquet")
		}, "the objects of 2024-07-01"},
		"a changed object of a parent's day": {func(t *testing.T, j *Job, exports *readertest.Mem, out *writertest.Mem) {
			mustRun(t, *j)
			replaceExport(t, exports, "dt=2024-06-29/part-0.parquet")
			j.Period = Period{j.Period.From + 1, j.Period.To + 1}
		}, "the objects of 2024-06-29 are not those that its parents were made from"},
		"a new object of a parent's day": {func(t *testing.T, j *Job, exports *readertest.Mem, out *writertest.Mem) {
			mustRun(t, *j)
			addExport(t, exports, "dt=2024-06-29/part-9.parquet")
			j.Period = Period{j.Period.From + 1, j.Period.To + 1}
		}, "the objects of 2024-06-29 are not those that its parents were made from"},
		"a day that was not there": {func(t *testing.T, _ *Job, exports *readertest.Mem, _ *writertest.Mem) {
			addExport(t, exports, "dt=2024-06-20/part-0.parquet")
		}, "the objects of 2024-06-20"},
		"a damaged header": {func(t *testing.T, _ *Job, _ *readertest.Mem, out *writertest.Mem) {
			damage(t, out, "/checkpoint.json", func(data []byte) []byte { return append(data, ' ') })
		}, "not the sha256"},
		"a header cut short": {func(t *testing.T, _ *Job, _ *readertest.Mem, out *writertest.Mem) {
			damage(t, out, "/checkpoint.json", func(data []byte) []byte { return data[:len(data)/2] })
		}, "unexpected EOF"},
		"damaged pairs": {func(t *testing.T, _ *Job, _ *readertest.Mem, out *writertest.Mem) {
			damage(t, out, "/pairs.parquet", func(data []byte) []byte { data[len(data)/2] ^= 1; return data })
		}, "sha256"},
		"no messages": {func(t *testing.T, _ *Job, _ *readertest.Mem, out *writertest.Mem) {
			damage(t, out, "/messages.parquet", nil)
		}, "does not exist"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exports, out := smallHistory(t), &writertest.Mem{}
			mustRun(t, july(t, 1, exports, out))
			j := july(t, 2, exports, out)
			c.change(t, &j, exports, out)
			checkRefused(t, j, c.reason)
		})
	}
}

// Days that are gone do not make a checkpoint unusable: that is what it is for.
func TestCheckpointOutlivesItsDays(t *testing.T) {
	t.Parallel()
	exports, out := smallHistory(t), &writertest.Mem{}
	mustRun(t, july(t, 1, exports, out))
	want := mustRun(t, july(t, 2, exports, out))
	second := &writertest.Mem{}
	mustRun(t, july(t, 1, exports, second))
	for _, o := range keysOf(t, exports) {
		if o < "dt=2024-07-01" {
			exports.Remove(o)
		}
	}
	got := mustRun(t, july(t, 2, exports, second))
	if diff := tablesDiffer(t.Context(), tablesOf(t, out, want.RunKey), tablesOf(t, second, got.RunKey)); diff != "" {
		t.Errorf("tables (-with the days +without):\n%s", diff)
	}
}

// A row that comes later than the late days of a message that counted before
// the checkpoint is counted and found, and changes nothing else; a run that
// begins before its day takes it.
func TestLateRowAfterCheckpoint(t *testing.T) {
	t.Parallel()
	exports, out := smallHistory(t), &writertest.Mem{}
	mustRun(t, july(t, 4, exports, out))
	late := readertest.ExportRow{
		MessageID: "late", Account: "rome", Business: "39 02 r1", Contact: "393339999999", Direction: "outbound", Type: "template",
		Category: "marketing", Status: "delivered", SentAt: mustDate(t, "2024-07-02").Start() + 1000,
	}
	data, err := readertest.Export([]readertest.ExportRow{late, late}, 10)
	if err != nil {
		t.Fatal(err)
	}
	exports.Put("dt=2024-07-06/part-9.parquet", data)
	m := mustRun(t, july(t, 5, exports, out)).Manifest
	if m.Checkpoint == nil || m.Counts.Late != 2 || m.Counts.Findings["late"] != 1 {
		t.Errorf("from %v: %d late rows, %d findings; want 2 and 1", m.Checkpoint, m.Counts.Late, m.Counts.Findings["late"])
	}
	findings := string(out.Objects()[writer.RunPrefix(m.Period, m.RunID)+"findings.csv"])
	if want := "late,rome,,,,2024-07-02"; !strings.Contains(findings, want) {
		t.Errorf("findings have no %q:\n%s", want, findings)
	}
	j := july(t, 2, exports, out)
	j.Period.To = j.Period.From + 4
	month := mustRun(t, j)
	charges := string(out.Objects()[month.RunKey+"summary.csv"])
	if month.Manifest.Counts.Late != 0 || month.Manifest.Counts.Findings["late"] != 0 || !strings.Contains(charges, "2024-07-02") {
		t.Errorf("the run that begins earlier: %d late rows", month.Manifest.Counts.Late)
	}
}

func mustDate(t *testing.T, text string) reconcile.Date {
	t.Helper()
	d, err := reconcile.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func keysOf(t *testing.T, m *readertest.Mem) []string {
	t.Helper()
	objects, err := m.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

func bytesOf(t *testing.T, m *readertest.Mem, key string) []byte {
	t.Helper()
	o, err := m.Stat(key)
	if err != nil {
		t.Fatal(err)
	}
	f, err := m.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, f.Size())
	if _, err := f.ReadAt(data, 0); err != nil {
		t.Fatal(err)
	}
	return data
}

// addExport adds a file with one message, sent at noon of its day.
func addExport(t *testing.T, m *readertest.Mem, key string) {
	t.Helper()
	d, err := dateOfKey(key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := readertest.Export([]readertest.ExportRow{{
		MessageID: "added", Account: "rome", Business: "39 02 r1", Contact: "393330000000", Direction: "inbound", Type: "text",
		SentAt: d.Start() + reconcile.DayMillis/2,
	}}, 10)
	if err != nil {
		t.Fatal(err)
	}
	m.Put(key, data)
}

// replaceExport puts another file in the place of one.
func replaceExport(t *testing.T, m *readertest.Mem, key string) {
	t.Helper()
	if _, err := m.Stat(key); err != nil {
		t.Fatal(err)
	}
	addExport(t, m, key)
}

// damage changes the objects of all checkpoints whose keys end in suffix;
// without a change they are removed.
func damage(t *testing.T, out *writertest.Mem, suffix string, change func([]byte) []byte) {
	t.Helper()
	objects := out.Objects()
	for _, key := range checkpointObjects(out) {
		if !strings.HasSuffix(key, suffix) {
			continue
		}
		if err := out.Remove(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if change == nil {
			continue
		}
		if err := out.Put(t.Context(), key, change(objects[key]), writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
}

// rewriteCheckpoints puts others in the place of all checkpoints, whole and
// under their right names.
func rewriteCheckpoints(t *testing.T, out *writertest.Mem, change func(*checkpoint.Header)) {
	t.Helper()
	first, last := mustDate(t, "2024-06-01"), mustDate(t, "2024-08-01")
	keys, err := checkpoint.Find(t.Context(), out, first, last)
	if err != nil || len(keys) == 0 {
		t.Fatalf("checkpoints %v: %v", keys, err)
	}
	for _, key := range keys {
		h, err := checkpoint.ReadHeader(t.Context(), out, key)
		if err != nil {
			t.Fatal(err)
		}
		names := reader.NewNames()
		state, err := checkpoint.Read(t.Context(), out, key, h, names)
		if err != nil {
			t.Fatal(err)
		}
		change(h)
		if _, err := checkpoint.Write(t.Context(), out, *h, []*reconcile.State{state}, names); err != nil {
			t.Fatal(err)
		}
		damage(t, out, strings.TrimPrefix(key, "checkpoints")+"checkpoint.json", nil)
	}
}

// logged keeps what is logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
