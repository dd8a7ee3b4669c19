package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"waconcile/cmd/waconcile/metrics"

	"sigs.k8s.io/yaml"
)

const (
	rulesDir     = "../../k8s/components/prometheus-rule"
	dashboardDir = "../../k8s/components/grafana-dashboard"
	alertTests   = "testdata/alerts/alerts.yaml"
)

// prometheusRule holds the fields of a PrometheusRule that ours uses.
type prometheusRule struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Groups []struct {
			Name  string  `json:"name"`
			Rules []alert `json:"rules"`
		} `json:"groups"`
	} `json:"spec"`
}

type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// component holds the fields of a kustomize component that ours use.
type component struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Resources  []string `json:"resources"`
	Generators []struct {
		Name    string   `json:"name"`
		Files   []string `json:"files"`
		Options struct {
			DisableNameSuffixHash bool              `json:"disableNameSuffixHash"`
			Labels                map[string]string `json:"labels"`
		} `json:"options"`
	} `json:"configMapGenerator"`
}

func readStrict(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readAlerts(t *testing.T) (rule prometheusRule, alerts []alert) {
	t.Helper()
	readStrict(t, filepath.Join(rulesDir, "prometheusrule.yaml"), &rule)
	for _, g := range rule.Spec.Groups {
		alerts = append(alerts, g.Rules...)
	}
	return rule, alerts
}

func TestMonitoringComponents(t *testing.T) {
	t.Parallel()
	rule, alerts := readAlerts(t)
	if rule.APIVersion != "monitoring.coreos.com/v1" || rule.Kind != "PrometheusRule" || rule.Metadata.Name == "" || len(alerts) == 0 {
		t.Errorf("%+v", rule)
	}
	for _, a := range alerts {
		if a.Alert == "" || a.For == "" || a.Labels["severity"] == "" || a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("an alert lacks something: %+v", a)
		}
	}
	for _, dir := range []string{rulesDir, dashboardDir} {
		var c component
		readStrict(t, filepath.Join(dir, "kustomization.yaml"), &c)
		if c.APIVersion != "kustomize.config.k8s.io/v1alpha1" || c.Kind != "Component" {
			t.Errorf("%s is a %s %s", dir, c.APIVersion, c.Kind)
		}
		files := slices.Clone(c.Resources)
		for _, g := range c.Generators {
			if g.Options.Labels["grafana_dashboard"] != "1" {
				t.Errorf("%s: %s has labels %v", dir, g.Name, g.Options.Labels)
			}
			for _, f := range g.Files {
				_, file, _ := strings.Cut(f, "=")
				files = append(files, file)
			}
		}
		for _, f := range files {
			if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
				t.Error(err)
			}
		}
		if len(files) != 1 {
			t.Errorf("%s has %q", dir, files)
		}
	}
}

// promtool is its path. Where there is none the test is skipped, but not in
// .ci/run, which brings one.
func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("there is no promtool: it comes with Prometheus, in Debian's package prometheus")
	}
	return path
}

