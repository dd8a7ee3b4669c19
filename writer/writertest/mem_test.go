package writertest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waconcile/writer"
)

func TestMemHook(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	for _, apply := range []bool{false, true} {
		m := &Mem{Hook: func(op, key string) (bool, error) {
			if op == "put" {
				return apply, lost
			}
			return true, nil
		}}
		if err := m.Put(t.Context(), "current/p", []byte("x"), writer.Condition{}); !errors.Is(err, lost) {
			t.Errorf("put: %v", err)
		}
		if _, ok := m.Objects()["current/p"]; ok != apply {
			t.Errorf("apply %v: stored %v", apply, ok)
		}
		if diff := cmp.Diff([]string{"put current/p"}, m.Trace()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMemImmutable(t *testing.T) {
	t.Parallel()
	m := &Mem{}
	create := func(data string) error {
		u, err := m.Create(t.Context(), "runs/x")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Abort()
		if _, err := u.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
		return u.Commit(t.Context())
	}
	for range 2 {
		if err := create("one"); err != nil {
			t.Error(err)
		}
	}
	if len(m.Faults()) != 0 {
		t.Errorf("faults: %v", m.Faults())
	}
	if err := create("two"); !errors.Is(err, ErrRewritten) {
		t.Errorf("other bytes: %v", err)
	}
	_, v, err := m.Get(t.Context(), "runs/x")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Put(t.Context(), "runs/x", []byte("three"), writer.Condition{Version: v}); !errors.Is(err, ErrRewritten) {
		t.Errorf("other bytes by put: %v", err)
	}
	if len(m.Faults()) != 2 {
		t.Errorf("faults: %v", m.Faults())
	}
	if got := string(m.Objects()["runs/x"]); got != "one" {
		t.Errorf("holds %q", got)
	}
}

func TestMemListAndRemove(t *testing.T) {
	t.Parallel()
	lost := errors.New("lost")
	now := time.Date(2024, 8, 1, 0, 0, 0, 0, time.UTC)
	stop := false
	m := &Mem{Now: func() time.Time { return now }, Hook: func(op, key string) (bool, error) {
		if stop && (op == "list" || op == "remove") {
			return op == "remove", lost
		}
		return true, nil
	}}
	for _, key := range []string{"runs/b", "runs/a"} {
		if err := m.Put(t.Context(), key, []byte(key), writer.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	got, err := m.List(t.Context(), "runs/")
	want := []writer.Listed{{Key: "runs/a", Size: 6, Modified: now}, {Key: "runs/b", Size: 6, Modified: now}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	stop = true
	if got, err := m.List(t.Context(), "runs/"); got != nil || !errors.Is(err, lost) {
		t.Errorf("list: %v, %v", got, err)
	}
	if err := m.Remove(t.Context(), "runs/a"); !errors.Is(err, lost) {
		t.Errorf("remove: %v", err)
	}
	if _, there := m.Objects()["runs/a"]; there {
		t.Error("a removal whose answer was lost did not take place")
	}
	// What was removed may be written anew.
	if err := m.Put(t.Context(), "runs/a", []byte("other"), writer.Condition{}); err != nil || len(m.Faults()) != 0 {
		t.Errorf("put after remove: %v, faults %v", err, m.Faults())
	}
	if diff := cmp.Diff([]string{"list runs/", "list runs/", "remove runs/a", "put runs/a"}, m.Trace()[2:]); diff != "" {
		t.Error(diff)
	}
}
