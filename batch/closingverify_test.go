package batch

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"waconcile/writer"
	"waconcile/writer/writertest"
)

// objects are what lies in a place, to be changed behind everybody's back.
type objects map[string][]byte

// edit changes the fields of a pointer or a seal.
func (o objects) edit(t *testing.T, key string, fields map[string]any) {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(o[key], &all); err != nil {
		t.Fatal(err)
	}
	maps.Copy(all, fields)
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	o[key] = data
}

// open takes away that a month is closed.
func (o objects) open(t *testing.T, month string) {
	delete(o, writer.SealKey(month))
	o.edit(t, writer.PointerKey(month), map[string]any{"sealed": false})
}

// built has a run build on other inputs, and what names it as if it always had.
func (o objects) built(t *testing.T, run *Result, change func([]writer.Input) []writer.Input, named ...string) {
	t.Helper()
	m := *run.Manifest
	m.Inputs = change(slices.Clone(m.Inputs))
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	o[m.RunKey()+"manifest.json"] = data
	for _, key := range named {
		o.edit(t, key, map[string]any{"manifest_sha256": sumOf(data)})
	}
}

// adjusted makes a run the newest that adjusts its month.
func (o objects) adjusted(t *testing.T, run *Result) {
	o.edit(t, writer.AdjustedKey(run.Manifest.Period), map[string]any{"run": run.RunKey, "manifest_sha256": inputOf(t, run).Identity})
}

