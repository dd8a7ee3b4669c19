package main

import (
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	dailyJob    = "waconcile-daily"
	monthEndJob = "waconcile-month-end"
	closeJob    = "waconcile-close"
	byHandJob   = "waconcile-by-hand"
)

// forEachPlace runs a test on the resources of the base and of each overlay.
func forEachPlace(t *testing.T, test func(*testing.T, []runtime.Object)) {
	t.Parallel()
	for _, place := range manifestPlaces(t) {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			test(t, render(t, place))
		})
	}
}

// only picks the resources of a kind.
func only[T runtime.Object](objects []runtime.Object) []T {
	var found []T
	for _, object := range objects {
		if o, ok := object.(T); ok {
			found = append(found, o)
		}
	}
	return found
}

// cronJobs are the CronJobs by name: the four that the job is run by.
func cronJobs(t *testing.T, objects []runtime.Object) map[string]*batchv1.CronJob {
	t.Helper()
	jobs := map[string]*batchv1.CronJob{}
	var names []string
	for _, job := range only[*batchv1.CronJob](objects) {
		jobs[job.Name] = job
		names = append(names, job.Name)
		if n := len(job.Spec.JobTemplate.Spec.Template.Spec.Containers); n != 1 {
			t.Fatalf("%s: the pod has %d containers, want one", job.Name, n)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{byHandJob, closeJob, dailyJob, monthEndJob}, names); diff != "" {
		t.Fatalf("CronJobs (-want +got):\n%s", diff)
	}
	return jobs
}

func TestManifestSchedules(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		for name, job := range cronJobs(t, objects) {
			spec := job.Spec
			suspended := spec.Suspend != nil && *spec.Suspend
			if want := name != dailyJob; suspended != want {
				t.Errorf("%s: suspend is %v, want %v", name, suspended, want)
			}
			if spec.ConcurrencyPolicy != batchv1.ForbidConcurrent {
				t.Errorf("%s: concurrencyPolicy is %q, want Forbid", name, spec.ConcurrencyPolicy)
			}
			if spec.TimeZone == nil {
				t.Errorf("%s: no timeZone, so the controller's own would hold", name)
			} else if _, err := time.LoadLocation(*spec.TimeZone); err != nil {
				t.Errorf("%s: timeZone: %v", name, err)
			}
			if s := spec.StartingDeadlineSeconds; s == nil || *s < 3600 {
				t.Errorf("%s: startingDeadlineSeconds must be hours", name)
			}
			if spec.SuccessfulJobsHistoryLimit == nil || spec.FailedJobsHistoryLimit == nil {
				t.Errorf("%s: history limits are not set", name)
			}
			template := spec.JobTemplate.Spec
			checkAttempts(t, name, template)
			if byHand := name != dailyJob; byHand != (template.TTLSecondsAfterFinished != nil) {
				t.Errorf("%s: ttlSecondsAfterFinished is for jobs that are started by hand", name)
			}
		}
	})
}

// checkAttempts: the waits of all attempts, which double from 10 seconds to 10
// minutes, fit into the time that the job has. At night they are an hour at
// least; what somebody waits for is tried once.
func checkAttempts(t *testing.T, name string, job batchv1.JobSpec) {
	t.Helper()
	if job.BackoffLimit == nil || job.ActiveDeadlineSeconds == nil {
		t.Fatalf("%s: backoffLimit or activeDeadlineSeconds is not set", name)
	}
	var waits time.Duration
	for i, wait := int32(0), 10*time.Second; i < *job.BackoffLimit; i, wait = i+1, min(2*wait, 10*time.Minute) {
		waits += wait
	}
	deadline := time.Duration(*job.ActiveDeadlineSeconds) * time.Second
	if waits > deadline/2 || name == dailyJob && waits < time.Hour || name == byHandJob && waits > 0 {
		t.Errorf("%s: its attempts wait %s of %s", name, waits, deadline)
	}
}

// TestManifestPods wants what Pod Security "restricted" asks for of every pod,
// and more of the job's own.
func TestManifestPods(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		for _, d := range only[*appsv1.Deployment](objects) {
			checkRestricted(t, d.Name, d.Spec.Template.Spec)
		}
		for _, j := range only[*batchv1.Job](objects) {
			checkRestricted(t, j.Name, j.Spec.Template.Spec)
		}
		for name, job := range cronJobs(t, objects) {
			pod := job.Spec.JobTemplate.Spec.Template.Spec
			checkRestricted(t, name, pod)
			checkPod(t, name, pod)
		}
	})
}

