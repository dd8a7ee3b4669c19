package main

import "testing"

func TestGrowthPercent(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for live, want := range map[uint64]int{
		0: 200, 1: 200, 128 * mib: 200, 256 * mib: 100, 400 * mib: 64, 512 * mib: 50, 8192 * mib: 50,
	} {
		if got := growthPercent(live); got != want {
			t.Errorf("growthPercent(%d MiB) = %d, want %d", live/mib, got, want)
		}
	}
}
