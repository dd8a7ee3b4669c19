package main

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const manifestsDir = "../../k8s"

// kustomization holds the fields of a kustomization.yaml that the base uses;
// any other field is an error, so that the tests below see all that it does.
type kustomization struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Resources  []string `json:"resources"`
	Generators []struct {
		Name  string   `json:"name"`
		Files []string `json:"files"`
	} `json:"configMapGenerator"`
	Labels []struct {
		Pairs            map[string]string `json:"pairs"`
		IncludeTemplates bool              `json:"includeTemplates"`
	} `json:"labels"`
	Images []struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
		NewTag  string `json:"newTag"`
	} `json:"images"`
}

func readKustomization(t *testing.T) kustomization {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(manifestsDir, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var k kustomization
	if err := yaml.UnmarshalStrict(data, &k); err != nil {
		t.Fatalf("kustomization.yaml: %v", err)
	}
	return k
}

// configMapFiles are the files of the generated ConfigMap of a name.
func (k kustomization) configMapFiles(name string) []string {
	for _, g := range k.Generators {
		if g.Name == name {
			return g.Files
		}
	}
	return nil
}

// manifests parses all resources of the base as the API server would with
// strict field validation: unknown and doubled fields are errors.
func manifests(t *testing.T) []runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{batchv1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, name := range readKustomization(t).Resources {
		data, err := os.ReadFile(filepath.Join(manifestsDir, name))
		if err != nil {
			t.Fatal(err)
		}
		for documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))); ; {
			document, err := documents.Read()
			if err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			object, _, err := decoder.Decode(document, nil, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			objects = append(objects, object)
		}
	}
	return objects
}

const (
	dailyJob    = "waconcile-daily"
	monthEndJob = "waconcile-month-end"
)

// cronJobs are the CronJobs of the base by name: the two that it is about.
func cronJobs(t *testing.T) map[string]*batchv1.CronJob {
	t.Helper()
	jobs := map[string]*batchv1.CronJob{}
	for _, object := range manifests(t) {
		if job, ok := object.(*batchv1.CronJob); ok {
			jobs[job.Name] = job
		}
	}
	if len(jobs) != 2 || jobs[dailyJob] == nil || jobs[monthEndJob] == nil {
		t.Fatalf("CronJobs are %q, want %s and %s", slices.Sorted(maps.Keys(jobs)), dailyJob, monthEndJob)
	}
	for name, job := range jobs {
		if n := len(job.Spec.JobTemplate.Spec.Template.Spec.Containers); n != 1 {
			t.Fatalf("%s: the pod has %d containers, want one", name, n)
		}
	}
	return jobs
}

func TestManifestFiles(t *testing.T) {
	t.Parallel()
	k := readKustomization(t)
	if k.APIVersion != "kustomize.config.k8s.io/v1beta1" || k.Kind != "Kustomization" {
		t.Errorf("kustomization.yaml is %s %s", k.APIVersion, k.Kind)
	}
	want := append([]string{"kustomization.yaml"}, k.Resources...)
	for _, g := range k.Generators {
		want = append(want, g.Files...)
	}
	entries, err := os.ReadDir(manifestsDir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		if ext := path.Ext(entry.Name()); ext == ".yaml" || ext == ".yml" {
			got = append(got, entry.Name())
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("YAML files of the folder (-named by the kustomization +there):\n%s", diff)
	}
}

func TestManifestSchedules(t *testing.T) {
	t.Parallel()
	for name, job := range cronJobs(t) {
		spec := job.Spec
		suspended := spec.Suspend != nil && *spec.Suspend
		if want := name == monthEndJob; suspended != want {
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
		if template := spec.JobTemplate.Spec; template.BackoffLimit == nil || template.ActiveDeadlineSeconds == nil {
			t.Errorf("%s: backoffLimit or activeDeadlineSeconds is not set", name)
		}
	}
}

// TestManifestPods wants what Pod Security "restricted" asks for, and more.
func TestManifestPods(t *testing.T) {
	t.Parallel()
	for name, job := range cronJobs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkPod(t, job.Spec.JobTemplate.Spec.Template.Spec)
		})
	}
}

func checkPod(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	if pod.RestartPolicy != corev1.RestartPolicyNever {
		t.Errorf("restartPolicy is %q, want Never", pod.RestartPolicy)
	}
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("the service account's token is mounted")
	}
	if s := pod.SecurityContext; s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.RunAsUser == nil || *s.RunAsUser == 0 {
		t.Error("the pod may run as root")
	} else if s.SeccompProfile == nil || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Error("seccompProfile is not RuntimeDefault")
	}
	c := pod.Containers[0]
	s := c.SecurityContext
	if s == nil {
		t.Fatal("the container has no securityContext")
	}
	if s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem {
		t.Error("the root file system can be written")
	}
	if s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation {
		t.Error("the container may gain privileges")
	}
	if s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
		t.Error("capabilities are not dropped")
	}
	for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if _, ok := c.Resources.Requests[resource]; !ok {
			t.Errorf("no request of %s", resource)
		}
		if _, ok := c.Resources.Limits[resource]; !ok {
			t.Errorf("no limit of %s", resource)
		}
	}
	if i := slices.IndexFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == "/tmp" }); i < 0 {
		t.Error("no volume for temporary files at /tmp")
	} else if v := volume(pod, c.VolumeMounts[i].Name); v == nil || v.EmptyDir == nil {
		t.Error("the volume for temporary files is no emptyDir")
	}
}

