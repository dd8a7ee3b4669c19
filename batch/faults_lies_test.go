package batch

import (
	"bytes"
	"context"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"waconcile/reader"
	"waconcile/reconcile"
	"waconcile/writer"
	"waconcile/writer/s3test"
)

// TestFaultsChecksFire shows that each check can fail: a store that lies, or a
// run that is not as it should be, is caught by the check named, in at least
// one of some stories.
func TestFaultsChecksFire(t *testing.T) {
	t.Parallel()
	oracle, fired := newOracle(), map[string]bool{}
	for name, c := range map[string]struct {
		mutant
		check string
	}{
		"store overwrites the pointer blindly": {mutant{lie: lieAt(s3test.Blind, isPointer)}, checkOneWinner},
		"run overwrites the pointer blindly":   {mutant{alter: blindRun}, checkOneWinner},
		"pointer before manifest":              {mutant{alter: hastyRun}, checkComplete},
		"lost write, not read back":            {mutant{lie: lieAt(s3test.Lose, isCharges), alter: credulousRun}, checkComplete},
		"write cut short, not read back":       {mutant{lie: lieAt(s3test.Truncate, isCharges), alter: credulousRun}, checkComplete},
		"manifest lost":                        {mutant{lie: lieAt(s3test.Lose, isManifest)}, checkErrors},
		"manifest cut short":                   {mutant{lie: lieAt(s3test.Truncate, isManifest)}, checkErrors},
		"published file vanishes":              {mutant{after: spoilFirst(isCharges, nil)}, checkKept},
		"published manifest vanishes":          {mutant{after: spoilFirst(isManifest, nil)}, checkKept},
		"published byte changes":               {mutant{after: spoilFirst(isCharges, flipByte)}, checkControl},
		"input differs from its tag":           {mutant{before: swapInput}, checkTables},
		"run keeps a write to itself":          {mutant{alter: idleRun}, checkTold},
		"run denies its success":               {mutant{report: sayInstead(writer.ErrConflict)}, checkTold},
		"run blames the data":                  {mutant{report: sayInstead(reader.ErrData)}, checkErrors},
		"run is stopped by itself":             {mutant{report: sayInstead(context.Canceled)}, checkErrors},
		"store loses every pointer":            {mutant{lie: lieAt(s3test.Lose, isPointer)}, checkSettled},
		"temporary file is left":               {mutant{after: litter}, checkLeft},
	} {
		fired[c.check] = true
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(10) {
				s := meeting(seed)
				s.mutant = c.mutant
				problems := s.play(t).check(t, oracle)
				if !slices.ContainsFunc(problems, func(p problem) bool { return p.check == c.check }) {
					continue
				}
				if problems := meeting(seed).play(t).check(t, oracle); len(problems) > 0 {
					t.Errorf("seed %d without any lie: %v", seed, problems)
				}
				return
			}
			t.Errorf("no story was caught by %q", c.check)
		})
	}
	for _, check := range []string{
		checkOneWinner, checkComplete, checkControl, checkKept, checkTables, checkTold, checkErrors, checkSettled, checkLeft,
	} {
		if !fired[check] {
			t.Errorf("nothing makes the check %q fire", check)
		}
	}
}

// meeting is a story without faults in which two runs of different settings
// begin at once, and meet where they write the pointer.
func meeting(seed uint64) *story {
	s := &story{seed: seed, pageKeys: 1000, month: shortMonth(1)}
	s.plan = s3test.Plan{Seed: seed, Rate: func(s3test.Call) int { return 0 }, Hold: func(c s3test.Call) time.Duration {
		if c.Op == s3test.PutObject && isPointer(c.Key) {
			return 3 * time.Second
		}
		return 0
	}}
	for i, name := range []string{"a", "b"} {
		s.commands = append(s.commands, command{name: name, lateDays: i, workers: 1, pause: time.Second, stops: make([]time.Duration, mostTries)})
	}
	s.ending = s.commands
	return s
}

func isCharges(key string) bool {
	return strings.HasPrefix(key, faultOut) && strings.Contains(key, "/charges/")
}

// lieAt is a store that lies to all writes of some keys.
func lieAt(lie s3test.Lie, where func(key string) bool) func(s3test.Call) s3test.Lie {
	return func(c s3test.Call) s3test.Lie {
		if c.Op == s3test.PutObject && where(c.Key) {
			return lie
		}
		return s3test.Honest
	}
}

// spoilFirst changes the first object of some keys behind everybody's back.
func spoilFirst(where func(key string) bool, change func([]byte) []byte) func(*record) {
	return func(rec *record) {
		objects := rec.store.Objects()
		keys := slices.DeleteFunc(sortedKeys(objects), func(key string) bool { return !where(key) })
		if change == nil {
			rec.store.Spoil(keys[0], nil)
			return
		}
		rec.store.Spoil(keys[0], change(bytes.Clone(objects[keys[0]])))
	}
}

func flipByte(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}

