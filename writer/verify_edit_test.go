package writer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// leaf is a value of a JSON document that can be edited in place.
type leaf struct {
	path string // counts.rejected.bad_status, files[3].rows
	get  any
	set  func(any)
}

// leaves are all values of a document, in their order.
func leaves(doc any) (all []leaf) {
	var walk func(path string, v any, set func(any))
	walk = func(path string, v any, set func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for _, key := range sortedKeys(v, v) {
				walk(path+"."+key, v[key], func(to any) { v[key] = to })
			}
		case []any:
			for i := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), v[i], func(to any) { v[i] = to })
			}
		default:
			all = append(all, leaf{strings.TrimPrefix(path, "."), v, set})
		}
	}
	walk("", doc, nil)
	return all
}

// edited is another value of the same form.
func edited(v any) any {
	switch v := v.(type) {
	case json.Number:
		n, _ := strconv.ParseInt(v.String(), 10, 64)
		return n + 1
	case bool:
		return !v
	case string:
		if d, err := decimal.NewFromString(v); err == nil && len(v) < 30 { // no hash
			return d.Add(decimal.New(1, d.Exponent())).String()
		}
		if v == "" {
			return "x"
		}
		last := v[len(v)-1]
		if last == '0' {
			return v[:len(v)-1] + "1"
		}
		return v[:len(v)-1] + "0"
	}
	return "x" // null
}

// document reads a manifest as what any editor sees.
func document(t *testing.T, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// notInTables are the values of a manifest of which its tables know nothing.
// If one is edited, and the pointer with it, verify cannot tell.
func notInTables() []string {
	return []string{
		"counts.late", "counts.misplaced", "inputs[].identity", "inputs[].key", "inputs[].rows", "inputs[].size",
		"inputs_sha256", "program.name", "program.version", "rules_version", "control[].text",
		"settings.allow_missing", "settings.columns.contact", "settings.columns.message_id", "settings.complete_marker",
		"settings.delivery_days", "settings.expiry_days", "settings.ignore_types[]", "settings.late_days", "settings.lookback",
		"settings.max_reject_ratio", "settings.rounding",
	}
}

// TestVerifyEditedManifest edits each value of a manifest, one at a time. The
// sha256 in the pointer tells of all of them. Where that is edited too, the
// tables tell of every figure that they know.
func TestVerifyEditedManifest(t *testing.T) {
	t.Parallel()
	p := aRunOf(20)
	p.write(t)
	p.seal(t)
	good := p.store.objects[testRun+manifestName]
	index := regexp.MustCompile(`\[\d+\]`)
	missed := map[string]bool{}
	for i, l := range leaves(document(t, good)) {
		doc := document(t, good)
		leaves(doc)[i].set(edited(l.get))
		raw, err := encodeJSON(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range []string{"", testRun} {
			s := withObject(p.store, testRun+manifestName, raw)
			if _, err := Verify(t.Context(), s, run, "2024-07"); !errors.Is(err, ErrVerify) {
				t.Errorf("%s: %v", l.path, err)
			}
		}
		// In the form in which a manifest is written, if it can be.
		var m Manifest
		if json.Unmarshal(raw, &m) != nil {
			continue
		}
		form, err := m.Encode()
		if err != nil {
			continue
		}
		pointer := Pointer{Run: testRun, ManifestSHA256: sha256Hex(form)}
		line, err := pointer.encode()
		if err != nil {
			t.Fatal(err)
		}
		s := withObject(withObject(p.store, testRun+manifestName, form), "current/2024-07.json", line)
		if _, err := Verify(t.Context(), s, "", "2024-07"); err == nil {
			missed[index.ReplaceAllString(l.path, "[]")] = true
		} else if !errors.Is(err, ErrVerify) {
			t.Errorf("%s: %v", l.path, err)
		}
	}
	want := notInTables()
	slices.Sort(want)
	if diff := cmp.Diff(want, sortedKeys(missed, missed)); diff != "" {
		t.Errorf("edits that verify does not see (-want +got):\n%s", diff)
	}
}
