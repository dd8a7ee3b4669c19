package writer

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	testPointer  = "current/2024-07.json"
	testSeal     = "sealed/2024-07.json"
	testAdjusted = "adjusted/2024-07.json"

	firstLate  = "11111111111111111111111111111111"
	secondLate = "22222222222222222222222222222222"
)

// close closes the month as SealPeriod does.
func (p *parts) close() {
	pointer, err := decodePointer(p.store.objects[testPointer])
	p.put(testSeal, pointer.seal("2024-07"), err)
	pointer.Sealed = true
	p.put(testPointer, pointer, nil)
}

func (p *parts) put(key string, v any, err error) {
	line, encodeErr := encodeLine(v)
	if err := errors.Join(err, encodeErr); err != nil {
		panic(err)
	}
	p.store.set(key, line)
}

// adjust publishes the manifests of two runs that adjust the month, one after
// the other.
func (p *parts) adjust() {
	first := p.late(firstLate, p.m)
	p.late(secondLate, p.m, first)
}

// late publishes the manifest of a run that adjusts the month after others.
func (p *parts) late(id string, sealed *Manifest, before ...*Manifest) *Manifest {
	m, err := adjusting(sealed, id, before...)
	if err != nil {
		panic(err)
	}
	data, err := m.Encode()
	if err != nil {
		panic(err)
	}
	p.store.set(m.RunKey()+manifestName, data)
	p.put(testAdjusted, &Pointer{Run: m.RunKey(), ManifestSHA256: sha256Hex(data)}, nil)
	return m
}

// damagedClosings is what may be wrong beside a run of a closed month.
func damagedClosings() []damage {
	closed := func(name, check string, harm func(*parts)) damage {
		return damage{name: name, check: check, sealed: func(p *parts) {
			p.close()
			p.adjust()
			harm(p)
		}}
	}
	lateRun := func(id string) string { return RunPrefix("2024-07", id) }
	return []damage{
		closed("the seal of another run", "seal", func(p *parts) { p.replace(testSeal, testRun, otherRun) }),
		closed("the seal of another month", "seal", func(p *parts) { p.replace(testSeal, `"2024-07"`, `"2024-08"`) }),
		closed("the seal of another manifest", "seal", func(p *parts) { p.replace(testSeal, `256": "`, `256": "0`) }),
		closed("a seal cut short", "seal", func(p *parts) { p.store.set(testSeal, p.store.objects[testSeal][:20]) }),
		closed("an adjusted pointer cut short", "adjusted pointer", func(p *parts) { p.store.set(testAdjusted, p.store.objects[testAdjusted][:20]) }),
		closed("an adjusted pointer to no run", "adjusted pointer", func(p *parts) { p.replace(testAdjusted, secondLate, otherRun) }),
		closed("an adjusted pointer to the sealed run", "adjusted pointer", func(p *parts) { p.store.set(testAdjusted, p.store.objects[testPointer]) }),
		closed("an adjusted pointer to another manifest", "adjusted pointer", func(p *parts) { p.replace(lateRun(secondLate)+manifestName, `"inbound": 40`, `"inbound": 41`) }),
		closed("no run that adjusted before", "adjusted pointer", func(p *parts) { delete(p.store.objects, lateRun(firstLate)+manifestName) }),
		closed("another run that adjusted before", "adjusted pointer", func(p *parts) { p.replace(lateRun(firstLate)+manifestName, `"inbound": 40`, `"inbound": 41`) }),
		closed("an earlier run that adjusts nothing", "adjusted pointer", func(p *parts) { p.late(secondLate, p.m, p.m) }),
		closed("another run is adjusted", "adjusted pointer", func(p *parts) { p.late(secondLate, other()) }),
		closed("another run was adjusted", "adjusted pointer", func(p *parts) { p.late(secondLate, p.m, p.late(firstLate, other())) }),
		{name: "an open month is adjusted", check: "adjusted pointer", sealed: (*parts).adjust},
	}
}

// beside are the checks of what lies beside the run.
func beside(checks []Check) (all []Check) {
	for _, c := range checks {
		if c.Key != "" {
			all = append(all, c)
		}
	}
	return all
}

// TestVerifyClosing: what verify says of how a month stands, of its current
// run and of one that is no longer, in every state that is no damage.
func TestVerifyClosing(t *testing.T) {
	t.Parallel()
	sealed := Check{Name: "seal", Key: testSeal, Detail: "names the run that the month was billed by", OK: true}
	half := sealed
	half.Detail = "the month is closed, and has no seal yet; closing it again makes it whole"
	late := Check{Name: "adjusted pointer", Key: testAdjusted, Detail: "names " + RunPrefix("2024-07", secondLate) + ", the newest that adjusts the month; 2 in all", OK: true}
	for name, tc := range map[string]struct {
		state func(*parts)
		want  []Check
	}{
		"open":     {func(*parts) {}, nil},
		"closed":   {(*parts).close, []Check{sealed}},
		"adjusted": {func(p *parts) { p.close(); p.adjust() }, []Check{sealed, late}},
		"mark only": {func(p *parts) {
			p.close()
			delete(p.store.objects, testSeal)
		}, []Check{half}},
		"overtaken": {func(p *parts) {
			p.replace(testPointer, testRun, otherRun)
			p.close()
			p.replace(testSeal, otherRun, "x") // which is nothing against this run
		}, nil},
	} {
		p := aRunOf(20)
		p.write(t)
		p.seal(t)
		tc.state(p)
		for _, run := range []string{"", testRun} {
			if run == "" && name == "overtaken" {
				continue
			}
			checks, err := Verify(t.Context(), p.store, run, "2024-07")
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if diff := cmp.Diff(tc.want, beside(checks)); diff != "" {
				t.Errorf("%s, run %q (-want +got):\n%s", name, run, diff)
			}
		}
	}
}

