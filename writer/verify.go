package writer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Check is one thing that was looked at in a published run.
type Check struct {
	Name   string `json:"name"`
	File   string `json:"file,omitempty"` // relative to the run; empty for a check of the run as a whole
	Key    string `json:"key,omitempty"`  // of an object that is no part of the run, such as the seal of its month
	Detail string `json:"detail"`         // the figures; where OK is false, what is wrong
	OK     bool   `json:"ok"`
}

// Verify reads a published run back and checks everything that can be known
// from it alone: pointer and manifest; size and sha256 of every file; rows,
// nulls and column totals of every table, read through another implementation
// of Parquet than the one that wrote it; and every control total, recomputed
// from the tables. Beside it, it looks at what closes and adjusts the run's month,
// and whether closed months have taken in what its statements do. run is a run
// id of the period, a key such as runs/2024-07/<run_id>/ or
// simulations/2024-07/<run_id>/, or empty for the current run of the period.
//
// The error matches fs.ErrNotExist where there is no such run, ErrVerify where
// a check failed, and names the first, that of a pointer or seal only where all
// else is right, and then ErrBeside, too; the checks are there all the same. Any other error means that
// the store could not be read.
func Verify(ctx context.Context, t Target, run, period string) ([]Check, error) {
	v := &verifier{target: t}
	if err := v.open(ctx, run, period); err != nil {
		return v.checks, err
	}
	if v.manifest != nil {
		if err := v.openGround(ctx); err != nil {
			return v.checks, err
		}
		results, err := v.files(ctx)
		if err != nil {
			return v.checks, err
		}
		v.contents(results)
		for _, check := range []func(context.Context) error{v.checkTaken, v.checkClosing} {
			if err := check(ctx); err != nil {
				return v.checks, fmt.Errorf("verify %s: %w", v.run, err)
			}
		}
	}
	return v.checks, v.failure()
}

// failure names the first file and figure that is wrong. Where the run is
// damaged its pointer, which has the sha256 of the manifest, says less, and so
// does what else lies beside the run.
func (v *verifier) failure() error {
	var first *Check
	for i := range v.checks {
		if c := &v.checks[i]; !c.OK && (first == nil || first.beside() && !c.beside()) {
			first = c
		}
	}
	if first == nil {
		return nil
	}
	where := cmp.Or(first.Key, v.run+first.File, v.pointer)
	err := fmt.Errorf("verify %s: %w: %s: %s", where, ErrVerify, first.Name, first.Detail)
	if first.beside() && v.manifest != nil {
		return besideError{err}
	}
	return err
}

// besideError is that of an object beside the run, where all else is right.
type besideError struct{ error }

func (e besideError) Unwrap() error        { return e.error }
func (e besideError) Is(target error) bool { return target == ErrBeside }

func (c *Check) beside() bool { return c.Name == pointerCheck || c.Key != "" }

// pointerCheck is the name of the check of a pointer.
const pointerCheck = "pointer"

type verifier struct {
	target   Target
	pointer  string    // key, where the run is the one that it names
	run      string    // empty where a damaged pointer does not tell
	manifest *Manifest // nil where there is none to go by
	ground   *ground
	checks   []Check
}

func (v *verifier) check(name, file string, problem error, detail string) {
	if problem != nil {
		detail = problem.Error()
	}
	v.checks = append(v.checks, Check{Name: name, File: file, Detail: detail, OK: problem == nil})
}

