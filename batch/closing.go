package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"waconcile/writer"
)

var (
	// ErrUnpublished is matched where a month is to be closed of which nothing
	// is published.
	ErrUnpublished = errors.New("nothing is published")

	// ErrUnfinished is matched where days are missing that a closed month, or
	// a run that adjusts one, must have.
	ErrUnfinished = errors.New("days of a month to be closed are missing")
)

// Closing says which month to close, and where.
type Closing struct {
	Period      Period
	Out         writer.Store
	UnsafeStore bool // close it in a store that does not honour conditional writes
}

// Closed is what closing a month came to.
type Closed struct {
	Period         string
	Run            string // runs/{period}/{run_id}/
	ManifestSHA256 string
	Already        bool // it was closed before; nothing was written
}

// Close seals the current run of a month: what it says is billed, and the
// month's pointer never moves again. A run of the month in flight either was
// published before or fails with writer.ErrConflict. Closing it again does
// nothing but repair what a crash has left undone.
//
// Errors match ErrConfig where the period is no month, ErrUnpublished,
// ErrUnfinished, and else those of writer.SealPeriod.
func Close(ctx context.Context, c Closing) (*Closed, error) {
	period := c.Period.String()
	if !writer.IsMonth(period) {
		return nil, fmt.Errorf("%w: only a month such as 2024-07 can be closed, not %s", ErrConfig, period)
	}
	pointer, manifest, version, err := writer.Current(ctx, c.Out, period)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("close %s: %w", period, ErrUnpublished)
	}
	if err != nil {
		return nil, err
	}
	done := &Closed{Period: period, Run: pointer.Run, ManifestSHA256: pointer.ManifestSHA256}
	seal, whole, err := writer.ReadSeal(ctx, c.Out, period, pointer)
	if err != nil {
		return nil, err
	}
	if whole {
		done.Already = true
		return done, nil
	}
	if seal == nil && manifest.Verdict != writer.Complete {
		return nil, fmt.Errorf("close %s: %w: the verdict of %s is %s", period, ErrUnfinished, pointer.Run, manifest.Verdict)
	}
	if err := probe(ctx, &Job{Config: Config{UnsafeStore: c.UnsafeStore}, Out: c.Out}); err != nil {
		return nil, err
	}
	_, err = writer.SealPeriod(ctx, c.Out, period, pointer, version)
	return done, err
}
