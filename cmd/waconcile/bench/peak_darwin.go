package bench

import (
	"os"
	"syscall"
)

// peaksKnown: the system tells the peak memory of a process.
const peaksKnown = true

// peakBytes is the peak resident memory of a process, which Darwin counts in
// bytes.
func peakBytes(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss
}