// open finds the manifest. What is damaged is a check that failed; what is
// not there and what cannot be read are errors.
func (v *verifier) open(ctx context.Context, run, period string) error {
	switch {
	case run == "":
		v.pointer = PointerKey(period)
		p, m, _, err := Current(ctx, v.target, period)
		if errors.Is(err, ErrVerify) {
			v.check(pointerCheck, "", err, "")
			return v.openDamaged(ctx)
		}
		if err != nil {
			return fmt.Errorf("verify %s: %w", period, err)
		}
		v.run, v.manifest = p.Run, m
		v.check(pointerCheck, "", nil, "names "+p.Run+" and the sha256 of its manifest")
	case strings.Contains(run, "/"):
		if _, _, err := splitRun(run); err != nil && !isSimulation(run) {
			return fmt.Errorf("verify: %w", err)
		}
		v.run = run
	default:
		v.run = RunPrefix(period, run)
	}
	if v.manifest == nil {
		m, err := ReadManifest(ctx, v.target, v.run)
		if errors.Is(err, ErrVerify) {
			v.check("manifest", manifestName, err, "")
			return nil
		}
		if err != nil {
			return fmt.Errorf("verify %s: %w", v.run, err)
		}
		v.manifest = m
		if err := v.checkPointer(ctx); err != nil {
			return fmt.Errorf("verify %s: %w", v.run, err)
		}
	}
	v.manifestRead()
	return nil
}

func (v *verifier) manifestRead() {
	detail := fmt.Sprintf("%d files, %d inputs, verdict %s", len(v.manifest.Files), len(v.manifest.Inputs), v.manifest.Verdict)
	if v.manifest.Simulation != nil {
		detail += ", of a simulation"
	}
	v.check("manifest", manifestName, nil, detail)
}

// openDamaged finds the run of a pointer that is damaged, or whose manifest is
// not the one that it names, as far as that can be told.
func (v *verifier) openDamaged(ctx context.Context) error {
	data, _, err := v.target.Get(ctx, v.pointer)
	if err != nil {
		return fmt.Errorf("verify %s: %w", v.pointer, err)
	}
	var p struct {
		Run string `json:"run"`
	}
	_ = json.Unmarshal(data, &p) // what is no JSON names no run
	if _, _, err := splitRun(p.Run); err != nil {
		return nil
	}
	v.run = p.Run
	m, err := ReadManifest(ctx, v.target, v.run)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.check("manifest", manifestName, errors.New("the file is not there"), "")
	case errors.Is(err, ErrVerify):
		v.check("manifest", manifestName, err, "")
	case err != nil:
		return fmt.Errorf("verify %s: %w", v.run, err)
	default:
		v.manifest = m
		v.manifestRead()
	}
	return nil
}

// checkPointer looks at the pointer that may name a run that was asked for by
// its id: it knows the sha256 of its manifest. A run that it does not name is
// vouched for by nothing but itself.
func (v *verifier) checkPointer(ctx context.Context) error {
	if v.manifest.Simulation != nil {
		return nil
	}
	key := v.manifest.pointerKey()
	p, _, err := readPointer(ctx, v.target, key, v.manifest.Period)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, ErrVerify):
		v.check(pointerCheck, "", err, "")
		return nil
	case err != nil:
		return err
	case p.Run != v.run:
		return nil
	}
	data, err := v.manifest.Encode()
	if err != nil {
		return err
	}
	var problem error
	if sum := sha256Hex(data); sum != p.ManifestSHA256 {
		problem = fmt.Errorf("%s has sha256 %s of the manifest, which has %s", key, p.ManifestSHA256, sum)
	}
	v.check(pointerCheck, "", problem, "names "+p.Run+" and the sha256 of its manifest")
	return nil
}

// fileResult is what came of reading one file.
type fileResult struct {
	checks []Check
	charge *chargeSums // of a file of charges
	billed *billedSums // of a file of charges that the sealed run does not have
	table  string
	frames []Frame  // of another table's Parquet file, but for adjustments
	twin   *csvTwin // of the same: what its CSV file has to be

	adjusted *adjustmentSums // of adjustments, which may be as many as the charges
}

