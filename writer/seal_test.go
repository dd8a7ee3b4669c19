package writer

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// closeMonth closes the month of testManifest as somebody who reads it now.
func closeMonth(t *testing.T, s *fakeStore) (already bool, err error) {
	t.Helper()
	p, _, version, err := Current(t.Context(), s, "2024-07")
	if err != nil {
		return false, err
	}
	return SealPeriod(t.Context(), s, "2024-07", p, version)
}

func TestSealPeriod(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	published := mustPublish(t, s, testManifest())
	seen := seenPointer(t, s)
	if seal, whole, err := ReadSeal(t.Context(), s, "2024-07", &published.Pointer); seal != nil || whole || err != nil {
		t.Errorf("open month: %v, %v, %v", seal, whole, err)
	}
	if already, err := closeMonth(t, s); already || err != nil {
		t.Fatalf("already %v, %v", already, err)
	}
	sum := published.Pointer.ManifestSHA256
	for key, want := range map[string]string{
		"current/2024-07.json": `{"run": "` + testRun + `", "manifest_sha256": "` + sum + `", "previous": null, "sealed": true}` + "\n",
		"sealed/2024-07.json":  `{"period": "2024-07", "run": "` + testRun + `", "manifest_sha256": "` + sum + `"}` + "\n",
	} {
		if got := string(s.objects[key]); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	if already, err := closeMonth(t, s); !already || err != nil {
		t.Errorf("again: already %v, %v", already, err)
	}
	p, _, version, err := Current(t.Context(), s, "2024-07")
	if err != nil {
		t.Fatal(err)
	}
	if seal, whole, err := ReadSeal(t.Context(), s, "2024-07", p); err != nil || !whole || seal.Run != testRun || seal.ManifestSHA256 != sum {
		t.Errorf("seal %+v, %v, %v", seal, whole, err)
	}
	for name, seen := range map[string]string{"planned before": seen, "planned after": version} {
		plant(s, other())
		if _, err := Publish(t.Context(), s, other(), seen); !errors.Is(err, ErrConflict) {
			t.Errorf("a run of a closed month, %s: %v", name, err)
		}
	}
	if o := mustPublish(t, s, testManifest()); !o.Already || !o.Pointer.Sealed {
		t.Errorf("the sealed run again: %+v", o)
	}
}

// TestSealFaults is a table of step × what goes wrong. Whatever did, closing
// again ends it, unless another run was first.
func TestSealFaults(t *testing.T) {
	t.Parallel()
	pointer, seal := "put current/2024-07.json", "put sealed/2024-07.json"
	for _, f := range []publishFault{
		{name: "pointer failed", step: pointer, times: always, err: errBroken, want: errBroken},
		{name: "pointer stored", step: pointer, times: 1, err: errBroken, stored: true},
		{name: "pointer failed, unreadable", step: pointer, times: always, err: errBroken, mute: true, want: ErrOutcomeUnknown},
		{name: "pointer stored, unreadable", step: pointer, times: always, err: errBroken, stored: true, mute: true, want: ErrOutcomeUnknown},
		{name: "pointer another's", step: pointer, times: 1, err: errBroken, rival: true, want: ErrConflict},
		{name: "pointer refused for nothing", step: pointer, times: always, err: ErrConflict, want: ErrStore},
		{name: "seal failed once", step: seal, times: 1, err: errBroken},
		{name: "seal failed", step: seal, times: always, err: errBroken, want: errBroken},
		{name: "seal stored", step: seal, times: 1, err: errBroken, stored: true},
		{name: "seal failed, unreadable", step: seal, times: always, err: errBroken, mute: true, want: ErrOutcomeUnknown},
		{name: "seal another's", step: seal, times: 1, err: errBroken, rival: true, want: ErrConflict},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newFakeStore()
			mustPublish(t, s, testManifest())
			s.fault = f.hook(s)
			_, err := closeMonth(t, s)
			s.fault = nil
			if !errors.Is(err, f.want) || (f.want == nil) != (err == nil) {
				t.Fatalf("got %v, want %v", err, f.want)
			}
			if f.rival {
				return
			}
			if _, err := closeMonth(t, s); err != nil {
				t.Fatalf("again: %v", err)
			}
			if already, err := closeMonth(t, s); !already || err != nil {
				t.Errorf("a third time: already %v, %v", already, err)
			}
		})
	}
}

