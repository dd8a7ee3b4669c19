package batch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"waconcile/reader"
	"waconcile/reader/readertest"
	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// stageLog keeps what a run tells, and that no stage lies inside another.
type stageLog struct {
	t     *testing.T
	open  Stage
	ended []StageEnd
}

func (l *stageLog) StageBegins(s Stage) {
	if l.open != "" {
		l.t.Errorf("%s begins inside %s", s, l.open)
	}
	l.open = s
}

func (l *stageLog) StageEnded(e StageEnd) {
	if l.open != e.Stage {
		l.t.Errorf("%s ends where %q is open", e.Stage, l.open)
	}
	l.open = ""
	l.ended = append(l.ended, e)
}

func (l *stageLog) names() []Stage {
	var names []Stage
	for _, e := range l.ended {
		names = append(names, e.Stage)
	}
	return names
}

// count is a count of the first stage of a name; -1: it has none.
func (l *stageLog) count(s Stage, name string) int64 {
	for _, e := range l.ended {
		for _, c := range e.Counts {
			if e.Stage == s && c.Name == name {
				return c.Value
			}
		}
	}
	return -1
}

// watched is a job whose stages are kept.
func watched(t *testing.T, job Job) (Job, *stageLog) {
	l := &stageLog{t: t}
	job.Stages = l
	return job, l
}

// stagedJob is a job of which a day is missing, with rejects and charges.
func stagedJob(t *testing.T) Job {
	t.Helper()
	c := newCrowd(1, mustDate(t, "2024-07-01"), 3)
	c.fill(600)
	job, _ := testJob(t, c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 1000), "2024-07-02..2024-07-03")
	job.AllowMissing = true
	return job
}

// A run tells its stages in their order, with counts that are those of its
// manifest, whatever the number of passes.
func TestStages(t *testing.T) {
	t.Parallel()
	for _, passes := range []int{1, 3} {
		t.Run(fmt.Sprintf("passes=%d", passes), func(t *testing.T) {
			t.Parallel()
			base := stagedJob(t)
			if passes > 1 {
				inPasses(&base, passes)
			}
			job, log := watched(t, base)
			res, err := Run(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			want := []Stage{
				StagePlan, StageStart, StageStanding, StageFooters, StageProbe, StageRead, StageSums,
				StageTables, StageReport, StageCheckpoints, StageReadBack, StagePublish,
			}
			if diff := cmp.Diff(want, log.names()); diff != "" {
				t.Errorf("stages (-want +got):\n%s", diff)
			}
			checkCounts(t, log, res.Manifest)
			for _, e := range log.ended {
				if known := e.Stage != StagePlan; known != (e.RunID == res.RunID) || !known && e.RunID != "" {
					t.Errorf("%s: run id %q, the run is %s", e.Stage, e.RunID, res.RunID)
				}
			}

			again, log := watched(t, base)
			if res, err := Run(t.Context(), again); err != nil || !res.Already {
				t.Fatalf("%+v, %v", res, err)
			}
			if diff := cmp.Diff([]Stage{StagePlan, StageStart, StageStanding}, log.names()); diff != "" {
				t.Errorf("stages of a run that is there (-want +got):\n%s", diff)
			}
		})
	}
}

func checkCounts(t *testing.T, log *stageLog, m *writer.Manifest) {
	t.Helper()
	var rejects, charges, tables, exports, bytes int64
	for _, n := range m.Counts.Rejected {
		rejects += n
	}
	for _, n := range m.Counts.Conversations {
		charges += n
	}
	for _, f := range m.Files {
		if bytes += f.Bytes; !strings.HasPrefix(f.Name, writer.ChargesTable+"/") && f.Name != "report.html" {
			tables++
		}
	}
	for _, in := range m.Inputs {
		if in.Table == writer.ExportsInput {
			exports++
		}
	}
	for _, tt := range []struct {
		stage Stage
		name  string
		want  int64
	}{
		{StagePlan, "input_files", int64(len(m.Inputs)) - exports},
		{StageStart, "days", int64(len(m.DaysRead))},
		{StageStart, CountDaysMissing, int64(len(m.DaysMissing))},
		{StageStart, "files", exports},
		{StageFooters, "files", exports},
		{StageFooters, "rows", m.Counts.RowsRead},
		{StageRead, "rows", m.Counts.RowsRead},
		{StageRead, "rejects", rejects},
		{StageRead, "messages", m.Counts.Messages},
		{StageRead, "charges", charges},
		{StageTables, "files", tables},
		{StageReport, "files", 1},
		{StageReadBack, "files", int64(len(m.Files))},
		{StageReadBack, "bytes", bytes},
	} {
		if got := log.count(tt.stage, tt.name); got != tt.want || got < 0 {
			t.Errorf("%s: %s is %d, want %d", tt.stage, tt.name, got, tt.want)
		}
	}
	if m.Counts.RowsRead == 0 || rejects == 0 || charges == 0 || len(m.DaysMissing) == 0 {
		t.Errorf("the run has too little to tell counts apart: %+v", m.Counts)
	}
}

// The checkpoint that the run itself could have started from is a stage of its
// own after the publication, and its failure is not that of the run.
func TestStageAfterPublication(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		job, log, mem := ownCheckpointJob(t)
		mem.Hook = func(op, key string) (bool, error) {
			if published := slices.Contains(log.names(), StagePublish); broken && published && strings.HasPrefix(key, "checkpoints/") {
				return false, writer.ErrStore
			}
			return true, nil
		}
		if _, err := Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		last := log.ended[len(log.ended)-1]
		if last.Stage != StageCheckpoints || (last.Err != nil) != broken || slices.Index(log.names(), StageCheckpoints) == len(log.ended)-1 {
			t.Errorf("broken %v: the stages are %v, the last ends with %v", broken, log.names(), last.Err)
		}
	}
}

