package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// What the heap leaves of the job's memory is for what the Go runtime does not
// count: the program itself, of which some 25 MiB are in memory, thread stacks,
// and the kernel's buffers, which a container's limit includes.
const (
	restDenominator = 10       // a tenth,
	restBytes       = 40 << 20 // at least this,
	restMost        = 4        // but no more than a quarter
)

// limitHeap tells the garbage collector the job's memory. A GOMEMLIMIT in the
// environment is somebody's decision and stays.
func limitHeap(memory int64) {
	if memory > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapLimit(memory))
	}
}

func heapLimit(memory int64) int64 {
	return memory - min(max(memory/restDenominator, restBytes), memory/restMost)
}

// memoryBytes is what the job may use: the setting, or else the container's
// limit, or else the machine's memory, or else 0, which is no limit.
func (s *settings) memoryBytes() (int64, error) {
	if s.memory == "" {
		return systemMemory(os.ReadFile), nil
	}
	n, err := parseBytes(s.memory)
	if err != nil {
		return 0, fmt.Errorf("%w: --memory: %w", errUsage, err)
	}
	return n, nil
}

// parseBytes reads a size such as 512MiB, 2GiB or 1073741824.
func parseBytes(text string) (int64, error) {
	units := []struct {
		suffix string
		shift  uint
	}{{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}, {"", 0}}
	for _, u := range units {
		digits, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n <= 0 || n > math.MaxInt64>>u.shift {
			break
		}
		return n << u.shift, nil
	}
	return 0, fmt.Errorf("%q is no size such as 512MiB, 2GiB or 1073741824", text)
}

// systemMemory is the smallest limit that the system tells: of the cgroup
// (version 2 or 1) as a container sees it, and of the machine.
func systemMemory(readFile func(string) ([]byte, error)) int64 {
	smallest := int64(math.MaxInt64)
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if data, err := readFile(path); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64); err == nil && n > 0 {
				smallest = min(smallest, n)
			}
		}
	}
	if data, err := readFile("/proc/meminfo"); err == nil {
		if n := memTotal(string(data)); n > 0 {
			smallest = min(smallest, n)
		}
	}
	if smallest == math.MaxInt64 {
		return 0
	}
	return smallest
}

// memTotal reads the line "MemTotal:  16384 kB".
func memTotal(meminfo string) int64 { return lineBytes(meminfo, "MemTotal:") }

// lineBytes reads the line of a name in a text of the kernel's, whose sizes
// are in kB; 0: there is none.
func lineBytes(text, name string) int64 {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == name {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil || kib > math.MaxInt64>>10 {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// peakMemory is the most that this process has had in memory, in bytes, as
// Linux counts it since the program began; 0 on other systems.
func peakMemory(readFile func(string) ([]byte, error)) int64 {
	status, err := readFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return lineBytes(string(status), "VmHWM:")
}
