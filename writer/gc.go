package writer

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"waconcile/reconcile"
)

// GarbageKind is what is left over.
type GarbageKind string

// The kinds of what a crash can leave.
const (
	GarbageRun        GarbageKind = "run"        // runs/{period}/{run_id}/ without a manifest
	GarbageSimulation GarbageKind = "simulation" // simulations/{period}/{run_id}/ without one
	GarbageCheckpoint GarbageKind = "checkpoint" // checkpoints/{date}/{sha256}/ without its header
	GarbageTemporary  GarbageKind = "temporary"  // a file of .tmp/, of a directory only
)

// Garbage is what a run that died left behind, and no reader looks at.
type Garbage struct {
	Kind     GarbageKind
	Key      string // ending in "/" but for a temporary file
	Objects  int
	Bytes    int64
	Modified time.Time // when the newest of it was written, by the clock of the place
	// Begun says that its removal was begun and not ended. Modified is then
	// when it was begun: until it is ended no run can be published there,
	// however often it is tried.
	Begun bool

	tombstone string // its version, where the removal was begun
}

// GarbageAgeMin is the least age at which anything may be removed: longer than
// any removal takes, and longer than a run takes from its first visible file
// to its manifest.
const GarbageAgeMin = time.Hour

// Old tells whether garbage may be removed at an instant, if what is left over
// is removed at the given age, of at least GarbageAgeMin. A removal that was
// begun is ended as soon as whoever began it must be dead.
func (g *Garbage) Old(now time.Time, age time.Duration) bool {
	if g.Begun {
		age = GarbageAgeMin
	}
	return now.Sub(g.Modified) > max(age, GarbageAgeMin)
}

// head is the key of what is written last, and makes the rest exist.
func (g *Garbage) head() string {
	if g.Kind == GarbageCheckpoint {
		return g.Key + checkpointHead
	}
	return g.Key + manifestName
}

const (
	runsPrefix        = "runs/"
	checkpointsPrefix = "checkpoints/"
	checkpointHead    = "checkpoint.json"
)

// GarbageStore is a place that garbage is removed from.
type GarbageStore interface {
	Store
	Remover
}

// temporaryStore is a place with files that are not finished.
type temporaryStore interface {
	listTemporary(ctx context.Context) ([]Listed, error)
	removeTemporary(ctx context.Context, key string) error
}

