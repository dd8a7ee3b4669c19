package writer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"waconcile/writer"
	"waconcile/writer/writertest"

	"github.com/google/go-cmp/cmp"
)

// yard is a place with a clock, and what lies there.
type yard struct {
	*writertest.Mem
	now time.Time
}

func newYard() *yard {
	y := &yard{Mem: &writertest.Mem{}, now: time.Date(2024, 8, 1, 0, 0, 0, 0, time.UTC)}
	y.Now = func() time.Time { return y.now }
	return y
}

const (
	deadID  = "0123456789abcdef0123456789abcdef"
	otherID = "fedcba9876543210fedcba9876543210"
	week    = 7 * 24 * time.Hour
)

// files of a run, without its manifest.
func writeFiles(ctx context.Context, t writer.Target, run string) ([]writer.FileEntry, error) {
	var entries []writer.FileEntry
	for _, name := range []string{"charges/2024-07-03/part-0000.parquet", "summary.csv", "report.html"} {
		e, err := writer.WriteFile(ctx, t, run+name, []byte(name+" of "+run))
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func gcManifest(id string, files []writer.FileEntry) *writer.Manifest {
	return &writer.Manifest{
		FormatVersion: writer.FormatVersion, Program: writer.Program{Name: "waconcile", Version: "test"}, RulesVersion: "1",
		Period: "2024-07", First: "2024-07-01", Last: "2024-07-31", RunID: id,
		InputsSHA256: strings.Repeat("ab", 32), Verdict: writer.Complete, Files: slices.Clone(files),
		Settings: writer.Settings{VATAt: "recharge"},
	}
}

// publish does all of a run's writing.
func publish(ctx context.Context, t writer.Store, id string) error {
	files, err := writeFiles(ctx, t, writer.RunPrefix("2024-07", id))
	if err != nil {
		return err
	}
	_, _, version, err := writer.Current(ctx, t, "2024-07")
	if err != nil && !strings.Contains(err.Error(), "not exist") {
		return err
	}
	_, err = writer.Publish(ctx, t, gcManifest(id, files), version)
	return err
}

// collect is a gc, at an instant, of everything more than a week old.
func collect(ctx context.Context, t writer.GarbageStore, now time.Time) (removed, kept []string, err error) {
	return collectBy(ctx, t, func() time.Time { return now })
}

// collectBy is collect by a clock that goes on.
func collectBy(ctx context.Context, t writer.GarbageStore, clock func() time.Time) (removed, kept []string, err error) {
	now := clock()
	all, err := writer.FindGarbage(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	for _, g := range all {
		if !g.Old(now, week) {
			continue
		}
		why, err := writer.RemoveGarbage(ctx, t, g, clock)
		if err != nil {
			return removed, kept, err
		}
		if why == "" {
			removed = append(removed, g.Key)
		} else {
			kept = append(kept, why)
		}
	}
	return removed, kept, nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checkPublished: whatever the pointer names is there, byte for byte.
func (y *yard) checkPublished(t *testing.T, when string) (published string) {
	t.Helper()
	p, m, _, err := writer.Current(t.Context(), y, "2024-07")
	if err != nil {
		if _, there := y.Objects()["current/2024-07.json"]; there {
			t.Fatalf("%s: %v", when, err)
		}
		return ""
	}
	for _, f := range m.Files {
		if got := string(y.Objects()[p.Run+f.Name]); got != f.Name+" of "+p.Run {
			t.Fatalf("%s: %s of the published run is %q", when, f.Name, got)
		}
	}
	for _, fault := range y.Faults() {
		t.Fatalf("%s: %v", when, fault)
	}
	return p.Run
}

// litter is a place with all kinds of what may and may not be removed, a week
// and more old, and one run that has just begun.
func litter(t *testing.T) (*yard, []string) {
	t.Helper()
	y := newYard()
	put := func(key, data string) { must(t, y.Put(t.Context(), key, []byte(data), writer.Condition{})) }
	must(t, publish(t.Context(), y, otherID))
	dead := []string{
		"checkpoints/2024-07-03/" + deadID + "/", "runs/2024-07-01_2024-07-03/" + deadID + "/", "runs/2024-07-03/" + deadID + "/", "runs/2024-07/" + deadID + "/",
	}
	for _, run := range dead {
		_, err := writeFiles(t.Context(), y, run)
		must(t, err)
	}
	put("checkpoints/2024-07-04/"+deadID+"/pairs.parquet", "x")
	put("checkpoints/2024-07-04/"+deadID+"/checkpoint.json", "{}")
	put("checkpoints/notes.txt", "x")
	put("runs/2024-07/notes/mine.txt", "x")
	put("runs/july/"+deadID+"/mine.txt", "x")
	put("runs/readme.txt", "x")
	put("sealed/2024-06.json", "x")
	put("adjusted/2024-06.json", "x")
	put("elsewhere/"+deadID+"/summary.csv", "x")
	y.now = y.now.Add(week + time.Hour)
	_, err := writeFiles(t.Context(), y, "runs/2024-08/"+deadID+"/")
	must(t, err)
	return y, dead
}

// isOf tells whether a key lies under one of the prefixes.
func isOf(prefixes []string, key string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	y, dead := litter(t)
	found, err := writer.FindGarbage(t.Context(), y)
	must(t, err)
	var keys []string
	for _, g := range found {
		keys = append(keys, g.Key)
		if g.Objects != 3 || g.Bytes == 0 || g.Modified.IsZero() {
			t.Errorf("%+v", g)
		}
	}
	if diff := cmp.Diff(append(slices.Clone(dead), "runs/2024-08/"+deadID+"/"), keys); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	want := y.Objects()
	maps.DeleteFunc(want, func(key string, _ []byte) bool { return isOf(dead, key) })
	removed, kept, err := collect(t.Context(), y, y.now)
	must(t, err)
	if diff := cmp.Diff(dead, removed); diff != "" || len(kept) > 0 {
		t.Errorf("removed (-want +got):\n%s\nkept %q", diff, kept)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(y.Objects()))); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	y.checkPublished(t, "afterwards")
}

// TestGarbageCrash: a gc that dies at any operation, before it took place or
// after, leaves what the next one removes, a little later; and nothing else is
// touched.
func TestGarbageCrash(t *testing.T) {
	t.Parallel()
	crash := errors.New("died")
	for _, applied := range []bool{false, true} {
		for n := 1; ; n++ {
			y, dead := litter(t)
			untouched := y.Objects()
			maps.DeleteFunc(untouched, func(key string, _ []byte) bool { return isOf(dead, key) })
			ctx, die := context.WithCancel(t.Context())
			count, at := 0, ""
			y.Hook = func(op, key string) (bool, error) {
				if count++; count == n {
					at = op + " " + key
					die()
					return applied, crash
				}
				return true, nil
			}
			_, _, err := collect(ctx, y, y.now)
			if at == "" {
				if n < 20 {
					t.Fatalf("only %d operations", n)
				}
				break
			}
			if err == nil && !strings.HasPrefix(at, "put") { // whose outcome is looked up
				t.Fatalf("died at %s, and no error", at)
			}
			y.checkPublished(t, at)
			y.Hook = nil
			y.now = y.now.Add(2 * writer.GarbageAgeMin)
			if _, kept, err := collect(t.Context(), y, y.now); err != nil || len(kept) > 0 {
				t.Fatalf("died at %s; again: kept %q, %v", at, kept, err)
			}
			if diff := cmp.Diff(untouched, y.Objects()); diff != "" {
				t.Fatalf("died at %s; left after another gc (-want +got):\n%s", at, diff)
			}
		}
	}
}

// player is somebody whose operations on a place take place one by one, when
// it is told to.
type player struct {
	writer.GarbageStore
	turn chan struct{}
	over chan struct{} // closed when it has ended
	err  error
	idle chan struct{} // tells that the player is at its next operation
	next string        // that operation
	// waits is known to whoever leads: the player is at its next operation.
	waits bool
}

func play(t writer.GarbageStore, what func(writer.GarbageStore) error) *player {
	p := &player{GarbageStore: t, turn: make(chan struct{}), idle: make(chan struct{}), over: make(chan struct{})}
	go func() {
		p.err = what(p)
		close(p.over)
	}()
	return p
}

// wait is called by the player before each operation.
func (p *player) wait(op string) {
	p.next = op
	p.idle <- struct{}{}
	if _, alive := <-p.turn; !alive {
		runtime.Goexit()
	}
}

// arrive waits until the player is at its next operation, and all before it
// have taken place. It returns false where the player has ended.
func (p *player) arrive() bool {
	if p.waits {
		return true
	}
	select {
	case <-p.idle:
		p.waits = true
	case <-p.over:
	}
	return p.waits
}

// step lets the player do n operations. It returns false where it has ended.
func (p *player) step(n int) bool {
	for range n {
		if !p.arrive() {
			return false
		}
		p.waits = false
		p.turn <- struct{}{}
	}
	return p.arrive()
}

// die ends the player before its next operation.
func (p *player) die() {
	if p.arrive() {
		close(p.turn)
	}
}

func (p *player) finish() error {
	for p.step(1) {
	}
	return p.err
}

func (p *player) Put(ctx context.Context, key string, data []byte, cond writer.Condition) error {
	p.wait("put")
	return p.GarbageStore.Put(ctx, key, data, cond)
}

func (p *player) Get(ctx context.Context, key string) ([]byte, string, error) {
	p.wait("get")
	return p.GarbageStore.Get(ctx, key)
}

func (p *player) List(ctx context.Context, prefix string) ([]writer.Listed, error) {
	p.wait("list")
	return p.GarbageStore.List(ctx, prefix)
}

func (p *player) Remove(ctx context.Context, key string) error {
	p.wait("remove")
	return p.GarbageStore.Remove(ctx, key)
}

func (p *player) Create(ctx context.Context, key string) (writer.Upload, error) {
	up, err := p.GarbageStore.Create(ctx, key)
	return playedUpload{up, p}, err
}

type playedUpload struct {
	writer.Upload
	player *player
}

func (u playedUpload) Commit(ctx context.Context) error {
	u.player.wait("commit")
	return u.Upload.Commit(ctx)
}

// TestGarbageRace: a gc and a run of the same id do their operations in every
// order with two changes of turn, and with a second gc in between; also where
// an earlier gc has died. Whatever is published is whole, and in the end the
// run can be published.
func TestGarbageRace(t *testing.T) {
	t.Parallel()
	run := func(s writer.GarbageStore) error { return publish(t.Context(), s, deadID) }
	for _, died := range []bool{false, true} {
		for _, seconds := range []bool{false, true} {
			for i := range 30 {
				for j := range 30 {
					when := fmt.Sprintf("an earlier gc died: %v, a second gc: %v, turns after %d and %d operations", died, seconds, i, j)
					y := newYard()
					_, err := writeFiles(t.Context(), y, "runs/2024-07/"+deadID+"/")
					must(t, err)
					if died {
						y.now = y.now.Add(week + time.Hour)
						now := y.now
						earlier := play(y, func(s writer.GarbageStore) error { _, _, err := collect(t.Context(), s, now); return err })
						earlier.step(6) // two lists, the tombstone, a list, a look at the tombstone, a removal
						earlier.die()
					}
					y.now = y.now.Add(week + time.Hour)
					now := y.now
					gc := func(s writer.GarbageStore) error { _, _, err := collect(t.Context(), s, now); return err }
					first := play(y, gc)
					first.step(i)
					other := play(y, run)
					if seconds {
						must(t, play(y, gc).finish())
					}
					other.step(j)
					y.checkPublished(t, when)
					gcErr := first.finish()
					y.checkPublished(t, when)
					runErr := other.finish()
					published := y.checkPublished(t, when)
					if gcErr != nil || (runErr == nil) != (published != "") {
						t.Fatalf("%s: gc %v, run %v, published %q", when, gcErr, runErr, published)
					}
					if runErr != nil && !errors.Is(runErr, writer.ErrRemoving) && !errors.Is(runErr, writer.ErrVerify) {
						t.Fatalf("%s: %v", when, runErr)
					}
					y.now = y.now.Add(2 * writer.GarbageAgeMin) // what a dead gc has begun is ended then
					_, _, err = collect(t.Context(), y, y.now)
					must(t, err)
					again := publish(t.Context(), y, deadID)
					if published := y.checkPublished(t, when+", again"); again != nil || published == "" {
						t.Fatalf("%s: again: %v", when, again)
					}
				}
			}
		}
	}
}

// stalled is a gc of a dead run that goes no further after n operations, of
// which the last is not to find that it may remove an object: that must be
// gone within removalTime.
func stalled(t *testing.T, y *yard, n int) *player {
	t.Helper()
	_, err := writeFiles(t.Context(), y, "runs/2024-07/"+deadID+"/")
	must(t, err)
	y.now = y.now.Add(week + time.Hour)
	gc := play(y, func(s writer.GarbageStore) error {
		_, _, err := collectBy(t.Context(), s, func() time.Time { return y.now })
		return err
	})
	gc.step(n)
	for gc.arrive() && gc.next == "remove" {
		gc.step(1)
	}
	return gc
}

// TestGarbageTakeover: a gc stands still at any operation, until another one
// has ended what it began and the run was published. When it goes on it leaves
// that alone.
func TestGarbageTakeover(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		when := fmt.Sprintf("after %d operations", n)
		y := newYard()
		first := stalled(t, y, n)
		if !first.arrive() {
			if n < 8 {
				t.Errorf("only %d operations", n)
			}
			return
		}
		y.now = y.now.Add(2 * writer.GarbageAgeMin)
		if removed, kept, err := collect(t.Context(), y, y.now); err != nil || len(removed) != 1 || len(kept) > 0 {
			t.Fatalf("%s: the second removed %q, kept %q, %v", when, removed, kept, err)
		}
		must(t, publish(t.Context(), y, deadID))
		if err := first.finish(); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if y.checkPublished(t, when) == "" {
			t.Fatalf("%s: nothing is published", when)
		}
	}
}

// TestGarbageTooSlow: a gc that takes long leaves the rest to the next, since
// that could take over at any moment.
func TestGarbageTooSlow(t *testing.T) {
	t.Parallel()
	slow := 0
	for n := 0; ; n++ {
		y := newYard()
		first := stalled(t, y, n)
		if !first.arrive() {
			break
		}
		y.now = y.now.Add(writer.GarbageAgeMin/2 + time.Minute)
		before := len(y.Objects())
		must(t, first.finish())
		if after := len(y.Objects()); after != 0 {
			slow++
			if after < before {
				t.Errorf("after %d operations and half an hour %d objects were removed", n, before-after)
			}
		}
		y.now = y.now.Add(2 * writer.GarbageAgeMin)
		_, kept, err := collect(t.Context(), y, y.now)
		if must(t, err); len(kept) > 0 || len(y.Objects()) > 0 {
			t.Errorf("the next gc kept %q, and there are %d objects", kept, len(y.Objects()))
		}
	}
	if slow < 4 {
		t.Errorf("%d were too slow", slow)
	}
}

// TestGarbageInDirectory: temporary files are garbage as well, and only those.
func TestGarbageInDirectory(t *testing.T) {
	t.Parallel()
	dir, err := writer.NewDir(t.TempDir())
	must(t, err)
	defer dir.Close()
	_, err = writeFiles(t.Context(), dir, "runs/2024-07/"+deadID+"/")
	must(t, err)
	must(t, publish(t.Context(), dir, otherID))
	up, err := dir.Create(t.Context(), "runs/2024-07/"+deadID+"/never.csv")
	must(t, err)
	_, err = up.Write(bytes.Repeat([]byte("x"), 10))
	must(t, err)
	must(t, up.Seal())
	found, err := writer.FindGarbage(t.Context(), dir)
	must(t, err)
	if len(found) != 2 || found[0].Kind != writer.GarbageTemporary || found[0].Bytes != 10 || found[1].Kind != writer.GarbageRun {
		t.Fatalf("found %+v", found)
	}
	if removed, _, err := collect(t.Context(), dir, time.Now()); err != nil || len(removed) > 0 {
		t.Errorf("removed what is new: %q, %v", removed, err)
	}
	removed, _, err := collect(t.Context(), dir, time.Now().Add(week+time.Hour))
	must(t, err)
	if len(removed) != 2 {
		t.Errorf("removed %q", removed)
	}
	left, err := dir.List(t.Context(), "")
	must(t, err)
	for _, o := range left {
		if !strings.HasPrefix(o.Key, "runs/2024-07/"+otherID+"/") && o.Key != "current/2024-07.json" {
			t.Errorf("left: %s", o.Key)
		}
	}
	if found, err := writer.FindGarbage(t.Context(), dir); err != nil || len(found) > 0 {
		t.Errorf("afterwards: %+v, %v", found, err)
	}
	up.Abort() // of a file that is gone
}
