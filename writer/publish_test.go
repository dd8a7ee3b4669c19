package writer

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const testRun = "runs/2024-07/0123456789abcdef0123456789abcdef/"

func testManifest() *Manifest {
	return &Manifest{
		FormatVersion: FormatVersion, Program: Program{"waconcile", "test"}, RulesVersion: "1",
		Period: "2024-07", First: "2024-07-01", Last: "2024-07-31",
		RunID:        "0123456789abcdef0123456789abcdef",
		InputsSHA256: strings.Repeat("ab", 32), Verdict: Complete,
		Settings: Settings{
			Columns: map[string]string{"message_id": "id", "contact": "to"}, IgnoreTypes: []string{"system", "note"},
			Lookback: 3, LateDays: 1, DeliveryDays: 30, MaxRejectRatio: "0.001", Rounding: "half-up", VATAt: "recharge",
		},
		DaysRead: []string{"2024-07-02", "2024-07-01"},
		Inputs: []Input{
			{RatesInput, "rates.csv", 120, strings.Repeat("0", 64), 4},
			{ExportsInput, "dt=2024-07-01/a<b>.parquet", 10, "\"etag\"", 99},
		},
		Files: []FileEntry{
			{"summary.parquet", 1, 900, strings.Repeat("1", 64), map[string]string{"quantity": "7", "net_amount": "0.432600"}, nil},
			{"report.html", 0, 12, strings.Repeat("2", 64), nil, nil},
		},
		Control: []ControlTotal{{"charges", "7", "7", true, "charges = charged + free + unrated"}},
		Counts: Counts{
			RowsRead: 99, Rejected: map[string]int64{"bad_status": 1}, Merged: 2, Messages: 96, Inbound: 40,
			NotCounted: NotCounted{Failed: 3, Undelivered: 0, Ignored: 1}, Joined: 45, Opened: 7,
			Conversations: map[string]int64{"service": 4, "marketing": 3},
		},
		Totals: []CurrencyTotals{{Currency: "EUR", Net: "0.43", Prepaid: "0.03", Payable: "0.40", VAT: "0.09", Gross: "0.49"}},
	}
}

func TestManifestGolden(t *testing.T) {
	t.Parallel()
	got, err := testManifest().Encode()
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "manifest.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	m, err := DecodeManifest(got)
	if err != nil {
		t.Fatal(err)
	}
	normal := testManifest()
	normal.normalise()
	if diff := cmp.Diff(normal, m); diff != "" {
		t.Error(diff)
	}
}

// Runs of an older format stay readable.
func TestOlderFormat(t *testing.T) {
	t.Parallel()
	old := testManifest()
	old.FormatVersion, old.Settings.VATAt = 1, ""
	data, err := old.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m, err := DecodeManifest(data)
	if err != nil || m.FormatVersion != 1 {
		t.Fatalf("format %d, %v", m.FormatVersion, err)
	}
	_, now, _ := testManifest().SchemaOf("statements.csv")
	if _, then, _ := m.SchemaOf("statements.csv"); len(then) != len(now)-3 {
		t.Errorf("%d columns of statements, %d now", len(then), len(now))
	}
}

