package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"waconcile/batch"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far a run is: a bar on a terminal, else a log line now
// and then. It is also the writer of the log, so that a log line on a
// terminal does not tear the bar.
type progress struct {
	w        io.Writer
	terminal bool
	log      *slog.Logger

	mu      sync.Mutex               // guards all below, and w on a terminal
	bar     *progressbar.ProgressBar // of the stage, once its rows are known
	stage   string
	rows    int64
	started time.Time // of the stage
	logged  time.Time
}

// How often progress is shown.
const (
	barPause = 100 * time.Millisecond
	logPause = 10 * time.Second
)

// rateAfter is how long a stage goes on before its rate says something; until
// then no line is logged.
const rateAfter = time.Second

const barWidth = 30

// newProgress shows on w.
func newProgress(format string, w io.Writer) *progress {
	p := &progress{w: w, terminal: isTerminal(w) && !jsonLogs(format, w)}
	if p.terminal {
		p.log = newLogger(logText, lockedWriter{p})
	} else {
		p.log = newLogger(format, w)
	}
	return p
}

// stageLevel is that of the lines about stages: who watches the bar has no need
// of them.
func (p *progress) stageLevel() slog.Level {
	if p.terminal {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

func newBar(w io.Writer, stage string, rows int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(rows,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(stage),
		progressbar.OptionSetWidth(barWidth),
		progressbar.OptionThrottle(barPause),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("rows"),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	)
}

// show is the Progress of a batch.Job. A stage may begin anew.
func (p *progress) show(now batch.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Stage != p.stage || now.Rows < p.rows {
		p.clear()
		p.stage, p.started, p.logged = now.Stage, time.Now(), time.Time{}
	}
	p.rows = now.Rows
	if p.terminal {
		p.showBar(now)
		return
	}
	took := time.Since(p.started)
	if took < rateAfter || time.Since(p.logged) < logPause {
		return
	}
	p.logged = time.Now()
	p.log.LogAttrs(context.Background(), slog.LevelInfo, "progress", slog.String("stage", now.Stage),
		slog.Int64("rows", now.Rows), slog.Int64("rows_total", now.RowsTotal),
		slog.Int64("rows_per_second", perSecond(now.Rows, took)))
}

// showBar moves the bar. What the terminal makes of it is not the run's
// concern, so its errors are not either.
func (p *progress) showBar(now batch.Progress) {
	switch {
	case now.RowsTotal <= 0:
		return
	case p.bar == nil:
		// The rows so far were read before the bar's clock began.
		p.bar = newBar(p.w, now.Stage, now.RowsTotal)
		_ = p.bar.RenderBlank()
		return
	case p.bar.GetMax64() != now.RowsTotal:
		p.bar.ChangeMax64(now.RowsTotal)
	}
	_ = p.bar.Set64(min(now.Rows, now.RowsTotal))
}

// end takes the bar off the terminal.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

// perSecond is how many rows a second were read in d, which is a millisecond
// or more.
func perSecond(rows int64, d time.Duration) int64 { return rows * 1000 / d.Milliseconds() }

// lockedWriter writes log lines where the bar stands.
type lockedWriter struct{ p *progress }

func (l lockedWriter) Write(line []byte) (int, error) {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.p.bar != nil {
		_ = l.p.bar.Clear()
	}
	return l.p.w.Write(line)
}
