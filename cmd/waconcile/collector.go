package main

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The garbage collector runs when the heap has grown by some percentage of
// what is live. Most of a run's heap is rows and pairs without pointers, which
// cost the collector little, and little of it becomes garbage: so a heap may
// grow by garbageBytes, however small it is, up to thrice its size. Beyond that
// it grows by growthPercentMin, so that a large heap, which has more pointers
// too, is not looked through again and again. Of a small memory garbage gets a
// quarter at the most.
const (
	garbageBytes     = 96 << 20
	garbagePart      = 4
	growthPercentMin = 15
	growthPercentMax = 200

	pacingInterval = 50 * time.Millisecond
	liveHeapMetric = "/gc/heap/live:bytes"
)

// paceCollector keeps the collector to that until the function it returns is
// called. A GOGC in the environment is somebody's decision and stays. memory is
// the job's; 0 is no limit.
func paceCollector(getenv func(string) string, memory int64) (stop func()) {
	if getenv("GOGC") != "" {
		return func() {}
	}
	garbage := uint64(garbageBytes)
	if memory > 0 {
		garbage = min(garbage, uint64(memory)/garbagePart)
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
			if next := growthPercent(live[0].Value.Uint64(), garbage); next != current {
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

// growthPercent is by how much a live heap of so many bytes may grow, where
// that much garbage may pile up.
func growthPercent(live, garbage uint64) int {
	if live <= 100*garbage/growthPercentMax {
		return growthPercentMax
	}
	return max(growthPercentMin, int(100*garbage/live))
}
