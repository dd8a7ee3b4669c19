package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/spf13/pflag"
)

// profileFlags say where profiles of a command go, for go tool pprof.
func (s *settings) profileFlags(fs *pflag.FlagSet) {
	fs.StringVar(&s.cpuProfile, "cpuprofile", "", "`file` for a CPU profile, for go tool pprof")
	fs.StringVar(&s.memProfile, "memprofile", "", "`file` for a profile of all allocations and of the heap at the end, likewise")
}

// profiled does a command with the profiles that the settings ask for. They
// are written even where it fails: what was slow may be why.
func (s *settings) profiled(do func() error) (err error) {
	if s.cpuProfile != "" {
		stop, startErr := startCPUProfile(s.cpuProfile)
		if startErr != nil {
			return startErr
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	if s.memProfile != "" {
		f, createErr := os.Create(s.memProfile) // now: a run is not to fail by its profile
		if createErr != nil {
			return fmt.Errorf("%w: --memprofile: %w", errUsage, createErr)
		}
		defer func() { err = errors.Join(err, writeMemProfile(f)) }()
	}
	return do()
}

func startCPUProfile(path string) (stop func() error, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("%w: --cpuprofile: %w", errUsage, err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func writeMemProfile(f *os.File) error {
	runtime.GC() // so that the heap is what is live
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
