package batch

import "context"

// prober is a Store that can tell whether it can be written to and honours
// conditional writes.
type prober interface {
	Probe(ctx context.Context) error
}

// probe asks the store of a job that has something to publish, before its
// work is done: it writes there.
func probe(ctx context.Context, job *Job) error {
	p, ok := job.Out.(prober)
	if !ok || job.UnsafeStore {
		return nil
	}
	return p.Probe(ctx)
}
