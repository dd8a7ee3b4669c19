package controlplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// The versions that the manifests are tried against. The API's own modules
// have the same number with 0 in front.
const (
	kubernetesVersion = "1.37.2"
	etcdVersion       = "3.7.3"
)

// module is one that programs are built from.
type module struct {
	path     string
	version  string
	programs []string // packages below path
	main     string   // source of etcd, of which the module has no more than a library
}

func modules() []module {
	return []module{
		{
			path: "k8s.io/kubernetes", version: "v" + kubernetesVersion,
			programs: []string{"cmd/kube-apiserver", "cmd/kube-controller-manager", "cmd/kubectl"},
		},
		{path: "go.etcd.io/etcd/server/v3", version: "v" + etcdVersion, main: etcdMain},
	}
}

const etcdMain = `package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
`

// programs returns the directory with kube-apiserver, kube-controller-manager,
// kubectl and etcd, which are built if need be.
func programs() (string, error) {
	if dir := os.Getenv("WACONCILE_TEST_CONTROL_PLANE"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find a place to build a control plane in: %w", err)
	}
	dir := filepath.Join(cache, "waconcile", "control-plane", kubernetesVersion+"-"+etcdVersion)
	return dir, build(dir)
}

// build builds what is missing in dir. Test binaries may come here at once: the
// first holds a lock while it builds. A program is moved to its name when it
// is whole, so that a build that was killed leaves none.
func build(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close() // ends the lock
	for err = syscall.EINTR; err == syscall.EINTR; {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	for _, m := range modules() {
		if m.isBuilt(dir) {
			continue
		}
		if err := m.build(dir); err != nil {
			return fmt.Errorf("build %s %s (or name a directory with the programs in WACONCILE_TEST_CONTROL_PLANE): %w", m.path, m.version, err)
		}
	}
	return nil
}

// names are those of the program files.
func (m module) names() []string {
	if m.main != "" {
		return []string{"etcd"}
	}
	var names []string
	for _, program := range m.programs {
		names = append(names, path.Base(program))
	}
	return names
}

func (m module) isBuilt(dir string) bool {
	for _, name := range m.names() {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

func (m module) build(dir string) (err error) {
	work, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := m.writeModule(work); err != nil {
		return err
	}
	bin := filepath.Join(work, "bin")
	packages := []string{"."}
	output := filepath.Join(bin, "etcd")
	if m.main == "" {
		output = bin + string(filepath.Separator)
		packages = nil
		for _, program := range m.programs {
			packages = append(packages, m.path+"/"+program)
		}
	}
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	if _, err := goCommand(work, append([]string{"build", "-mod=mod", "-ldflags=-s -w", "-o", output}, packages...)...); err != nil {
		return err
	}
	for _, name := range m.names() {
		if err := os.Rename(filepath.Join(bin, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// writeModule makes a module in dir that requires m, and m's own versions of
// what m takes from beside it.
func (m module) writeModule(dir string) error {
	text := fmt.Sprintf("module build\n\ngo 1.26.0\n\nrequire %s %s\n", m.path, m.version)
	pins, err := m.beside(dir)
	if err != nil {
		return err
	}
	for _, pin := range pins {
		text += fmt.Sprintf("replace %s => %s v0.%s\n", pin, pin, strings.TrimPrefix(m.version, "v1."))
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
		return err
	}
	if m.main == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(dir, "main.go"), []byte(m.main), 0o644)
}

// beside lists the modules that m requires as v0.0.0: they are developed in
// one repository with it, and published under a version of their own.
func (m module) beside(dir string) ([]string, error) {
	out, err := goCommand(dir, "mod", "download", "-json", m.path+"@"+m.version)
	if err != nil {
		return nil, err
	}
	var downloaded struct{ GoMod string }
	if err := json.Unmarshal(out, &downloaded); err != nil {
		return nil, err
	}
	if out, err = goCommand(dir, "mod", "edit", "-json", downloaded.GoMod); err != nil {
		return nil, err
	}
	var file struct {
		Require []struct{ Path, Version string }
	}
	if err := json.Unmarshal(out, &file); err != nil {
		return nil, err
	}
	var pins []string
	for _, r := range file.Require {
		if r.Version == "v0.0.0" {
			pins = append(pins, r.Path)
		}
	}
	return pins, nil
}

// goCommand runs the go command in dir as if nothing around it were set.
func goCommand(dir string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out, nil
}