// files checks every file by itself, several at once.
func (v *verifier) files(ctx context.Context) ([]fileResult, error) {
	results := make([]fileResult, len(v.manifest.Files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range v.manifest.Files {
		g.Go(func() error {
			r, err := v.file(ctx, f)
			if err != nil {
				return fmt.Errorf("verify %s%s: %w", v.run, f.Name, err)
			}
			results[i] = r
			return nil
		})
	}
	err := g.Wait()
	for _, r := range results {
		v.checks = append(v.checks, r.checks...)
	}
	return results, err
}

// file reads a table only if its bytes are those of the manifest: damaged
// pages can ask for more memory than there is.
func (v *verifier) file(ctx context.Context, f FileEntry) (r fileResult, err error) {
	add := func(name string, problem error, detail string) bool {
		if problem != nil {
			detail = problem.Error()
		}
		r.checks = append(r.checks, Check{Name: name, File: f.Name, Detail: detail, OK: problem == nil})
		return problem == nil
	}
	stored, err := v.target.Open(ctx, v.run+f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		add("bytes", errors.New("the file is not there"), "")
		return r, nil
	}
	if err != nil {
		return r, err
	}
	defer stored.Close()
	content, err := fetch(stored)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, content.release()) }()
	if !add("bytes", f.checkBytes(content.size, content.sha256), fmt.Sprintf("%d, sha256 as in the manifest", f.Bytes)) {
		return r, nil
	}
	table, s, isTable := v.manifest.SchemaOf(f.Name)
	switch {
	case !isTable && strings.HasSuffix(f.Name, parquetExt):
		add("table", errors.New("no table of this format has such a file"), "")
	case !isTable && (f.Rows != 0 || len(f.Totals) > 0):
		add("table", fmt.Errorf("it is no table, and the manifest has %d rows and %d column totals", f.Rows, len(f.Totals)), "")
	case !isTable || strings.HasSuffix(f.Name, csvExt):
	case table == ChargesTable:
		r.charge = newChargeSums(f.Name)
		use := r.charge.add
		if v.ground.adjusts(f) {
			r.billed = &billedSums{}
			use = func(frame Frame) { r.charge.add(frame); r.billed.addCharges(&frame) }
		}
		add("content", readTable(content, f, s, use), f.contentDetail())
		r.charge.ids = nil // only of use within the file, and large
		add("order", r.charge.problem, "sorted, charge ids unique, billing date "+r.charge.date)
	default:
		r.table, r.twin = table, newCSVTwin(s)
		use := func(frame Frame) { r.frames = append(r.frames, frame) }
		if table == AdjustmentsTable {
			r.adjusted = v.newAdjustmentSums()
			use = r.adjusted.add
		}
		if !add("content", readTable(content, f, s, func(frame Frame) { use(frame); r.twin.add(&frame) }), f.contentDetail()) {
			r.frames, r.twin = nil, nil
		}
	}
	return r, nil
}

func (f *FileEntry) checkBytes(size int64, sum string) error {
	switch {
	case size != f.Bytes:
		return fmt.Errorf("%d bytes, the manifest has %d", size, f.Bytes)
	case sum != f.SHA256:
		return fmt.Errorf("sha256 %s, the manifest has %s", sum, f.SHA256)
	}
	return nil
}

func (f *FileEntry) contentDetail() string {
	return fmt.Sprintf("%d rows, %d column totals as in the manifest", f.Rows, len(f.Totals))
}

// readTable shows every frame to use, and then holds rows and totals against
// the manifest.
func readTable(content *content, f FileEntry, s Schema, use func(Frame)) error {
	totals := newTotals(s)
	rows := int64(0)
	for frame, err := range ReadParquet(content, content.size, s) {
		if err != nil {
			return err
		}
		for i := range totals {
			totals[i].addColumn(&frame.Columns[i])
		}
		rows += int64(frame.Rows)
		use(frame)
	}
	if rows != f.Rows {
		return fmt.Errorf("%d rows, the manifest has %d", rows, f.Rows)
	}
	return sameTotals(s, totalsText(totals), f.Totals, "the manifest has")
}

// sameTotals names the first column of s whose total is another.
func sameTotals(s Schema, got, want map[string]string, where string) error {
	for _, spec := range s {
		if got[spec.Name] != want[spec.Name] {
			return fmt.Errorf("total of %s is %s, %s %s", spec.Name, got[spec.Name], where, want[spec.Name])
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d column totals, %s %d", len(got), where, len(want))
	}
	return nil
}
