package writer

import (
	"slices"
	"testing"
)

// FuzzHybrid: what is packed is what is read, whatever runs it has.
func FuzzHybrid(f *testing.F) {
	f.Add([]byte{1, 9, 2, 3, 0, 200}, uint8(3))
	f.Add([]byte{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, uint8(1))
	f.Add([]byte{255, 255, 7, 255}, uint8(20))
	f.Fuzz(func(t *testing.T, runs []byte, width uint8) {
		bits := int(width%hybridWidthMax) + 1
		var numbers []uint32
		for i, n := range runs {
			number := uint32(uint64(n) * 0x9e3779b97f4a7c15 >> (64 - bits))
			for range 1 + int(n)%11*(i%3) {
				numbers = append(numbers, number)
			}
		}
		if len(numbers) == 0 {
			return
		}
		got := make([]uint32, len(numbers))
		r := hybridRuns{data: appendHybrid(nil, numbers, bits), width: bits}
		if err := r.read(got); err != nil || !slices.Equal(got, numbers) {
			t.Fatalf("%d numbers of %d bits: %v", len(numbers), bits, err)
		}
	})
}
