package k8s_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The programs that build an image and look into it.
const (
	koModule    = "github.com/google/ko@v0.19.1"
	craneModule = "github.com/google/go-containerregistry/cmd/crane@v0.22.1"
)

const (
	moduleRoot    = ".."
	imageBytesMax = 40 << 20 // unpacked
	imageUser     = "65532"
)

// TestImage builds the image as the runbook does, without a daemon and on a
// base that has next to nothing in it, and looks at what came of it.
func TestImage(t *testing.T) {
	if os.Getenv("WACONCILE_TEST_IMAGE") == "" {
		t.Skip("builds an image; WACONCILE_TEST_IMAGE=1 runs it")
	}
	t.Parallel()
	w := startWorkshop(t)
	w.pushBase(t)
	ref := w.build(t, moduleRoot)
	t.Run("config", func(t *testing.T) { w.checkConfig(t, ref) })
	t.Run("sbom", func(t *testing.T) { w.checkSBOM(t, ref) })
	t.Run("reproducible", func(t *testing.T) {
		if again := w.build(t, copyOfModule(t)); again != ref {
			t.Errorf("built in another directory it is %s, not %s", again, ref)
		}
	})
	root := w.unpack(t, ref)
	t.Run("binary", func(t *testing.T) { checkBinary(t, filepath.Join(root, "ko-app", "waconcile")) })
	t.Run("runs", func(t *testing.T) { checkRuns(t, root) })
}

// workshop is what images are made with: a registry on loopback, and tools.
type workshop struct {
	ko, crane string
	registry  string // host and port
}

func startWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{ko: tool(t, koModule), crane: tool(t, craneModule)}
	// The registry ends with the test binary, which holds the other end of its
	// input and never writes to it.
	serve := exec.Command("sh", "-c", `"$0" registry serve --address 127.0.0.1:0 2>&1 & cat >/dev/null; kill $!`, w.crane)
	hold, err := serve.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = hold.Close()
		_ = serve.Wait()
	})
	line, err := bufio.NewReader(log).ReadString('\n')
	_, port, found := strings.Cut(strings.TrimSpace(line), "serving on port ")
	if err != nil || !found {
		t.Fatalf("the registry says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // ends with the registry
	w.registry = "127.0.0.1:" + port
	return w
}

// tool builds a program from its module into the user's cache directory, once.
func tool(t *testing.T, module string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	path, version, _ := strings.Cut(module, "@")
	name := filepath.Base(path)
	bin := filepath.Join(cache, "waconcile", name, version)
	program := filepath.Join(bin, name)
	if _, err := os.Stat(program); err == nil {
		return program
	}
	cmd := exec.CommandContext(t.Context(), "go", "install", module)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "GOWORK=off", "GOOS=", "GOARCH=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go install %s: %v\n%s", module, err, out)
	}
	return program
}

