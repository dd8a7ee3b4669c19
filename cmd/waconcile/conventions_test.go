package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Bounds beyond which one idea is no longer one function or one file.
const (
	functionLinesMax = 80
	fileLinesMax     = 600
)

// TestConventions holds what is quick to lose and cheap to check: no init, no
// state in package variables, no functional options, nothing overlong. Tests
// and their helpers, which may share a server in a process, are left alone.
func TestConventions(t *testing.T) {
	t.Parallel()
	left := exceptions()
	for _, f := range goFiles(t) {
		if f.test || slices.Contains(testHelpers(), f.pkg) {
			continue
		}
		for _, breach := range breaches(t, filepath.Join(moduleRoot, filepath.FromSlash(f.name)), nil) {
			if at := f.name + ": " + breach; left[at] {
				delete(left, at)
			} else {
				t.Error(at)
			}
		}
	}
	for at := range left {
		t.Errorf("exception that nothing needs: %s", at)
	}
}

// exceptions are breaches with a reason, which stands beside the code.
func exceptions() map[string]bool {
	return map[string]bool{
		"writer/zstd.go: func init: do it where it is needed": true, // the library's own registry of codecs
	}
}

// TestConventionsFinds shows that TestConventions would fail where it should.
func TestConventionsFinds(t *testing.T) {
	t.Parallel()
	src := `package p
import ("embed"; "errors"; "io")
func init() {}
var state = map[string]int{}
var counter int
type Option func(*T)
type T struct{}
func (T) init() {}
var ErrFine = errors.New("fine")
var _ io.Reader = (*T)(nil)
var (
	//go:embed table.csv
	table []byte
	_ embed.FS
)
type Visit func(T) error
`
	want := []string{
		"func init: do it where it is needed",
		"package variable state: make it a constant, a function, or a field of what owns it",
		"package variable counter: make it a constant, a function, or a field of what owns it",
		"type Option: take a struct of options with Validate",
	}
	if diff := cmp.Diff(want, breaches(t, "p.go", src)); diff != "" {
		t.Errorf("breaches (-want +got):\n%s", diff)
	}
}

func breaches(t *testing.T, name string, src any) []string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	lines := func(n ast.Node) int { return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1 }
	var found []string
	if lines(file) > fileLinesMax {
		found = append(found, "a long file: give its subjects a file each")
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				found = append(found, "func init: do it where it is needed")
			}
			if lines(d) > functionLinesMax {
				found = append(found, "func "+d.Name.Name+" is long: is one idea still one function?")
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				found = append(found, specBreaches(d, spec)...)
			}
		}
	}
	return found
}

func specBreaches(decl *ast.GenDecl, spec ast.Spec) []string {
	var found []string
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if fn, ok := s.Type.(*ast.FuncType); ok && isOption(fn) {
			found = append(found, "type "+s.Name.Name+": take a struct of options with Validate")
		}
	case *ast.ValueSpec:
		if decl.Tok != token.VAR || embedded(decl.Doc) || embedded(s.Doc) {
			break
		}
		for i, name := range s.Names {
			if name.Name != "_" && (i >= len(s.Values) || !isSentinel(s.Values[i])) {
				found = append(found, "package variable "+name.Name+": make it a constant, a function, or a field of what owns it")
			}
		}
	}
	return found
}

// isOption: a function that only changes what a pointer points to.
func isOption(fn *ast.FuncType) bool {
	if fn.Results.NumFields() != 0 || fn.Params.NumFields() != 1 {
		return false
	}
	_, ok := fn.Params.List[0].Type.(*ast.StarExpr)
	return ok
}

// isSentinel: an error made by errors.New or fmt.Errorf.
func isSentinel(value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	fn, ok := call.Fun.(*ast.SelectorExpr)
	return ok && (fn.Sel.Name == "New" || fn.Sel.Name == "Errorf")
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}
