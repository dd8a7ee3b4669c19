package writer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
)

var (
	// ErrOutcomeUnknown is matched where a step of the commit failed, and what
	// is there now could not be read or may still change by a request that was
	// not answered: the run may or may not be published.
	ErrOutcomeUnknown = errors.New("outcome of the commit is unknown")

	// ErrRemoving is matched, with ErrStore, where gc has begun to remove what an
	// earlier attempt at the run left. The run can be published once that is
	// ended.
	ErrRemoving = errors.New("gc is removing this run")

	// ErrControl is matched by a run that must not be published because a
	// control total does not hold.
	ErrControl = errors.New("control total does not hold")

	// ErrVerify is matched where what is published is not what its manifest
	// says.
	ErrVerify = errors.New("verification failed")
	// ErrBeside is matched where that is an object beside the run, and all that
	// is the run's is right.
	ErrBeside = errors.New("an object beside the run is damaged")
)

const manifestName = "manifest.json"

// PointerKey is the key of a period's pointer.
func PointerKey(period string) string { return "current/" + period + ".json" }

// Outcome is what a publication came to.
type Outcome struct {
	Pointer Pointer
	Already bool // the pointer named this very run before; it was not written
}

// Publish makes a run whose data files are all committed the current one of
// its period, or, where it adjusts a closed month, its newest adjusting one; of
// a simulation, which no pointer names, it does all but the last step:
// first the manifest, which may only be created and is read back; then a look
// whether all that it names is there; then the pointer, which may only replace the one of
// version seen, as Current or Adjusted gave it when the run was planned, or ""
// where there was none: a run that another has overtaken, or whose month was
// closed meanwhile, matches ErrConflict, one that lacks a file or whose
// manifest reads back as something else ErrVerify. Where another build of the
// program wrote the manifest before, that one stays, and m gets its Program.
//
// After an error at manifest or pointer what is there is read back, and that
// decides: ours is success, another's matches ErrConflict, unreadable matches
// ErrOutcomeUnknown. Where nothing has changed the step is tried a few times
// more, and then the error is that of the step, or, where the store did not
// answer one of them, which may arrive later, ErrOutcomeUnknown. The end of ctx
// keeps a step from being begun and cuts none short. Nothing is ever deleted.
func Publish(ctx context.Context, t Store, m *Manifest, seen string) (Outcome, error) {
	for _, c := range m.Control {
		if !c.OK {
			return Outcome{}, fmt.Errorf("publish %s: %w: %s: %s and %s (%s)", m.RunKey(), ErrControl, c.Name, c.Left, c.Right, c.Text)
		}
	}
	data, err := m.Encode()
	if err != nil {
		return Outcome{}, fmt.Errorf("publish %s: %w", m.RunKey(), err)
	}
	if m.Simulation != nil {
		return Outcome{}, publishSimulation(ctx, t, m, data)
	}
	sum, err := createManifest(ctx, t, m, data)
	if err != nil {
		return Outcome{}, fmt.Errorf("publish %s: %w", m.RunKey(), err)
	}
	if err := CheckListed(ctx, t, m); err != nil {
		return Outcome{}, fmt.Errorf("publish %s: %w", m.RunKey(), err)
	}
	return movePointer(ctx, t, m, sum, seen)
}

// createManifest gives the sha256 of the manifest that is there in the end.
// Another build of the program may have written it before: the same run, since
// its files are the same. That manifest stays, and m is made the same.
func createManifest(ctx context.Context, t Target, m *Manifest, data []byte) (sum string, err error) {
	err = createOnce(ctx, t, m.RunKey()+manifestName, data)
	if !errors.Is(err, ErrConflict) {
		return sha256Hex(data), err
	}
	there, sum, readErr := readManifest(ctx, t, m.RunKey())
	if readErr != nil {
		return "", err
	}
	ours := *m
	ours.Program = there.Program
	again, encodeErr := ours.Encode()
	if encodeErr != nil || sha256Hex(again) != sum {
		return "", err
	}
	m.Program = there.Program
	return sum, nil
}

