package batch

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waconcile/reader"
	"waconcile/writer"
	"waconcile/writer/s3test"

	"github.com/google/go-cmp/cmp"
)

// The checks of a story, each by what it holds.
const (
	checkOneWinner = "one winner for each version of a pointer"
	checkComplete  = "every committed manifest is complete"
	checkControl   = "control totals hold"
	checkKept      = "nothing that was committed is missing or changed"
	checkTables    = "tables equal those of a run without faults"
	checkTold      = "what a run was told is what came to be"
	checkErrors    = "errors are of the classes that are promised"
	checkSettled   = "after the faults the period is as its inputs say"
	checkLeft      = "no temporary file stays"
)

// problem is a check that failed.
type problem struct{ check, text string }

func (p problem) String() string { return p.check + ": " + p.text }

// check goes through the history of a story and what is left at its end.
func (rec *record) check(t *testing.T, o *oracle) (problems []problem) {
	t.Helper()
	for _, c := range []struct {
		name string
		find func(say func(format string, args ...any))
	}{
		{checkOneWinner, rec.findSecondWinners},
		{checkComplete, rec.findIncomplete},
		{checkKept, rec.findLost},
		{checkTold, rec.findMisled},
		{checkErrors, rec.findOddErrors},
		{checkSettled, rec.findUnsettled},
		{checkControl, func(say func(string, ...any)) {
			for _, m := range rec.manifests() {
				if err := o.verify(t, rec, m); err != nil {
					say("%v", err)
				}
			}
		}},
		{checkTables, func(say func(string, ...any)) {
			for _, m := range rec.manifests() {
				rec.findOtherTables(t, o, m, say)
			}
		}},
		{checkLeft, func(say func(string, ...any)) {
			for _, name := range rec.left {
				say("%s", name)
			}
		}},
	} {
		c.find(func(format string, args ...any) {
			problems = append(problems, problem{c.name, fmt.Sprintf(format, args...)})
		})
	}
	return problems
}

// move is a pointer that was written.
type move struct {
	at      int // event
	client  string
	pointer writer.Pointer
}

// pointerMoves are the writes of each pointer that took effect, by key.
func (rec *record) pointerMoves() map[string][]move {
	moves := map[string][]move{}
	for i, e := range rec.history {
		if !isPointer(e.Key) || !e.Changed() {
			continue
		}
		m := move{at: i, client: e.Client}
		if data, ok := rec.store.Body(e.After); ok {
			_ = json.Unmarshal(data, &m.pointer) // what is no pointer names no run
		}
		moves[e.Key] = append(moves[e.Key], m)
	}
	return moves
}

// findSecondWinners: a pointer is written only over the version that its
// writer has seen, so that no two writers replace the same one, and names what
// it replaced. The last that may happen to it is the mark of a closed month.
func (rec *record) findSecondWinners(say func(string, ...any)) {
	for key, moves := range rec.pointerMoves() {
		version, before := "", writer.Pointer{}
		for i, m := range moves {
			e := rec.history[m.at]
			seen := e.If
			if seen == "*" {
				seen = ""
			}
			if e.If == "" || seen != version {
				say("%s: event %d is over version %q, and %q is there", key, m.at, e.If, version)
			}
			want := writer.Pointer{Run: m.pointer.Run, ManifestSHA256: m.pointer.ManifestSHA256}
			if i > 0 {
				want.Previous = &before.Run
			}
			if m.pointer.Sealed {
				want = before
				want.Sealed = true
			}
			if diff := cmp.Diff(want, m.pointer); diff != "" || before.Sealed {
				say("%s: event %d does not follow %+v (-want +got):\n%s", key, m.at, before, diff)
			}
			version, before = e.After, m.pointer
		}
	}
}

// isTombstone says whether an ETag is of what stands in for a head while the
// rest is removed.
func (rec *record) isTombstone(etag string) bool {
	data, _ := rec.store.Body(etag)
	return strings.HasPrefix(string(data), `{"removed": true`)
}