// TestManifestsDifferOnlyInPeriod holds the two pods together: what is
// reconciled at night is what the month is closed with.
func TestManifestsDifferOnlyInPeriod(t *testing.T) {
	t.Parallel()
	jobs := cronJobs(t)
	pod := func(name string) corev1.PodTemplateSpec {
		template := jobs[name].Spec.JobTemplate.Spec.Template.DeepCopy()
		args := template.Spec.Containers[0].Args
		i := slices.Index(args, "--period")
		if i < 0 || i+1 == len(args) {
			t.Fatalf("%s: no --period in %q", name, args)
		}
		args[i+1] = ""
		return *template
	}
	if diff := cmp.Diff(pod(dailyJob), pod(monthEndJob)); diff != "" {
		t.Errorf("pods (-daily +month-end):\n%s", diff)
	}
}

// TestManifestArguments runs the arguments of each pod through the real flags,
// with the settings file of the base and a clock in August.
func TestManifestArguments(t *testing.T) {
	t.Parallel()
	jobs := cronJobs(t)
	for name, period := range map[string]string{
		dailyJob:    "2024-08-01_2024-08-02",
		monthEndJob: "2024-07",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := jobs[name].Spec.JobTemplate.Spec.Template.Spec
			args := slices.Clone(pod.Containers[0].Args)
			if i := slices.Index(args, "--config"); i >= 0 && i+1 < len(args) {
				args[i+1], _ = settingsFile(t, pod, args[i+1])
			}
			s := settingsOf(t, args, map[string]string{"WACONCILE_NOW": "2024-08-03T04:30:00Z"})
			if err := s.check(); err != nil {
				t.Error(err)
			}
			config, err := s.batchConfig()
			if err != nil {
				t.Fatal(err)
			}
			if got := config.Period.String(); got != period {
				t.Errorf("reconciles %s, want %s", got, period)
			}
			if !strings.HasPrefix(s.exports, "s3://") || !strings.HasPrefix(s.out, "s3://") {
				t.Errorf("reads %q and writes %q; a pod keeps nothing of its own", s.exports, s.out)
			}
		})
	}
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
	if cmd.Name() != "run" {
		t.Fatalf("%q calls %s, want run", args, cmd.Name())
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

// TestManifestReferences wants everything that a pod names to be there: the
// service account, the generated ConfigMap, and the settings file in it.
func TestManifestReferences(t *testing.T) {
	t.Parallel()
	accounts := map[string]bool{}
	for _, object := range manifests(t) {
		if account, ok := object.(*corev1.ServiceAccount); ok {
			accounts[account.Name] = true
		}
	}
	for name, job := range cronJobs(t) {
		pod := job.Spec.JobTemplate.Spec.Template.Spec
		if !accounts[pod.ServiceAccountName] {
			t.Errorf("%s: no service account %q in the base", name, pod.ServiceAccountName)
		}
		c := pod.Containers[0]
		i := slices.Index(c.Args, "--config")
		if i < 0 || i+1 == len(c.Args) {
			t.Errorf("%s: no --config in %q", name, c.Args)
			continue
		}
		if _, ok := settingsFile(t, pod, c.Args[i+1]); !ok {
			t.Errorf("%s: no ConfigMap of the base puts a file at %s", name, c.Args[i+1])
		}
		for _, source := range c.EnvFrom {
			if source.SecretRef == nil || source.SecretRef.Optional == nil || !*source.SecretRef.Optional {
				t.Errorf("%s: the base makes no secret, so the one it takes credentials from must be optional", name)
			}
		}
	}
}

// TestManifestExitCodes: what another attempt cannot mend fails the job at
// once, and an evicted pod is no attempt.
func TestManifestExitCodes(t *testing.T) {
	t.Parallel()
	want := &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
		{
			Action:          batchv1.PodFailurePolicyActionIgnore,
			OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget}},
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
	for name, job := range cronJobs(t) {
		if diff := cmp.Diff(want, job.Spec.JobTemplate.Spec.PodFailurePolicy); diff != "" {
			t.Errorf("%s: podFailurePolicy (-want +got):\n%s", name, diff)
		}
		if c := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0]; c.Name != "waconcile" {
			t.Errorf("%s: the container is %q, and podFailurePolicy names waconcile", name, c.Name)
		}
	}
}

// settingsFile is the file of the base that a container of pod sees at a path.
func settingsFile(t *testing.T, pod corev1.PodSpec, seen string) (string, bool) {
	t.Helper()
	k := readKustomization(t)
	for _, mount := range pod.Containers[0].VolumeMounts {
		v := volume(pod, mount.Name)
		if mount.MountPath != path.Dir(seen) || v == nil || v.ConfigMap == nil {
			continue
		}
		if files := k.configMapFiles(v.ConfigMap.Name); slices.Contains(files, path.Base(seen)) {
			return filepath.Join(manifestsDir, path.Base(seen)), true
		}
	}
	return "", false
}

func volume(pod corev1.PodSpec, name string) *corev1.Volume {
	for i := range pod.Volumes {
		if pod.Volumes[i].Name == name {
			return &pod.Volumes[i]
		}
	}
	return nil
}
