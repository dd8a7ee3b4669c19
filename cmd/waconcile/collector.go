package main

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The garbage collector runs when the heap has grown by some percentage of
// what is live. Most of a run's heap is rows and pairs without pointers, which
// cost the collector little, and what it costs besides falls with the garbage
// that may pile up: so a small heap may grow by garbageBytes, however small it
// is, up to thrice its size; a large one by half, since memory left to garbage
// would otherwise be as large as the data itself.
const (
	garbageBytes     = 256 << 20
	growthPercentMin = 50
	growthPercentMax = 200

	pacingInterval = 200 * time.Millisecond
	liveHeapMetric = "/gc/heap/live:bytes"
)

// paceCollector keeps the collector to that until the function it returns is
// called. A GOGC in the environment is somebody's decision and stays.
func paceCollector(getenv func(string) string) (stop func()) {
	if getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(growthPercentMax)
	ended := make(chan struct{})
	var pacing sync.WaitGroup
	pacing.Go(func() {
		ticks := time.NewTicker(pacingInterval)
		defer ticks.Stop()
		live := []metrics.Sample{{Name: liveHeapMetric}}
		for current := growthPercentMax; ; {
			select {
			case <-ended:
				return
			case <-ticks.C:
			}
			metrics.Read(live)
			if next := growthPercent(live[0].Value.Uint64()); next != current {
				current = next
				debug.SetGCPercent(current)
			}
		}
	})
	return func() {
		close(ended)
		pacing.Wait()
		debug.SetGCPercent(before)
	}
}

// growthPercent is by how much a live heap of so many bytes may grow.
func growthPercent(live uint64) int {
	const garbagePercent = 100 * garbageBytes
	if live <= garbagePercent/growthPercentMax {
		return growthPercentMax
	}
	return max(growthPercentMin, int(garbagePercent/live))
}