// manifests are those that are there at the end, in the order of their keys.
// Where garbage is collected, one that no pointer has named may be of a run
// that was to be done again.
func (rec *record) manifests() []*writer.Manifest {
	var all []*writer.Manifest
	objects := rec.store.Objects()
	named := map[string]bool{}
	for _, moves := range rec.pointerMoves() {
		for _, m := range moves {
			named[faultOut+m.pointer.Run+"manifest.json"] = true
		}
	}
	for _, key := range sortedKeys(objects) {
		if !isManifest(key) || rec.collects() && !named[key] {
			continue
		}
		if m, err := writer.DecodeManifest(objects[key]); err == nil {
			all = append(all, m)
		}
	}
	return all
}

// isPointer says whether a key is that of a pointer: of what is current, or of
// what adjusts a closed month.
func isPointer(key string) bool {
	return strings.HasPrefix(key, faultOut+"current/") || strings.HasPrefix(key, faultOut+"adjusted/")
}

// isImmutable says whether what a key holds never changes.
func isImmutable(key string) bool {
	return strings.HasPrefix(key, faultOut+"runs/") || strings.HasPrefix(key, faultOut+"checkpoints/") || isSeal(key)
}

func isSeal(key string) bool { return strings.HasPrefix(key, faultOut+"sealed/") }

func isManifest(key string) bool {
	return strings.HasPrefix(key, faultOut+"runs/") && strings.HasSuffix(key, "/manifest.json")
}

// findIncomplete: at the moment a pointer comes to name a run, all that its
// manifest names is there, with its size and sha256; and where nobody removes
// anything, at the moment the manifest comes to be.
func (rec *record) findIncomplete(say func(string, ...any)) {
	there := map[string]string{} // ETag by key, as the history goes on
	for i, e := range rec.history {
		if !e.Changed() {
			continue
		}
		if e.Op == s3test.DeleteObject {
			delete(there, e.Key)
			continue
		}
		there[e.Key] = e.After
		data, _ := rec.store.Body(e.After)
		if isPointer(e.Key) {
			var p writer.Pointer
			_ = json.Unmarshal(data, &p)
			if data, ok := rec.store.Body(there[faultOut+p.Run+"manifest.json"]); ok {
				if m, err := writer.DecodeManifest(data); err == nil {
					rec.findAbsent(m, there, func(text string) { say("event %d: %s names %s", i, e.Key, text) })
				}
			}
		}
		if isManifest(e.Key) && !rec.collects() {
			m, err := writer.DecodeManifest(data)
			if err != nil || faultOut+m.RunKey()+"manifest.json" != e.Key {
				say("event %d: %s: %v", i, e.Key, err)
				continue
			}
			rec.findAbsent(m, there, func(text string) { say("event %d: %s names %s", i, e.Key, text) })
		}
	}
	for key, moves := range rec.pointerMoves() {
		for _, m := range moves {
			rec.findNoRun(key, m, say)
		}
	}
}

// collects says whether anybody removes what runs left.
func (rec *record) collects() bool {
	return slices.ContainsFunc(rec.story.commands, func(c command) bool { return c.kind == collect })
}

// findAbsent says which files of a manifest are not there.
func (rec *record) findAbsent(m *writer.Manifest, there map[string]string, say func(string)) {
	for _, f := range m.Files {
		data, ok := rec.store.Body(there[faultOut+m.RunKey()+f.Name])
		switch {
		case !ok:
			say(f.Name + ", which is not there")
		case int64(len(data)) != f.Bytes || sumOf(data) != f.SHA256:
			say(f.Name + ", which has other bytes")
		}
	}
}

// findNoRun: the run that a pointer names has had its manifest before, of the
// sha256 that the pointer gives.
func (rec *record) findNoRun(key string, m move, say func(string, ...any)) {
	manifest := faultOut + m.pointer.Run + "manifest.json"
	for _, e := range rec.history[:m.at] {
		if e.Key != manifest || !e.Changed() {
			continue
		}
		if data, ok := rec.store.Body(e.After); ok && sumOf(data) == m.pointer.ManifestSHA256 {
			return
		}
	}
	say("%s: event %d names %q, which is not complete", key, m.at, m.pointer.Run)
}

