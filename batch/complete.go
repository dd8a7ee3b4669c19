package batch

import (
	"context"
	"errors"
	"io/fs"

	"waconcile/writer"
)

// alreadyComplete moves the pointer to a run of the same inputs that is
// complete but not current, as a crash between the last two steps of a commit
// leaves it, or inputs that are again what they were.
func alreadyComplete(ctx context.Context, job *Job, plan *Plan) (*Result, error) {
	if plan.simulation != nil { // the plan has looked for one that is whole
		return nil, notDamaged(ctx, job, plan)
	}
	manifest, err := completeRun(ctx, job, plan)
	if manifest == nil || err != nil {
		return nil, err
	}
	if err := probe(ctx, job); err != nil {
		return nil, err
	}
	if _, err := writer.MovePointer(ctx, job.Out, manifest, plan.standing.version()); err != nil {
		return nil, err
	}
	return plan.result(manifest.RunKey(), manifest, true), nil
}

// completeRun looks for that run: the plan's own, or one that read the same
// inputs with another history. One that adjusts a closed month is no such run:
// what it says depends on the adjustments before it.
func completeRun(ctx context.Context, job *Job, plan *Plan) (*writer.Manifest, error) {
	m, err := wholeRun(ctx, job, plan.RunKey)
	if m != nil || err != nil || plan.standing.seal != nil {
		return m, err
	}
	objects, err := job.Out.List(ctx, writer.RunsPrefix(plan.Period.String()))
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		run, ok := writer.RunOf(o.Key)
		if !ok || run == plan.RunKey {
			continue
		}
		m, err := writer.ReadManifest(ctx, job.Out, run)
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, writer.ErrVerify): // it is not one that this run could be
			continue
		case err != nil:
			return nil, err
		case !plan.sameInputs(m):
			continue
		}
		if m, err = wholeRun(ctx, job, run); m != nil || err != nil {
			return m, err
		}
	}
	return nil, nil
}

// wholeRun is the manifest of a run of which everything is there and reads back
// as what was written, else nil: then the run is to be written anew.
func wholeRun(ctx context.Context, job *Job, key string) (*writer.Manifest, error) {
	m, err := writer.ReadManifest(ctx, job.Out, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = writer.CheckListed(ctx, job.Out, m)
	if err == nil {
		err = writer.ReadBackRun(ctx, job.Out, m)
	}
	if errors.Is(err, writer.ErrVerify) {
		job.Log.WarnContext(ctx, "a run is complete and has lost a file, or one is damaged: not using it", "run", key, "cause", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}
