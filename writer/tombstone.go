package writer

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
)

// tombstoneStart is how all begin that stands in the place of a manifest while
// the leftovers of a run that never had one are removed. It is created like a
// manifest, so that of a run that is still being written and of its removal
// only one wins.
const tombstoneStart = `{"removed": true`

// tombstoneOf is one that only its maker writes, so that of two removals of
// the same leftovers only one goes on.
func tombstoneOf(maker string) []byte {
	return fmt.Appendf(nil, "%s, \"by\": %q}\n", tombstoneStart, maker)
}

func isTombstone(data []byte) bool { return bytes.HasPrefix(data, []byte(tombstoneStart)) }

// What is said of leftovers that were found to be another's.
const (
	keptRemoved  = "another gc has removed it"
	keptRemoving = "another gc is removing it"
	keptWhole    = "it has been written whole meanwhile"
)

// bury puts a tombstone of its own under key: over the tombstone of version
// seen, or where seen is "" where there was nothing. Where somebody was first,
// kept says who.
func bury(ctx context.Context, t Target, key, seen string) (own []byte, kept string, err error) {
	own = tombstoneOf(rand.Text())
	put := func(ctx context.Context) error { return t.Put(ctx, key, own, Condition{Version: seen}) }
	err = settle(ctx, "create "+key, put, func(ctx context.Context) (finding, error) {
		there, version, err := t.Get(ctx, key)
		switch {
		case errors.Is(err, fs.ErrNotExist) && seen == "":
			return unchanged, nil
		case errors.Is(err, fs.ErrNotExist):
			kept = keptRemoved
		case err != nil:
			return 0, err
		case bytes.Equal(there, own):
			return ours, nil
		case version == seen:
			return unchanged, nil
		case isTombstone(there):
			kept = keptRemoving
		default:
			kept = keptWhole
		}
		return anothers, errors.New(kept)
	})
	if kept != "" {
		return nil, kept, nil
	}
	return own, "", err
}

// lost tells whether our own tombstone is still under key, and if not, whose
// the place is now.
func lost(ctx context.Context, t Target, key string, own []byte) (kept string, err error) {
	there, _, err := t.Get(ctx, key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return keptRemoved, nil
	case err != nil:
		return "", fmt.Errorf("read %s: %w", key, err)
	case bytes.Equal(there, own):
		return "", nil
	case isTombstone(there):
		return keptRemoving, nil
	}
	return keptWhole, nil
}
