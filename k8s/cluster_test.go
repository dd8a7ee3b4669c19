package k8s_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waconcile/k8s/controlplane"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// patience is how long a test waits for what has to happen. It is long, since
// the machine may be busy with other things.
const patience = 4 * time.Minute

// cluster is a control plane and the ways to talk to it.
type cluster struct {
	*controlplane.ControlPlane
	client  kubernetes.Interface
	program string // waconcile
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv("WACONCILE_TEST_KUBERNETES") == "" {
		t.Skip("needs a control plane, which is built once in some minutes; WACONCILE_TEST_KUBERNETES=1 runs it")
	}
	c := &cluster{ControlPlane: controlplane.Start(t), program: filepath.Join(t.TempDir(), "waconcile")}
	client, err := kubernetes.NewForConfig(&rest.Config{
		Host: c.Server, BearerToken: c.Token, TLSClientConfig: rest.TLSClientConfig{CAFile: c.CAFile}, QPS: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.client = client
	build := exec.CommandContext(t.Context(), "go", "build", "-o", c.program, "waconcile/cmd/waconcile")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

// namespace makes a namespace that admits restricted pods only.
func (c *cluster) namespace(t *testing.T, name string) {
	t.Helper()
	c.kubectl(t, nil, "create", "namespace", name)
	c.kubectl(t, nil, "label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted", "pod-security.kubernetes.io/warn=restricted")
	// No pod is admitted before its account is there.
	c.kubectl(t, nil, "wait", "-n", name, "--for=create", "serviceaccount/default", "--timeout="+patience.String())
}

// kubectl runs the command and returns what it prints. Warnings are failures:
// of fields that are unknown, or of what Pod Security would not admit.
func (c *cluster) kubectl(t *testing.T, input []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.Kubectl, append([]string{"--kubeconfig", c.Kubeconfig, "--warnings-as-errors"}, args...)...)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// eventually asks until done holds; what says in words what is waited for.
func eventually(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 250*time.Millisecond, patience, true, done); err != nil {
		t.Fatalf("wait until %s: %v", what, err)
	}
}

// createJob makes a job from a CronJob as an operator does, with variables set
// by hand and fields changed by a merge patch, if one is given.
func (c *cluster) createJob(t *testing.T, namespace, name, cronJob string, patch string, variables ...string) {
	t.Helper()
	job := c.kubectl(t, nil, "create", "job", "-n", namespace, name, "--from=cronjob/"+cronJob, "--dry-run=client", "-o", "json")
	if len(variables) > 0 {
		job = c.kubectl(t, job, append([]string{"set", "env", "--local", "-f", "-", "-o", "json"}, variables...)...)
	}
	if patch != "" {
		job = c.kubectl(t, job, "patch", "--local", "-f", "-", "--type=merge", "-p", patch, "-o", "json")
	}
	c.kubectl(t, job, "create", "-n", namespace, "--validate=strict", "-f", "-")
}

func decodeJSON(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
}

// condition is the reason of a job's condition that holds.
func condition(job *batchv1.Job, kind batchv1.JobConditionType) (reason string, holds bool) {
	for _, c := range job.Status.Conditions {
		if c.Type == kind && c.Status == "True" {
			return c.Reason, true
		}
	}
	return "", false
}