// CheckListed asks once what lies under the prefix of a run, and matches
// ErrVerify where a file of the manifest is not there in its size: somebody
// removed it while the run was written, or since. Of a file that the listing
// lacks the store is asked by name, since listings may be old.
func CheckListed(ctx context.Context, t Store, m *Manifest) error {
	objects, err := t.List(ctx, m.RunKey())
	if err != nil {
		return fmt.Errorf("list %s: %w", m.RunKey(), err)
	}
	sizes := make(map[string]int64, len(objects))
	for _, o := range objects {
		sizes[o.Key] = o.Size
	}
	for _, f := range m.Files {
		if size, there := sizes[m.RunKey()+f.Name]; there && size == f.Bytes {
			continue
		}
		if err := checkThere(ctx, t, m.RunKey()+f.Name, f.Bytes); err != nil {
			return err
		}
	}
	return nil
}

func checkThere(ctx context.Context, t Target, key string, size int64) error {
	stored, err := t.Open(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("open %s: %w: the file is not there", key, ErrVerify)
	}
	if err != nil {
		return err
	}
	if err := stored.Close(); err != nil {
		return err
	}
	if n := stored.Size(); n != size {
		return fmt.Errorf("open %s: %w: %d bytes, the manifest has %d", key, ErrVerify, n, size)
	}
	return nil
}

// MovePointer makes a run that is complete, but not current, the current one
// of its period; m is its manifest as ReadManifest gives it, and CheckListed and
// ReadBackRun have found its files. seen and the errors are those of Publish.
func MovePointer(ctx context.Context, t Target, m *Manifest, seen string) (Outcome, error) {
	data, err := m.Encode()
	if err != nil {
		return Outcome{}, fmt.Errorf("publish %s: %w", m.RunKey(), err)
	}
	return movePointer(ctx, t, m, sha256Hex(data), seen)
}

// ReadManifest reads the manifest of a run, runs/{period}/{run_id}/, or of a
// simulation, simulations/{period}/{run_id}/. It
// matches fs.ErrNotExist where there is none, which means that the run does
// not exist, and ErrVerify where it is not the manifest of that run.
func ReadManifest(ctx context.Context, t Target, run string) (*Manifest, error) {
	m, _, err := readManifest(ctx, t, run)
	return m, err
}

// readManifest also gives the sha256 of the manifest.
func readManifest(ctx context.Context, t Target, run string) (*Manifest, string, error) {
	key := run + manifestName
	data, _, err := t.Get(ctx, key)
	if err == nil && isTombstone(data) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", key, err)
	}
	m, err := DecodeManifest(data)
	if err == nil && m.RunKey() != run {
		err = fmt.Errorf("it is the manifest of %s", m.RunKey())
	}
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w: %w", key, ErrVerify, err)
	}
	return m, sha256Hex(data), nil
}

// Current reads the pointer of a period and the manifest that it names, and
// the pointer's version. It matches fs.ErrNotExist where nothing of the period
// is published, and ErrVerify where the pointer or the manifest is damaged or
// they do not belong together.
func Current(ctx context.Context, t Target, period string) (*Pointer, *Manifest, string, error) {
	return pointed(ctx, t, PointerKey(period), period)
}

// pointed is Current of the pointer under any key.
func pointed(ctx context.Context, t Target, key, period string) (*Pointer, *Manifest, string, error) {
	p, version, err := readPointer(ctx, t, key, period)
	if err != nil {
		return nil, nil, "", err
	}
	m, sum, err := readManifest(ctx, t, p.Run)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, "", fmt.Errorf("read %s: %w: it names %s, which has no manifest", key, ErrVerify, p.Run)
	}
	if err != nil {
		return nil, nil, "", err
	}
	if sum != p.ManifestSHA256 {
		return nil, nil, "", fmt.Errorf("read %s%s: %w: sha256 %s, the pointer has %s", p.Run, manifestName, ErrVerify, sum, p.ManifestSHA256)
	}
	if m.pointerKey() != key {
		return nil, nil, "", fmt.Errorf("read %s: %w: it names %s, which belongs in %s", key, ErrVerify, p.Run, m.pointerKey())
	}
	return p, m, version, nil
}

