package writer

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
)

const testSimulation = "simulations/2024-07/0123456789abcdef0123456789abcdef/"

func simulated() *Manifest {
	m := testManifest()
	m.Simulation = &Simulation{Plan: "growth"}
	return m
}

// A simulation is published by its manifest alone: the pointer of its period
// stays, and so it does where a simulation is to become current.
func TestPublishSimulation(t *testing.T) {
	t.Parallel()
	s := newFakeStore()
	mustPublish(t, s, testManifest())
	pointer, m := string(s.objects["current/2024-07.json"]), simulated()
	plant(s, m)
	s.trace = nil
	for range 2 {
		if o, err := Publish(t.Context(), s, m, ""); err != nil || o.Pointer.Run != "" {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	put := slices.DeleteFunc(slices.Clone(s.trace), func(op string) bool { return !strings.HasPrefix(op, "put ") })
	if want := "put " + testSimulation + manifestName; len(put) != 2 || put[0] != want || put[1] != want || !slices.Contains(s.trace, "list "+testSimulation) {
		t.Errorf("trace is %q", s.trace)
	}
	if _, err := MovePointer(t.Context(), s, m, seenPointer(t, s)); err == nil {
		t.Error("a simulation became current")
	}
	if now := string(s.objects["current/2024-07.json"]); now != pointer {
		t.Errorf("the pointer is %s, and was %s", now, pointer)
	}
	back, err := ReadManifest(t.Context(), s, testSimulation)
	if err != nil || back.Simulation == nil || back.Simulation.Plan != "growth" || back.RunKey() != testSimulation {
		t.Errorf("%+v, %v", back, err)
	}
	s.set(testRun+manifestName, s.objects[testSimulation+manifestName])
	if _, err := ReadManifest(t.Context(), s, testRun); !errors.Is(err, ErrVerify) {
		t.Errorf("a simulation's manifest among the runs: %v", err)
	}
}

// What holds of a run's manifest holds of a simulation's: control totals, all
// files, and an interrupt before it or while it is written.
func TestPublishSimulationFails(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped by a signal")
	for name, c := range map[string]struct {
		spoil     func(*fakeStore, *Manifest, context.CancelCauseFunc)
		want      error
		published bool
	}{
		"control": {func(_ *fakeStore, m *Manifest, _ context.CancelCauseFunc) { m.Control[0].OK = false }, ErrControl, false},
		"file gone": {func(s *fakeStore, m *Manifest, _ context.CancelCauseFunc) {
			delete(s.objects, m.RunKey()+"report.html")
		}, ErrVerify, true},
		"being freed": {func(s *fakeStore, m *Manifest, _ context.CancelCauseFunc) {
			s.set(m.RunKey()+manifestName, tombstoneOf("gc"))
		}, ErrRemoving, true},
		"stopped": {func(_ *fakeStore, _ *Manifest, stop context.CancelCauseFunc) { stop(stopped) }, stopped, false},
		"stopped late": {func(s *fakeStore, _ *Manifest, stop context.CancelCauseFunc) {
			s.fault = func(op, _ string) (bool, error) {
				if op == "put" {
					stop(stopped)
				}
				return true, nil
			}
		}, nil, true},
	} {
		ctx, stop := context.WithCancelCause(t.Context())
		s, m := newFakeStore(), simulated()
		plant(s, m)
		c.spoil(s, m, stop)
		if _, err := Publish(ctx, s, m, ""); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, there := s.objects[m.RunKey()+manifestName]; there != c.published {
			t.Errorf("%s: a manifest is there: %v", name, there)
		}
		stop(nil)
	}
}

// A simulation builds on no run.
func TestSimulationHasNoGround(t *testing.T) {
	t.Parallel()
	for _, table := range []string{SealedInput, AdjustmentsInput, TakenInput} {
		m := simulated()
		m.Inputs = append(m.Inputs, Input{Table: table, Key: "runs/2024-06/" + m.RunID + "/" + manifestName, Identity: strings.Repeat("ab", 32)})
		if table != TakenInput {
			m.Inputs[len(m.Inputs)-1].Key = testRun + manifestName
		}
		if _, err := m.Encode(); err == nil || !strings.Contains(err.Error(), "in a simulation") {
			t.Errorf("%s: %v", table, err)
		}
	}
}

func TestVerifySimulation(t *testing.T) {
	t.Parallel()
	p := aRun()
	p.write(t)
	p.seal(t)
	p.m.Simulation = &Simulation{}
	data, err := p.m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for key, bytes := range maps.Clone(p.store.objects) {
		if name, ok := strings.CutPrefix(key, testRun); ok {
			p.store.set(testSimulation+name, bytes)
		}
	}
	p.store.set(testSimulation+manifestName, data)
	p.store.set("current/2024-07.json", []byte("damaged, which is nothing to a simulation"))
	checks, err := Verify(t.Context(), p.store, testSimulation, "2024-07")
	if err != nil || len(checks) < 20 {
		t.Fatalf("%d checks, %v", len(checks), err)
	}
	for _, c := range checks {
		if !c.OK || c.Name == pointerCheck {
			t.Errorf("%+v", c)
		}
	}
	p.store.objects[testSimulation+"summary.parquet"][99] ^= 1
	if _, err := Verify(t.Context(), p.store, testSimulation, "2024-07"); !errors.Is(err, ErrVerify) || errors.Is(err, ErrBeside) {
		t.Errorf("a damaged simulation: %v", err)
	}
	if _, err := Verify(t.Context(), p.store, "simulations/2024-07/"+strings.Repeat("0", 32)+"/", "2024-07"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such simulation: %v", err)
	}
}

func TestSimulationOf(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		testSimulation + manifestName:         testSimulation,
		testSimulation + "summary.csv":        "",
		testRun + manifestName:                "",
		"simulations/2024-07/" + manifestName: "",
		"simulations/../0123/" + manifestName: "",
	} {
		if run, ok := SimulationOf(key); ok != (want != "") || ok && run != want {
			t.Errorf("%s is of %q, %v", key, run, ok)
		}
	}
	if _, ok := RunOf(testSimulation + manifestName); ok {
		t.Error("a simulation was taken for a run")
	}
}
