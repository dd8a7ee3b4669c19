package k8s_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// node is the one node of a namespace: it binds the pods of the job, runs
// their container as a process of this machine and says how it ended. Other
// pods stay pending.
type node struct {
	*cluster
	namespace string
	// env stands for the network and the clock, which are not the cluster's: it
	// is laid over the environment of every container.
	env map[string]string

	mu       sync.Mutex
	scripts  map[string][]attempt // by job: what becomes of its pods, in their order
	attempts map[string]int       // pods so far, by job
	outputs  map[string]string    // what containers have printed, by job
}

// attempt says what becomes of a pod. The zero value runs the container.
type attempt struct {
	env   map[string]string // laid over the node's
	until <-chan struct{}   // the container starts its work only then
	evict bool              // the node drains while the container works
}

// startNode makes the node and has it work until the test ends.
func startNode(t *testing.T, c *cluster, namespace string, env map[string]string) *node {
	t.Helper()
	n := &node{
		cluster: c, namespace: namespace, env: env,
		scripts: map[string][]attempt{}, attempts: map[string]int{}, outputs: map[string]string{},
	}
	made := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.name()}}
	if _, err := c.client.CoreV1().Nodes().Create(t.Context(), made, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	working.Go(func() { n.work(t, &working) })
	t.Cleanup(working.Wait) // the test's context has ended by then
	return n
}

func (n *node) name() string { return "node-of-" + n.namespace }

// anyJob stands for all jobs without a plan of their own.
const anyJob = "*"

// plan says what becomes of the pods of a job to come.
func (n *node) plan(job string, attempts ...attempt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.scripts[job] = attempts
}

// pods is how many pods of a job the node has seen.
func (n *node) pods(job string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.attempts[job]
}

// jobs are the names that begin with a prefix, of the jobs whose pods the node
// has seen.
func (n *node) jobs(prefix string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for name := range n.attempts {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

// output is what the containers of a job have printed.
func (n *node) output(job string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.outputs[job]
}

func (n *node) next(job string) (a attempt) {
	n.mu.Lock()
	defer n.mu.Unlock()
	script, planned := n.scripts[job]
	if !planned {
		script = n.scripts[anyJob]
	}
	if i := n.attempts[job]; i < len(script) {
		a = script[i]
	}
	n.attempts[job]++
	return a
}

// work takes every pod of the job once, in whatever order they come.
func (n *node) work(t *testing.T, working *sync.WaitGroup) {
	ctx := t.Context()
	taken := map[types.UID]bool{}
	for ctx.Err() == nil {
		pods, err := n.client.CoreV1().Pods(n.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=waconcile"})
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("watch pods: %v", err)
			}
			return
		}
		for event := range pods.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok || event.Type == watch.Deleted || taken[pod.UID] || pod.Spec.NodeName != "" {
				continue
			}
			taken[pod.UID] = true
			working.Go(func() {
				if err := n.play(ctx, t.TempDir(), pod); err != nil && ctx.Err() == nil {
					t.Errorf("pod %s: %v", pod.Name, err)
				}
			})
		}
	}
}

// play is the life of a pod: bound, running, ended.
func (n *node) play(ctx context.Context, dir string, pod *corev1.Pod) error {
	binding := &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: n.name()},
	}
	if err := n.client.CoreV1().Pods(n.namespace).Bind(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	started := metav1.Now()
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: started}}
	if err := n.report(ctx, pod, corev1.PodRunning, running); err != nil {
		return err
	}
	job := pod.Labels["batch.kubernetes.io/job-name"]
	a := n.next(job)
	code, output, err := n.run(ctx, dir, pod, a)
	n.mu.Lock()
	n.outputs[job] += output
	n.mu.Unlock()
	if err != nil {
		return err
	}
	phase, reason := corev1.PodSucceeded, "Completed"
	if code != 0 {
		phase, reason = corev1.PodFailed, "Error"
	}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: int32(code), Reason: reason, StartedAt: started, FinishedAt: metav1.Now(),
	}}
	var conditions []corev1.PodCondition
	if a.evict {
		conditions = append(conditions, corev1.PodCondition{
			Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: "EvictionByEvictionAPI", LastTransitionTime: metav1.Now(),
		})
	}
	return n.report(ctx, pod, phase, ended, conditions...)
}

