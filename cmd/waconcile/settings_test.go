package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
)

// sample is a value of a setting in each place it may stand, and how it reads
// in the end.
type sample struct{ file, fromFile, env, fromEnv, flag, fromFlag string }

// samples gives a sample for each type of flag.
func samples() map[string]sample {
	return map[string]sample{
		"string":         {"f", "f", "e", "e", "c", "c"},
		"bool":           {"true", "true", "false", "false", "true", "true"},
		"int":            {"11", "11", "12", "12", "13", "13"},
		"stringSlice":    {"[f, 'g,h']", `[f,"g,h"]`, "e", "[e]", "c", "[c]"},
		"stringToString": {"{k: f}", "[k=f]", "k=e", "[k=e]", "k=c", "[k=c]"},
	}
}

// TestPrecedence holds for every setting that a flag beats the environment,
// the environment the file, and the file the default.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	_, all := newSettings()
	all.VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" {
			return
		}
		v, ok := samples()[f.Value.Type()]
		if !ok {
			t.Fatalf("--%s: no sample of type %s", f.Name, f.Value.Type())
		}
		dir := t.TempDir()
		path := filepath.Join(dir, "waconcile.yaml")
		if err := os.WriteFile(path, []byte(f.Name+": "+v.file+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if isPlace(f.Name) {
			v.fromFile = filepath.Join(dir, v.fromFile)
		}
		tests := []struct{ config, env, flag, want string }{
			{"", "", "", f.DefValue},
			{path, "", "", v.fromFile},
			{path, v.env, "", v.fromEnv},
			{path, v.env, v.flag, v.fromFlag},
			{"", v.env, v.flag, v.fromFlag},
		}
		for _, tt := range tests {
			if got := resolve(t, f.Name, tt.config, tt.env, tt.flag); got != tt.want {
				t.Errorf("--%s with file %q, environment %q, flag %q is %s, want %s", f.Name, tt.config, tt.env, tt.flag, got, tt.want)
			}
		}
	})
}

// resolve is what a setting becomes; an empty source is absent.
func resolve(t *testing.T, name, config, env, flag string) string {
	t.Helper()
	_, fs := newSettings()
	var args []string
	if config != "" {
		args = append(args, "--config="+config)
	}
	if flag != "" {
		args = append(args, fmt.Sprintf("--%s=%s", name, flag))
	}
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	lookup := func(variable string) (string, bool) { return env, variable == envName(name) }
	if err := fill(fs, lookup); err != nil {
		t.Fatal(err)
	}
	return fs.Lookup(name).Value.String()
}

func TestParseBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"1073741824": 1 << 30, "512MiB": 512 << 20, "2GiB": 2 << 30, "1KiB": 1 << 10, "3TiB": 3 << 40,
	} {
		if n, err := parseBytes(text); n != want || err != nil {
			t.Errorf("parseBytes(%q) = %d, %v; want %d", text, n, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "2GB", "1.5GiB", "GiB", " 1", "1 MiB", "9000000TiB", "99999999999999999999"} {
		if n, err := parseBytes(text); err == nil {
			t.Errorf("parseBytes(%q) = %d, want an error", text, n)
		}
	}
}

func TestSystemMemory(t *testing.T) {
	t.Parallel()
	const machine = "MemTotal:       16384 kB\nMemFree:        1 kB\n"
	tests := []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"machine", map[string]string{"/proc/meminfo": machine}, 16 << 20},
		{"cgroup v2", map[string]string{"/proc/meminfo": machine, "/sys/fs/cgroup/memory.max": "1048576\n"}, 1 << 20},
		{"cgroup v2 without limit", map[string]string{"/proc/meminfo": machine, "/sys/fs/cgroup/memory.max": "max\n"}, 16 << 20},
		{"cgroup v1", map[string]string{"/proc/meminfo": machine, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2097152\n"}, 2 << 20},
		{"cgroup v1 without limit", map[string]string{"/proc/meminfo": machine, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 16 << 20},
		{"nothing known", nil, 0},
	}
	for _, tt := range tests {
		read := func(name string) ([]byte, error) {
			if text, ok := tt.files[name]; ok {
				return []byte(text), nil
			}
			return nil, os.ErrNotExist
		}
		if n := systemMemory(read); n != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, n, tt.want)
		}
	}
}

