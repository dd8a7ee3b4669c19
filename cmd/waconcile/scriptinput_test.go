package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"waconcile/reader/miniotest"
	"waconcile/writer"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestBadInput runs the command on inputs that the contract refuses. Each
// script finds the exit code, what the message names, and nothing published.
func TestBadInput(t *testing.T) {
	t.Parallel()
	testscript.Run(t, inputParams("testdata/script/bad"))
}

// TestOddInput runs the command on inputs that are strange and have a meaning
// in the contract. Each script finds what is published.
func TestOddInput(t *testing.T) {
	t.Parallel()
	testscript.Run(t, inputParams("testdata/script/odd"))
}

// baseFiles are what a script in bad and odd begins with, unless it has a
// file of that name itself: inputs without a fault, and a configuration that
// names them.
const baseFiles = "testdata/script/base"

// inputParams adds to all scripts the base files and the commands
//
//	counts OUT NAME=NUMBER...
//		compares numbers of what is published in an output directory: counts
//		of the manifest, those in it as rejected.missing_value, the rows of
//		inputs as input_rows.rates, and verdict
//	tables OUT
//		prints name, rows, bytes and sha256 of every file of the run that is
//		published in an output directory, report aside
//	listing DIR|URL
//		prints all objects of a place with what changes if they are written
//	emptyexport FILE
//		makes an export without rows
func inputParams(dir string) testscript.Params {
	p := scriptParams(dir)
	setup := p.Setup
	p.Setup = func(env *testscript.Env) error {
		env.Setenv("WACONCILE_CONFIG", "waconcile.yaml")
		env.Setenv("WACONCILE_LOG_FORMAT", logText)
		return errors.Join(setup(env), copyMissing(baseFiles, env.WorkDir))
	}
	p.Cmds["counts"] = counts
	p.Cmds["tables"] = tables
	p.Cmds["listing"] = listing
	p.Cmds["emptyexport"] = emptyExport
	return p
}

// copyMissing copies the files of a directory that another one lacks.
func copyMissing(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(to, e.Name()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := f.Write(data); err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// published is the manifest of the one period that is published in out.
func published(ts *testscript.TestScript, out string) *writer.Manifest {
	pointers, err := filepath.Glob(filepath.Join(ts.MkAbs(out), "current", "*.json"))
	ts.Check(err)
	if len(pointers) != 1 {
		ts.Fatalf("%s publishes %d periods, want 1", out, len(pointers))
	}
	var pointer writer.Pointer
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(pointers[0])), &pointer))
	m, err := writer.DecodeManifest([]byte(ts.ReadFile(filepath.Join(out, pointer.Run, "manifest.json"))))
	ts.Check(err)
	return m
}

func counts(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) >= 2, "counts OUT NAME=NUMBER...")
	m := published(ts, args[0])
	text, err := json.Marshal(m.Counts)
	ts.Check(err)
	var tree map[string]any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	ts.Check(decoder.Decode(&tree))
	got := map[string]string{"verdict": m.Verdict}
	flatten(got, "", tree)
	rows := map[string]int64{}
	for _, in := range m.Inputs {
		rows["input_rows."+in.Table] += in.Rows
	}
	for name, n := range rows {
		got[name] = strconv.FormatInt(n, 10)
	}
	for _, arg := range args[1:] {
		name, number, _ := strings.Cut(arg, "=")
		_, known := got[name]
		group, _, nested := strings.Cut(name, ".")
		if _, isGroup := tree[group].(map[string]any); !known && (!nested || !isGroup) {
			ts.Fatalf("%s is none of %v", name, slices.Sorted(maps.Keys(got)))
		}
		if !known {
			got[name] = "0"
		}
		if got[name] != number {
			ts.Fatalf("%s is %s, want %s; all: %v", name, got[name], number, got)
		}
	}
}

// flatten gives the leaves of a tree names such as rejected.missing_value.
func flatten(into map[string]string, prefix string, tree map[string]any) {
	for name, v := range tree {
		if branch, ok := v.(map[string]any); ok {
			flatten(into, prefix+name+".", branch)
			continue
		}
		into[prefix+name] = fmt.Sprint(v)
	}
}

func tables(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "tables OUT")
	for _, f := range published(ts, args[0]).Files {
		if f.Name != "report.html" {
			_, err := fmt.Fprintln(ts.Stdout(), f.Name, f.Rows, f.Bytes, f.SHA256)
			ts.Check(err)
		}
	}
}

func emptyExport(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "emptyexport FILE")
	name := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
	columns := []string{"message_id", "account_id", "business_number", "contact", "direction", "type", "category", "sent_at", "status"}
	ts.Check(writeParquet(name, exportSchema(columns), nil))
}

func listing(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, len(args) == 1, "listing DIR|URL")
	bucket, prefix, isBucket, err := splitPlace(args[0])
	ts.Check(err)
	var lines []string
	if isBucket {
		lines = listBucket(ts, bucket, prefix)
	} else {
		lines = listDir(ts, ts.MkAbs(args[0]))
	}
	for _, line := range lines {
		_, err := fmt.Fprintln(ts.Stdout(), line)
		ts.Check(err)
	}
}

func listDir(ts *testscript.TestScript, dir string) []string {
	var lines []string
	ts.Check(filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			lines = append(lines, name+" "+info.Mode().String()+" "+info.ModTime().Format(time.RFC3339Nano)+" "+strconv.FormatInt(info.Size(), 10))
		}
		return err
	}))
	return lines
}

func listBucket(ts *testscript.TestScript, bucket, prefix string) []string {
	t := testOf(ts)
	client := miniotest.Start(t).Client(t)
	var lines []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		ts.Check(err)
		for _, o := range page.Contents {
			lines = append(lines, *o.Key+" "+*o.ETag+" "+o.LastModified.Format(time.RFC3339Nano))
		}
	}
	return lines
}
