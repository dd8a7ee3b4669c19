package batch

import (
	"context"
	"fmt"

	"waconcile/reader"
)

func (p *Plan) newExports(job *Job, names *reader.Names) (*reader.Exports, error) {
	exports, err := reader.NewExports(job.Exports, names, reader.ExportOptions{
		Columns:     job.Columns,
		IgnoreTypes: p.settings.IgnoreTypes,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return exports, nil
}

// footers reads the footers of all files; of several that are refused, the
// first by day and key is the error.
func (p *Plan) footers(ctx context.Context, exports *reader.Exports) ([]reader.FileInfo, error) {
	files := p.files()
	infos := make([]reader.FileInfo, len(files))
	return infos, firstFailure(len(files), listsInFlight, func(i int) (err error) {
		infos[i], err = exports.Info(ctx, files[i])
		return err
	})
}