func TestSplitPlace(t *testing.T) {
	t.Parallel()
	tests := []struct {
		place, bucket, prefix string
		isBucket, ok          bool
	}{
		{"s3://bucket/a/b", "bucket", "a/b", true, true},
		{"s3://bucket", "bucket", "", true, true},
		{"s3://bucket/", "bucket", "", true, true},
		{"s3:///a", "", "", false, false},
		{"file:///a", "", "", false, false},
		{"gs://bucket", "", "", false, false},
		{"s3:/bucket/a", "", "", false, false},
		{"s3:bucket", "", "", false, false},
		{"s3:", "", "", false, false},
		{"S3://bucket/a", "", "", false, false},
		{"./s3:bucket", "", "", false, true},
		{"s3", "", "", false, true},
		{"s3/a:b", "", "", false, true},
		{"/a/b", "", "", false, true},
		{"a", "", "", false, true},
	}
	for _, tt := range tests {
		bucket, prefix, isBucket, err := splitPlace(tt.place)
		if bucket != tt.bucket || prefix != tt.prefix || isBucket != tt.isBucket || (err == nil) != tt.ok {
			t.Errorf("splitPlace(%q) = %q, %q, %v, %v", tt.place, bucket, prefix, isBucket, err)
		}
	}
}

func TestNameRun(t *testing.T) {
	t.Parallel()
	absolute := filepath.Join(t.TempDir(), "out")
	tests := []struct{ out, run, period, wantPeriod, wantKey string }{
		{"out", "current", "2024-07", "2024-07", ""},
		{"out", "current", "2024-07-01..2024-07-15", "2024-07-01_2024-07-15", ""},
		{"out", "abc", "2024-07", "2024-07", "runs/2024-07/abc/"},
		{"out", "runs/2024-06/abc/", "", "2024-06", "runs/2024-06/abc/"},
		{"out", "out/runs/2024-06/abc", "", "2024-06", "runs/2024-06/abc/"},
		{"./out/", "out/runs/2024-06/abc/", "2024-07", "2024-06", "runs/2024-06/abc/"},
		{"out", "simulations/2024-06/abc", "2024-07", "2024-06", "simulations/2024-06/abc/"},
		{"out", "out/simulations/2024-06/abc/", "", "2024-06", "simulations/2024-06/abc/"},
		{absolute, absolute + "/runs/2024-06/abc/", "", "2024-06", "runs/2024-06/abc/"},
		{"s3://bucket/results/", "s3://bucket/results/runs/2024-06-01_2024-06-15/abc", "2024-07", "2024-06-01_2024-06-15", "runs/2024-06-01_2024-06-15/abc/"},
	}
	for _, tt := range tests {
		s, _ := newSettings()
		s.out, s.period = tt.out, tt.period
		run, err := s.nameRun(tt.run)
		if run.period != tt.wantPeriod || run.key != tt.wantKey || err != nil {
			t.Errorf("run %q of %q in %s: %+v, %v; want %q, %q", tt.run, tt.period, tt.out, run, err, tt.wantPeriod, tt.wantKey)
		}
	}
}

// A key that is of another place names no run of this one.
func TestNameRunElsewhere(t *testing.T) {
	t.Parallel()
	for out, runs := range map[string][]string{
		"out":                 {"other/runs/2024-06/abc/", "/out/runs/2024-06/abc/", "out/runs/2024-06", "out/runs/2024-06/abc/charges", "runs/2024-06/../abc", "simulations/2024-06/../abc", "simulation/2024-06/abc", "..", "s3://out/runs/2024-06/abc"},
		"s3://bucket/results": {"s3://bucket/runs/2024-06/abc/", "s3://bucket/results2/runs/2024-06/abc/", "s3://other/results/runs/2024-06/abc/", "results/runs/2024-06/abc/"},
	} {
		for _, text := range runs {
			s, _ := newSettings()
			s.out, s.period = out, "2024-07"
			if run, err := s.nameRun(text); !errors.Is(err, errUsage) {
				t.Errorf("run %q in %s: %+v, %v", text, out, run, err)
			}
		}
	}
}
