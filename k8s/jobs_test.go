package k8s_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// settle gives the overlay local-minio a namespace, a store and a node.
func settle(t *testing.T, c *cluster, namespace string) (*node, *store) {
	t.Helper()
	c.namespace(t, namespace)
	c.kubectl(t, nil, "apply", "-n", namespace, "--validate=strict", "-k", "overlays/local-minio")
	s := startStore(t, c)
	s.grant(t, c, namespace)
	return startNode(t, c, namespace, s.network()), s
}

// finished waits until a job has completed or failed.
func (n *node) finished(t *testing.T, name string) *batchv1.Job {
	t.Helper()
	var job *batchv1.Job
	eventually(t, "job "+name+" has finished", func(ctx context.Context) (done bool, err error) {
		job, err = n.client.BatchV1().Jobs(n.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		_, completed := condition(job, batchv1.JobComplete)
		_, failed := condition(job, batchv1.JobFailed)
		return completed || failed, nil
	})
	return job
}

// completes waits for a job and wants it to complete.
func (n *node) completes(t *testing.T, name string) *batchv1.Job {
	t.Helper()
	job := n.finished(t, name)
	if _, completed := condition(job, batchv1.JobComplete); !completed {
		t.Fatalf("job %s: %+v\n%s", name, job.Status, n.output(name))
	}
	return job
}

// byHand runs a job by the shell functions of the runbook, which want it to
// complete.
func (n *node) byHand(t *testing.T, command string, variables ...string) {
	t.Helper()
	out, err := n.shell(t, `by_hand "$@"; ended "$job"`, append([]string{command}, variables...)...)
	if err != nil {
		t.Fatalf("by_hand %s %q: %v\n%s", command, variables, err, out)
	}
}

// shell runs a script after the functions of the runbook. There is no kubelet
// that could give the log of a pod, so that the name of the pod stands for it.
func (n *node) shell(t *testing.T, script string, args ...string) (output string, err error) {
	t.Helper()
	config := filepath.Join(t.TempDir(), "kubeconfig")
	data, err := os.ReadFile(n.Kubeconfig)
	if err := errors.Join(err, os.WriteFile(config, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	const before = `set -e; kubectl config set-context --current --namespace="$NAMESPACE"
kubectl() { if [ "$1" = logs ]; then echo "log of $2"; else command kubectl "$@"; fi; }
`
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", shellFunctions(t) + before + script, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+config, "NAMESPACE="+n.namespace, "PATH="+filepath.Dir(n.Kubectl)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// scheduled are the jobs that a schedule has started, oldest first.
func (n *node) scheduled(ctx context.Context, cronJob string) ([]batchv1.Job, error) {
	jobs, err := n.client.BatchV1().Jobs(n.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	found := slices.DeleteFunc(jobs.Items, func(j batchv1.Job) bool {
		return j.Annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"] == "" || !strings.HasPrefix(j.Name, cronJob+"-")
	})
	slices.SortFunc(found, func(a, b batchv1.Job) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return found, nil
}

// event waits for an event of a reason.
func (n *node) event(t *testing.T, reason string) {
	t.Helper()
	eventually(t, "there is an event "+reason, func(ctx context.Context) (bool, error) {
		events, err := n.client.CoreV1().Events(n.namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(events.Items, func(e corev1.Event) bool { return e.Reason == reason }), nil
	})
}

// miss makes a CronJob one that should have started so long ago, as if no
// controller had been there since: its schedule is moved to that time of the
// day, and it was last seen to start a day earlier.
func (n *node) miss(t *testing.T, cronJob string, ago time.Duration) (at time.Time) {
	t.Helper()
	at = time.Now().UTC().Add(-ago).Truncate(time.Minute)
	n.reschedule(t, cronJob, fmt.Sprintf("%d %d * * *", at.Minute(), at.Hour()), at.Add(-24*time.Hour))
	return at
}

// reschedule gives a CronJob a schedule, and a time when it last started. The
// controller looks at a CronJob that is no longer suspended at once, and at one
// of a new schedule only when that is due.
func (n *node) reschedule(t *testing.T, cronJob, schedule string, last time.Time) {
	t.Helper()
	patch := []string{"patch", "cronjob", "-n", n.namespace, cronJob, "--type=merge", "-p"}
	n.kubectl(t, nil, append(patch, fmt.Sprintf(`{"spec":{"suspend":true,"schedule":%q}}`, schedule))...)
	n.kubectl(t, nil, append(patch, fmt.Sprintf(`{"status":{"lastScheduleTime":%q}}`, last.UTC().Format(time.RFC3339)), "--subresource=status")...)
	n.kubectl(t, nil, append(patch, `{"spec":{"suspend":false}}`)...)
}

// testNights: the night that was missed is made up for, the tables are right,
// and one that was missed too long ago is left out.
func testNights(t *testing.T, c *cluster) {
	t.Parallel()
	n, s := settle(t, c, "nights")
	at := n.miss(t, "waconcile-daily", 2*time.Hour)
	var first batchv1.Job
	eventually(t, "the missed night has started", func(ctx context.Context) (bool, error) {
		jobs, err := n.scheduled(ctx, "waconcile-daily")
		if len(jobs) > 0 {
			first = jobs[0]
		}
		return len(jobs) > 0, err
	})
	if got := first.Annotations["batch.kubernetes.io/cronjob-scheduled-timestamp"]; got != at.Format(time.RFC3339) {
		t.Errorf("the job is of %s, want %s", got, at.Format(time.RFC3339))
	}
	n.completes(t, first.Name)
	s.checkTables(t)

	n.miss(t, "waconcile-daily", 7*time.Hour)
	// By hand more often than the history is long.
	limit := 3
	for i := range limit + 1 {
		name := fmt.Sprintf("by-hand-%d", i)
		c.createJob(t, n.namespace, name, "waconcile-daily", "")
		n.completes(t, name)
	}
	eventually(t, "the oldest jobs are gone", func(ctx context.Context) (bool, error) {
		jobs, err := c.client.BatchV1().Jobs(n.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=waconcile"})
		if err != nil {
			return false, err
		}
		newest := slices.ContainsFunc(jobs.Items, func(j batchv1.Job) bool { return j.Name == fmt.Sprintf("by-hand-%d", limit) })
		if !newest {
			t.Fatal("the newest job is gone")
		}
		return len(jobs.Items) == limit, nil
	})
	// The controller has looked at the schedule again to find that out.
	if jobs := n.jobs("waconcile-daily-"); len(jobs) != 1 {
		t.Errorf("a night that was missed beyond the deadline has started: %q", jobs)
	}
}

// testMonthEnd goes through month-end as the runbook does.
func testMonthEnd(t *testing.T, c *cluster) {
	t.Parallel()
	n, s := settle(t, c, "month-end")
	n.byHand(t, "plan")
	// The demo's rates lack a price on purpose, and nothing else is wrong.
	if out, err := n.shell(t, `by_hand doctor WACONCILE_PERIOD=month-to-date; ended "$job"`); err == nil {
		t.Errorf("doctor: %s", out)
	}
	if doctor := n.jobs("doctor-"); len(doctor) != 1 || !strings.Contains(n.output(doctor[0]), " checks: 1 failed") {
		t.Errorf("doctor, as %q:\n%s", doctor, n.output(strings.Join(doctor, " ")))
	}
	c.createJob(t, n.namespace, "month-2024-07", "waconcile-month-end", `{"spec":{"ttlSecondsAfterFinished":1}}`)
	eventually(t, "the month-end job has run and is cleaned up", func(ctx context.Context) (bool, error) {
		_, err := c.client.BatchV1().Jobs(n.namespace).Get(ctx, "month-2024-07", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
	s.checkTables(t)

	c.createJob(t, n.namespace, "close-nothing", "waconcile-close", "")
	if job := n.finished(t, "close-nothing"); job.Status.Failed != 1 {
		t.Errorf("a job that closes no month: %+v\n%s", job.Status, n.output("close-nothing"))
	}
	n.byHand(t, "verify", "WACONCILE_PERIOD=2024-07")
	if out, err := n.shell(t, `start waconcile-close close MONTH=2024-07; ended "$job"`); err != nil {
		t.Fatalf("close: %v\n%s", err, out)
	}
	n.byHand(t, "run", "WACONCILE_PERIOD=2024-07-03")
	n.byHand(t, "run", "WACONCILE_PERIOD=2024-07-01..2024-07-29")
	pointer, err := s.get(t.Context(), "reconciled/current/2024-07.json")
	if err != nil {
		t.Fatal(err)
	}
	if sealed, err := s.get(t.Context(), "reconciled/sealed/2024-07.json"); err != nil || !strings.Contains(string(sealed), runOf(t, pointer)) {
		t.Errorf("the month is sealed as %s, %v", sealed, err)
	}
	if _, err := s.get(t.Context(), "reconciled/current/2024-07-03.json"); err != nil {
		t.Errorf("the day that was run again: %v", err)
	}
}

// testFailures: refused exports fail the job at once, a store that does not
// answer is tried again, and what a node does to a pod is not counted.
func testFailures(t *testing.T, c *cluster) {
	t.Parallel()
	n, s := settle(t, c, "failures")

	unreachable := map[string]string{"WACONCILE_S3_ENDPOINT": "http://127.0.0.1:1"}
	n.plan("again", attempt{env: unreachable})
	c.createJob(t, n.namespace, "again", "waconcile-month-end", "")
	if job := n.completes(t, "again"); job.Status.Failed != 1 || job.Status.Succeeded != 1 {
		t.Errorf("after a store that did not answer: %+v\n%s", job.Status, n.output("again"))
	}
	if !strings.Contains(n.output("again"), `"exit_code":6`) {
		t.Errorf("the first attempt did not end with exit code 6:\n%s", n.output("again"))
	}
	s.checkTables(t)
	n.checkEnded(t, "again", true)

	// Not a single failure is allowed here, and yet the eviction is none.
	n.plan("evicted", attempt{evict: true})
	c.createJob(t, n.namespace, "evicted", "waconcile-month-end", `{"spec":{"backoffLimit":0}}`)
	if job := n.completes(t, "evicted"); job.Status.Failed != 0 || n.pods("evicted") != 2 {
		t.Errorf("after an eviction: %+v, %d pods\n%s", job.Status, n.pods("evicted"), n.output("evicted"))
	}
	if !strings.Contains(n.output("evicted"), `"exit_code":143`) {
		t.Errorf("the container was not ended by SIGTERM:\n%s", n.output("evicted"))
	}

	s.put(t, "exports/dt=2024-07-03/part-0.parquet", []byte("not Parquet"))
	c.createJob(t, n.namespace, "refused", "waconcile-month-end", "")
	job := n.finished(t, "refused")
	if reason, failed := condition(job, batchv1.JobFailed); !failed || reason != batchv1.JobReasonPodFailurePolicy || n.pods("refused") != 1 {
		t.Errorf("after exit code 4: %+v, %d pods\n%s", job.Status, n.pods("refused"), n.output("refused"))
	}
	if !strings.Contains(n.output("refused"), `"exit_code":4`) {
		t.Errorf("the attempt did not end with exit code 4:\n%s", n.output("refused"))
	}
	n.checkEnded(t, "refused", false)

	// Whoever asks by hand is answered at once.
	n.plan(anyJob, attempt{env: unreachable})
	if out, err := n.shell(t, `by_hand plan; ended "$job"`); err == nil {
		t.Errorf("plan with a store that does not answer: %s", out)
	}
	if plans := n.jobs("plan-"); len(plans) != 1 || n.pods(plans[0]) != 1 {
		t.Errorf("jobs %q, the first with %d pods", plans, n.pods(strings.Join(plans, " ")))
	}
}

// checkEnded wants the runbook's function to tell how a job has ended, by the
// log of its last pod.
func (n *node) checkEnded(t *testing.T, job string, completed bool) {
	t.Helper()
	pods, err := n.client.CoreV1().Pods(n.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "batch.kubernetes.io/job-name=" + job})
	if err != nil || len(pods.Items) == 0 {
		t.Fatalf("pods of %s: %d, %v", job, len(pods.Items), err)
	}
	last := slices.MaxFunc(pods.Items, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	out, err := n.shell(t, `ended "$1"`, job)
	if (err == nil) != completed || !strings.Contains(out, "log of pod/"+last.Name+"\n") || strings.Count(out, "log of") != 1 {
		t.Errorf("ended %s: %v, want the log of %s, completed %v:\n%s", job, err, last.Name, completed, out)
	}
}

// testOverlap: a run that takes longer than until its next schedule is alone,
// and what was skipped is made up for after it, once.
func testOverlap(t *testing.T, c *cluster) {
	t.Parallel()
	n, _ := settle(t, c, "overlap")
	release := make(chan struct{})
	n.plan(anyJob, attempt{until: release})
	n.reschedule(t, "waconcile-daily", "* * * * *", time.Now().Add(-2*time.Minute))
	n.event(t, "JobAlreadyActive")
	jobs, err := n.scheduled(t.Context(), "waconcile-daily")
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs at a time, %v", len(jobs), err)
	}
	first := jobs[0].Name
	close(release)
	done := n.completes(t, first)
	eventually(t, "there is a job after the first", func(ctx context.Context) (bool, error) {
		jobs, err = n.scheduled(ctx, "waconcile-daily")
		return len(jobs) > 1, err
	})
	if next := jobs[1]; next.CreationTimestamp.Before(done.Status.CompletionTime) {
		t.Errorf("the next job was made at %v, the first completed at %v", next.CreationTimestamp, done.Status.CompletionTime)
	}
	n.completes(t, jobs[1].Name)
}
