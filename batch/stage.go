package batch

import "waconcile/writer"

// Stage is a part of a run that takes time of its own, as logs, metrics and
// traces name it.
type Stage string

// The stages, in their order. A run that is published already has none after
// StageStanding. StageCheckpoints comes a second time, after the publication,
// where there is one that the run itself could have started from.
const (
	StagePlan        Stage = "plan"        // step 1: tables, listings, identities
	StageStart       Stage = "start"       // step 2: the checkpoint to start from
	StageStanding    Stage = "standing"    // step 2: whether the run is there already
	StageFooters     Stage = "footers"     // step 3, and the invoices added up
	StageProbe       Stage = "probe"       // what the store does with conditional writes
	StageRead        Stage = "read"        // steps 4 to 6, in as many passes as it takes
	StageSums        Stage = "sums"        // step 7
	StageTables      Stage = "tables"      // step 8: the tables beside the charges
	StageReport      Stage = "report"      // step 8
	StageCheckpoints Stage = "checkpoints" // step 8
	StageReadBack    Stage = "read_back"   // step 8
	StagePublish     Stage = "publish"     // step 8: manifest and pointer
)

// CountDaysMissing is the count of StageStart that says how many required days
// have no data or no marker.
const CountDaysMissing = "days_missing"

// Count is a number that a stage has come to: rows, files, bytes.
type Count struct {
	Name  string
	Value int64
}

// StageEnd is a stage that has ended.
type StageEnd struct {
	Stage  Stage
	RunID  string  // empty until it is known, by the end of StageStart
	Counts []Count // in the same order for every run; what a failure left unknown is left out
	Err    error   // nil: what the stage is for is done
}

// StageWatch is told of the stages of a run, one after the other, from one
// goroutine. No stage begins inside another. An error is also that of the run,
// but for one of StageCheckpoints after the publication.
type StageWatch interface {
	StageBegins(Stage)
	StageEnded(StageEnd)
}

// stage does a part of the job and tells of it. What it has come to, do notes.
func (j *Job) stage(name Stage, do func(end *StageEnd) error) error {
	end := StageEnd{Stage: name}
	if j.Stages != nil {
		j.Stages.StageBegins(name)
	}
	end.Err = do(&end)
	if j.Stages != nil {
		j.Stages.StageEnded(end)
	}
	return end.Err
}

// stage does a part of a run whose id is known.
func (r *run) stage(name Stage, do func(end *StageEnd) error) error {
	return r.job.stage(name, func(end *StageEnd) error {
		end.RunID = r.plan.RunID
		return do(end)
	})
}

func (e *StageEnd) count(name string, value int64) {
	e.Counts = append(e.Counts, Count{Name: name, Value: value})
}

// countFiles counts files that were written, or read back.
func (e *StageEnd) countFiles(files []writer.FileEntry) {
	var bytes int64
	for _, f := range files {
		bytes += f.Bytes
	}
	e.count("files", int64(len(files)))
	e.count("bytes", bytes)
}
