package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// The sides.
const (
	sideDecode   = "decode"
	sideJob      = "job"
	sideAgainst  = "against"
	sideAgain    = "again"
	sideTenth    = "tenth"
	sideSingle   = "single"
	sideBucket   = "s3"
	sideFewDays  = "few_days"
	sideManyDays = "many_days"
)

// processors is what each measured process gets, in goroutines as in
// GOMAXPROCS, so that figures mean the same on larger machines.
const processors = 2

// side is one thing that is measured: a process, once in each round.
type side struct {
	name       string
	what       string
	set        string
	processors int
	program    string // empty is this program
	args       []string
	check      func(output []byte) error // nil where nothing is to be checked
}

// sides are all sides in the order of a round. What is compared most closely
// stands together.
func (r *runner) sides() []side {
	month := jobRun{set: monthSet, period: monthPeriod, out: r.outOf(sideJob)}
	again, small, single, few, many := month, month, month, month, month
	again.published = true
	small.set, small.out = tenthSet, r.outOf(sideTenth)
	single.out, single.processors = r.outOf(sideSingle), 1
	few.set, few.period, few.out, few.part = longSet, fewDaysPeriod, r.outOf(sideFewDays), true
	many.set, many.period, many.out = longSet, manyDaysPeriod, r.outOf(sideManyDays)
	return []side{
		r.decode(),
		r.job(sideJob, "the whole job", month),
		r.against(),
		r.job(sideAgain, "nothing to do", again),
		r.job(sideTenth, "a tenth of the messages", small),
		r.job(sideSingle, "one worker", single),
		r.bucket(month),
		r.job(sideFewDays, "4 days", few),
		r.job(sideManyDays, "40 days", many),
	}
}

func (r *runner) outOf(side string) string { return filepath.Join(r.out(), side) }

// jobRun is one way to run the job.
type jobRun struct {
	set, period, out string
	exports          string // empty is that of the set
	processors       int    // 0 is as many as the others have
	flags            []string
	published        bool // the run is there already
	part             bool // the run reads a part of the set's rows
}

// job is a side that runs the job.
func (r *runner) job(name, what string, run jobRun) side {
	set := r.place(run.set)
	if run.exports == "" {
		run.exports = set.Exports()
	}
	if run.processors == 0 {
		run.processors = processors
	}
	args := []string{
		"run", "--json", "--period", run.period, "--exports", run.exports, "--rates", set.Rates(), "--accounts", set.Accounts(),
		"--out", run.out, "--workers", strconv.Itoa(run.processors),
	}
	check := func(output []byte) error { return checkJob(run, r.sets[run.set], output) }
	return side{
		name: name, what: what, set: run.set, processors: run.processors,
		args: append(args, run.flags...), check: check,
	}
}

// bucket is the job from and to an S3.
func (r *runner) bucket(month jobRun) side {
	if r.Bucket != nil {
		month.exports, month.out, month.flags = r.Bucket.Place+"/"+bucketExports, r.Bucket.Place+"/"+bucketOut, r.Bucket.Flags
	}
	return r.job(sideBucket, "S3", month)
}

// decode is the bare decode of the month.
func (r *runner) decode() side {
	check := func(output []byte) error {
		rows, err := strconv.ParseInt(strings.TrimSpace(string(output)), 10, 64)
		if err != nil || rows != r.sets[monthSet].Rows {
			return fmt.Errorf("decoded %q rows of %d", output, r.sets[monthSet].Rows)
		}
		return nil
	}
	return side{
		name: sideDecode, what: "bare decode", set: monthSet, processors: processors,
		args: []string{"bench", DecodeCommand, r.place(monthSet).Exports()}, check: check,
	}
}

// against is another program's answer to the month.
func (r *runner) against() side {
	command := strings.NewReplacer("{exports}", r.place(monthSet).Exports(), "{out}", r.outOf(sideAgainst)).Replace(r.Against)
	return side{
		name: sideAgainst, what: "--against", set: monthSet, processors: processors,
		program: "sh", args: []string{"-c", command},
	}
}

// checkJob tells whether a run did what it was measured for.
func checkJob(run jobRun, set *Set, output []byte) error {
	var printed struct {
		Verdict string           `json:"verdict"`
		Already bool             `json:"already_published"`
		Rows    int64            `json:"rows"`
		Rejects map[string]int64 `json:"rejects"`
	}
	if err := json.Unmarshal(output, &printed); err != nil {
		return fmt.Errorf("read what the run printed: %w", err)
	}
	switch {
	case printed.Verdict != "complete":
		return fmt.Errorf("the run is %s", printed.Verdict)
	case printed.Already != run.published:
		return errors.New("the run was published before, or was not where it should have been")
	case len(printed.Rejects) > 0:
		return fmt.Errorf("the run rejects rows: %v", printed.Rejects)
	case !run.part && printed.Rows != set.Rows:
		return fmt.Errorf("the run read %d rows of %d", printed.Rows, set.Rows)
	}
	return nil
}