// TestAlerts runs promtool's unit tests on the rules of the manifest.
func TestAlerts(t *testing.T) {
	t.Parallel()
	tool, dir := promtool(t), t.TempDir()
	rule, _ := readAlerts(t)
	rules, err := yaml.Marshal(rule.Spec)
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(alertTests)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"rules.yaml": rules, "alerts.yaml": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "alerts.yaml"}} {
		cmd := exec.CommandContext(t.Context(), tool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestAlertTests wants of each alert one test in which it is there, and one
// in which it is not.
func TestAlertTests(t *testing.T) {
	t.Parallel()
	var file struct {
		Tests []struct {
			Alerts []struct {
				Name     string `json:"alertname"`
				Expected []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
		} `json:"tests"`
	}
	data, err := os.ReadFile(alertTests)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{}
	for _, test := range file.Tests {
		for _, a := range test.Alerts {
			tested[fmt.Sprint(a.Name, " ", len(a.Expected) > 0)] = true
		}
	}
	_, alerts := readAlerts(t)
	for _, a := range alerts {
		for _, there := range []bool{true, false} {
			if key := fmt.Sprint(a.Alert, " ", there); !tested[key] {
				t.Errorf("no test %s", key)
			}
		}
	}
}

// dashboard has what a query of the dashboard may stand in.
type dashboard struct {
	UID    string `json:"uid"`
	Panels []struct {
		ID      int    `json:"id"`
		Title   string `json:"title"`
		Targets []struct {
			Expr         string `json:"expr"`
			LegendFormat string `json:"legendFormat"`
		} `json:"targets"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Name  string `json:"name"`
			Query string `json:"query"`
		} `json:"list"`
	} `json:"templating"`
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dashboardDir, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestDashboardQueries has promtool look at the queries, as rules.
func TestDashboardQueries(t *testing.T) {
	t.Parallel()
	tool := promtool(t)
	ids := map[int]bool{}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for _, p := range readDashboard(t).Panels {
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q", p.ID, p.Title)
		}
		ids[p.ID] = true
		for i, target := range p.Targets {
			expr, err := json.Marshal(strings.ReplaceAll(target.Expr, "$schedule", ".*"))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&rules, "  - record: panel_%d_%d\n    expr: %s\n", p.ID, i, expr)
		}
	}
	file := filepath.Join(t.TempDir(), "dashboard.yaml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestMetricNames holds every name of a metric in alerts and dashboard, and in
// README.md, against what the command exposes, after a run that is published and
// one that fails; and wants the dashboard to show all there is.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	dir := demoDir(t)
	file := filepath.Join(dir, "waconcile.prom")
	args := []string{"run", "--config", filepath.Join(dir, "waconcile.yaml"), "--metrics-file", file}
	runIn(t, "", nil, 0, args...)
	runIn(t, "", nil, 2, append(args, "--rates", filepath.Join(dir, "accounts.csv"))...)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\bwaconcile_[a-z_]+`)
	there := map[string]bool{}
	for series := range exposed(t, string(data)) {
		there[name.FindString(series)] = true
	}

	var shown, asked strings.Builder
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			shown.WriteString(target.Expr + "\n")
		}
	}
	for _, v := range d.Templating.List {
		shown.WriteString(v.Query + "\n")
	}
	_, alerts := readAlerts(t)
	for _, a := range alerts {
		asked.WriteString(a.Expr + "\n")
	}
	for _, line := range linesOf(t, filepath.Join("..", "..", "README.md")) {
		asked.WriteString(line + "\n")
	}
	onDashboard := map[string]bool{}
	for _, n := range name.FindAllString(shown.String(), -1) {
		onDashboard[n] = true
	}
	for _, n := range append(name.FindAllString(asked.String(), -1), name.FindAllString(shown.String(), -1)...) {
		if !there[n] {
			t.Errorf("%s is asked for, and nothing exposes it", n)
		}
	}
	for n := range there {
		if !onDashboard[n] {
			t.Errorf("the dashboard does not show %s", n)
		}
	}
}

// TestAlertLabels: the labels that alerts and dashboard take apart are those
// that series have, and the one that tells jobs apart can be set.
func TestAlertLabels(t *testing.T) {
	t.Parallel()
	if err := (metrics.Labels{"schedule": "nightly"}).Validate(); err != nil {
		t.Error(err)
	}
	known := []string{"schedule", "stage", "reason", "kind", "category", "status", "class", "currency"}
	matcher, legend := regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"`), regexp.MustCompile(`\{\{ *(?:\$labels\.)?([a-z_]+) *\}\}`)
	var text []string
	_, alerts := readAlerts(t)
	for _, a := range alerts {
		text = append(text, a.Expr, a.Annotations["summary"], a.Annotations["description"])
	}
	for _, p := range readDashboard(t).Panels {
		for _, target := range p.Targets {
			text = append(text, target.Expr, target.LegendFormat)
		}
	}
	for _, pattern := range []*regexp.Regexp{matcher, legend} {
		for _, m := range pattern.FindAllStringSubmatch(strings.Join(text, "\n"), -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("no series has a label %s: %s", m[1], m[0])
			}
		}
	}
}
