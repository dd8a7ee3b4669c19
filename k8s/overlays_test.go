package k8s_test

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestOnControlPlane tries the manifests on a real control plane: what they
// are to it, and what its controllers make of them.
func TestOnControlPlane(t *testing.T) {
	c := startCluster(t)
	c.kubectl(t, nil, "apply", "-f", "testdata/prometheusrule.yaml")
	c.kubectl(t, nil, "wait", "--for=condition=established", "customresourcedefinition/prometheusrules.monitoring.coreos.com", "--timeout="+patience.String())
	t.Run("restricted", func(t *testing.T) { testRestricted(t, c) })
	t.Run("overlays", func(t *testing.T) { testOverlays(t, c) })
	t.Run("components", func(t *testing.T) { testComponents(t, c) })
	t.Run("nights", func(t *testing.T) { testNights(t, c) })
	t.Run("month-end", func(t *testing.T) { testMonthEnd(t, c) })
	t.Run("failures", func(t *testing.T) { testFailures(t, c) })
	t.Run("overlap", func(t *testing.T) { testOverlap(t, c) })
}

// testRestricted shows that what the other tests rely on would fail.
func testRestricted(t *testing.T, c *cluster) {
	t.Parallel()
	c.namespace(t, "restricted")
	job := c.kubectl(t, nil, "create", "job", "-n", "restricted", "loose", "--image=loose", "--dry-run=client", "-o", "yaml")
	unknown := strings.Replace(string(job), "spec:", "spec:\n  backOffLimit: 1", 1)
	for input, want := range map[string]string{string(job): "PodSecurity", unknown: "backOffLimit"} {
		cmd := exec.CommandContext(t.Context(), c.Kubectl, "--kubeconfig", c.Kubeconfig, "--warnings-as-errors",
			"apply", "-n", "restricted", "--dry-run=server", "--validate=strict", "-f", "-")
		cmd.Stdin = strings.NewReader(input)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("taken, or not refused for %s: %v\n%s\n%s", want, err, input, out)
		}
	}
}

// testOverlays applies the base and each overlay as they lie.
func testOverlays(t *testing.T, c *cluster) {
	t.Parallel()
	for _, dir := range append(kustomizations(t, "overlays"), "base") {
		c.apply(t, "of-"+path.Base(dir), dir)
	}
}

// testComponents applies each component over each overlay.
func testComponents(t *testing.T, c *cluster) {
	t.Parallel()
	for _, component := range kustomizations(t, "components") {
		for _, overlay := range kustomizations(t, "overlays") {
			dir := t.TempDir()
			text := fmt.Sprintf("resources: [%s]\ncomponents: [%s]\n", relative(t, dir, overlay), relative(t, dir, component))
			if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c.apply(t, path.Base(component)+"-over-"+path.Base(overlay), dir)
		}
	}
}

// apply applies a kustomization in a namespace of its own: first as a strict
// dry run of the server, then twice for good, the second time without a change.
func (c *cluster) apply(t *testing.T, namespace, dir string) {
	t.Helper()
	c.namespace(t, namespace)
	args := []string{"apply", "-n", namespace, "--validate=strict", "-k", dir}
	c.kubectl(t, nil, append(args, "--dry-run=server")...)
	c.kubectl(t, nil, args...)
	for line := range strings.Lines(string(c.kubectl(t, nil, args...))) {
		if !strings.HasSuffix(line, " unchanged\n") {
			t.Errorf("applied again: %s", line)
		}
	}
}

// kustomizations are the directories with a kustomization.yaml in a folder,
// which may not be there.
func kustomizations(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, file := range files {
		dirs = append(dirs, filepath.Dir(file))
	}
	return dirs
}

// relative is the way from a directory to one beside the tests.
func relative(t *testing.T, from, to string) string {
	t.Helper()
	absolute, err := filepath.Abs(to)
	if err != nil {
		t.Fatal(err)
	}
	way, err := filepath.Rel(from, absolute)
	if err != nil {
		t.Fatal(err)
	}
	return way
}
