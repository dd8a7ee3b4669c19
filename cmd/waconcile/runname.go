package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"waconcile/writer"
)

// The names of runs that a pointer or a seal leads to.
const (
	runCurrent  = "current"
	runPrevious = "previous"
	runSealed   = "sealed"
	runAdjusted = "adjusted"
)

// namedRun is a run as a person means it.
type namedRun struct {
	text   string // as it was written
	period string
	key    string // runs/2024-07/<run id>/ or simulations/…; empty where text is a name above
}

// nameRun takes a run id of --period, one of the names, or a key, which brings
// its period along. A key begins with runs/, with simulations/ or with the place
// that --out names.
func (s *settings) nameRun(text string) (namedRun, error) {
	if s.out == "" {
		return namedRun{}, fmt.Errorf("%w: required settings are missing: --out", errUsage)
	}
	if err := s.checkPlaces(); err != nil {
		return namedRun{}, err
	}
	if strings.Contains(text, "/") {
		key, err := s.keyBelowOut(text)
		if err != nil {
			return namedRun{}, err
		}
		return namedRun{text, strings.Split(key, "/")[1], key}, nil
	}
	if s.period == "" {
		return namedRun{}, fmt.Errorf("%w: required settings are missing: --period", errUsage)
	}
	p, err := s.resolvePeriod()
	if err != nil {
		return namedRun{}, err
	}
	switch text {
	case runCurrent, runPrevious, runSealed, runAdjusted:
		return namedRun{text, p.String(), ""}, nil
	case ".", "..":
		return namedRun{}, fmt.Errorf("%w: %q is no run id", errUsage, text)
	}
	return namedRun{text, p.String(), writer.RunPrefix(p.String(), text)}, nil
}

// keyBelowOut is the key of a run that is given as one, or as the place where
// the summary says that its tables are.
func (s *settings) keyBelowOut(text string) (string, error) {
	key := strings.TrimSuffix(text, "/")
	if !strings.HasPrefix(key, "runs/") && !strings.HasPrefix(key, "simulations/") {
		below, err := s.belowOut(key)
		if err != nil {
			return "", err
		}
		key = below
	}
	if parts := strings.Split(key, "/"); len(parts) != 3 || parts[0] != "runs" && parts[0] != "simulations" || !fs.ValidPath(key) {
		return "", fmt.Errorf("%w: %q is neither a run id nor a key such as runs/2024-07/<run id>/ or one below --out %s", errUsage, text, s.out)
	}
	return key + "/", nil
}

// belowOut cuts the place of results off; a path outside it stays as it is, or
// begins with two dots.
func (s *settings) belowOut(text string) (string, error) {
	if _, _, isBucket, err := splitPlace(s.out); isBucket || err != nil {
		return strings.TrimPrefix(text, within(s.out, "")), err
	}
	out, outErr := filepath.Abs(s.out)
	path, pathErr := filepath.Abs(text)
	if err := errors.Join(outErr, pathErr); err != nil {
		return "", fmt.Errorf("%w: %w", errUsage, err)
	}
	below, err := filepath.Rel(out, path)
	if err != nil {
		return text, nil // on another volume
	}
	return filepath.ToSlash(below), nil
}

// locate gives the key of a run. A run that is named and not there matches
// errNoSuchRun; whether one that is given by its key is there shows when it is
// read.
func (r namedRun) locate(ctx context.Context, out writer.Target) (string, error) {
	if r.key != "" {
		return r.key, nil
	}
	key, err := r.pointed(ctx, out)
	return key, r.missing(err)
}

// missing tells a run that is not there from a store without an answer.
func (r namedRun) missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s: %w", errNoSuchRun, r.text, err)
	}
	return err
}

// pointed is the key of the run that the pointers of the period lead to.
func (r namedRun) pointed(ctx context.Context, out writer.Target) (string, error) {
	if r.text == runAdjusted {
		pointer, _, _, err := writer.Adjusted(ctx, out, r.period)
		if err != nil {
			return "", err
		}
		return pointer.Run, nil
	}
	pointer, _, _, err := writer.Current(ctx, out, r.period)
	if err != nil {
		return "", err
	}
	switch r.text {
	case runPrevious:
		if pointer.Previous == nil {
			return "", fmt.Errorf("%w: %s names none", fs.ErrNotExist, writer.PointerKey(r.period))
		}
		return *pointer.Previous, nil
	case runSealed:
		seal, _, err := writer.ReadSeal(ctx, out, r.period, pointer)
		if err != nil {
			return "", err
		}
		if seal == nil {
			return "", fmt.Errorf("%w: %s is not closed", fs.ErrNotExist, r.period)
		}
		return seal.Run, nil
	}
	return pointer.Run, nil
}
