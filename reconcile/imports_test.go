package reconcile_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPurity holds what lets the same rows give the same charges everywhere:
// reconcile computes, and does nothing else. It reads the sources, so that it
// covers every build tag, and leaves the tests of the package alone.
func TestPurity(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, breach := range impurities(t, name, string(src)) {
			t.Error(breach)
		}
		checked++
	}
	if checked == 0 {
		t.Fatal("no source of package reconcile found")
	}
}

// TestPurityFinds shows that TestPurity would fail where it should.
func TestPurityFinds(t *testing.T) {
	t.Parallel()
	src := func(imports, body string) string {
		return "package p\n" + imports + "\nfunc f() { " + body + " }\n"
	}
	for _, c := range []struct{ name, src, want string }{
		{"file access", src(`import "os"`, `os.Exit(1)`), `p.go:2: import "os": let cmd read it and pass the bytes`},
		{"lock", src(`import "sync"`, `var _ sync.Mutex`), `p.go:2: import "sync": one goroutine owns an Engine, so nothing needs a lock`},
		{"ours", src(`import "waconcile/reader"`, ``), `p.go:2: import "waconcile/reader": reconcile stands below all of ours; move the type here`},
		{"unknown", src(`import "example.com/x"`, ``), `p.go:2: import "example.com/x": not in the allow-list of imports_test.go`},
		{"clock", src(`import "time"`, `_ = time.Now()`), `p.go:3: time.Now: take the instant as an argument`},
		{"renamed clock", src(`import tm "time"`, `_ = tm.Now()`), `p.go:3: time.Now: take the instant as an argument`},
		{"dot", src(`import . "time"`, ``), `p.go:2: import . "time": a dot import hides what is used`},
		{"zone file", src(`import "time"`, `_, _ = time.LoadLocation("UTC")`), `p.go:3: time.LoadLocation: take a Zone as an argument, since this reads files`},
		{"goroutine", src(``, `go f()`), `p.go:3: go statement: batch starts goroutines`},
		{"channel", src(``, `var _ chan int`), `p.go:3: channel: yield with iter.Seq or fill a slice of the caller`},
		{"float", src(``, `var _ float64`), `p.go:3: float64: use Micros or decimal.Decimal`},
		{"float literal", src(``, `_ = 0.5`), `p.go:3: 0.5: use Micros or decimal.Decimal`},
		{"hidden float", src(`import "github.com/shopspring/decimal"`, `_ = decimal.NewFromFloat`), `p.go:3: NewFromFloat: use Micros or decimal.Decimal`},
		{"float function", src(`import "math"`, `_ = math.Round`), `p.go:3: math.Round: use Micros or decimal.Decimal`},
		{"terminal", src(`import "fmt"`, `fmt.Println()`), `p.go:3: fmt.Println: return the text`},
		{"builtin print", src(``, `println()`), `p.go:3: println: return the text`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff([]string{c.want}, impurities(t, "p.go", c.src)); diff != "" {
				t.Errorf("impurities (-want +got):\n%s", diff)
			}
		})
	}
	fine := src(`import ("math"; "time")`, `_ = math.MaxInt64; _ = time.UnixMilli(0).UTC(); const _ int64 = 1e6`)
	if got := impurities(t, "p.go", fine); len(got) > 0 {
		t.Errorf("impurities of pure code: %q", got)
	}
}

// impurities lists what a source file may not contain, each with its line and
// with what to do instead.
func impurities(t *testing.T, name, src string) []string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	p := purity{fset: fset, packages: map[string]string{}}
	for _, spec := range file.Imports {
		p.checkImport(spec)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		p.checkNode(n)
		return true
	})
	return p.breaches
}

type purity struct {
	fset     *token.FileSet
	packages map[string]string // name in this file → import path
	breaches []string
}

func (p *purity) breach(n ast.Node, what, instead string) {
	pos := p.fset.Position(n.Pos())
	p.breaches = append(p.breaches, fmt.Sprintf("%s:%d: %s: %s", pos.Filename, pos.Line, what, instead))
}

