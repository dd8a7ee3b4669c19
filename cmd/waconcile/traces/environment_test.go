package traces

import "testing"

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
		{"grpc, no endpoint", map[string]string{protocolVar: "grpc"}, false, false},
	} {
		on, err := wanted(func(name string) (string, bool) { text, ok := tt.env[name]; return text, ok })
		if on != tt.on || (err != nil) != tt.bad {
			t.Errorf("%s: %v, %v; want %v", tt.name, on, err, tt.on)
		}
	}
}