func checkRestricted(t *testing.T, name string, pod corev1.PodSpec) {
	t.Helper()
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Errorf("%s: the service account's token is mounted", name)
	}
	if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 {
		t.Errorf("%s: the pod may run as root", name)
	} else if s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: seccompProfile is not RuntimeDefault", name)
	}
	for _, c := range pod.Containers {
		s := c.SecurityContext
		if s == nil {
			t.Fatalf("%s: the container has no securityContext", name)
		}
		if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
			t.Errorf("%s: the container may gain privileges", name)
		}
		if s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
			t.Errorf("%s: capabilities are not dropped", name)
		}
	}
}

func checkPod(t *testing.T, name string, pod corev1.PodSpec) {
	t.Helper()
	if pod.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("%s: restartPolicy is %q, want Never", name, pod.RestartPolicy)
	}
	c := pod.Containers[0]
	if s := c.SecurityContext; s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		t.Errorf("%s: the root file system can be written", name)
	}
	for _, of := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage} {
		if _, ok := c.Resources.Requests[of]; !ok {
			t.Errorf("%s: no request of %s", name, of)
		}
		if _, ok := c.Resources.Limits[of]; !ok {
			t.Errorf("%s: no limit of %s", name, of)
		}
	}
	if i := slices.IndexFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == "/tmp" }); i < 0 {
		t.Errorf("%s: no volume for temporary files at /tmp", name)
	} else if v := volume(pod, c.VolumeMounts[i].Name); v == nil || v.EmptyDir == nil || v.EmptyDir.Medium != "" {
		t.Errorf("%s: the volume for temporary files is no emptyDir on disk", name)
	} else {
		checkDisk(t, name, c.Resources, v.EmptyDir.SizeLimit)
	}
}

// checkDisk: the pod asks for the disk that it may fill, with its log. A node
// that it was put on without would evict it for its own lack of disk, which is
// no failed attempt, again and again.
func checkDisk(t *testing.T, name string, r corev1.ResourceRequirements, files *resource.Quantity) {
	t.Helper()
	if files == nil {
		t.Fatalf("%s: the temporary files have no sizeLimit", name)
	}
	requested, limit := r.Requests[corev1.ResourceEphemeralStorage], r.Limits[corev1.ResourceEphemeralStorage]
	beside := requested.Value() - files.Value()
	if requested.Cmp(limit) != 0 || beside < 64<<20 || beside > 1<<30 {
		t.Errorf("%s: ephemeral-storage is %s of %s, and temporary files have %s", name, &requested, &limit, files)
	}
}

// TestManifestSizing lays the patch of the runbook over each place.
func TestManifestSizing(t *testing.T) {
	t.Parallel()
	runbook := strings.Join(linesOf(t, filepath.Join(manifestsDir, "README.md")), "\n")
	_, patch, found := strings.Cut(runbook, "```yaml\npatches:")
	patch, _, ended := strings.Cut(patch, "```")
	if !found || !ended {
		t.Fatal("the runbook has no patch")
	}
	for _, place := range manifestPlaces(t) {
		plain := cronJobs(t, render(t, place))
		objects := decodeStrictly(t, buildText(t, "resources: [../"+place+"]\npatches:"+patch))
		for name, job := range cronJobs(t, objects) {
			pod := job.Spec.JobTemplate.Spec.Template.Spec
			checkPod(t, place+" "+name, pod)
			if c := plain[name].Spec.JobTemplate.Spec.Template.Spec.Containers[0]; c.Resources.Limits.Memory().Cmp(*pod.Containers[0].Resources.Limits.Memory()) >= 0 {
				t.Errorf("%s %s: the memory stays as it is", place, name)
			}
		}
	}
}

