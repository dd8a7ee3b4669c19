package traces

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"waconcile/batch"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// program names the service, unless the environment does, and begins the names
// of attributes.
const program = "waconcile"

// Options say what is traced, and where that is told of.
type Options struct {
	LookupEnv func(string) (string, bool)
	Clock     func() time.Time
	Log       *slog.Logger // what cannot be sent is a warning in it
	Version   string       // of the program
}

// Run is the trace of a run. A nil Run is one that is not traced.
type Run struct {
	clock    func() time.Time
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	ctx      context.Context // has the run's span
	span     trace.Span
	stage    trace.Span
}

// Start begins the trace of a run; nil where the environment does not ask for
// one. It makes no connection. What OpenTelemetry has to say of itself goes to
// the log from then on, wherever in the process it comes from.
func Start(ctx context.Context, o Options) (*Run, error) {
	on, err := wanted(o.LookupEnv)
	if !on || err != nil {
		return nil, err
	}
	otel.SetLogger(logr.FromSlogHandler(o.Log.Handler()))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if !errors.Is(err, resource.ErrPartialResource) { // of which Start tells once
			o.Log.WarnContext(ctx, "traces not sent", "error", err)
		}
	}))
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", program), attribute.String("service.version", o.Version)),
		resource.WithFromEnv()) // last, so that the environment counts
	switch {
	case errors.Is(err, resource.ErrPartialResource):
		o.Log.WarnContext(ctx, "traces lack attributes", "error", "OTEL_RESOURCE_ATTRIBUTES is not key=value, comma-separated, throughout")
	case err != nil:
		return nil, errors.Join(err, exporter.Shutdown(ctx))
	}
	r := &Run{clock: o.Clock, provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))}
	r.tracer = r.provider.Tracer(program, trace.WithInstrumentationVersion(o.Version))
	r.ctx, r.span = r.tracer.Start(ctx, "run", trace.WithTimestamp(o.Clock()))
	return r, nil
}

// Period notes what the run is of, once it is resolved.
func (r *Run) Period(period string) {
	if r != nil {
		r.span.SetAttributes(attribute.String(program+".period", period))
	}
}

// StageBegins begins the span of a stage.
func (r *Run) StageBegins(s batch.Stage) {
	if r == nil {
		return
	}
	_, r.stage = r.tracer.Start(r.ctx, string(s), trace.WithTimestamp(r.clock()))
}

// StageEnded ends it.
func (r *Run) StageEnded(end batch.StageEnd) {
	if r == nil {
		return
	}
	if end.RunID != "" {
		id := attribute.String(program+".run_id", end.RunID)
		r.stage.SetAttributes(id)
		r.span.SetAttributes(id)
	}
	for _, c := range end.Counts {
		r.stage.SetAttributes(attribute.Int64(program+"."+c.Name, c.Value))
	}
	r.finish(r.stage, end.Err)
}

// finish ends a span, with the error if there is one.
func (r *Run) finish(span trace.Span, err error) {
	now := trace.WithTimestamp(r.clock())
	if err != nil {
		span.RecordError(err, now)
		span.SetStatus(codes.Error, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	span.End(now)
}

// End ends the run's span with the exit code, the counts of what is published,
// and the error, and waits for all spans to be sent, until ctx ends.
func (r *Run) End(ctx context.Context, exitCode int, counts []batch.Count, err error) error {
	if r == nil {
		return nil
	}
	r.span.SetAttributes(attribute.Int(program+".exit_code", exitCode))
	for _, c := range counts {
		r.span.SetAttributes(attribute.Int64(program+"."+c.Name, c.Value))
	}
	r.finish(r.span, err)
	sent, closed := r.provider.ForceFlush(ctx), r.provider.Shutdown(ctx)
	if sent == nil {
		sent = closed
	}
	if sent != nil {
		return fmt.Errorf("send traces: %w", sent)
	}
	return nil
}
