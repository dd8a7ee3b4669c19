package main

import "testing"

func TestGrowthPercent(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for live, want := range map[uint64]int{
		0: 200, 1: 200, 32 * mib: 200, 64 * mib: 100, 100 * mib: 64, 320 * mib: 20, 512 * mib: 15, 8192 * mib: 15,
	} {
		if got := growthPercent(live); got != want {
			t.Errorf("growthPercent(%d MiB) = %d, want %d", live/mib, got, want)
		}
	}
}