// report writes the status of a pod and of its one container.
func (n *node) report(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase, state corev1.ContainerState, conditions ...corev1.PodCondition) error {
	c := pod.Spec.Containers[0]
	status := corev1.PodStatus{
		Phase: phase, Conditions: conditions,
		ContainerStatuses: []corev1.ContainerStatus{{Name: c.Name, Image: c.Image, State: state, Started: new(true)}},
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = n.client.CoreV1().Pods(n.namespace).Patch(ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// run runs the container of a pod: its arguments and its environment, with
// files where its volumes say, and nothing of this process's own environment.
func (n *node) run(ctx context.Context, dir string, pod *corev1.Pod, a attempt) (code int, output string, err error) {
	if a.until != nil {
		select {
		case <-a.until:
		case <-ctx.Done():
			return 0, "", ctx.Err()
		}
	}
	c := pod.Spec.Containers[0]
	places, err := n.mount(ctx, dir, pod)
	if err != nil {
		return 0, "", err
	}
	env, err := n.environment(ctx, pod.Namespace, c)
	if err != nil {
		return 0, "", err
	}
	env["TMPDIR"] = places["/tmp"]
	for _, over := range []map[string]string{n.env, a.env} {
		for name, value := range over {
			env[name] = value
		}
	}
	var args []string
	for _, arg := range c.Args {
		args = append(args, seenFrom(places, expand(arg, env)))
	}
	cmd := exec.CommandContext(ctx, n.program, args...)
	cmd.Dir, cmd.Env = dir, []string{}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var printed strings.Builder
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if a.evict {
		err = runUntilAsked(cmd)
	} else {
		err = cmd.Run()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), printed.String(), nil
	}
	return 0, printed.String(), err
}

// runUntilAsked ends the process in the middle of its work, with SIGTERM as a
// node that drains does: when it first asks its store, which does not answer.
func runUntilAsked(cmd *exec.Cmd) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	cmd.Env = append(cmd.Env, "WACONCILE_S3_ENDPOINT=http://"+l.Addr().String())
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	connection, err := l.Accept()
	if err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	defer connection.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return cmd.Wait()
}

// mount makes a directory for each volume, and says where which stands.
func (n *node) mount(ctx context.Context, dir string, pod *corev1.Pod) (map[string]string, error) {
	places := map[string]string{}
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		place := filepath.Join(dir, m.Name)
		if err := os.Mkdir(place, 0o755); err != nil {
			return nil, err
		}
		places[m.MountPath] = place
		for _, v := range pod.Spec.Volumes {
			if v.Name != m.Name || v.ConfigMap == nil {
				continue
			}
			config, err := n.client.CoreV1().ConfigMaps(n.namespace).Get(ctx, v.ConfigMap.Name, metav1.GetOptions{})
			if err != nil {
				return nil, err
			}
			for name, text := range config.Data {
				if err := os.WriteFile(filepath.Join(place, name), []byte(text), 0o444); err != nil {
					return nil, err
				}
			}
		}
	}
	return places, nil
}

// seenFrom puts the directory that stands for a mount in its place.
func seenFrom(places map[string]string, text string) string {
	for mountPath, place := range places {
		if rest, ok := strings.CutPrefix(text, mountPath+"/"); ok {
			return filepath.Join(place, rest)
		}
	}
	return text
}

// environment is what the container's specification makes of it.
func (n *node) environment(ctx context.Context, namespace string, c corev1.Container) (map[string]string, error) {
	env := map[string]string{}
	for _, source := range c.EnvFrom {
		secret, err := n.client.CoreV1().Secrets(namespace).Get(ctx, source.SecretRef.Name, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		for name, value := range secret.Data {
			env[name] = string(value)
		}
	}
	for _, e := range c.Env {
		switch from := e.ValueFrom; {
		case from == nil:
			env[e.Name] = expand(e.Value, env)
		case from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.memory":
			env[e.Name] = fmt.Sprint(c.Resources.Limits.Memory().Value())
		default:
			return nil, fmt.Errorf("variable %s: of a source that this node does not know", e.Name)
		}
	}
	return env, nil
}

// expand replaces $(NAME) by variables, as the kubelet does: what a variable
// holds is not looked at again, $$ is a dollar, and of what is not known stays
// the name.
func expand(text string, env map[string]string) string {
	pairs := []string{"$$", "$"}
	for name, value := range env {
		pairs = append(pairs, "$("+name+")", value)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func TestExpand(t *testing.T) {
	t.Parallel()
	env := map[string]string{"A": "$(B)", "B": "$(A)"}
	for text, want := range map[string]string{"$(A)$(B)": "$(B)$(A)", "x$(A)": "x$(B)", "$$(A)": "$(A)", "$(C)": "$(C)", "$A": "$A"} {
		if got := expand(text, env); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}