// TestVerifyClosingNames: the error has the key of what is wrong beside the
// run, but where the run itself is damaged or its pointer.
func TestVerifyClosingNames(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		harm func(*parts)
		want string
	}{
		"seal":             {func(p *parts) { p.replace(testSeal, testRun, otherRun) }, "verify " + testSeal + ": verification failed: seal: read " + testSeal},
		"adjusted pointer": {func(p *parts) { p.store.set(testAdjusted, []byte("x")) }, "verify " + testAdjusted + ": verification failed: adjusted pointer: "},
		"no mark":          {func(p *parts) { p.replace(testPointer, `, "sealed": true`, "") }, "verify " + testPointer + ": verification failed: seal: "},
		"no seal":          {func(p *parts) { delete(p.store.objects, testSeal) }, "verify " + testSeal + ": verification failed: seal: "},
		"seal and a file": {func(p *parts) {
			p.replace(testSeal, testRun, otherRun)
			p.store.objects[testRun+firstFile][300] ^= 1
		}, "verify " + testRun + firstFile + ": verification failed: bytes: "},
		"seal and pointer": {func(p *parts) {
			p.put(testPointer, &Pointer{Run: testRun, ManifestSHA256: strings.Repeat("0", 64), Sealed: true}, nil)
		}, "verify " + testRun + ": verification failed: pointer: "},
		"the run that the seal names": {func(p *parts) { p.replace(testPointer, testRun, otherRun) }, "verify " + testSeal + ": verification failed: seal: "},
	} {
		p := aRun()
		p.write(t)
		p.seal(t)
		p.close()
		p.adjust()
		tc.harm(p)
		run := ""
		if name == "the run that the seal names" {
			run = testRun
		}
		checks, err := Verify(t.Context(), p.store, run, "2024-07")
		if !errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if run := strings.HasPrefix(tc.want, "verify "+testRun+firstFile); errors.Is(err, ErrBeside) == run {
			t.Errorf("%s: an object beside the run: %v", name, !run)
		}
		failed := slices.DeleteFunc(beside(checks), func(c Check) bool { return c.OK })
		if len(failed) != 1 {
			t.Errorf("%s is held against more: %+v", name, failed)
		}
	}
}

// TestVerifyClosingMoves: what is published and closed while verify looks is
// no damage.
func TestVerifyClosingMoves(t *testing.T) {
	t.Parallel()
	elsewhere := func(p *parts) { p.replace(testPointer, testRun, otherRun) }
	for name, tc := range map[string]struct {
		at     string // before this operation
		happen func(*parts)
		want   []string
	}{
		"closed between pointer and seal":        {"get " + testSeal, (*parts).close, []string{"seal"}},
		"another closed between them":            {"get " + testSeal, func(p *parts) { elsewhere(p); p.close() }, nil},
		"another published before the seal":      {"get " + testSeal, elsewhere, nil},
		"closed and adjusted before the pointer": {"get " + testPointer, func(p *parts) { p.close(); p.adjust() }, []string{"seal"}},
		"closed and adjusted before the seal":    {"get " + testSeal, func(p *parts) { p.close(); p.adjust() }, []string{"seal"}},
		"closed and adjusted before both":        {"get " + testAdjusted, func(p *parts) { p.close(); p.adjust() }, []string{"seal", "adjusted pointer"}},
	} {
		p := aRunOf(20)
		p.write(t)
		p.seal(t)
		tables := false
		p.store.fault = func(op, key string) (bool, error) {
			tables = tables || op == "open" // the pointer is read before them, too
			if tables && op+" "+key == tc.at && tc.happen != nil {
				happen := tc.happen
				tc.happen = nil
				happen(p)
			}
			return true, nil
		}
		checks, err := Verify(t.Context(), p.store, testRun, "2024-07")
		if err != nil || tc.happen != nil {
			t.Errorf("%s: %v, happened %v", name, err, tc.happen == nil)
		}
		var got []string
		for _, c := range beside(checks) {
			got = append(got, c.Name)
			if strings.Contains(c.Detail, "again") {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestVerifyClosingUnread: what cannot be read is no verdict.
func TestVerifyClosingUnread(t *testing.T) {
	t.Parallel()
	p := aRunOf(20)
	p.write(t)
	p.seal(t)
	p.close()
	p.adjust()
	broken := errors.New("connection reset")
	for _, key := range []string{testSeal, testAdjusted, RunPrefix("2024-07", firstLate) + manifestName, RunPrefix("2024-07", secondLate) + manifestName} {
		p.store.fault = func(_, k string) (bool, error) {
			if k == key {
				return false, broken
			}
			return true, nil
		}
		if _, err := Verify(t.Context(), p.store, "", "2024-07"); !errors.Is(err, broken) || errors.Is(err, ErrVerify) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", key, err)
		}
	}
}