// TestSealOvertaken: the pointer moved after it was read, and so another run
// than the one that was looked at would be sealed.
func TestSealOvertaken(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	mustPublish(t, s, testManifest())
	p, _, version, err := Current(t.Context(), s, "2024-07")
	if err != nil {
		t.Fatal(err)
	}
	mustPublish(t, s, other())
	if _, err := SealPeriod(t.Context(), s, "2024-07", p, version); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	if _, ok := s.objects["sealed/2024-07.json"]; ok {
		t.Error("the seal is there")
	}
}

func TestSealIsChecked(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	mustPublish(t, s, testManifest())
	if _, err := closeMonth(t, s); err != nil {
		t.Fatal(err)
	}
	good := string(s.objects["sealed/2024-07.json"])
	for name, text := range map[string]string{
		"no JSON":      "x",
		"more fields":  strings.Replace(good, "{", `{"x": 1, `, 1),
		"other period": strings.Replace(good, `"2024-07"`, `"2024-08"`, 1),
		"other run":    strings.Replace(good, testRun, otherRun, 1),
		"other hash":   strings.Replace(good, `256": "`, `256": "0`, 1),
	} {
		s.set("sealed/2024-07.json", []byte(text))
		if _, err := closeMonth(t, s); !errors.Is(err, ErrVerify) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	s.set("sealed/2024-07.json", []byte(good))
	if _, _, err := ReadSeal(t.Context(), s, "2024-07", nil); !errors.Is(err, ErrConflict) || errors.Is(err, ErrVerify) {
		t.Errorf("a pointer that came since: %v", err)
	}
	delete(s.objects, PointerKey("2024-07"))
	if _, _, err := ReadSeal(t.Context(), s, "2024-07", nil); !errors.Is(err, ErrVerify) {
		t.Errorf("a seal without a pointer: %v", err)
	}
}

// adjusting is a run that adjusts the month of testManifest, after others.
func adjusting(sealed *Manifest, id string, before ...*Manifest) (*Manifest, error) {
	m := testManifest()
	m.RunID = id
	for i, run := range append([]*Manifest{sealed}, before...) {
		table := SealedInput
		if i > 0 {
			table = AdjustmentsInput
		}
		in, err := RunInput(table, run)
		if err != nil {
			return nil, err
		}
		m.Inputs = append(m.Inputs, in)
	}
	return m, nil
}

// TestAdjusted: a run of a closed month moves a pointer of its own, and the
// one of the month stays.
func TestAdjusted(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	mustPublish(t, s, testManifest())
	if _, err := closeMonth(t, s); err != nil {
		t.Fatal(err)
	}
	before := string(s.objects["current/2024-07.json"])
	if _, _, _, err := Adjusted(t.Context(), s, "2024-07"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing is adjusted: %v", err)
	}
	one, err := adjusting(testManifest(), strings.Repeat("1", 32))
	if err != nil {
		t.Fatal(err)
	}
	plant(s, one)
	if _, err := Publish(t.Context(), s, one, ""); err != nil {
		t.Fatal(err)
	}
	_, m, version, err := Adjusted(t.Context(), s, "2024-07")
	if err != nil || m.RunID != one.RunID {
		t.Fatalf("adjusted by %v, %v", m, err)
	}
	two, err := adjusting(testManifest(), strings.Repeat("0", 32), one)
	if err != nil {
		t.Fatal(err)
	}
	plant(s, two)
	if _, err := Publish(t.Context(), s, two, ""); !errors.Is(err, ErrConflict) {
		t.Errorf("planned before the other: %v", err)
	}
	o, err := MovePointer(t.Context(), s, two, version)
	if err != nil || o.Pointer.Previous == nil || *o.Pointer.Previous != one.RunKey() {
		t.Errorf("second: %+v, %v", o, err)
	}
	if got := string(s.objects["current/2024-07.json"]); got != before {
		t.Errorf("the pointer of the month is %s, was %s", got, before)
	}
	runs := []*Manifest{two, one}
	if ByAge(runs); runs[0] != one {
		t.Error("the younger run comes first")
	}
	for _, key := range []string{"current/2024-07.json", "adjusted/2024-07.json"} {
		other := map[string]string{"current/2024-07.json": "adjusted/2024-07.json", "adjusted/2024-07.json": "current/2024-07.json"}[key]
		if _, _, _, err := pointed(t.Context(), withObject(s, key, s.objects[other]), key, "2024-07"); !errors.Is(err, ErrVerify) {
			t.Errorf("%s names a run that belongs in %s: %v", key, other, err)
		}
	}
	for _, in := range one.Inputs {
		if in.Table != SealedInput {
			continue
		}
		if m, err := ReadRunInput(t.Context(), s, in); err != nil || m.RunID != testManifest().RunID {
			t.Errorf("sealed run %v, %v", m, err)
		}
		in.Identity = strings.Repeat("0", 64)
		if _, err := ReadRunInput(t.Context(), s, in); !errors.Is(err, ErrVerify) {
			t.Errorf("another hash: %v", err)
		}
		in.Key = "runs/2024-07/77/manifest.json"
		if _, err := ReadRunInput(t.Context(), s, in); !errors.Is(err, ErrVerify) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("no such run: %v", err)
		}
	}
}