func TestManifestIsStrict(t *testing.T) {
	t.Parallel()
	data, err := testManifest().Encode()
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		text := strings.Replace(string(data), old, new, 1)
		if text == string(data) {
			t.Fatalf("%s is not in the manifest", old)
		}
		return text
	}
	for _, tc := range []struct{ text, want string }{
		{"", "EOF"},
		{"{}\n", "format version 0"},
		{replace(`"format_version": 4`, `"format_version": 5`), "format version 5"},
		{replace(`"format_version": 4`, `"format_version": 3`), `vat_at "recharge" in format 3`},
		{replace(`"vat_at": "recharge"`, `"vat_at": ""`), `vat_at "" in format 4`},
		{replace(`"vat_at": "recharge"`, `"vat_at": "Usage"`), `vat_at "Usage" in format 4`},
		{replace(`"period"`, `"host": "x", "period"`), "unknown field"},
		{string(data) + "{}", "more than one"},
		{replace("\n  ", "\n   "), "not in the form"},
		{replace(`"rows_read": 99,`, `"rows_read": 99, "rows_read": 99,`), "not in the form"},
		{replace(`"2024-07-31"`, `"2024-07-30"`), "want \"2024-07-01_2024-07-30\""},
		{replace(`"left": "7"`, `"left": "8"`), "8 and 7 with ok = true"},
		{replace(`"left": "7"`, `"left": "7 "`), "with ok = true"},
		{replace(`"verdict": "complete"`, `"verdict": "fine"`), "verdict"},
		{replace(`"summary.parquet"`, `"../summary.parquet"`), "not a name within a run"},
		{replace(`"summary.parquet"`, `"report.html"`), "twice"},
		{replace(`"days_missing": []`, `"days_missing": ["2024-07-09"]`), "days are missing"},
		{replace(`"table": "rates"`, `"table": "rate"`), "of table"},
		{replace(`"run_id": "0123`, `"run_id": "../3`), "is no hash"},
	} {
		if _, err := DecodeManifest([]byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want %q", err, tc.want)
		}
	}
}

func TestPeriodNames(t *testing.T) {
	t.Parallel()
	for _, tc := range [][3]string{
		{"2024-07-01", "2024-07-31", "2024-07"},
		{"2024-02-01", "2024-02-29", "2024-02"},
		{"2023-02-01", "2023-02-28", "2023-02"},
		{"2024-02-01", "2024-02-28", "2024-02-01_2024-02-28"},
		{"2024-07-03", "2024-07-03", "2024-07-03"},
		{"2024-07-01", "2024-08-31", "2024-07-01_2024-08-31"},
	} {
		m := testManifest()
		m.First, m.Last, m.Period = tc[0], tc[1], tc[2]
		if err := m.Validate(); err != nil {
			t.Errorf("%v: %v", tc, err)
		}
	}
}

// other is a run of the same period by somebody else.
func other() *Manifest {
	m := testManifest()
	m.RunID = "fedcba9876543210"
	return m
}

const otherRun = "runs/2024-07/fedcba9876543210/"

// plant puts something under every key of a run that its manifest names.
func plant(s *fakeStore, m *Manifest) {
	for _, f := range m.Files {
		s.objects[m.RunKey()+f.Name] = make([]byte, f.Bytes)
	}
}

