package main

import "testing"

func TestGrowthPercent(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for live, want := range map[uint64]int{
		0: 200, 1: 200, 48 * mib: 200, 64 * mib: 150, 100 * mib: 96, 320 * mib: 30, 512 * mib: 18, 8192 * mib: 15,
	} {
		if got := growthPercent(live, garbageBytes); got != want {
			t.Errorf("growthPercent(%d MiB) = %d, want %d", live/mib, got, want)
		}
	}
	if got := growthPercent(128*mib, 80*mib); got != 62 {
		t.Errorf("of 80 MiB of garbage 128 MiB may grow by %d percent, want 62", got)
	}
}

// The heap leaves room for the program, of a small memory more than a tenth.
func TestHeapLimit(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for memory, want := range map[int64]int64{64 * mib: 48 * mib, 256 * mib: 216 * mib, 400 * mib: 360 * mib, 2000 * mib: 1800 * mib} {
		if got := heapLimit(memory); got != want {
			t.Errorf("heapLimit(%d MiB) = %d MiB, want %d", memory/mib, got/mib, want/mib)
		}
	}
}
