package main

import (
	"context"
	"log/slog"
	"math"
	"time"

	"waconcile/batch"
)

// stageLog writes a line for each stage of a run as it ends. Counts are all
// that it tells of the data.
type stageLog struct {
	log       *slog.Logger
	level     slog.Level // of the lines
	clock     func() time.Time
	period    string
	telemetry *telemetry // told of the stages as well; nil: nobody is

	began time.Time // of the stage
}

// StageBegins starts the clock of a stage.
func (l *stageLog) StageBegins(s batch.Stage) {
	l.began = l.clock()
	l.telemetry.stageBegins(s)
}

// StageEnded writes its line. What has failed, the last line of the command
// says.
func (l *stageLog) StageEnded(end batch.StageEnd) {
	took := l.clock().Sub(l.began)
	attrs := []slog.Attr{slog.String("stage", string(end.Stage)), slog.String("period", l.period)}
	if end.RunID != "" {
		attrs = append(attrs, slog.String("run_id", end.RunID))
	}
	attrs = append(attrs, slog.Float64("seconds", seconds(took)))
	for _, c := range end.Counts {
		attrs = append(attrs, slog.Int64(c.Name, c.Value))
	}
	if end.Err != nil {
		attrs = append(attrs, slog.Bool("failed", true))
	}
	l.log.LogAttrs(context.Background(), l.level, "stage", attrs...)
	l.telemetry.stageEnded(end, took)
}

// seconds is d to the millisecond.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1e3) / 1e3 }