func (p *purity) checkImport(spec *ast.ImportSpec) {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		p.breach(spec, spec.Path.Value, err.Error())
		return
	}
	local := path[strings.LastIndex(path, "/")+1:]
	if spec.Name != nil {
		local = spec.Name.Name
	}
	p.packages[local] = path
	if local == "." {
		p.breach(spec, "import . "+spec.Path.Value, "a dot import hides what is used")
	} else if !importAllowed(path) {
		p.breach(spec, "import "+spec.Path.Value, importInstead(path))
	}
}

func (p *purity) checkNode(n ast.Node) {
	const yield = "yield with iter.Seq or fill a slice of the caller"
	switch n := n.(type) {
	case *ast.GoStmt:
		p.breach(n, "go statement", "batch starts goroutines")
	case *ast.ChanType:
		p.breach(n, "channel", yield)
	case *ast.SelectStmt:
		p.breach(n, "select", yield)
	case *ast.BasicLit:
		// 1e6 is the usual way to write a large integer constant.
		if n.Kind == token.IMAG || n.Kind == token.FLOAT && strings.ContainsAny(n.Value, ".-pP") {
			p.breach(n, n.Value, "use Micros or decimal.Decimal")
		}
	case *ast.Ident:
		p.checkIdent(n)
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && p.packages[x.Name] != "" {
			p.checkUse(n, p.packages[x.Name], n.Sel.Name)
		}
	}
}

// checkIdent looks at names that are forbidden wherever they stand, so at the
// methods and functions that lead from a decimal to a float, too.
func (p *purity) checkIdent(n *ast.Ident) {
	switch n.Name {
	case "float32", "float64", "complex64", "complex128", "ParseFloat", "FormatFloat", "AppendFloat",
		"Float64", "Float32", "InexactFloat64", "NewFromFloat", "NewFromFloat32", "NewFromFloatWithExponent":
		p.breach(n, n.Name, "use Micros or decimal.Decimal")
	case "print", "println":
		p.breach(n, n.Name, "return the text")
	}
}

// checkUse looks at a name taken from an imported package.
func (p *purity) checkUse(n ast.Node, path, name string) {
	what := path + "." + name
	switch path {
	case "time":
		if slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, name) {
			p.breach(n, what, "take the instant as an argument")
		} else if name == "LoadLocation" || name == "Local" {
			p.breach(n, what, "take a Zone as an argument, since this reads files")
		}
	case "math":
		if !strings.HasPrefix(name, "MaxInt") && !strings.HasPrefix(name, "MinInt") && !strings.HasPrefix(name, "MaxUint") {
			p.breach(n, what, "use Micros or decimal.Decimal")
		}
	case "fmt":
		if strings.HasPrefix(name, "Print") || strings.HasPrefix(name, "Scan") {
			p.breach(n, what, "return the text")
		}
	}
}

// importAllowed is the allow-list: packages that compute and touch nothing.
func importAllowed(path string) bool {
	if strings.HasPrefix(path, "hash/") || path == "unicode" || strings.HasPrefix(path, "unicode/") {
		return true
	}
	return slices.Contains([]string{
		"bytes", "cmp", "container/heap", "encoding/binary", "encoding/hex", "errors", "fmt", "hash", "iter", "maps",
		"math", "math/big", "math/bits", "slices", "sort", "strconv", "strings", "time",
		"github.com/cespare/xxhash/v2", "github.com/shopspring/decimal",
	}, path)
}

// importInstead says where the work of a forbidden import belongs.
func importInstead(path string) string {
	switch first, _, _ := strings.Cut(path, "/"); {
	case first == "waconcile":
		return "reconcile stands below all of ours; move the type here"
	case first == "os" || path == "io" || path == "io/fs" || first == "net" || first == "embed" || first == "bufio":
		return "let cmd read it and pass the bytes"
	case first == "log":
		return "return a finding or an error; cmd logs"
	case first == "sync" || first == "context" || path == "golang.org/x/sync":
		return "one goroutine owns an Engine, so nothing needs a lock"
	case path == "math/rand" || path == "math/rand/v2" || first == "crypto":
		return "take it as an argument; ids come from xxhash over the data"
	case path == "unsafe" || path == "reflect":
		return "use plain types"
	}
	return "not in the allow-list of imports_test.go"
}
