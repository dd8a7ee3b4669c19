package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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
	verified map[string]error             // by the hash of all that a run holds
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
	job := faultJob(t, &s3test.Network{Store: store}, command{lateDays: m.Settings.LateDays, workers: 2}, t.TempDir())
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
		if strings.HasPrefix(key, faultOut+m.RunKey()) {
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