// TestManifestMemory: the program takes the container's limit from the
// environment, and tells the collector less than that.
func TestManifestMemory(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		jobs := cronJobs(t, objects)
		delete(jobs, closeJob) // it takes no more memory than the program itself
		for name, job := range jobs {
			c := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
			limit := c.Resources.Limits.Memory().Value()
			env := environment(t, c, nil)
			if name == byHandJob {
				env["COMMAND"] = "run"
			}
			if _, ok := env["GOMEMLIMIT"]; ok {
				t.Errorf("%s: GOMEMLIMIT is set, so the program does not derive it", name)
			}
			args := mounted(t, objects, job.Spec.JobTemplate.Spec.Template.Spec, arguments(c, env))
			s := settingsOf(t, args, env)
			memory, err := s.memoryBytes()
			if err != nil || memory != limit {
				t.Errorf("%s: the program takes %d bytes of memory, %v; the limit is %d", name, memory, err, limit)
			}
			if heap := heapLimit(memory); heap > limit-limit/10 || heap < limit/2 {
				t.Errorf("%s: the heap may have %d bytes of %d", name, heap, limit)
			}
		}
	})
}

// TestManifestNetwork: nothing reaches the job, and it reaches names, what
// speaks TLS, and what the overlay has beside the job, and nothing else.
func TestManifestNetwork(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		found := 0
		for _, p := range only[*networkingv1.NetworkPolicy](objects) {
			if p.Name != programName {
				continue
			}
			found++
			if !slices.Equal(p.Spec.PolicyTypes, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}) || len(p.Spec.Ingress) > 0 {
				t.Errorf("policyTypes %q with %d rules of ingress, want both and none", p.Spec.PolicyTypes, len(p.Spec.Ingress))
			}
			for _, job := range cronJobs(t, objects) {
				labels := job.Spec.JobTemplate.Spec.Template.Labels
				for k, v := range p.Spec.PodSelector.MatchLabels {
					if labels[k] != v {
						t.Errorf("%s: no pod of the policy, its labels are %v", job.Name, labels)
					}
				}
			}
			want := []networkingv1.NetworkPolicyEgressRule{
				{Ports: port(53, corev1.ProtocolUDP, corev1.ProtocolTCP)},
				{Ports: port(443, corev1.ProtocolTCP)},
			}
			if diff := cmp.Diff(append(want, egressBeside(t, path.Base(t.Name()))...), p.Spec.Egress); diff != "" {
				t.Errorf("egress (-want +got):\n%s", diff)
			}
		}
		if found != 1 {
			t.Errorf("%d network policies of the job", found)
		}
	})
}

// egressBeside is what an overlay opens beside the base.
func egressBeside(t *testing.T, overlay string) []networkingv1.NetworkPolicyEgressRule {
	t.Helper()
	switch overlay {
	case "base":
		return nil
	case "aws":
		return []networkingv1.NetworkPolicyEgressRule{{
			To:    []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: "169.254.170.23/32"}}, {IPBlock: &networkingv1.IPBlock{CIDR: "fd00:ec2::23/128"}}},
			Ports: port(80, corev1.ProtocolTCP),
		}}
	case "local-minio":
		return []networkingv1.NetworkPolicyEgressRule{{
			To:    []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": "minio"}}}},
			Ports: port(9000, corev1.ProtocolTCP),
		}}
	}
	t.Fatalf("what may %s reach?", overlay)
	return nil
}

// port is one number, over one or more protocols.
func port(number int, protocols ...corev1.Protocol) []networkingv1.NetworkPolicyPort {
	var ports []networkingv1.NetworkPolicyPort
	for _, protocol := range protocols {
		ports = append(ports, networkingv1.NetworkPolicyPort{Protocol: new(protocol), Port: new(intstr.FromInt(number))})
	}
	return ports
}

// TestManifestsDifferOnlyInCommand holds the pods together: what is reconciled
// at night is what the month is closed with.
func TestManifestsDifferOnlyInCommand(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		jobs := cronJobs(t, objects)
		pod := func(name string) corev1.PodTemplateSpec {
			template := jobs[name].Spec.JobTemplate.Spec.Template.DeepCopy()
			c := &template.Spec.Containers[0]
			c.Args = nil
			c.Env = slices.DeleteFunc(c.Env, func(e corev1.EnvVar) bool {
				return slices.Contains([]string{"COMMAND", "MONTH", "WACONCILE_PERIOD", "WACONCILE_METRICS_LABEL"}, e.Name)
			})
			return *template
		}
		for _, name := range []string{monthEndJob, closeJob, byHandJob} {
			if diff := cmp.Diff(pod(dailyJob), pod(name)); diff != "" {
				t.Errorf("pods (-%s +%s):\n%s", dailyJob, name, diff)
			}
		}
	})
}