// withObject is a copy of a store with one object replaced.
func withObject(s *fakeStore, key string, data []byte) *fakeStore {
	c := newFakeStore()
	for k, d := range s.objects {
		c.set(k, d)
	}
	c.set(key, data)
	return c
}

func TestRunInputsAreChecked(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	const run = "runs/2024-07/0123456789abcdef/manifest.json"
	sealed := Input{SealedInput, run, 1, hash, 1}
	for name, tc := range map[string]struct {
		inputs []Input
		want   string // empty: fine
	}{
		"adjusts":         {[]Input{sealed, {AdjustmentsInput, run, 1, hash, 1}}, ""},
		"takes in":        {[]Input{{TakenInput, "runs/2024-06/0/manifest.json", 1, hash, 1}}, ""},
		"two sealed":      {[]Input{sealed, {SealedInput, "runs/2024-07/1/manifest.json", 1, hash, 1}}, "more than one"},
		"nothing sealed":  {[]Input{{AdjustmentsInput, run, 1, hash, 1}}, "no sealed run"},
		"no run":          {[]Input{{SealedInput, "runs/2024-07/x", 1, hash, 1}}, "not the manifest"},
		"of a day":        {[]Input{{TakenInput, "runs/2024-06-01/0/manifest.json", 1, hash, 1}}, "not the manifest"},
		"no hash":         {[]Input{{SealedInput, run, 1, "etag", 1}}, "is no sha256"},
		"taken twice":     {[]Input{{TakenInput, "runs/2024-06/0/manifest.json", 1, hash, 1}, {TakenInput, "runs/2024-06/0/manifest.json", 1, hash, 1}}, "twice"},
		"of itself":       {[]Input{{TakenInput, run, 1, hash, 1}}, "of 2024-07 in a run of 2024-07"},
		"another's month": {[]Input{{SealedInput, "runs/2024-06/0/manifest.json", 1, hash, 1}}, "of 2024-06 in a run of 2024-07"},
	} {
		m := testManifest()
		m.Inputs = tc.inputs
		if err := m.Validate(); (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
	for period, want := range map[string]bool{
		"2024-07": true, "2024-12": true, "2024-13": false, "2024-00": false, "2024-7": false, "2024-07-01": false, "202407x": false, "2024x07": false, "": false,
	} {
		if IsMonth(period) != want {
			t.Errorf("IsMonth(%q) = %v", period, !want)
		}
	}
}

func TestMonthBefore(t *testing.T) {
	t.Parallel()
	for month, want := range map[string]string{
		"2024-07": "2024-06", "2024-10": "2024-09", "2024-01": "2023-12", "1000-01": "0999-12", "0001-01": "", "x": "",
	} {
		if got := MonthBefore(month); got != want {
			t.Errorf("before %s is %q, want %q", month, got, want)
		}
	}
}