// swapInput has the store give other messages under the tag of an export: the
// same, but to one another's contacts, dealt so that the sizes agree.
func swapInput(rec *record) {
	day, _ := reconcile.ParseDate(rec.story.month.to)
	key := exportKey(day, 0)
	rows := slices.Clone(rec.story.month.rows()[day])
	rows = rows[:len(rows)-len(rows)/3]
	rng := rand.New(rand.NewPCG(1, 1))
	for {
		rng.Shuffle(len(rows), func(i, k int) { rows[i].Contact, rows[k].Contact = rows[k].Contact, rows[i].Contact })
		if data := exportOf(rows); len(data) == len(rec.story.month.inputs[key]) {
			rec.store.Spoil(key, data)
			return
		}
	}
}

func litter(rec *record) {
	_ = os.WriteFile(filepath.Join(rec.temp, "waconcile-upload-left"), nil, 0o600)
}

// sayInstead has runs that published return an error.
func sayInstead(err error) func(*try) {
	return func(try *try) {
		if try.err == nil && !try.clean && !try.result.Already {
			try.err = err
		}
	}
}

// altered is a place in which some operations are others.
type altered struct {
	*writer.S3
	put  func(ctx context.Context, key string, data []byte, cond writer.Condition) error
	get  func(ctx context.Context, key string) ([]byte, string, error)
	mine *recollection // what was written, where reading back is by heart
}

func (a altered) Put(ctx context.Context, key string, data []byte, cond writer.Condition) error {
	if a.put == nil {
		return a.S3.Put(ctx, key, data, cond)
	}
	return a.put(ctx, key, data, cond)
}

func (a altered) Get(ctx context.Context, key string) ([]byte, string, error) {
	if a.get == nil {
		return a.S3.Get(ctx, key)
	}
	return a.get(ctx, key)
}

// blindRun writes pointers without a condition.
func blindRun(s *writer.S3) writer.Store {
	return altered{S3: s, put: func(ctx context.Context, key string, data []byte, cond writer.Condition) error {
		if !strings.HasPrefix(key, "current/") {
			return s.Put(ctx, key, data, cond)
		}
		up, err := s.Create(ctx, key)
		if err != nil {
			return err
		}
		defer up.Abort()
		if _, err := up.Write(data); err != nil {
			return err
		}
		return up.Commit(ctx)
	}}
}

// hastyRun writes its manifest after its pointer, and reads it back by heart.
func hastyRun(s *writer.S3) writer.Store {
	var late func(context.Context) error
	var held []byte
	a := altered{S3: s}
	a.put = func(ctx context.Context, key string, data []byte, cond writer.Condition) error {
		if strings.HasSuffix(key, "/manifest.json") {
			late, held = func(ctx context.Context) error { return s.Put(ctx, key, data, cond) }, data
			return nil
		}
		if err := s.Put(ctx, key, data, cond); err != nil || late == nil || !strings.HasPrefix(key, "current/") {
			return err
		}
		return late(ctx)
	}
	a.get = func(ctx context.Context, key string) ([]byte, string, error) {
		if held != nil && strings.HasSuffix(key, "/manifest.json") {
			return held, "held", nil
		}
		return s.Get(ctx, key)
	}
	return a
}

// idleRun does not write its pointer and says that it did.
func idleRun(s *writer.S3) writer.Store {
	return altered{S3: s, put: func(ctx context.Context, key string, data []byte, cond writer.Condition) error {
		if strings.HasPrefix(key, "current/") {
			return nil
		}
		return s.Put(ctx, key, data, cond)
	}}
}

// credulousRun reads back what it remembers, not what is there.
func credulousRun(s *writer.S3) writer.Store {
	return altered{S3: s, mine: &recollection{objects: map[string][]byte{}}}
}

// recollection is what a run has written.
type recollection struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func (a altered) Create(ctx context.Context, key string) (writer.Upload, error) {
	up, err := a.S3.Create(ctx, key)
	if err != nil || a.mine == nil {
		return up, err
	}
	return rememberedUpload{up, a.mine, key}, nil
}

type rememberedUpload struct {
	writer.Upload
	mine *recollection
	key  string
}

func (u rememberedUpload) Write(p []byte) (int, error) {
	u.mine.mu.Lock()
	defer u.mine.mu.Unlock()
	u.mine.objects[u.key] = append(u.mine.objects[u.key], p...)
	return u.Upload.Write(p)
}

func (a altered) Open(ctx context.Context, key string) (writer.Stored, error) {
	if a.mine == nil {
		return a.S3.Open(ctx, key)
	}
	a.mine.mu.Lock()
	defer a.mine.mu.Unlock()
	data, ok := a.mine.objects[key]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return remembered{bytes.NewReader(data)}, nil
}

type remembered struct{ *bytes.Reader }

func (remembered) Close() error { return nil }

func (a altered) List(ctx context.Context, prefix string) ([]writer.Listed, error) {
	if a.mine == nil {
		return a.S3.List(ctx, prefix)
	}
	a.mine.mu.Lock()
	defer a.mine.mu.Unlock()
	var all []writer.Listed
	for _, key := range sortedKeys(a.mine.objects) {
		if strings.HasPrefix(key, prefix) {
			all = append(all, writer.Listed{Key: key, Size: int64(len(a.mine.objects[key]))})
		}
	}
	return all, nil
}
