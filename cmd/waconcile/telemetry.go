package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"waconcile/batch"
	"waconcile/cmd/waconcile/metrics"
	"waconcile/cmd/waconcile/traces"
	"waconcile/writer"

	"github.com/spf13/pflag"
)

// metricsFlags say where the figures of a run go.
func (s *settings) metricsFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.metricsFile, "metrics-file", "", "`file` for the run's figures as Prometheus text, such as one of node_exporter's textfile collector")
	fs.StringVar(&s.pushgateway, "pushgateway", "", "`URL` of a Pushgateway that the run's figures are sent to")
	fs.StringToStringVar(&s.metricsLabels, "metrics-label", nil, "label=value of the run's figures, comma-separated: what tells jobs apart that run beside each other")
}

// checkMetrics refuses what no run could send its figures by.
func (s *settings) checkMetrics() error {
	if err := metrics.Labels(s.metricsLabels).Validate(); err != nil {
		return fmt.Errorf("%w: --metrics-label: %w", errUsage, err)
	}
	if s.pushgateway == "" {
		return nil
	}
	if err := metrics.CheckGateway(s.pushgateway); err != nil {
		return fmt.Errorf("%w: --pushgateway: %w", errUsage, err)
	}
	return nil
}

// wantsMetrics tells whether the figures go anywhere. Those of a simulation
// would pass for what is billed.
func (s *settings) wantsMetrics() bool {
	return !s.simulate && (s.metricsFile != "" || s.pushgateway != "")
}

// Metrics and traces are sent when a run has ended, all of them within
// sendTimeout, so that a pod that is asked to end does so within its grace
// period.
const sendTimeout = 5 * time.Second

// telemetry gathers what a run tells of itself, and sends it at its end. That
// fails with a warning, and never changes what becomes of the run. A nil
// telemetry is that of a command that tells nothing.
type telemetry struct {
	settings *settings
	log      *slog.Logger
	clock    func() time.Time
	began    time.Time
	trace    *traces.Run
	report   metrics.Report
	counts   []batch.Count // of what is published
}

// startTelemetry begins as soon as the settings are known.
func (a *app) startTelemetry(ctx context.Context) *telemetry {
	t := &telemetry{settings: &a.settings, log: a.logger(), clock: a.clock, began: a.clock()}
	var err error
	t.trace, err = traces.Start(ctx, traces.Options{LookupEnv: a.lookupEnv, Clock: a.clock, Log: t.log, Version: programVersion()})
	if err != nil {
		t.log.WarnContext(ctx, "no traces", "error", oneLine(err))
	}
	return t
}

// running notes the period of the run.
func (t *telemetry) running(p batch.Period) { t.trace.Period(p.String()) }

func (t *telemetry) stageBegins(s batch.Stage) {
	if t != nil {
		t.trace.StageBegins(s)
	}
}

func (t *telemetry) stageEnded(end batch.StageEnd, took time.Duration) {
	if t == nil {
		return
	}
	t.trace.StageEnded(end)
	t.report.Stages = append(t.report.Stages, metrics.Stage{Name: string(end.Stage), Took: took})
	if i := slices.IndexFunc(end.Counts, func(c batch.Count) bool { return c.Name == batch.CountDaysMissing }); i >= 0 {
		t.report.DaysMissing = &end.Counts[i].Value
	}
}

// published notes the figures of a run, and which month waits for its closing.
func (t *telemetry) published(ctx context.Context, out writer.Lister, p batch.Period, f *figures) {
	t.counts = countsOf(f)
	missing := int64(len(f.manifest.DaysMissing))
	t.report.DaysMissing, t.report.Published = &missing, measured(p, f)
	if !t.settings.wantsMetrics() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	var err error
	if t.report.Published.Unsealed, err = oldestUnsealed(ctx, out, t.clock()); err != nil {
		t.log.WarnContext(ctx, "not known which months are closed", "error", oneLine(err))
	}
	t.report.Published.UnsealedKnown = err == nil
}

// end sends all there is. A run that is cancelled does so as well.
func (t *telemetry) end(ctx context.Context, code int, err error) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	for _, failed := range sideBySide(ctx, t.sendings(code, err)) {
		if failed != nil {
			t.log.WarnContext(ctx, "telemetry not sent", "error", oneLine(failed))
		}
	}
}

// sendings are all that a run has to send at its end.
func (t *telemetry) sendings(code int, err error) []sending {
	ended := t.clock()
	all := []sending{{"send traces", func(ctx context.Context) error { return t.trace.End(ctx, code, t.counts, err) }}}
	if !t.settings.wantsMetrics() {
		return all
	}
	r, labels := &t.report, t.settings.metricsLabels
	r.Ended, r.Took, r.ExitCode, r.PeakBytes = ended, ended.Sub(t.began), code, peakMemory(os.ReadFile)
	r.Unread = r.Published == nil && errors.Is(err, errPublished)
	if file := t.settings.metricsFile; file != "" {
		all = append(all, sending{"write metrics to " + file, func(context.Context) error { return metrics.WriteFile(file, r, labels) }})
	}
	if gateway := t.settings.pushgateway; gateway != "" {
		all = append(all, sending{"push metrics", func(ctx context.Context) error { return metrics.Push(ctx, gateway, r, labels) }})
	}
	return all
}