// pushBase makes a base with a directory for temporary files and nothing else:
// neither certificates nor time zones, nor a user.
func (w *workshop) pushBase(t *testing.T) {
	t.Helper()
	layer := filepath.Join(t.TempDir(), "base.tar")
	var packed bytes.Buffer
	files := tar.NewWriter(&packed)
	if err := files.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(layer, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run(t, "append", "--oci-empty-base", "--new_layer", layer, "--new_tag", w.registry+"/base:1")
	w.run(t, "mutate", "--set-platform", platform(), "--tag", w.registry+"/base:1", w.registry+"/base:1")
}

func platform() string { return "linux/" + runtime.GOARCH }

// run runs crane.
func (w *workshop) run(t *testing.T, args ...string) []byte {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), w.crane, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("crane %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// build builds the image in a directory with the module and gives its
// reference by digest, as the runbook does. That the revision of the checkout
// stays out, which the copy of the module has none of, is for .ko.yaml to say.
func (w *workshop) build(t *testing.T, dir string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), w.ko, "build", "--bare", "--image-user="+imageUser, "--platform="+platform(), "./cmd/waconcile")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KO_DOCKER_REPO="+w.registry+"/waconcile", "KO_DEFAULTBASEIMAGE="+w.registry+"/base:1", "GOFLAGS=-buildvcs=auto")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ko: %v\n%s", err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// copyOfModule copies what git has or would take, without git's own files.
func copyOfModule(t *testing.T) string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = moduleRoot
	names, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(moduleRoot, name))
		if errors.Is(err, os.ErrNotExist) { // removed, and git does not know yet
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (w *workshop) checkConfig(t *testing.T, ref string) {
	var image struct {
		OS, Architecture string
		Config           struct {
			User       string
			Entrypoint []string
		}
	}
	decodeJSON(t, w.run(t, "config", ref), &image)
	if image.OS != "linux" || image.Architecture != runtime.GOARCH {
		t.Errorf("for %s/%s", image.OS, image.Architecture)
	}
	if image.Config.User != imageUser {
		t.Errorf("the user is %q", image.Config.User)
	}
	if want := []string{"/ko-app/waconcile"}; !slices.Equal(image.Config.Entrypoint, want) {
		t.Errorf("the entry point is %q, want %q", image.Config.Entrypoint, want)
	}
}

// checkSBOM wants a list of what the image is made of beside it, under the tag
// that others look for it.
func (w *workshop) checkSBOM(t *testing.T, ref string) {
	repository, digest, _ := strings.Cut(ref, "@")
	var manifest struct{ Layers []struct{ Digest string } }
	decodeJSON(t, w.run(t, "manifest", repository+":"+strings.Replace(digest, ":", "-", 1)+".sbom"), &manifest)
	if len(manifest.Layers) != 1 {
		t.Fatalf("%d layers", len(manifest.Layers))
	}
	var sbom struct {
		SPDXVersion string `json:"spdxVersion"`
		Packages    []struct{ Name string }
	}
	decodeJSON(t, w.run(t, "blob", repository+"@"+manifest.Layers[0].Digest), &sbom)
	var names []string
	for _, p := range sbom.Packages {
		names = append(names, p.Name)
	}
	if sbom.SPDXVersion == "" || !slices.Contains(names, "waconcile") || !slices.Contains(names, "github.com/aws/aws-sdk-go-v2/service/s3") {
		t.Errorf("SPDX %q lists %q", sbom.SPDXVersion, names)
	}
}

// unpack gives a directory with the files of an image, and checks their size.
func (w *workshop) unpack(t *testing.T, ref string) string {
	t.Helper()
	root, total := t.TempDir(), int64(0)
	for files := tar.NewReader(bytes.NewReader(w.run(t, "export", ref, "-"))); ; {
		header, err := files.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		total += header.Size
		name := filepath.Join(root, filepath.Clean("/"+header.Name))
		if header.Typeflag == tar.TypeDir {
			if err := errors.Join(os.MkdirAll(name, 0o755), os.Chmod(name, header.FileInfo().Mode())); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := io.ReadAll(files)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, data, header.FileInfo().Mode())); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the image has %.1f MiB", float64(total)/(1<<20))
	if total > imageBytesMax {
		t.Errorf("the image has %d bytes, the most is %d", total, imageBytesMax)
	}
	return root
}

// checkBinary wants nothing to be loaded at its start, and what an image
// without files needs to be built in.
func checkBinary(t *testing.T, name string) {
	program, err := elf.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("not static: it has a segment %s", p.Type)
		}
	}
	// Names of functions are in there also without symbols.
	if data, err := os.ReadFile(name); err != nil || !bytes.Contains(data, []byte("time/tzdata.")) {
		t.Errorf("no time zones: the package time/tzdata is not in it, %v", err)
	}
	info, err := buildinfo.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for _, m := range info.Deps {
		modules = append(modules, m.Path)
	}
	if roots := "golang.org/x/crypto/x509roots/fallback"; !slices.Contains(modules, roots) {
		t.Errorf("no root certificates: %s is not among %q", roots, modules)
	}
	for _, tests := range []string{"k8s.io/client-go", "sigs.k8s.io/kustomize/api", "github.com/google/go-cmp"} {
		if slices.Contains(modules, tests) {
			t.Errorf("%s is for tests, and built in", tests)
		}
	}
}

// checkRuns runs the job in the image's own files, as its user: the accounts of
// the demo are in time zones that no file tells. Where that cannot be done,
// checkBinary has still seen what it needs.
func checkRuns(t *testing.T, root string) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change the root")
	}
	cmd := exec.CommandContext(t.Context(), "/ko-app/waconcile", "demo", "--dir", "/tmp/demo", "--messages", "1000", "--json")
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if !json.Valid(bytes.TrimSpace(out)) {
		t.Errorf("printed %s", out)
	}
	accounts, err := os.ReadFile(filepath.Join(root, "tmp", "demo", "accounts.csv"))
	if err != nil || !strings.Contains(string(accounts), "Europe/") {
		t.Errorf("no account has a time zone of its own: %v\n%s", err, accounts)
	}
}
