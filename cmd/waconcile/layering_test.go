package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	moduleName = "waconcile"
	moduleRoot = "../.."
)

// arrows says for each package of the module what it may import of ours.
// cmd/waconcile → batch → {reader, writer} → reconcile, and no arrow between
// reader and writer. A package that is not listed has no place yet.
func arrows() map[string][]string {
	return map[string][]string{
		"reconcile":                {},
		"reader":                   {"reconcile"},
		"writer":                   {"reconcile"},
		"writer/report":            {"reconcile", "writer"},
		"batch":                    {"batch/checkpoint", "batch/spill", "reader", "reconcile", "writer", "writer/report"},
		"batch/checkpoint":         {"batch/spill", "reader", "reconcile", "writer"},
		"batch/spill":              {"writer"},
		"cmd/waconcile/exportfile": {},
		"cmd/waconcile/demo":       {"cmd/waconcile/exportfile", "reconcile"},
		"cmd/waconcile/bench":      {"cmd/waconcile/exportfile", "reconcile", "writer"},
		"cmd/waconcile/metrics":    {},
		"cmd/waconcile/traces":     {"batch"},
		"cmd/waconcile":            {"batch", "cmd/waconcile/bench", "cmd/waconcile/demo", "cmd/waconcile/metrics", "cmd/waconcile/traces", "reader", "reconcile", "writer", "writer/report"},

		"reader/readertest": {"reader", "reconcile"},
		"reader/miniotest":  {},
		"writer/s3test":     {},
		"writer/writertest": {"reconcile", "writer"},

		"k8s":              {},
		"k8s/controlplane": {},
	}
}

// testHelpers are the packages that exist for tests: any test may import
// them, and nothing else may.
func testHelpers() []string {
	return []string{"k8s/controlplane", "reader/miniotest", "reader/readertest", "writer/s3test", "writer/writertest"}
}

// everywhere and testsOnly stand for packages in homes.
const (
	everywhere = "everywhere"
	testsOnly  = "tests only"
)

// homes says for each module that we depend on which of our packages may
// import it outside of tests. The longest prefix of an import path holds.
// What reconcile may use is held more narrowly by its own imports_test.go.
func homes() map[string][]string {
	storage := []string{"cmd/waconcile", "reader", "reader/miniotest", "writer", "writer/s3test"}
	parquet := []string{"cmd/waconcile/bench", "cmd/waconcile/demo", "cmd/waconcile/exportfile", "reader", "reader/readertest", "writer", "writer/writertest"}
	commandLine := []string{"cmd/waconcile"}
	prometheus, tracing := []string{"cmd/waconcile/metrics"}, []string{"cmd/waconcile/traces"}
	return map[string][]string{
		"github.com/aws/aws-sdk-go-v2":               storage,
		"github.com/aws/smithy-go":                   storage,
		"github.com/apache/arrow/go/v17":             parquet,
		"github.com/xitongsys/parquet-go":            parquet,
		"github.com/xitongsys/parquet-go-source":     parquet,
		"github.com/klauspost/compress":              parquet,
		"github.com/apache/thrift":                   {"reader"},
		"github.com/cespare/xxhash/v2":               {everywhere},
		"github.com/shopspring/decimal":              {everywhere},
		"golang.org/x/sync":                          {"batch", "cmd/waconcile", "cmd/waconcile/bench", "cmd/waconcile/demo", "reader", "writer"},
		"github.com/goccy/go-yaml":                   commandLine,
		"github.com/schollz/progressbar/v3":          commandLine,
		"github.com/spf13/cobra":                     commandLine,
		"github.com/spf13/pflag":                     commandLine,
		"golang.org/x/crypto/x509roots/fallback":     commandLine,
		"golang.org/x/term":                          commandLine,
		"github.com/prometheus":                      prometheus,
		"go.opentelemetry.io/otel":                   tracing,
		"github.com/go-logr/logr":                    tracing,
		"go.opentelemetry.io/proto/otlp":             {testsOnly},
		"google.golang.org/protobuf":                 {testsOnly},
		"github.com/google/go-cmp":                   {testsOnly},
		"github.com/rogpeppe/go-internal/testscript": {testsOnly},
		"k8s.io":             {testsOnly},
		"pgregory.net/rapid": {testsOnly},
		"sigs.k8s.io":        {testsOnly},
		"testing":            {testsOnly},
	}
}

