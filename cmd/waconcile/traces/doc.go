// Package traces sends the stages of a run to an OpenTelemetry collector.
//
// There is one span for the run and, below it, one for each stage, with the run
// id, the period and the counts as attributes, and the error where one failed.
// There is none for a row, a file or a request: a run makes some 15 spans.
//
// # Environment
//
// It is off unless the environment asks for it by OpenTelemetry's own variables:
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or
// OTEL_TRACES_EXPORTER=otlp for http://localhost:4318. OTEL_SDK_DISABLED=true
// and OTEL_TRACES_EXPORTER=none turn it off all the same. Off, nothing is made
// and nothing listens.
//
// Spans go out as OTLP over HTTP, in protobuf (port 4318, as a rule). Other
// exporters and the protocol grpc are not in this build, and are refused with a
// warning. All else the SDK reads from the environment: OTEL_SERVICE_NAME (by
// default waconcile), OTEL_RESOURCE_ATTRIBUTES, OTEL_EXPORTER_OTLP_HEADERS,
// _CERTIFICATE, _TIMEOUT and _COMPRESSION, OTEL_TRACES_SAMPLER, OTEL_BSP_….
//
// # Failures
//
// Spans are handed over as they end and sent beside the run, which waits for
// them at its end, and not longer than its context says. What cannot be sent is
// a warning in the log and costs nothing else.
package traces
