package bench

import (
	"os"
	"syscall"
)

// peaksKnown: the system tells the peak memory of a process.
const peaksKnown = true

// peakBytes is the peak resident memory of a process. Linux counts in KiB, and
// begins with what its parent had: the memory of the two is the same until the
// child runs its own program.
func peakBytes(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(usage.Maxrss) << 10
}