// TestArrows holds the import graph of the whole module. It reads import
// lists and not the build, so that files for other systems count as well.
func TestArrows(t *testing.T) {
	t.Parallel()
	table := arrows()
	found := map[string]bool{}
	for _, f := range goFiles(t) {
		found[f.pkg] = true
		for _, imported := range f.imports {
			target, ours := strings.CutPrefix(imported, moduleName+"/")
			if !ours || target == f.pkg { // a package's own external test
				continue
			}
			allowed := slices.Contains(table[f.pkg], target)
			if f.test {
				allowed = allowed || slices.Contains(testHelpers(), target)
			} else if slices.Contains(testHelpers(), target) {
				t.Errorf("%s: imports %s, which is for tests only", f.name, target)
				continue
			}
			if !allowed {
				t.Errorf("%s: imports %s; %s may import of ours: %q", f.name, target, f.pkg, table[f.pkg])
			}
		}
	}
	for pkg := range found {
		if _, ok := table[pkg]; !ok {
			t.Errorf("package %s is not in the table of arrows: say where it stands", pkg)
		}
	}
}

// TestDependencyHomes holds who may import whose modules: the S3 SDK and the
// Parquet libraries stay behind reader and writer, tools for tests in tests.
func TestDependencyHomes(t *testing.T) {
	t.Parallel()
	table := homes()
	for _, f := range goFiles(t) {
		for _, imported := range f.imports {
			ours := imported == moduleName || strings.HasPrefix(imported, moduleName+"/")
			home, known := longestPrefix(table, imported)
			standard := !strings.Contains(strings.Split(imported, "/")[0], ".")
			switch {
			case ours || standard && !known:
			case !known:
				t.Errorf("%s: imports %s, which has no home: list it in homes", f.name, imported)
			case f.test || slices.Contains(home, everywhere) || slices.Contains(home, f.pkg):
			case slices.Contains(home, testsOnly) && slices.Contains(testHelpers(), f.pkg):
			default:
				t.Errorf("%s: imports %s, whose home is %q", f.name, imported, home)
			}
		}
	}
}

// TestTopLevel holds the entries of the repository: these and dot-files.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "git", "-C", moduleRoot, "ls-files", "-z").Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	var got []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		top, _, _ := strings.Cut(name, "/")
		if !strings.HasPrefix(top, ".") {
			got = append(got, top)
		}
	}
	slices.Sort(got)
	got = slices.Compact(got)
	want := []string{"README.md", "batch", "cmd", "go.mod", "go.sum", "k8s", "reader", "reconcile", "writer"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("top level of the repository (-want +got):\n%s", diff)
	}
}

// TestPackageNames wants of every package a doc.go that tells its pipeline or
// its format, and a name that says what it is about.
func TestPackageNames(t *testing.T) {
	t.Parallel()
	sources := map[string]bool{}
	for _, f := range goFiles(t) {
		if !f.test {
			sources[f.pkg] = true
		}
	}
	for pkg := range sources {
		if slices.ContainsFunc(strings.Split(pkg, "/"), saysNothing) {
			t.Errorf("package %s: name it after what it holds", pkg)
		}
		name := filepath.Join(moduleRoot, filepath.FromSlash(pkg), "doc.go")
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.PackageClauseOnly)
		if err != nil {
			t.Errorf("package %s: %v", pkg, err)
		} else if file.Doc == nil {
			t.Errorf("package %s: doc.go has no package comment", pkg)
		}
	}
}

func saysNothing(element string) bool {
	return slices.Contains([]string{"base", "common", "core", "helper", "helpers", "lib", "misc", "pkg", "shared", "store", "types", "util", "utils"}, element)
}

// goFile is a source file of the module.
type goFile struct {
	name    string // relative to the root, with slashes
	pkg     string // the directory of name
	test    bool
	imports []string
}

// goFiles lists the source files of the module, but for what the go command
// itself leaves out: testdata and names that begin with a dot or underscore.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := fs.WalkDir(os.DirFS(moduleRoot), ".", func(name string, entry fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (base == "testdata" || base[0] == '.' || base[0] == '_'):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || base[0] == '.' || base[0] == '_':
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(moduleRoot, filepath.FromSlash(name)), nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := goFile{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go")}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imported)
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no Go files under %s", moduleRoot)
	}
	return files
}

// longestPrefix is the entry of the longest key that is name or a parent of it.
func longestPrefix(table map[string][]string, name string) ([]string, bool) {
	for ; name != "."; name = path.Dir(name) {
		if entry, ok := table[name]; ok {
			return entry, true
		}
	}
	return nil, false
}
