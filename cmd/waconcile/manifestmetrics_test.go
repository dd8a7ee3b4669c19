package main

import (
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
)

// TestManifestMetrics renders each place with the component pushgateway: every
// job sends its figures, may reach where they go, and bears the label by which
// the alerts tell it from the others.
func TestManifestMetrics(t *testing.T) {
	t.Parallel()
	want := map[string]string{dailyJob: "nightly", monthEndJob: "month-end", closeJob: "close", byHandJob: "by-hand"}
	for _, place := range manifestPlaces(t) {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			objects := decodeStrictly(t, build(t, place, "../components/pushgateway"))
			got := map[string]string{}
			for name, job := range cronJobs(t, objects) {
				pod := job.Spec.JobTemplate.Spec.Template.Spec
				run := []string{"run", "--config", "/etc/waconcile/waconcile.yaml"}
				s := settingsOf(t, mounted(t, objects, pod, run), environment(t, pod.Containers[0], nil))
				if err := s.checkMetrics(); err != nil || !s.wantsMetrics() {
					t.Errorf("%s sends its figures to %q, %v", name, s.pushgateway, err)
				}
				got[name] = s.metricsLabels["schedule"]
				for _, p := range only[*networkingv1.NetworkPolicy](objects) {
					if p.Name == programName && !opensService(t, p, s.pushgateway) {
						t.Errorf("%s may not reach %s", name, s.pushgateway)
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("schedule of the jobs (-want +got):\n%s", diff)
			}
		})
	}
	for _, schedule := range alertSchedules(t) {
		if !slices.Contains(slices.Collect(maps.Values(want)), schedule) {
			t.Errorf("the alerts name schedule %q, and no job has it", schedule)
		}
	}
}

// opensService tells whether a policy lets a Service be reached that the URL
// names as NAME.NAMESPACE.svc, and whose pods bear that name.
func opensService(t *testing.T, p *networkingv1.NetworkPolicy, address string) bool {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	host := strings.Split(u.Hostname(), ".")
	if len(host) != 3 || host[2] != "svc" {
		t.Fatalf("%s is no Service", address)
	}
	return slices.ContainsFunc(p.Spec.Egress, func(rule networkingv1.NetworkPolicyEgressRule) bool {
		port := slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool { return p.Port.String() == u.Port() })
		return port && slices.ContainsFunc(rule.To, func(to networkingv1.NetworkPolicyPeer) bool {
			return to.NamespaceSelector != nil && to.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] == host[1] &&
				to.PodSelector != nil && to.PodSelector.MatchLabels["app.kubernetes.io/name"] == host[0]
		})
	})
}

// alertSchedules are the values of the label schedule that the alerts name, in
// the rules and in the tests of the rules.
func alertSchedules(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, name := range []string{filepath.Join(rulesDir, "prometheusrule.yaml"), alertTests} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		matches := regexp.MustCompile(`schedule(?:=~|!~|!=|=|: )"?([a-z|-]+)`).FindAllStringSubmatch(string(data), -1)
		if len(matches) == 0 {
			t.Fatalf("%s names no schedule", name)
		}
		for _, match := range matches {
			found = append(found, strings.Split(match[1], "|")...)
		}
	}
	return found
}
