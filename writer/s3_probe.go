package writer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// The objects by which Probe asks.
const (
	probeKept  = ".probe/kept"  // written by the first run, and stays
	probeNever = ".probe/never" // no store that heeds conditions ever has it
)

// wrongVersion is the ETag of no object.
const wrongVersion = "00000000000000000000000000000000"

// Probe tells whether temporary files can be made here, and whether the store
// can be written to and refuses what Put relies on being refused: to create an
// object that is there, to replace one of another version, and to replace one
// that is not there. It matches ErrUnsafeStore where the store takes one of
// them, or took the last from an earlier run. Runs may probe at the same time.
// The client may retry these writes: an answer that was lost makes none of
// them succeed that must not.
func (t *S3) Probe(ctx context.Context) error {
	s, err := newSpool(t.options.TempDir)
	if err != nil {
		return storeFailure(ctx, "probe", t.String(), err)
	}
	s.remove()
	made := t.put(ctx, probeKept, probeText(), Condition{})
	if made != nil && !errors.Is(made, ErrConflict) {
		return t.probeFailure(made)
	}
	const second = "a second object under a key that must be new"
	err = t.mustRefuse(ctx, probeKept, Condition{}, second)
	if made != nil && errors.Is(err, ErrUnsafeStore) {
		// A 409 tells of another write at the same time, not of an object: only
		// now there certainly is one.
		err = t.mustRefuse(ctx, probeKept, Condition{}, second)
	}
	if err != nil {
		return err
	}
	if err := t.mustRefuse(ctx, probeKept, Condition{Version: wrongVersion}, "a write that was to replace another version"); err != nil {
		return err
	}
	const missing = "a write that was to replace an object that is not there"
	_, _, err = t.Get(ctx, probeNever)
	if err == nil {
		return t.unsafe(fmt.Errorf("%s is there: an earlier run found that the store took %s; remove it if the store has been changed", probeNever, missing))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return t.probeFailure(err)
	}
	return t.mustRefuse(ctx, probeNever, Condition{Version: wrongVersion}, missing)
}

func probeText() []byte {
	return []byte("waconcile tests here whether conditional writes are honoured\n")
}

// mustRefuse writes what a safe store refuses. A store that answers that it
// does not know conditions is as little to be trusted as one that ignores
// them.
func (t *S3) mustRefuse(ctx context.Context, key string, cond Condition, what string) error {
	err := t.put(ctx, key, probeText(), cond)
	if err == nil {
		return t.unsafe(fmt.Errorf("it took %s (%s)", what, key))
	}
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return t.probeFailure(err)
}

func (t *S3) probeFailure(err error) error {
	if statusOf(err) == http.StatusNotImplemented {
		return t.unsafe(err)
	}
	return fmt.Errorf("probe: %w", err)
}

func (t *S3) unsafe(err error) error {
	return fmt.Errorf("probe %s: %w: %w", t, ErrUnsafeStore, err)
}
