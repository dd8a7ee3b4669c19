package writer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Seal is the object that closes a month: it names the run that was billed.
// It follows from the pointer, whose mark "sealed" is what decides, and never
// changes.
type Seal struct {
	Period         string `json:"period"`
	Run            string `json:"run"` // runs/{period}/{run_id}/
	ManifestSHA256 string `json:"manifest_sha256"`
}

// SealKey is the key of a period's seal.
func SealKey(period string) string { return "sealed/" + period + ".json" }

// SealPeriod closes a period whose pointer is p at version, as Current gave
// them. One conditional write marks the pointer, so that a run in flight
// either was published before, and then it is this call that matches
// ErrConflict, or never moves the pointer. Then the seal is created. What a
// crash between the two leaves the same call repairs. already says that there
// was nothing to do. The errors are those of Publish.
func SealPeriod(ctx context.Context, t Target, period string, p *Pointer, version string) (already bool, err error) {
	seal, whole, err := ReadSeal(ctx, t, period, p)
	if err != nil || whole {
		return whole, err
	}
	if seal == nil {
		seal = p.seal(period)
	}
	if !p.Sealed {
		next := *p
		next.Sealed = true
		if _, err := putPointer(ctx, t, PointerKey(period), period, &next, version); err != nil {
			return false, fmt.Errorf("close %s: %w", period, err)
		}
	}
	data, err := encodeLine(seal)
	if err != nil {
		return false, fmt.Errorf("close %s: %w", period, err)
	}
	if err := createOnce(ctx, t, SealKey(period), data); err != nil {
		return false, fmt.Errorf("close %s: %w", period, err)
	}
	return false, nil
}

func (p *Pointer) seal(period string) *Seal {
	return &Seal{Period: period, Run: p.Run, ManifestSHA256: p.ManifestSHA256}
}

// ReadSeal is what closes a period whose pointer is p, nil where there is
// none; it is nil where the period is open. whole is false where a crash has
// left only one of mark and seal: the month is closed all the same, and
// SealPeriod makes it whole. The error matches ErrVerify where the seal is
// damaged or names another run than the pointer, and ErrConflict where that is
// because the pointer has moved since p was read.
func ReadSeal(ctx context.Context, t Target, period string, p *Pointer) (seal *Seal, whole bool, err error) {
	seal, err = readSeal(ctx, t, period)
	switch {
	case err != nil:
		return nil, false, err
	case seal == nil && (p == nil || !p.Sealed):
		return nil, false, nil
	case seal == nil:
		return p.seal(period), false, nil
	case p == nil:
		return nil, false, sealApart(ctx, t, period, p, PointerKey(period)+" is not there")
	case *seal != *p.seal(period):
		return nil, false, sealApart(ctx, t, period, p, fmt.Sprintf("it names %s, and %s names %s", seal, PointerKey(period), p.seal(period)))
	}
	return seal, p.Sealed, nil
}

// String tells two seals apart that name one run.
func (s *Seal) String() string {
	return fmt.Sprintf("%s with sha256 %s for %s", s.Run, s.ManifestSHA256, s.Period)
}

// readSeal is the seal of a period as it lies there, nil where there is none.
func readSeal(ctx context.Context, t Target, period string) (*Seal, error) {
	key := SealKey(period)
	data, _, err := t.Get(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	var seal Seal
	if err := decodeJSON(data, &seal); err != nil {
		return nil, fmt.Errorf("read %s: %w: %w", key, ErrVerify, err)
	}
	return &seal, nil
}

// sealApart is the error of a seal that does not belong to the pointer p. The
// pointer was read before it: a run that was published and closed between the
// two is no damage.
func sealApart(ctx context.Context, t Target, period string, p *Pointer, problem string) error {
	key := SealKey(period)
	now, _, err := readPointer(ctx, t, PointerKey(period), period)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: %w", key, err)
	case err == nil && (p == nil || !p.names(now)):
		return fmt.Errorf("read %s: %w: %s has moved since it was read", key, ErrConflict, PointerKey(period))
	}
	return fmt.Errorf("read %s: %w: %s", key, ErrVerify, problem)
}