// FindGarbage lists what is left over of all periods, in the order of the
// keys, however new it is: what a run is writing at this moment is among it.
func FindGarbage(ctx context.Context, t Store) ([]Garbage, error) {
	var all []Garbage
	for _, kind := range []GarbageKind{GarbageCheckpoint, GarbageRun, GarbageSimulation} {
		found, err := findHeadless(ctx, t, kind)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if temps, ok := t.(temporaryStore); ok {
		files, err := temps.listTemporary(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			all = append(all, Garbage{Kind: GarbageTemporary, Key: f.Key, Objects: 1, Bytes: f.Size, Modified: f.Modified})
		}
	}
	slices.SortStableFunc(all, func(a, b Garbage) int { return cmp.Compare(a.Key, b.Key) })
	return all, nil
}

// prefix is the key under which all of a kind lie.
func (k GarbageKind) prefix() string {
	switch k {
	case GarbageCheckpoint:
		return checkpointsPrefix
	case GarbageSimulation:
		return simulationsPrefix
	case GarbageRun, GarbageTemporary: // temporary files lie under none
	}
	return runsPrefix
}

// findHeadless lists the prefixes that lack what is written last, or have a
// tombstone in its place.
func findHeadless(ctx context.Context, t Store, kind GarbageKind) ([]Garbage, error) {
	prefix := kind.prefix()
	objects, err := t.List(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	var all []Garbage
	for len(objects) > 0 {
		key, ok := ownPrefix(kind, objects[0].Key)
		if !ok {
			objects = objects[1:]
			continue
		}
		n := slices.IndexFunc(objects, func(o Listed) bool { return !strings.HasPrefix(o.Key, key) })
		if n < 0 {
			n = len(objects)
		}
		g := garbageOf(kind, key, objects[:n])
		exists, err := g.exists(ctx, t, objects[:n])
		if err != nil {
			return nil, err
		}
		if !exists {
			all = append(all, g)
		}
		objects = objects[n:]
	}
	return all, nil
}

// ownPrefix is the prefix of the run or checkpoint that a key lies under. What
// has no such form was not written by this program and is left alone.
func ownPrefix(kind GarbageKind, key string) (string, bool) {
	parts := strings.SplitN(key, "/", 4)
	if len(parts) < 4 || !hexText(parts[2], runIDMin, len(sha256Hex(nil))) {
		return "", false
	}
	switch _, err := reconcile.ParseDate(parts[1]); {
	case kind == GarbageCheckpoint && err != nil:
		return "", false
	case kind != GarbageCheckpoint && !isPeriod(parts[1]):
		return "", false
	}
	return strings.TrimSuffix(key, parts[3]), true
}

// isPeriod says whether text is a period as keys have it.
func isPeriod(text string) bool {
	if IsMonth(text) {
		return true
	}
	from, to, isRange := strings.Cut(text, "_")
	if !isRange {
		to = from
	}
	_, fromErr := reconcile.ParseDate(from)
	_, toErr := reconcile.ParseDate(to)
	return fromErr == nil && toErr == nil
}

func garbageOf(kind GarbageKind, key string, objects []Listed) Garbage {
	g := Garbage{Kind: kind, Key: key, Objects: len(objects)}
	for _, o := range objects {
		g.Bytes += o.Size
		if o.Modified.After(g.Modified) {
			g.Modified = o.Modified
		}
	}
	return g
}

// exists tells whether a run or checkpoint is whole, as far as readers see.
func (g *Garbage) exists(ctx context.Context, t Target, objects []Listed) (bool, error) {
	i := slices.IndexFunc(objects, func(o Listed) bool { return o.Key == g.head() })
	if i < 0 {
		return false, nil
	}
	if objects[i].Size > int64(len(tombstoneOf(rand.Text()))) {
		return true, nil
	}
	data, version, err := t.Get(ctx, g.head())
	if errors.Is(err, fs.ErrNotExist) { // another gc was quicker
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", g.head(), err)
	}
	if !isTombstone(data) {
		return true, nil
	}
	g.Begun, g.tombstone, g.Modified = true, version, objects[i].Modified
	return false, nil
}

// RemoveGarbage takes away what FindGarbage found: a tombstone in the place of
// what would be written last, which may only be created, then everything else,
// then the tombstone. A run that writes there at the same time either was
// first, and keeps all, or does not get its manifest, or finds before its
// pointer that files are not there.
//
// A removal that stands still for long may be taken over, and what lies there
// afterwards be a run that was published. So before each object the tombstone
// has to be still our own, and by the clock now no more than removalTime may
// have passed since it was written.
//
// kept is empty where all was removed, and else says why not. Only garbage
// that is Old may be given: what somebody who is at work now writes or removes
// must be left to them.
func RemoveGarbage(ctx context.Context, t GarbageStore, g Garbage, now func() time.Time) (kept string, err error) {
	if g.Kind == GarbageTemporary {
		temps, ok := t.(temporaryStore)
		if !ok {
			return "", fmt.Errorf("remove %s: %w", g.Key, errors.ErrUnsupported)
		}
		return "", temps.removeTemporary(ctx, g.Key)
	}
	r := removal{store: t, head: g.head(), now: now, begun: now().Round(0)}
	if r.own, kept, err = bury(ctx, t, r.head, g.tombstone); err != nil || kept != "" {
		return kept, wrapRemoval(g.Key, err)
	}
	objects, err := t.List(ctx, g.Key)
	if err != nil {
		return "", wrapRemoval(g.Key, err)
	}
	objects = slices.DeleteFunc(objects, func(o Listed) bool { return o.Key == r.head })
	for _, o := range append(objects, Listed{Key: r.head}) {
		if kept, err = r.remove(ctx, o.Key); err != nil || kept != "" {
			return kept, wrapRemoval(o.Key, err)
		}
	}
	return "", nil
}

func wrapRemoval(key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("remove %s: %w", key, err)
}

// removalTime is how long after its tombstone a removal may begin to remove an
// object, and how long that may take: together no more than GarbageAgeMin,
// after which another may take it over.
const removalTime = GarbageAgeMin / 2

// removal is the right to remove what lies below a tombstone.
type removal struct {
	store GarbageStore
	head  string
	own   []byte // the tombstone
	now   func() time.Time
	begun time.Time // before the tombstone was written; without the reading of the clock that stops while a machine sleeps
}

// remove takes one object away, if the right to do so still stands.
func (r *removal) remove(ctx context.Context, key string) (kept string, err error) {
	kept, err = lost(ctx, r.store, r.head, r.own)
	if err != nil || kept != "" {
		return kept, err
	}
	if took := r.now().Sub(r.begun); took > removalTime {
		return fmt.Sprintf("its removal was begun %s ago, and the next gc may end it", took.Round(time.Minute)), nil
	}
	ctx, cancel := context.WithTimeout(ctx, removalTime)
	defer cancel()
	return "", r.store.Remove(ctx, key)
}
