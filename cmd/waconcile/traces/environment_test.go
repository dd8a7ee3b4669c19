package traces

import (
	"strings"
	"testing"
)

func TestWanted(t *testing.T) {
	t.Parallel()
	const endpoint = "http://collector:4318"
	for _, tt := range []struct {
		name    string
		env     map[string]string
		on, bad bool
	}{
		{"nothing", nil, false, false},
		{"empty", map[string]string{endpointVar: "", exporterVar: " "}, false, false},
		{"endpoint", map[string]string{endpointVar: endpoint}, true, false},
		{"traces endpoint", map[string]string{tracesEndpointVar: endpoint}, true, false},
		{"exporter", map[string]string{exporterVar: "otlp"}, true, false},
		{"none", map[string]string{endpointVar: endpoint, exporterVar: "none"}, false, false},
		{"disabled", map[string]string{endpointVar: endpoint, disabledVar: "True"}, false, false},
		{"not disabled", map[string]string{endpointVar: endpoint, disabledVar: "false"}, true, false},
		{"other exporter", map[string]string{exporterVar: "zipkin"}, false, true},
		{"other exporter, disabled", map[string]string{exporterVar: "zipkin", disabledVar: "true"}, false, false},
		{"http", map[string]string{endpointVar: endpoint, protocolVar: "http/protobuf"}, true, false},
		{"grpc", map[string]string{endpointVar: endpoint, protocolVar: "grpc"}, false, true},
		{"grpc for others", map[string]string{endpointVar: endpoint, protocolVar: "grpc", tracesProtocolVar: "http/protobuf"}, true, false},
		{"password", map[string]string{endpointVar: "https://somebody:opensesame@collector:4318/"}, true, false},
		{"broken endpoint", map[string]string{endpointVar: "http://somebody:opensesame@collector:port"}, false, true},
		{"broken endpoint beside another", map[string]string{endpointVar: "http://somebody:open%sesame@collector", tracesEndpointVar: endpoint}, false, true},
		{"no scheme", map[string]string{tracesEndpointVar: "collector:4318"}, false, true},
		{"no host", map[string]string{tracesEndpointVar: "http:///opensesame"}, false, true},
		{"broken endpoint, disabled", map[string]string{endpointVar: "http://[", disabledVar: "true"}, false, false},
		{"grpc, no endpoint", map[string]string{protocolVar: "grpc"}, false, false},
	} {
		on, err := wanted(func(name string) (string, bool) { text, ok := tt.env[name]; return text, ok })
		if on != tt.on || (err != nil) != tt.bad {
			t.Errorf("%s: %v, %v; want %v", tt.name, on, err, tt.on)
		}
		if err != nil && strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v shows a password", tt.name, err)
		}
	}
}
