package batch

import (
	"slices"
	"strings"
	"testing"

	"waconcile/reader/readertest"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// A state that depends on a partition after its late days leaves no
// checkpoint: later runs could not tell whether that partition has changed.
// The run is that of 4 July, with one late day, and reads up to 6 July; the
// state of 5 July has late rows up to 5 July.
func TestStateBeyondItsLateDays(t *testing.T) {
	t.Parallel()
	at := func(day string, h int64) int64 { return hour(t, "2024-07-"+day, h) }
	failed := func(r readertest.ExportRow) readertest.ExportRow { r.Status = "failed"; return r }
	both := []string{"2024-07-04", "2024-07-05"}
	cases := map[string]struct {
		rows map[string]readertest.ExportRow // by the day of the partition
		want []string
	}{
		"nothing late": {nil, both},
		"a row of the last late day": {map[string]readertest.ExportRow{
			"05": failed(templateAt("m", at("04", 20))),
		}, both},
		"a row of the day after": {map[string]readertest.ExportRow{
			"06": failed(templateAt("m", at("04", 20))),
		}, []string{"2024-07-04"}},
		"a message on two days, within the late days": {map[string]readertest.ExportRow{
			"04": templateAt("m", at("04", 20)), "05": failed(templateAt("m", at("05", 1))),
		}, both},
		"a message on two days, and the day after": {map[string]readertest.ExportRow{
			"04": templateAt("m", at("04", 20)), "06": failed(templateAt("m", at("06", 1))),
		}, []string{"2024-07-04"}},
		"a message of after the state": {map[string]readertest.ExportRow{
			"05": templateAt("m", at("05", 20)), "06": failed(templateAt("m", at("06", 1))),
		}, both},
		"an early row, merged with one of the day after": {map[string]readertest.ExportRow{
			"04": templateAt("m", at("05", 20)), "06": failed(templateAt("m", at("06", 1))),
		}, []string{"2024-07-04"}},
		"an early row, merged with one of the last late day": {map[string]readertest.ExportRow{
			"04": failed(templateAt("m", at("06", 1))), "05": templateAt("m", at("05", 20)),
		}, both},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exports, out, log := plainDays(t, "2024-06-20", "2024-07-12"), &writertest.Mem{}, &logged{}
			for day, r := range c.rows {
				addRows(t, exports, "dt=2024-07-"+day+"/m.parquet", r)
			}
			j := utcJob(t, 4, exports, out)
			j.Log = log.logger()
			mustRun(t, j)
			if diff := cmp.Diff(c.want, checkpointDays(out)); diff != "" {
				t.Errorf("checkpoints (-want +got):\n%s", diff)
			}
			if warned := strings.Contains(log.String(), "no checkpoint: "); warned != (len(c.want) < 2) {
				t.Errorf("warned is %t where the checkpoints are %v", warned, checkpointDays(out))
			}
			exports.Remove("dt=2024-07-06/m.parquet") // after the late days, so nobody would notice
			next, alone := utcJob(t, 5, exports, out), utcJob(t, 5, exports, &writertest.Mem{})
			got, want := mustRun(t, next), mustRun(t, alone)
			if diff := tablesDiffer(t.Context(), tablesOf(t, alone.Out.(*writertest.Mem), want.RunKey), tablesOf(t, out, got.RunKey)); diff != "" {
				t.Errorf("tables of the next day, from %q (-without checkpoints +with):\n%s", startOf(got), diff)
			}
		})
	}
}

// The same holds of a message that the run took over from its own checkpoint,
// and that a row of after the late days lets arrive.
func TestTakenOverBeyondLateDays(t *testing.T) {
	t.Parallel()
	for day, want := range map[string][]string{
		"05": {"2024-07-04", "2024-07-05"},
		"06": {"2024-07-04"},
	} {
		exports, out := plainDays(t, "2024-06-20", "2024-07-12"), &writertest.Mem{}
		onDelivered := func(day int) Job {
			j := utcJob(t, day, exports, out)
			j.Accounts = tableSource(strings.Replace(utcAccounts, "small,,,", "small,,delivered,", 1))
			j.LateDays, j.DeliveryDays = 1, 10
			return j
		}
		r := templateAt("m", hour(t, "2024-07-03", 20))
		addRows(t, exports, "dt=2024-07-03/m.parquet", r)
		mustRun(t, onDelivered(3))
		r.Status, r.DeliveredAt = "delivered", hour(t, "2024-07-04", 23)
		addRows(t, exports, "dt=2024-07-"+day+"/arrived.parquet", r)
		res := mustRun(t, onDelivered(4))
		if startDay(res) != "2024-07-04" {
			t.Fatalf("started from %q, want a checkpoint of 2024-07-04", startOf(res))
		}
		left := slices.DeleteFunc(checkpointDays(out), func(d string) bool { return d < "2024-07-04" })
		if diff := cmp.Diff(want, left); diff != "" {
			t.Errorf("row on day %s, checkpoints (-want +got):\n%s", day, diff)
		}
	}
}
