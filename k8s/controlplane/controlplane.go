package controlplane

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// ControlPlane is a running control plane.
type ControlPlane struct {
	Kubectl    string // the program
	Kubeconfig string // of an administrator
	Server     string // URL
	Token      string // of the administrator
	CAFile     string // by which the server is known

	dir       string
	processes []*process // in the order of their start
}

// controllers are those that jobs need; nodes have none.
const controllers = "job-controller,cronjob-controller,ttl-after-finished-controller,serviceaccount-controller,namespace-controller,garbage-collector-controller"

// startAttempts is how many sets of ports are tried: another process may take
// one between its choice and its use.
const startAttempts = 3

// Start starts a control plane that ends with the test.
func Start(t testing.TB) *ControlPlane {
	t.Helper()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	for range startAttempts {
		c := &ControlPlane{Kubectl: filepath.Join(bin, "kubectl"), dir: t.TempDir()}
		if err = c.start(bin); err == nil {
			t.Cleanup(c.stop)
			return c
		}
		err = fmt.Errorf("%w\n%s", err, c.logs())
		c.stop()
	}
	t.Fatalf("start a control plane: %v", err)
	return nil
}

func (c *ControlPlane) start(bin string) error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	keys := filepath.Join(c.dir, "serviceaccounts.key")
	if err := writeKey(keys); err != nil {
		return err
	}
	etcd := "http://127.0.0.1:" + ports[0]
	if err := c.run(filepath.Join(bin, "etcd"), "--data-dir", filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", "http://127.0.0.1:"+ports[1]); err != nil {
		return err
	}
	c.Server, c.Token = "https://127.0.0.1:"+ports[2], rand.Text()
	tokens, certs := filepath.Join(c.dir, "tokens.csv"), filepath.Join(c.dir, "certs")
	if err := os.WriteFile(tokens, []byte(c.Token+",administrator,administrator,system:masters\n"), 0o600); err != nil {
		return err
	}
	c.CAFile = filepath.Join(certs, "apiserver.crt")
	if err := c.run(filepath.Join(bin, "kube-apiserver"), "--etcd-servers", etcd,
		"--bind-address", "127.0.0.1", "--secure-port", ports[2], "--cert-dir", certs, "--endpoint-reconciler-type", "none",
		"--token-auth-file", tokens, "--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.0.0.0/24",
		"--service-account-key-file", keys, "--service-account-signing-key-file", keys,
		"--service-account-issuer", "https://kubernetes.default.svc"); err != nil {
		return err
	}
	if err := c.writeKubeconfig(); err != nil {
		return err
	}
	if err := c.waitReady(); err != nil {
		return err
	}
	return c.run(filepath.Join(bin, "kube-controller-manager"), "--kubeconfig", c.Kubeconfig,
		"--service-account-private-key-file", keys, "--leader-elect=false", "--secure-port", "0", "--controllers", controllers)
}

func (c *ControlPlane) run(program string, args ...string) error {
	p, err := start(c.dir, program, args...)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, p)
	return nil
}

// stop ends the newest first, so that each still reaches what it needs.
func (c *ControlPlane) stop() {
	for len(c.processes) > 0 {
		last := len(c.processes) - 1
		c.processes[last].stop()
		c.processes = c.processes[:last]
	}
}

func (c *ControlPlane) logs() string {
	var text string
	for _, p := range c.processes {
		text += p.log + ":\n" + p.lastLines() + "\n"
	}
	return text
}

// waitReady asks until the server answers, at most some minutes' worth of
// times: the first start of a cold machine takes long.
func (c *ControlPlane) waitReady() error {
	var err error
	var out []byte
	for range 300 {
		cmd := exec.Command(c.Kubectl, "--kubeconfig", c.Kubeconfig, "get", "--raw", "/readyz")
		if out, err = cmd.CombinedOutput(); err == nil {
			return nil
		}
		time.Sleep(500 * time.Millisecond)
	}
	return fmt.Errorf("not ready: %w: %s", err, out)
}

func (c *ControlPlane) writeKubeconfig() error {
	c.Kubeconfig = filepath.Join(c.dir, "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: local, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: administrator, user: {token: %q}}]
contexts: [{name: local, context: {cluster: local, user: administrator}}]
current-context: local
`, c.Server, c.CAFile, c.Token)
	return os.WriteFile(c.Kubeconfig, []byte(text), 0o600)
}

// writeKey makes the key that signs the tokens of service accounts.
func writeKey(name string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return os.WriteFile(name, pem.EncodeToMemory(block), 0o600)
}

func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // after all are chosen, so that they differ
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
