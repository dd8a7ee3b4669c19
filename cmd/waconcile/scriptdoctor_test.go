package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"waconcile/writer/s3test"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestDoctor runs the scripts about doctor, which begin with the base files.
// They have, beside other commands,
//
//	s3server honest|blind|readonly|unlisted|unread DIR
//		starts an S3 store in memory that holds a directory, in any bucket,
//		and sets the environment to what the command needs to use it. A blind
//		one ignores the conditions of writes; the others refuse writes,
//		listings, or reads
//	tree before|after
//		writes into the file before or after the names of all directories and files of the
//		script, temporary ones too, and the bytes of files
//	stored
//		prints the keys of that store
func TestDoctor(t *testing.T) {
	t.Parallel()
	p := inputParams("testdata/script/doctor")
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		env.Values[storeKey{}] = &startedStore{}
		return setup(env)
	}
	p.Cmds["s3server"] = s3server
	p.Cmds["tree"] = tree
	p.Cmds["stored"] = stored
	testscript.Run(t, p)
}

// storeKey is where a script keeps what s3server started last.
type storeKey struct{}

type startedStore struct{ store *s3test.Store }

func startedOf(ts *testscript.TestScript) *startedStore {
	started, ok := ts.Value(storeKey{}).(*startedStore)
	if !ok {
		ts.Fatalf("the script has no place for a store")
	}
	return started
}

func s3server(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 2, "s3server honest|blind|readonly|unlisted|unread DIR")
	store := &s3test.Store{}
	root := os.DirFS(ts.MkAbs(args[1]))
	ts.Check(fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, name)
		store.Put(name, data)
		return err
	}))
	denied := func(*http.Request) bool { return false }
	isListing := func(r *http.Request) bool { return r.URL.Query().Has("list-type") }
	switch args[0] {
	case "honest":
	case "blind":
		store.Lie = func(c s3test.Call) s3test.Lie {
			if c.Op == s3test.PutObject {
				return s3test.Blind
			}
			return s3test.Honest
		}
	case "readonly":
		denied = func(r *http.Request) bool { return r.Method == http.MethodPut || r.Method == http.MethodPost }
	case "unlisted":
		denied = isListing
	case "unread":
		denied = func(r *http.Request) bool { return r.Method == http.MethodGet && !isListing(r) }
	default:
		ts.Fatalf("s3server %s is none of honest, blind, readonly, unlisted, unread", args[0])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if denied(r) {
			s3Error(w, http.StatusForbidden, "AccessDenied")
			return
		}
		store.ServeHTTP(w, r)
	}))
	ts.Defer(server.Close)
	startedOf(ts).store = store
	ts.Setenv("AWS_ACCESS_KEY_ID", "key-of-the-test")
	ts.Setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
	ts.Setenv("AWS_REGION", "us-east-1")
	ts.Setenv("WACONCILE_S3_ENDPOINT", server.URL)
	ts.Setenv("WACONCILE_S3_PATH_STYLE", "true")
}

// s3Error answers as S3 refuses.
func s3Error(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>by the test</Message></Error>", code)
}

func stored(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 0, "stored")
	store := startedOf(ts).store
	if store == nil {
		ts.Fatalf("no s3server was started")
	}
	for _, key := range slices.Sorted(maps.Keys(store.Objects())) {
		_, err := fmt.Fprintln(ts.Stdout(), key)
		ts.Check(err)
	}
}

func tree(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "tree before|after")
	var b strings.Builder
	root := os.DirFS(ts.MkAbs("."))
	ts.Check(fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "before" || name == "after" {
			return err
		}
		fmt.Fprintln(&b, name)
		if d.IsDir() {
			return nil
		}
		data, err := fs.ReadFile(root, name)
		fmt.Fprintf(&b, "  %x\n", sha256.Sum256(data))
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}
