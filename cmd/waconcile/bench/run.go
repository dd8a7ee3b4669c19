package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The hidden commands of this program that Run starts.
const (
	MakeCommand   = "make"   // DIR MESSAGES DAYS SEED: MakeSet
	DecodeCommand = "decode" // DIR: Decode, and print the number of rows
)

// marker is the file that allows Run to remove what an earlier Run left.
const marker = ".waconcile-bench"

// Run makes the data that is not there yet, measures, and gives the table.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	r := &runner{Options: o, sets: map[string]*Set{}, costs: map[string][]Cost{}}
	r.choose()
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", o.Dir, err)
	}
	if slices.ContainsFunc(r.chosen, func(s side) bool { return s.name == sideBucket }) {
		defer r.Bucket.clear(ctx, r.Log)
		if err := r.Bucket.upload(ctx, r.sets[monthSet]); err != nil {
			return nil, err
		}
	}
	for round := range o.Runs {
		if err := r.round(ctx, round+1); err != nil {
			return nil, err
		}
	}
	return r.result(), nil
}

// runner is one Run.
type runner struct {
	Options
	figures []figure
	chosen  []side // those that the figures need
	leftOut []LeftOut
	sets    map[string]*Set
	costs   map[string][]Cost // by side, one a round
}

// place is where a set lies, be it there or not.
func (r *runner) place(set string) *Set { return &Set{Dir: filepath.Join(r.Dir, set)} }

// out is where the runs of a round publish.
func (r *runner) out() string { return filepath.Join(r.Dir, "out") }

// choose takes the figures that are asked for and can be had, and their sides.
func (r *runner) choose() {
	needed := map[string]bool{}
	for _, f := range figures() {
		if len(r.Only) > 0 && !slices.Contains(r.Only, f.name) {
			continue
		}
		if why := r.lacks(f.name); why != "" {
			r.leftOut = append(r.leftOut, LeftOut{Figure: f.name, Why: why})
			continue
		}
		r.figures = append(r.figures, f)
		needed[f.of], needed[f.against] = true, true
	}
	for _, s := range r.sides() {
		if needed[s.name] {
			r.chosen = append(r.chosen, s)
		}
	}
}

// lacks says why a figure cannot be had; empty where it can.
func (r *runner) lacks(figure string) string {
	switch {
	case (figure == figureMemory || figure == figureDays) && !peaksKnown:
		return "this system does not tell the peak memory of a process"
	case figure == figureWorkers && runtime.GOMAXPROCS(0) < processors:
		return "there are not two processors"
	case figure == figureS3 && r.Bucket == nil:
		return "no --s3-bucket is given"
	case figure == figureAgainst && r.Against == "":
		return "no --against is given"
	}
	return ""
}

// prepare makes the directory and the sets that are needed, and reads each set
// once, so that all that is measured finds its files in the system's cache.
func (r *runner) prepare(ctx context.Context) error {
	if err := r.claim(); err != nil {
		return err
	}
	for _, s := range r.chosen {
		if r.sets[s.set] != nil {
			continue
		}
		set, err := r.provide(ctx, s.set)
		if err != nil {
			return err
		}
		r.sets[s.set] = set
		if _, _, err := measure(ctx, r.Program, []string{"bench", DecodeCommand, set.Exports()}, r.environ(processors)); err != nil {
			return err
		}
	}
	return nil
}

// ErrDirectory is matched by the error for a directory that is not to be used.
var ErrDirectory = errors.New("not a directory for bench")

// shellSpecial is what a shell would take a path apart at.
const shellSpecial = " \t\n'\"`$\\&|;<>()*?[]{}#!~"

// claim refuses a directory of somebody else's.
func (r *runner) claim() error {
	if r.Against != "" && strings.ContainsAny(r.Dir, shellSpecial) {
		return fmt.Errorf("%w: a shell would take its path apart in what --against says", ErrDirectory)
	}
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		return err
	}
	mark := filepath.Join(r.Dir, marker)
	if _, err := os.Stat(mark); err != nil && len(entries) > 0 {
		return fmt.Errorf("%w: it is not empty and was not made by bench", ErrDirectory)
	}
	return os.WriteFile(mark, []byte("made by waconcile bench; it may remove the data beside this file\n"), 0o644)
}

// provide gives a set, which is made where there is none of the same options.
func (r *runner) provide(ctx context.Context, name string) (*Set, error) {
	dir, o := r.place(name).Dir, r.set(name)
	if set, err := ReadSet(dir, o); err == nil {
		r.Log.InfoContext(ctx, "found data", "set", name, "rows", set.Rows, "bytes", set.Bytes)
		return set, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	args := []string{"bench", MakeCommand, dir, strconv.Itoa(o.Messages), strconv.Itoa(o.Days), strconv.FormatUint(o.Seed, 10)}
	cost, _, err := measure(ctx, r.Program, args, r.Environ)
	if err != nil {
		return nil, err
	}
	set, err := ReadSet(dir, o)
	if err == nil {
		r.Log.InfoContext(ctx, "made data", "set", name, "rows", set.Rows, "bytes", set.Bytes, "took", shown(cost.Wall))
	}
	return set, err
}

// round measures each side once and removes what was published.
func (r *runner) round(ctx context.Context, number int) error {
	// What a round that failed has left would count as published.
	if err := errors.Join(os.RemoveAll(r.out()), os.MkdirAll(r.out(), 0o755)); err != nil {
		return err
	}
	defer os.RemoveAll(r.out())
	for _, s := range r.chosen {
		program := s.program
		if program == "" {
			program = r.Program
		}
		cost, output, err := measure(ctx, program, s.args, r.environ(s.processors))
		if err == nil && s.check != nil {
			err = s.check(output)
		}
		if err != nil {
			return fmt.Errorf("measure %s: %w", s.name, err)
		}
		r.costs[s.name] = append(r.costs[s.name], cost)
		r.Log.InfoContext(ctx, "measured", "round", number, "of", r.Runs, "side", s.name,
			"wall", shown(cost.Wall), "cpu", shown(cost.CPU), "peak_bytes", cost.Peak)
	}
	if r.costs[sideBucket] != nil {
		if err := r.Bucket.remove(ctx, bucketOut+"/"); err != nil {
			return err
		}
	}
	return os.RemoveAll(r.out())
}

// environ is the environment of a process that gets so many processors.
func (r *runner) environ(processors int) []string {
	kept := slices.DeleteFunc(slices.Clone(r.Environ), func(e string) bool { return strings.HasPrefix(e, "GOMAXPROCS=") })
	return append(kept, "GOMAXPROCS="+strconv.Itoa(processors))
}

// shown is a duration as a person reads it.
func shown(d time.Duration) string { return d.Round(time.Millisecond).String() }
