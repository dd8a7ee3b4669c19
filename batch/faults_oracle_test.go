package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"waconcile/writer"
	"waconcile/writer/s3test"
)

// oracle knows what a run publishes where nothing goes wrong, and whether it
// can be verified. Its answers are shared by all stories.
type oracle struct {
	mu       sync.Mutex
	files    map[string]map[string]string // run key → name → sha256, without the manifest
	verified map[string]error             // by the hash of all that a run holds and how its month stands
}

func newOracle() *oracle {
	return &oracle{files: map[string]map[string]string{}, verified: map[string]error{}}
}

// expect is what the run of a manifest has to hold: the same job is done
// again, over a store that has exactly the inputs which the manifest names,
// in the bytes that it knows them by.
func (o *oracle) expect(t *testing.T, rec *record, m *writer.Manifest) (map[string]string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := m.RunKey()
	if known, ok := o.files[key]; ok {
		return known, nil
	}
	store, err := inputsOf(rec, m)
	if err != nil {
		return nil, err
	}
	if m.Checkpoint != nil {
		rec.copy(store, path.Dir(*m.Checkpoint)+"/")
	}
	job := faultJob(t, &s3test.Network{Store: store}, m.First+".."+m.Last, command{lateDays: m.Settings.LateDays, workers: 2}, t.TempDir())
	if err := standAs(t, rec, m, store, job.Out); err != nil {
		return nil, err
	}
	result, err := Run(t.Context(), job)
	if err != nil {
		return nil, fmt.Errorf("the same inputs again: %w", err)
	}
	if result.RunKey != key {
		return nil, fmt.Errorf("the same inputs are run %s", result.RunKey)
	}
	o.files[key] = filesBelow(store.Objects(), faultOut+key)
	return o.files[key], nil
}

// inputsOf is a store of the inputs that a manifest names.
func inputsOf(rec *record, m *writer.Manifest) (*s3test.Store, error) {
	places := map[string]string{
		writer.ExportsInput: "exports/", writer.InvoicesInput: "invoices/", writer.RatesInput: "", writer.AccountsInput: "",
	}
	store := &s3test.Store{}
	for _, in := range m.Inputs {
		place, ok := places[in.Table]
		if !ok {
			continue // what the program brings along
		}
		data, ok := rec.body(in)
		if !ok {
			return nil, fmt.Errorf("input %s %s never had the identity %s", in.Table, in.Key, in.Identity)
		}
		store.Put(faultInputs+place+in.Key, data)
	}
	return store, nil
}

// standAs makes the period stand as it did when a run began that adjusts a
// closed month: published, closed, and adjusted by the runs that it names.
func standAs(t *testing.T, rec *record, m *writer.Manifest, store *s3test.Store, out writer.Store) error {
	from, seen := faultJob(t, &s3test.Network{Store: rec.store}, m.First+".."+m.Last, command{}, t.TempDir()).Out, ""
	adjusting, err := runsNamed(t.Context(), from, m, writer.AdjustmentsInput)
	if err != nil {
		return err
	}
	sealed, err := runsNamed(t.Context(), from, m, writer.SealedInput)
	if err != nil || len(sealed) == 0 {
		return err
	}
	writer.ByAge(adjusting)
	for _, run := range append(slices.Clone(sealed), adjusting...) {
		rec.copy(store, run.RunKey())
		if _, err := writer.MovePointer(t.Context(), out, run, seen); err != nil {
			return err
		}
		if run == sealed[0] {
			p, _, version, err := writer.Current(t.Context(), out, m.Period)
			if err != nil {
				return err
			}
			if _, err := writer.SealPeriod(t.Context(), out, m.Period, p, version); err != nil {
				return err
			}
			continue
		}
		if _, _, seen, err = writer.Adjusted(t.Context(), out, m.Period); err != nil {
			return err
		}
	}
	return nil
}

// copy brings what a story left below a prefix to another store.
func (rec *record) copy(to *s3test.Store, prefix string) {
	for key, data := range rec.store.Objects() {
		if strings.HasPrefix(key, faultOut+prefix) {
			to.Put(key, data)
		}
	}
}

// body is the bytes of an input, whose identity is an ETag or a sha256.
func (rec *record) body(in writer.Input) ([]byte, bool) {
	if data, ok := rec.store.Body(in.Identity); ok {
		return data, true
	}
	for _, e := range rec.history {
		if data, ok := rec.store.Body(e.After); ok && sumOf(data) == in.Identity {
			return data, true
		}
	}
	return nil, false
}

// verify is writer.Verify of a run, asked once for each content.
func (o *oracle) verify(t *testing.T, rec *record, m *writer.Manifest) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	whole := sha256.New()
	objects := rec.store.Objects()
	for _, key := range sortedKeys(objects) {
		if strings.HasPrefix(key, faultOut+m.RunKey()) || writer.IsMonth(m.Period) && tellsStanding(key, m.Period) {
			fmt.Fprintf(whole, "%s\x00%d\x00%s", key, len(objects[key]), objects[key])
		}
	}
	content := string(whole.Sum(nil))
	if err, ok := o.verified[content]; ok {
		return err
	}
	out, err := writer.NewS3((&s3test.Network{Store: rec.store}).S3(), faultBucket, faultOut, writer.S3Options{TempDir: t.TempDir()})
	if err != nil {
		return err
	}
	_, err = writer.Verify(t.Context(), out, m.RunKey(), m.Period)
	if err != nil && !errors.Is(err, writer.ErrVerify) {
		err = fmt.Errorf("cannot be verified: %w", err)
	}
	o.verified[content] = err
	return err
}

// tellsStanding says whether a key is of what tells how a month stands.
func tellsStanding(key, month string) bool {
	return slices.Contains([]string{writer.PointerKey(month), writer.SealKey(month), writer.AdjustedKey(month)}, strings.TrimPrefix(key, faultOut))
}

// filesBelow is what lies below a prefix, by name, manifests aside.
func filesBelow(objects map[string][]byte, prefix string) map[string]string {
	files := map[string]string{}
	for key, data := range objects {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "manifest.json" {
			files[name] = sumOf(data)
		}
	}
	return files
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
