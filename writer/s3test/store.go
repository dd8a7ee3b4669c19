package s3test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Store is an S3 store of one bucket, used by any number of goroutines. The
// zero value is empty and ready. Keys are those of the bucket.
type Store struct {
	// PageKeys is the most keys on a page of a listing; default 1000.
	PageKeys int
	// Lie, where set before the first use, is asked before every call and may
	// make the store do wrong.
	Lie func(Call) Lie

	mu      sync.Mutex
	objects map[string]object
	uploads map[string]*upload
	started int // uploads so far
	changes []change
	settled int // changes that no listing forgets
	bodies  map[string][]byte
	history []Event
}

// Lie is a wrong that a store does to one call.
type Lie string

// What a store may do that S3 does not. The answers are those of a call that
// went well.
const (
	Honest   Lie = ""
	Blind    Lie = "blind"    // a write whose condition is not looked at
	Lose     Lie = "lose"     // a write that is not kept
	Alter    Lie = "alter"    // a write of which one byte is kept wrong
	Truncate Lie = "truncate" // a write of which the last byte is not kept
)

// object is what a key holds.
type object struct {
	data     []byte // never changes
	etag     string // without quotes
	modified time.Time
}

// change is one step from an object, or none, to another.
type change struct {
	key     string
	before  object
	existed bool
}

// Event is one call: as the store took it, or that it never came to be.
type Event struct {
	Call
	At     time.Time
	Fault  Fault
	Lie    Lie
	Status int    // what the store answered, whether or not that arrived; 0: it was not asked
	Before string // ETag of the key before a call that changed something; "" is none
	After  string // and after it
	Late   bool   // the client had its answer before this
}

// Changed says whether the call took effect on its key. A write of the bytes
// that were there before did.
func (e Event) Changed() bool {
	return e.Op.changes() && e.Status/100 == 2
}

// String is the event as a log shows it.
func (e Event) String() string {
	text := fmt.Sprintf("%v %v: %d", e.At.UTC().Format("04:05.000000000"), e.Call, e.Status)
	for _, word := range []string{string(e.Fault), string(e.Lie)} {
		if word != "" {
			text += " (" + word + ")"
		}
	}
	if e.Changed() && e.Before != e.After {
		text += fmt.Sprintf(" %.6s → %.6s", e.Before, e.After)
	}
	return text
}

// Put makes or replaces an object beside all clients, as the owner of the
// inputs does. It is part of the history, with an empty client.
func (s *Store) Put(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := Event{Call: Call{Op: PutObject, Key: key}, At: time.Now(), Status: 200, Before: s.objects[key].etag}
	e.After = s.set(key, data, etagOf(data))
	s.history = append(s.history, e)
}

// Spoil gives an object other bytes without a trace: its ETag stays, and
// neither history nor Body know of it. Nil makes it vanish.
func (s *Store) Spoil(key string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	if o.data = data; ok && data != nil {
		s.objects[key] = o
	} else {
		delete(s.objects, key)
	}
}

// Settle ends the past that a stale listing may show: what is there now is in
// every listing from now on until it is replaced or removed.
func (s *Store) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settled = len(s.changes)
}

// Objects is what is there, by key. The bytes must not be changed.
func (s *Store) Objects() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string][]byte, len(s.objects))
	for key, o := range s.objects {
		all[key] = o.data
	}
	return all
}

// Body is the bytes that once had an ETag, wherever and whenever that was.
func (s *Store) Body(etag string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.bodies[etag]
	return data, ok
}

// History is all events so far, in their order.
func (s *Store) History() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.history)
}

// Events is how many events there are so far.
func (s *Store) Events() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.history)
}

// log adds an event that the store had no part in.
func (s *Store) log(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.At = time.Now()
	s.history = append(s.history, e)
}

// set keeps an object and returns its ETag. s.mu is held.
func (s *Store) set(key string, data []byte, etag string) string {
	if s.objects == nil {
		s.objects, s.bodies = map[string]object{}, map[string][]byte{}
	}
	before, existed := s.objects[key]
	s.changes = append(s.changes, change{key, before, existed})
	s.objects[key] = object{data: data, etag: etag, modified: time.Now()}
	s.bodies[etag] = data
	return etag
}

// remove takes an object away. s.mu is held.
func (s *Store) remove(key string) {
	before, existed := s.objects[key]
	if !existed {
		return
	}
	s.changes = append(s.changes, change{key, before, true})
	delete(s.objects, key)
}

// past is what lay below prefix before the last changes there. s.mu is held.
func (s *Store) past(prefix string, changes int) map[string]object {
	view := maps.Clone(s.objects)
	for i := len(s.changes) - 1; i >= s.settled && changes > 0; i-- {
		c := s.changes[i]
		if !strings.HasPrefix(c.key, prefix) {
			continue
		}
		changes--
		if c.existed {
			view[c.key] = c.before
		} else {
			delete(view, c.key)
		}
	}
	return view
}

// etagOf is the ETag that S3 gives an object that came in one piece.
func etagOf(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

// spoilt is data as a lie keeps it.
func spoilt(data []byte, lie Lie) []byte {
	if len(data) == 0 {
		return data
	}
	switch lie {
	case Alter:
		data = bytes.Clone(data)
		data[len(data)/2] ^= 1
	case Truncate:
		data = data[:len(data)-1]
	}
	return data
}
