package traces

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
)

// The variables that decide whether there are traces; the rest of
// OpenTelemetry's is the SDK's to read.
const (
	disabledVar       = "OTEL_SDK_DISABLED"
	exporterVar       = "OTEL_TRACES_EXPORTER"
	endpointVar       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointVar = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	protocolVar       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocolVar = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
)

// The values that this build follows.
const (
	exporterOTLP = "otlp"
	exporterNone = "none"
	protocolHTTP = "http/protobuf"
)

// wanted tells whether the environment asks for traces. The error is about
// what it asks for and this build does not have, or about an endpoint that is
// none; it does not show that.
func wanted(lookupEnv func(string) (string, bool)) (bool, error) {
	value := func(name string) string { // an empty variable counts as none
		text, _ := lookupEnv(name)
		return strings.TrimSpace(text)
	}
	exporter := value(exporterVar)
	endpoint := cmp.Or(value(tracesEndpointVar), value(endpointVar))
	protocol := cmp.Or(value(tracesProtocolVar), value(protocolVar), protocolHTTP)
	switch {
	case strings.EqualFold(value(disabledVar), "true") || exporter == exporterNone || exporter == "" && endpoint == "":
		return false, nil
	case exporter != "" && exporter != exporterOTLP:
		return false, fmt.Errorf("%s %q is neither %s nor %s", exporterVar, exporter, exporterOTLP, exporterNone)
	case protocol != protocolHTTP:
		return false, fmt.Errorf("%s %q is not %s", protocolVar, protocol, protocolHTTP)
	}
	for _, name := range []string{endpointVar, tracesEndpointVar} {
		if text := value(name); text != "" && !isEndpoint(text) {
			return false, fmt.Errorf("%s is not a URL such as http://collector:4318", name)
		}
	}
	return true, nil
}

// isEndpoint tells what the SDK takes. Of the rest it would log all, a password
// with it, and send the traces to https://localhost:4318.
func isEndpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
