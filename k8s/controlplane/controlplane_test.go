package controlplane

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestControlPlane wants the controllers to work: each namespace gets a
// service account.
func TestControlPlane(t *testing.T) {
	if os.Getenv("WACONCILE_TEST_KUBERNETES") == "" {
		t.Skip("builds a control plane; WACONCILE_TEST_KUBERNETES=1 runs it")
	}
	t.Parallel()
	c := Start(t)
	for _, args := range [][]string{
		{"create", "namespace", "a"},
		{"wait", "-n", "a", "--for=create", "serviceaccount/default", "--timeout=120s"},
	} {
		out, err := exec.Command(c.Kubectl, append([]string{"--kubeconfig", c.Kubeconfig}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("kubectl %s: %v\n%s\n%s", strings.Join(args, " "), err, out, c.logs())
		}
	}
}