func inputOf(t *testing.T, run *Result) writer.Input {
	t.Helper()
	in, err := writer.RunInput(writer.TakenInput, run.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestVerifyClosedMonths: what is wrong with closed months is found by the
// check that is meant for it, by the run that relies on them; and what a crash
// or another run leaves is not wrong.
func TestVerifyClosedMonths(t *testing.T) {
	t.Parallel()
	out := &writertest.Mem{}
	b := newBooks(t, out)
	b.fresh("2024-06")
	b.close("2024-06")
	b.put("late-1", b.message("39100000005", "2024-06-10"))
	first := b.fresh("2024-06")
	july := b.fresh("2024-07")
	b.wantTaken(july, first)
	b.close("2024-07")
	b.put("late-2", b.message("39100000006", "2024-06-11"), b.message("39100000007", "2024-07-12"))
	second, late := b.fresh("2024-06"), b.fresh("2024-07")
	august := b.fresh("2024-08")
	b.wantTaken(august, second, late)
	const none = "" // nothing is wrong
	for _, tc := range []struct {
		name, check string
		run         *Result
		change      func(*testing.T, objects)
		key         string // that the error names
	}{
		{"taken in by the month between", "taken in once", august, func(t *testing.T, o objects) {
			also := inputOf(t, second)
			o.built(t, july, func(in []writer.Input) []writer.Input { return append(in, also) }, "current/2024-07.json", "sealed/2024-07.json")
		}, second.RunKey},
		{"adjusted after another manifest of the run", "taken in once", july, func(t *testing.T, o objects) {
			o.built(t, second, func(all []writer.Input) []writer.Input {
				for i := range all {
					if all[i].Table == writer.AdjustmentsInput {
						all[i].Identity = strings.Repeat("0", 64)
					}
				}
				return all
			}, "adjusted/2024-06.json")
		}, "adjusted/2024-06.json"},
		{"an open month between", "taken in once", august, func(t *testing.T, o objects) { o.open(t, "2024-07") }, "sealed/2024-07.json"},
		{"no month between", "taken in once", august, func(t *testing.T, o objects) {
			delete(o, "sealed/2024-07.json")
			delete(o, "current/2024-07.json")
		}, "sealed/2024-07.json"},
		{"an open month", "taken in once", august, func(t *testing.T, o objects) { o.open(t, "2024-06") }, "sealed/2024-06.json"},
		{"the seal between", "taken in once", august, func(t *testing.T, o objects) {
			o.edit(t, "sealed/2024-07.json", map[string]any{"run": first.RunKey})
		}, "sealed/2024-07.json"},
		{"the pointer between", "taken in once", august, func(t *testing.T, o objects) { o["current/2024-07.json"] = []byte("x") }, "current/2024-07.json"},
		{"no run between", "taken in once", august, func(t *testing.T, o objects) { delete(o, july.RunKey+"manifest.json") }, july.RunKey},
		{"no adjusted pointer", "taken in once", august, func(t *testing.T, o objects) { delete(o, "adjusted/2024-06.json") }, "adjusted/2024-06.json"},
		{"an older adjusted pointer", "taken in once", august, func(t *testing.T, o objects) { o.adjusted(t, first) }, "adjusted/2024-06.json"},
		{"a damaged adjusted pointer", "taken in once", august, func(t *testing.T, o objects) {
			o.edit(t, "adjusted/2024-06.json", map[string]any{"manifest_sha256": strings.Repeat("0", 64)})
		}, second.RunKey},

		{"a run of another seal", "seal", second, func(t *testing.T, o objects) {
			for _, key := range []string{"current/2024-06.json", "sealed/2024-06.json"} {
				o.edit(t, key, map[string]any{"manifest_sha256": strings.Repeat("0", 64)})
			}
		}, "sealed/2024-06.json"},
		{"a run of another sealed run", "seal", second, func(t *testing.T, o objects) {
			for _, key := range []string{"current/2024-06.json", "sealed/2024-06.json"} {
				o.edit(t, key, map[string]any{"run": first.RunKey})
			}
		}, "sealed/2024-06.json"},
		{"a run of an open month", "seal", second, func(t *testing.T, o objects) { o.open(t, "2024-06") }, "sealed/2024-06.json"},
		{"a run of a month without a pointer", "seal", second, func(t *testing.T, o objects) { delete(o, "current/2024-06.json") }, "sealed/2024-06.json"},
		{"a run of a month with a damaged pointer", "seal", second, func(t *testing.T, o objects) { o["current/2024-06.json"] = []byte("x") }, "current/2024-06.json"},
		{"marked and not sealed", "seal", second, func(t *testing.T, o objects) { delete(o, "sealed/2024-06.json") }, "sealed/2024-06.json"},
		{"an adjusted pointer to no run", "adjusted pointer", first, func(t *testing.T, o objects) { delete(o, second.RunKey+"manifest.json") }, "adjusted/2024-06.json"},

		{"all marked and not sealed", none, august, func(t *testing.T, o objects) {
			delete(o, "sealed/2024-06.json")
			delete(o, "sealed/2024-07.json")
		}, ""},
		{"all sealed and not marked", none, august, func(t *testing.T, o objects) {
			o.edit(t, "current/2024-06.json", map[string]any{"sealed": false})
			o.edit(t, "current/2024-07.json", map[string]any{"sealed": false})
		}, ""},
		{"a run that adjusts late", none, late, func(*testing.T, objects) {}, ""},
		{"a run that another overtook", none, second, func(t *testing.T, o objects) { o.adjusted(t, first) }, ""},
		{"a run whose pointer was not written", none, first, func(t *testing.T, o objects) { delete(o, "adjusted/2024-06.json") }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			place := objects(out.Objects())
			tc.change(t, place)
			checks, err := writer.Verify(t.Context(), placeOf(t, place), tc.run.RunKey, tc.run.Manifest.Period)
			if tc.check == none && err == nil {
				overtaken := slices.ContainsFunc(checks, func(c writer.Check) bool { return strings.Contains(c.Detail, "another was first") })
				if overtaken != (tc.name == "a run that another overtook") {
					t.Errorf("overtaken %v: %+v", overtaken, checks)
				}
				return
			}
			if !errors.Is(err, writer.ErrVerify) {
				t.Fatalf("got %v", err)
			}
			i := slices.IndexFunc(checks, func(c writer.Check) bool { return !c.OK })
			if checks[i].Name != tc.check || !strings.Contains(err.Error(), tc.key) {
				t.Errorf("%s came first, not %s of %s: %v", checks[i].Name, tc.check, tc.key, err)
			}
		})
	}
	broken := errors.New("connection reset")
	for _, key := range []string{"current/2024-07.json", "sealed/2024-07.json", july.RunKey + "manifest.json", "adjusted/2024-06.json"} {
		place := placeOf(t, out.Objects())
		place.Hook = func(_, k string) (bool, error) {
			if k == key {
				return false, broken
			}
			return true, nil
		}
		if _, err := writer.Verify(t.Context(), place, august.RunKey, "2024-08"); !errors.Is(err, broken) || errors.Is(err, writer.ErrVerify) {
			t.Errorf("%s cannot be read: %v", key, err)
		}
	}
}