// TestManifestArguments runs the arguments of each pod through the real flags,
// with the settings that it sees and a clock in August.
func TestManifestArguments(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		tests := []struct {
			job     string
			set     map[string]string // by hand
			command string
			period  string
		}{
			{dailyJob, nil, "run", "2024-08-01_2024-08-02"},
			{monthEndJob, nil, "run", "2024-07"},
			{byHandJob, map[string]string{"COMMAND": "plan"}, "plan", "2024-07"},
			{byHandJob, map[string]string{"COMMAND": "verify", "WACONCILE_PERIOD": "2024-05"}, "verify", "2024-05"},
			{byHandJob, map[string]string{"COMMAND": "run", "WACONCILE_PERIOD": "2024-07-03"}, "run", "2024-07-03"},
			{closeJob, map[string]string{"MONTH": "2024-07"}, "close", ""},
		}
		jobs := cronJobs(t, objects)
		for _, test := range tests {
			pod := jobs[test.job].Spec.JobTemplate.Spec.Template.Spec
			env := environment(t, pod.Containers[0], test.set)
			env["WACONCILE_NOW"] = "2024-08-03T04:30:00Z"
			args := arguments(pod.Containers[0], env)
			if args[0] != test.command {
				t.Errorf("%s calls %q, want %s", test.job, args, test.command)
			}
			s := settingsOf(t, mounted(t, objects, pod, args), env)
			if !strings.HasPrefix(s.out, bucketScheme) {
				t.Errorf("%s: results go to %q; a pod keeps nothing of its own", test.job, s.out)
			}
			if test.period == "" {
				continue
			}
			period, err := s.resolvePeriod()
			if err != nil || period.String() != test.period {
				t.Errorf("%s is about %s, %v, want %s", test.job, period, err, test.period)
			}
			if test.command == "verify" {
				continue
			}
			if err := s.check(); err != nil || !strings.HasPrefix(s.exports, bucketScheme) {
				t.Errorf("%s reads %q, %v", test.job, s.exports, err)
			}
		}
	})
}

// TestManifestsNeedAHand: a job that is made of a template as it stands, where
// somebody has to say what is meant, does nothing.
func TestManifestsNeedAHand(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		for _, name := range []string{closeJob, byHandJob} {
			c := cronJobs(t, objects)[name].Spec.JobTemplate.Spec.Template.Spec.Containers[0]
			args := arguments(c, environment(t, c, nil))
			var stderr strings.Builder
			code := run(t.Context(), args, func(string) (string, bool) { return "", false }, io.Discard, &stderr)
			if code != exitUsage || strings.Contains(stderr.String(), "/etc/waconcile") {
				t.Errorf("%s: %q ends with %d, want %d\n%s", name, args, code, exitUsage, stderr.String())
			}
		}
	})
}

// environment is what a container sees, with some of it set by hand.
func environment(t *testing.T, c corev1.Container, set map[string]string) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, e := range c.Env {
		switch {
		case e.ValueFrom == nil:
			env[e.Name] = e.Value
		case e.ValueFrom.ResourceFieldRef != nil && e.ValueFrom.ResourceFieldRef.Resource == "limits.memory":
			env[e.Name] = c.Resources.Limits.Memory().AsDec().String()
		default:
			t.Fatalf("variable %s: of a source that the tests do not know", e.Name)
		}
	}
	for name, value := range set {
		if _, ok := env[name]; !ok {
			t.Fatalf("no variable %s to be set by hand", name)
		}
		env[name] = value
	}
	return env
}

// arguments are those of a container, with variables expanded, once.
func arguments(c corev1.Container, env map[string]string) []string {
	pairs := []string{"$$", "$"}
	for name, value := range env {
		pairs = append(pairs, "$("+name+")", value)
	}
	variables := strings.NewReplacer(pairs...)
	args := slices.Clone(c.Args)
	for i := range args {
		args[i] = variables.Replace(args[i])
	}
	return args
}