// readPointer matches fs.ErrNotExist where there is none.
func readPointer(ctx context.Context, t Target, key, period string) (*Pointer, string, error) {
	data, version, err := t.Get(ctx, key)
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", key, err)
	}
	p, err := decodePointer(data)
	if err == nil {
		if of, _, _ := splitRun(p.Run); of != period {
			err = fmt.Errorf("it names %s", p.Run)
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w: %w", key, ErrVerify, err)
	}
	return p, version, nil
}

// createOnce writes a small object that never changes, a manifest or a seal,
// and reads it back: what is written next relies on it. It is content to find
// the same bytes there: they were written before, by a run that died after it
// or by one that won meanwhile.
func createOnce(ctx context.Context, t Target, key string, data []byte) error {
	put := func(ctx context.Context) error { return t.Put(ctx, key, data, Condition{}) }
	err := settle(ctx, "create "+key, put, func(ctx context.Context) (finding, error) {
		there, _, err := t.Get(ctx, key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return unchanged, nil
		case err != nil:
			return 0, err
		case bytes.Equal(there, data):
			return ours, nil
		case isTombstone(there):
			return buried, nil
		}
		return anothers, errors.New("it is there with other bytes")
	})
	if err != nil {
		return err
	}
	return checkCreated(ctx, t, key, data)
}

// checkCreated matches ErrVerify where a store has taken an object and does not
// have it, or has other bytes.
func checkCreated(ctx context.Context, t Target, key string, data []byte) error {
	there, _, err := t.Get(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read back %s: %w: it was written and is not there", key, ErrVerify)
	case err != nil:
		return fmt.Errorf("read back %s: %w", key, err)
	case !bytes.Equal(there, data):
		return fmt.Errorf("read back %s: %w: %d bytes of sha256 %s, %d of %s were written", key, ErrVerify, len(there), sha256Hex(there), len(data), sha256Hex(data))
	}
	return nil
}

// movePointer is the last step: whoever reads the pointer afterwards sees the
// run.
func movePointer(ctx context.Context, t Target, m *Manifest, manifestSHA256, seen string) (Outcome, error) {
	period, run, key := m.Period, m.RunKey(), m.pointerKey()
	if m.Simulation != nil {
		return Outcome{}, fmt.Errorf("publish %s: no pointer names a simulation", run)
	}
	old, version, err := readPointer(ctx, t, key, period)
	next := Pointer{Run: run, ManifestSHA256: manifestSHA256}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old, version = nil, ""
	case err != nil:
		return Outcome{}, fmt.Errorf("publish %s: %w", run, err)
	case old.names(&next):
		return Outcome{Pointer: *old, Already: true}, nil
	}
	if version != seen {
		return Outcome{}, fmt.Errorf("publish %s: %w: %s has moved since the run was planned", run, ErrConflict, key)
	}
	if old != nil {
		if old.Sealed {
			return Outcome{}, fmt.Errorf("publish %s: %w: %s is closed", run, ErrConflict, period)
		}
		next.Previous = &old.Run
	}
	return putPointer(ctx, t, key, period, &next, version)
}

// putPointer writes the pointer next over version.
func putPointer(ctx context.Context, t Target, key, period string, next *Pointer, version string) (Outcome, error) {
	data, err := next.encode()
	if err != nil {
		return Outcome{}, fmt.Errorf("write %s: %w", key, err)
	}
	written := *next
	put := func(ctx context.Context) error { return t.Put(ctx, key, data, Condition{Version: version}) }
	err = settle(ctx, "write "+key, put, func(ctx context.Context) (finding, error) {
		there, now, err := readPointer(ctx, t, key, period)
		switch {
		case errors.Is(err, fs.ErrNotExist) && version == "":
			return unchanged, nil
		case err != nil:
			return 0, err
		case there.names(next) && (there.Sealed || !next.Sealed): // closing comes after publishing
			written = *there
			return ours, nil
		case now == version:
			return unchanged, nil
		}
		return anothers, fmt.Errorf("it names %s", there.Run)
	})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Pointer: written}, nil
}

// names says whether both pointers are to the same run.
func (p *Pointer) names(other *Pointer) bool {
	return p.Run == other.Run && p.ManifestSHA256 == other.ManifestSHA256
}