func mustPublish(t *testing.T, s *fakeStore, m *Manifest) Outcome {
	t.Helper()
	plant(s, m)
	o, err := Publish(t.Context(), s, m, seenPointer(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// seenPointer is the version of the period's pointer, as a run that is planned
// now would see it.
func seenPointer(t *testing.T, s *fakeStore) string {
	t.Helper()
	_, version, err := s.Get(t.Context(), "current/2024-07.json")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return version
}

func TestPublish(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	if _, _, _, err := Current(t.Context(), s, "2024-07"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	first := mustPublish(t, s, testManifest())
	want := []string{"get current/2024-07.json", "get current/2024-07.json", "put " + testRun + "manifest.json", "get " + testRun + "manifest.json", "list " + testRun, "get current/2024-07.json", "put current/2024-07.json"}
	if diff := cmp.Diff(want, s.trace); diff != "" {
		t.Errorf("order of the steps: %s", diff)
	}
	pointer := `{"run": "` + testRun + `", "manifest_sha256": "` + first.Pointer.ManifestSHA256 + `", "previous": null}` + "\n"
	if got := string(s.objects["current/2024-07.json"]); got != pointer {
		t.Errorf("pointer %s, want %s", got, pointer)
	}
	if o := mustPublish(t, s, testManifest()); !o.Already {
		t.Error("the same run was published again")
	}
	second := mustPublish(t, s, other())
	if second.Pointer.Previous == nil || *second.Pointer.Previous != testRun || second.Already {
		t.Errorf("second: %+v", second)
	}
	p, m, version, err := Current(t.Context(), s, "2024-07")
	if err != nil || m.RunID != other().RunID || p.Run != otherRun || version == "" {
		t.Errorf("current: %+v, %v", p, err)
	}
	back, err := ReadManifest(t.Context(), s, testRun)
	if err != nil {
		t.Fatal(err)
	}
	moved, err := MovePointer(t.Context(), s, back, seenPointer(t, s))
	if err != nil || moved.Pointer.Run != testRun || *moved.Pointer.Previous != otherRun {
		t.Errorf("moved: %+v, %v", moved, err)
	}
	if _, err := ReadManifest(t.Context(), s, "runs/2024-07/00/"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such run: %v", err)
	}
}

func TestControlStopsPublication(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	m := testManifest()
	m.Control[0] = ControlTotal{"charges", "7", "8", false, "charges = charged + free + unrated"}
	if _, err := Publish(t.Context(), s, m, ""); !errors.Is(err, ErrControl) || !strings.Contains(err.Error(), "7 and 8") {
		t.Errorf("got %v", err)
	}
	if len(s.trace) != 0 {
		t.Errorf("steps: %v", s.trace)
	}
}

// publishFault is a step of the commit that goes wrong.
type publishFault struct {
	name   string
	step   string
	times  int   // how often it goes wrong
	err    error // as it goes wrong
	first  error // instead, the first time
	stored bool  // the step took place although it failed
	rival  bool  // somebody else's is there when it fails
	mute   bool  // nothing can be read afterwards
	want   error // nil: published
}

var errBroken = errors.New("broken pipe")

// always is more than a step is tried.
const always = 100

func publishFaults() (faults []publishFault) {
	broken := storeFailure(context.Background(), "put", "somewhere", errBroken)
	for _, step := range []string{"put " + testRun + manifestName, "put current/2024-07.json"} {
		for _, f := range []publishFault{
			{name: "failed once", times: 1, err: broken},
			{name: "failed three times", times: 3, err: broken},
			{name: "failed", times: always, err: broken, want: errBroken},
			{name: "refused once for nothing", times: 1, err: ErrConflict},
			{name: "refused for nothing", times: always, err: ErrConflict, want: ErrStore},
			{name: "unanswered once", times: 1, err: unanswered{broken}},
			{name: "unanswered", times: always, err: unanswered{broken}, want: ErrOutcomeUnknown},
			{name: "unanswered, then failed", times: always, first: unanswered{broken}, err: broken, want: ErrOutcomeUnknown},
			{name: "unanswered, then refused for nothing", times: always, first: unanswered{broken}, err: ErrConflict, want: ErrOutcomeUnknown},
			{name: "unanswered, then another's", times: 1, err: unanswered{broken}, rival: true, want: ErrConflict},
			{name: "unanswered and stored", times: 1, err: unanswered{broken}, stored: true},
			{name: "stored", times: 1, err: broken, stored: true},
			{name: "stored and refused", times: 1, err: ErrConflict, stored: true},
			{name: "stored, unreadable", times: always, err: broken, stored: true, mute: true, want: ErrOutcomeUnknown},
			{name: "failed, unreadable", times: always, err: broken, mute: true, want: ErrOutcomeUnknown},
			{name: "refused, unreadable", times: always, err: ErrConflict, mute: true, want: ErrOutcomeUnknown},
			{name: "another's", times: 1, err: broken, rival: true, want: ErrConflict},
			{name: "another's and refused", times: 1, err: ErrConflict, rival: true, want: ErrConflict},
		} {
			f.step = step
			f.name = step[len("put "):] + " " + f.name
			faults = append(faults, f)
		}
	}
	return faults
}

// hook makes the step go wrong.
func (f publishFault) hook(s *fakeStore) func(op, key string) (bool, error) {
	failed := 0
	return func(op, key string) (bool, error) {
		switch {
		case failed > 0 && f.mute && op == "get":
			return false, errors.New("no answer")
		case failed == f.times || op+" "+key != f.step:
			return true, nil
		}
		failed++
		if f.rival && strings.HasSuffix(key, manifestName) {
			s.set(key, []byte("{}"))
		} else if f.rival {
			p := Pointer{Run: otherRun, ManifestSHA256: strings.Repeat("0", 64)}
			data, _ := p.encode()
			s.set(key, data)
		}
		if failed == 1 && f.first != nil {
			return f.stored, f.first
		}
		return f.stored, f.err
	}
}

// TestPublishFaults is a table of step × what goes wrong, on a period that
// has never been published and on one that has.
func TestPublishFaults(t *testing.T) {
	t.Parallel()
	for _, f := range publishFaults() {
		t.Run(f.name+"/first", func(t *testing.T) {
			t.Parallel()
			f.test(t, newFakeStore())
		})
		t.Run(f.name+"/again", func(t *testing.T) {
			t.Parallel()
			s := newFakeStore()
			older := testManifest()
			older.RunID = "00000000000000000000"
			mustPublish(t, s, older)
			f.test(t, s)
		})
	}
}

func (f publishFault) test(t *testing.T, s *fakeStore) {
	before := string(s.objects["current/2024-07.json"])
	seen := seenPointer(t, s)
	plant(s, testManifest())
	s.fault = f.hook(s)
	outcome, err := Publish(t.Context(), s, testManifest(), seen)
	s.fault = nil
	if !errors.Is(err, f.want) || (f.want == nil) != (err == nil) {
		t.Fatalf("got %v, want %v", err, f.want)
	}
	for _, other := range []error{ErrOutcomeUnknown, ErrConflict, ErrStore} {
		// What went wrong with a store is one of its errors.
		if errors.Is(err, other) && other != f.want && (f.want != errBroken || other != ErrStore) {
			t.Errorf("%v matches more than it should", err)
		}
	}
	if f.want == nil && outcome.Pointer.Run != testRun {
		t.Errorf("outcome %+v", outcome)
	}
	if (f.want == errBroken || f.want == ErrStore) && string(s.objects["current/2024-07.json"]) != before {
		t.Error("the pointer moved")
	}
	if !f.rival { // whatever happened, the same command again ends it
		mustPublish(t, s, testManifest())
	}
}

// TestPublishLateWrite: the first try arrives after it was found that it had
// not.
func TestPublishLateWrite(t *testing.T) {
	t.Parallel()
	for _, step := range []string{testRun + manifestName, "current/2024-07.json"} {
		s := newFakeStore()
		plant(s, testManifest())
		late := &lateStore{fakeStore: s, key: step}
		if _, err := Publish(t.Context(), late, testManifest(), ""); err != nil {
			t.Errorf("%s: %v", step, err)
		}
		if late.puts != 2 {
			t.Errorf("%s: %d puts", step, late.puts)
		}
	}
}

// lateStore carries out the first Put of a key when the second comes.
type lateStore struct {
	*fakeStore
	key  string
	puts int
}

func (s *lateStore) Put(ctx context.Context, key string, data []byte, cond Condition) error {
	if key != s.key {
		return s.fakeStore.Put(ctx, key, data, cond)
	}
	if s.puts++; s.puts == 1 {
		return errBroken
	}
	if err := s.fakeStore.Put(ctx, key, data, cond); err != nil {
		return err
	}
	return s.fakeStore.Put(ctx, key, data, cond)
}

// TestPublishTombstone: a run whose leftovers are being removed does not get
// its manifest, and does not exist for a reader.
func TestPublishTombstone(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	s.set(testRun+manifestName, tombstoneOf("gc"))
	plant(s, testManifest())
	if _, err := Publish(t.Context(), s, testManifest(), ""); !errors.Is(err, ErrRemoving) || !errors.Is(err, ErrStore) || errors.Is(err, ErrConflict) {
		t.Errorf("publish: %v", err)
	}
	if _, err := ReadManifest(t.Context(), s, testRun); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: %v", err)
	}
}

// TestPublishOtherBuild: the manifest of the same run by another build of the
// program is taken as it is, and any other difference is a conflict.
func TestPublishOtherBuild(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(m *Manifest)
		want   error
	}{
		"program":          {func(m *Manifest) { m.Program.Version = "earlier" }, nil},
		"program and file": {func(m *Manifest) { m.Program.Version, m.Files[0].SHA256 = "earlier", strings.Repeat("3", 64) }, ErrConflict},
	} {
		s := newFakeStore()
		earlier := testManifest()
		c.change(earlier)
		data, err := earlier.Encode()
		if err != nil {
			t.Fatal(err)
		}
		s.set(testRun+manifestName, data)
		plant(s, testManifest())
		m := testManifest()
		o, err := Publish(t.Context(), s, m, "")
		if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want == nil && (o.Pointer.ManifestSHA256 != sha256Hex(data) || m.Program != earlier.Program) {
			t.Errorf("%s: pointer %+v, program %+v", name, o.Pointer, m.Program)
		}
		if string(s.objects[testRun+manifestName]) != string(data) {
			t.Errorf("%s: the manifest was replaced", name)
		}
	}
}

// TestPublishOldListing: a listing that lacks what is there stops nothing.
func TestPublishOldListing(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	plant(s, testManifest())
	if _, err := Publish(t.Context(), oldListing{s}, testManifest(), ""); err != nil {
		t.Error(err)
	}
}

type oldListing struct{ *fakeStore }

func (oldListing) List(context.Context, string) ([]Listed, error) { return nil, nil }

// TestPublishLacksFile: a file that went while the run was written stops it
// before the pointer.
func TestPublishLacksFile(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(s *fakeStore){
		"report.html: verification failed: the file is not there":              func(s *fakeStore) { delete(s.objects, testRun+"report.html") },
		"summary.parquet: verification failed: 10 bytes, the manifest has 900": func(s *fakeStore) { s.objects[testRun+"summary.parquet"] = make([]byte, 10) },
	} {
		s := newFakeStore()
		plant(s, testManifest())
		damage(s)
		if _, err := Publish(t.Context(), s, testManifest(), ""); !errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, there := s.objects["current/2024-07.json"]; there {
			t.Errorf("%s: the pointer moved", name)
		}
		m, err := ReadManifest(t.Context(), s, testRun)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckListed(t.Context(), s, m); !errors.Is(err, ErrVerify) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := newFakeStore()
	plant(s, testManifest())
	s.fault = func(op, _ string) (bool, error) { return true, map[string]error{"list": errBroken}[op] }
	if _, err := Publish(t.Context(), s, testManifest(), ""); !errors.Is(err, errBroken) || errors.Is(err, ErrVerify) {
		t.Errorf("no listing: %v", err)
	}
}

// TestPublishManifestReadBack: a manifest that the store has taken and does
// not have, or has in part, stops the run before the pointer.
func TestPublishManifestReadBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(s *fakeStore)
		want  string
	}{
		"lost":      {func(s *fakeStore) { delete(s.objects, testRun+manifestName) }, "it was written and is not there"},
		"truncated": {func(s *fakeStore) { s.set(testRun+manifestName, s.objects[testRun+manifestName][:100]) }, "100 bytes of sha256"},
	} {
		s := newFakeStore()
		plant(s, testManifest())
		s.fault = func(op, key string) (bool, error) {
			if op+" "+key == "get "+testRun+manifestName {
				c.spoil(s)
			}
			return true, nil
		}
		if _, err := Publish(t.Context(), s, testManifest(), ""); !errors.Is(err, ErrVerify) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, there := s.objects["current/2024-07.json"]; there {
			t.Errorf("%s: the pointer moved", name)
		}
	}
}

// TestPublishRace: the pointer moves between reading it and writing it.
func TestPublishRace(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	mustPublish(t, s, other())
	seen := seenPointer(t, s)
	plant(s, testManifest())
	s.fault = func(op, key string) (bool, error) {
		if op == "put" && key == "current/2024-07.json" {
			s.version[key]++
		}
		return true, nil
	}
	if _, err := Publish(t.Context(), s, testManifest(), seen); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
}

// TestPublishOvertaken: another run was published after this one was planned.
func TestPublishOvertaken(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	planned := seenPointer(t, s)
	mustPublish(t, s, other())
	plant(s, testManifest())
	if _, err := Publish(t.Context(), s, testManifest(), planned); !errors.Is(err, ErrConflict) {
		t.Errorf("got %v", err)
	}
	if p, _, _, err := Current(t.Context(), s, "2024-07"); err != nil || p.Run != otherRun {
		t.Errorf("current is %+v, %v", p, err)
	}
}

// TestPublishCancelledAtLastStep: an interrupt that comes while the pointer is
// written does not hide that it was.
func TestPublishCancelledAtLastStep(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := newFakeStore()
	plant(s, testManifest())
	s.fault = func(op, key string) (bool, error) {
		if op == "put" && key == "current/2024-07.json" {
			cancel()
			return true, ctx.Err()
		}
		return true, nil
	}
	if _, err := Publish(ctx, s, testManifest(), ""); err != nil {
		t.Errorf("got %v", err)
	}
}

// TestPublishStopped: a run that is stopped at a step does not begin it; one
// that is stopped while a request is under way waits for what comes of it, and
// where nothing does, does not say that nothing was published.
func TestPublishStopped(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped by a signal")
	for _, step := range []string{testRun + manifestName, "current/2024-07.json"} {
		for name, c := range map[string]struct{ err, want error }{
			"answered":   {storeFailure(t.Context(), "put", "somewhere", errBroken), stopped},
			"unanswered": {unanswered{errBroken}, ErrOutcomeUnknown},
		} {
			ctx, stop := context.WithCancelCause(t.Context())
			s := newFakeStore()
			plant(s, testManifest())
			s.fault = func(op, key string) (bool, error) {
				if op != "put" || key != step {
					return true, nil
				}
				stop(stopped)
				return false, c.err
			}
			if _, err := Publish(ctx, patient{t, s}, testManifest(), ""); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", step, name, err, c.want)
			}
			s.fault, s.trace = nil, nil
			if _, err := Publish(ctx, s, testManifest(), ""); !errors.Is(err, stopped) || slices.Contains(s.trace, "put "+step) {
				t.Errorf("%s, again: %v after %v", step, err, s.trace)
			}
		}
	}
}