// settingsOf is what the command line makes of args and an environment.
func settingsOf(t *testing.T, args []string, env map[string]string) settings {
	t.Helper()
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	a := newApp(lookup, t.Output(), t.Output())
	cmd, rest, err := newRoot(a).Find(args)
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Name() != args[0] {
		t.Fatalf("%q calls %s", args, cmd.Name())
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		t.Fatal(err)
	}
	if err := a.load(cmd); err != nil {
		t.Fatal(err)
	}
	return a.settings
}

// TestManifestJobs: what a job is made of cannot be changed, so that no
// generated name may stand in it: new keys would be refused.
func TestManifestJobs(t *testing.T) {
	generated := regexp.MustCompile(`-[0-9a-z]{10}$`)
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		for _, job := range only[*batchv1.Job](objects) {
			for _, source := range job.Spec.Template.Spec.Containers[0].EnvFrom {
				if s := source.SecretRef; s == nil || generated.MatchString(s.Name) {
					t.Errorf("%s takes its environment from %+v", job.Name, source)
				}
			}
		}
	})
}

// TestManifestReferences wants everything that a pod names to be there: the
// service account, the generated ConfigMap, and the secret where it must be.
func TestManifestReferences(t *testing.T) {
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		there := map[string]bool{}
		for _, o := range only[*corev1.ServiceAccount](objects) {
			there["account "+o.Name] = true
		}
		for _, o := range only[*corev1.Secret](objects) {
			there["secret "+o.Name] = true
		}
		for name, job := range cronJobs(t, objects) {
			pod := job.Spec.JobTemplate.Spec.Template.Spec
			if !there["account "+pod.ServiceAccountName] {
				t.Errorf("%s: no service account %q", name, pod.ServiceAccountName)
			}
			for _, source := range pod.Containers[0].EnvFrom {
				if s := source.SecretRef; s == nil || !there["secret "+s.Name] && (s.Optional == nil || !*s.Optional) {
					t.Errorf("%s: takes its environment from what is not there, and it is not optional", name)
				}
			}
		}
	})
}

// TestManifestExitCodes: what another attempt cannot mend fails the job at
// once, and an evicted pod is no attempt.
func TestManifestExitCodes(t *testing.T) {
	want := &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
		{
			Action:          batchv1.PodFailurePolicyActionIgnore,
			OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}},
		},
		{
			Action: batchv1.PodFailurePolicyActionFailJob,
			OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
				ContainerName: new("waconcile"),
				Operator:      batchv1.PodFailurePolicyOnExitCodesOpIn,
				Values:        []int32{exitUsage, exitFailOn, exitData, exitConflict, exitVerify},
			},
		},
	}}
	forEachPlace(t, func(t *testing.T, objects []runtime.Object) {
		for name, job := range cronJobs(t, objects) {
			if diff := cmp.Diff(want, job.Spec.JobTemplate.Spec.PodFailurePolicy); diff != "" {
				t.Errorf("%s: podFailurePolicy (-want +got):\n%s", name, diff)
			}
			if c := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0]; c.Name != "waconcile" {
				t.Errorf("%s: the container is %q, and podFailurePolicy names waconcile", name, c.Name)
			}
		}
	})
}

// mounted gives args with the settings file replaced by one on disk that holds
// what the ConfigMap puts there.
func mounted(t *testing.T, objects []runtime.Object, pod corev1.PodSpec, args []string) []string {
	t.Helper()
	i := slices.Index(args, "--config")
	if i < 0 || i+1 == len(args) {
		t.Fatalf("no --config in %q", args)
	}
	args = slices.Clone(args)
	for _, mount := range pod.Containers[0].VolumeMounts {
		v := volume(pod, mount.Name)
		if mount.MountPath != path.Dir(args[i+1]) || v == nil || v.ConfigMap == nil {
			continue
		}
		for _, m := range only[*corev1.ConfigMap](objects) {
			if text, ok := m.Data[path.Base(args[i+1])]; ok && m.Name == v.ConfigMap.Name {
				args[i+1] = filepath.Join(t.TempDir(), path.Base(args[i+1]))
				if err := os.WriteFile(args[i+1], []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return args
			}
		}
	}
	t.Fatalf("no ConfigMap puts a file at %s", args[i+1])
	return nil
}

func volume(pod corev1.PodSpec, name string) *corev1.Volume {
	for i := range pod.Volumes {
		if pod.Volumes[i].Name == name {
			return &pod.Volumes[i]
		}
	}
	return nil
}