// findLost: once a pointer has named it, a run stays as it is. Runs,
// checkpoints and seals never change their bytes, but what was removed may
// come again, and a tombstone may be another's. At the end the store has what its history says.
func (rec *record) findLost(say func(string, ...any)) {
	there := map[string]string{}
	committed := map[string]bool{} // keys of runs that a pointer has named
	for i, e := range rec.history {
		if !e.Changed() {
			continue
		}
		switch before := there[e.Key]; {
		case e.Op == s3test.DeleteObject && committed[e.Key]:
			say("event %d removes %s", i, e.Key)
		case e.Op != s3test.DeleteObject && before != "" && before != e.After && isImmutable(e.Key) && !rec.isTombstone(before):
			say("event %d changes %s", i, e.Key)
		}
		if e.Op == s3test.DeleteObject {
			delete(there, e.Key)
			continue
		}
		there[e.Key] = e.After
		if data, _ := rec.store.Body(e.After); isPointer(e.Key) {
			var p writer.Pointer
			_ = json.Unmarshal(data, &p)
			for key := range there {
				committed[key] = committed[key] || strings.HasPrefix(key, faultOut+p.Run)
			}
		}
	}
	objects := rec.store.Objects()
	for _, key := range sortedKeys(there) {
		data, ok := objects[key]
		want, _ := rec.store.Body(there[key])
		switch {
		case !ok:
			say("%s is gone at the end", key)
		case sumOf(data) != sumOf(want):
			say("%s has other bytes at the end", key)
		}
	}
}

// findOtherTables: all of a run, down to the last byte.
func (rec *record) findOtherTables(t *testing.T, o *oracle, m *writer.Manifest, say func(string, ...any)) {
	want, err := o.expect(t, rec, m)
	if err != nil {
		say("%s: %v", m.RunKey(), err)
		return
	}
	if diff := cmp.Diff(want, filesBelow(rec.store.Objects(), faultOut+m.RunKey())); diff != "" {
		say("%s (-want +got):\n%s", m.RunKey(), diff)
	}
}

// findOddErrors: the classes of Run, and no other of the command's: a network
// is no reason to call data or a published run damaged.
func (rec *record) findOddErrors(say func(string, ...any)) {
	for _, try := range rec.tries {
		if try.err == nil || rec.lostToCollector(try) {
			continue
		}
		for _, never := range []error{reader.ErrData, reader.ErrInput, ErrConfig, ErrIncomplete, ErrControl, writer.ErrVerify, writer.ErrUnsafeStore} {
			if errors.Is(try.err, never) {
				say("%s: %v", try.client, try.err)
			}
		}
		name := outcomeName(try)
		if name == "unknown error" || name == "stopped" && !try.stopped {
			say("%s: %v", try.client, try.err)
		}
	}
}

// lostToCollector says whether a run found a file gone that somebody was
// removing meanwhile.
func (rec *record) lostToCollector(try *try) bool {
	return rec.collects() && errors.Is(try.err, writer.ErrVerify) && rec.metTombstone(try) &&
		strings.HasSuffix(try.err.Error(), "the file is not there")
}

// findUnsettled: once the faults are over each command succeeds, and what it
// leaves current is a run of the inputs as they are.
func (rec *record) findUnsettled(say func(string, ...any)) {
	last := map[string]*try{} // by pointer
	for _, try := range rec.tries {
		switch {
		case try.clean && try.err != nil:
			say("%s: %v", try.client, try.err)
		case try.clean && try.result != nil:
			last[faultOut+pointerOf(try.result.Manifest)] = try
		}
	}
	objects := rec.store.Objects()
	for _, key := range sortedKeys(last) {
		var p writer.Pointer
		if err := json.Unmarshal(objects[key], &p); err != nil || p.Run != last[key].result.RunKey {
			say("%s names %s, %v; the last run was %s", key, p.Run, err, last[key].result.RunKey)
		}
		for _, in := range last[key].result.Manifest.InputsOf(writer.ExportsInput) {
			if rec.etag(faultInputs+"exports/"+in.Key) != in.Identity {
				say("the last run of %s has another %s than is there", key, in.Key)
			}
		}
	}
}

// etag is the last that a key was given.
func (rec *record) etag(key string) string {
	for _, e := range slices.Backward(rec.history) {
		if e.Key == key && e.Changed() {
			return e.After
		}
	}
	return ""
}