// patient is a store whose writes are not cut short.
type patient struct {
	t *testing.T
	*fakeStore
}

func (p patient) Put(ctx context.Context, key string, data []byte, cond Condition) error {
	err := p.fakeStore.Put(ctx, key, data, cond)
	if _, bound := ctx.Deadline(); !bound || ctx.Err() != nil {
		p.t.Errorf("put %s: a time-out: %v, ended: %v", key, bound, ctx.Err())
	}
	return err
}

func TestCurrentIsChecked(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	mustPublish(t, s, testManifest())
	good := string(s.objects["current/2024-07.json"])
	manifest := s.objects[testRun+manifestName]
	for name, damage := range map[string]func(){
		"no JSON":        func() { s.set("current/2024-07.json", []byte("x")) },
		"more fields":    func() { s.set("current/2024-07.json", []byte(strings.Replace(good, "{", `{"x": 1, `, 1))) },
		"other period":   func() { s.set("current/2024-07.json", []byte(strings.Replace(good, "2024-07", "2024-08", 1))) },
		"outside":        func() { s.set("current/2024-07.json", []byte(strings.Replace(good, "2024-07/", "../", 1))) },
		"other hash":     func() { s.set("current/2024-07.json", []byte(strings.Replace(good, `256": "`, `256": "0`, 1))) },
		"no manifest":    func() { delete(s.objects, testRun+manifestName) },
		"other manifest": func() { s.set(testRun+manifestName, []byte(strings.Replace(string(manifest), "99", "98", 1))) },
	} {
		s.set("current/2024-07.json", []byte(good))
		s.set(testRun+manifestName, manifest)
		damage()
		_, _, _, err := Current(t.Context(), s, "2024-07")
		if !errors.Is(err, ErrVerify) || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if !slices.Contains(s.trace, "get "+testRun+manifestName) {
		t.Error("the manifest was not read")
	}
}