// ownCheckpointJob is a job that leaves a checkpoint at its own beginning:
// late days that reach back to it.
func ownCheckpointJob(t *testing.T) (Job, *stageLog, *writertest.Mem) {
	t.Helper()
	first := mustDate(t, "2024-06-28")
	c := newCrowd(3, first, 12)
	c.late = 1
	c.fill(200)
	mem := &writertest.Mem{}
	job := july(t, 2, c.exports(t, rand.New(rand.NewPCG(1, 2)), 1, 100), mem)
	job.Period.From = job.Period.To
	job.Accounts = tableSource(strings.NewReplacer("Europe/Rome", "UTC", "Pacific/Auckland", "UTC", "America/Los_Angeles", "UTC").Replace(testAccounts))
	job, log := watched(t, job)
	return job, log, mem
}

// Whatever operation of the store fails, the stages are in order, and the one
// that failed is the last and has the error of the run.
func TestStagesWhereTheStoreFails(t *testing.T) {
	t.Parallel()
	failed := map[Stage]bool{}
	for n, whole := int64(0), 0; whole < 5; n++ { // how many operations there are varies a little
		base, _, mem := brokenJob(t)
		var ops atomic.Int64 // tables are read back at the same time
		mem.Hook = func(string, string) (bool, error) {
			if ops.Add(1) == n+1 {
				return false, fmt.Errorf("%w: operation %d", writer.ErrStore, n)
			}
			return true, nil
		}
		job, log := watched(t, base)
		_, err := Run(t.Context(), job)
		if log.open != "" {
			t.Errorf("operation %d: %s never ends", n, log.open)
		}
		for i, e := range log.ended {
			if last := i == len(log.ended)-1; (e.Err != nil) != (last && err != nil) || last && !errors.Is(err, e.Err) {
				t.Errorf("operation %d: %s ends with %v, the run with %v", n, e.Stage, e.Err, err)
			}
			if e.Stage == StageReadBack && e.Err != nil && len(e.Counts) > 0 {
				t.Errorf("operation %d: read back is not known, and told as %v", n, e.Counts)
			}
			failed[e.Stage] = failed[e.Stage] || e.Err != nil
		}
		if ops.Load() <= n {
			whole++
		}
	}
	for _, s := range []Stage{StagePlan, StageStart, StageRead, StageTables, StageReport, StageReadBack, StagePublish} {
		if !failed[s] {
			t.Errorf("no failure in %s", s)
		}
	}
}

// Of a run that stops for missing days, how many they are is told all the same.
func TestStagesOfMissingDays(t *testing.T) {
	t.Parallel()
	base := stagedJob(t)
	base.AllowMissing = false
	job, log := watched(t, base)
	_, err := Run(t.Context(), job)
	if !errors.Is(err, ErrIncomplete) {
		t.Fatal(err)
	}
	if last := log.ended[len(log.ended)-1]; last.Stage != StageStanding || last.Err == nil || log.count(StageStart, CountDaysMissing) < 1 {
		t.Errorf("%+v", log.ended)
	}
}

// A run that is cancelled ends the stage that it is in.
func TestStagesOfCancelledRun(t *testing.T) {
	t.Parallel()
	base, exports, _ := brokenJob(t)
	ctx, cancel := context.WithCancel(t.Context())
	job, log := watched(t, base)
	job.Exports = cancelling{exports, cancel, log}
	_, err := Run(ctx, job)
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if last := log.ended[len(log.ended)-1]; log.open != "" || last.Stage != StageFooters || !errors.Is(last.Err, context.Canceled) {
		t.Errorf("%+v", log.ended)
	}
}

// cancelling cancels the run as its footers are read.
type cancelling struct {
	*readertest.Mem
	cancel context.CancelFunc
	log    *stageLog
}

func (c cancelling) Open(ctx context.Context, o reader.Object) (reader.File, error) {
	if c.log.open == StageFooters {
		c.cancel()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c.Mem.Open(ctx, o)
}
