package reader

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// pack writes values of width bits one behind the other, lowest bit first.
func pack(values []uint32, width int) []byte {
	data := make([]byte, (len(values)*width+7)/8)
	for i, v := range values {
		for b := range width {
			bit := i*width + b
			data[bit/8] |= byte(v>>b&1) << (bit % 8)
		}
	}
	return data
}

// TestIndexes decodes packed and repeated runs of all widths in pieces of any
// length.
func TestIndexes(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for width := range indexBitsMax + 1 {
		var want []uint32
		data := []byte{byte(width)}
		for range 20 {
			groups := 1 + r.IntN(5)
			values := make([]uint32, 8*groups)
			for i := range values {
				values[i] = uint32(r.Uint64N(1 << width))
			}
			if r.IntN(3) == 0 {
				values = slices.Repeat(values[:1], len(values))
				data = append(data, byte(len(values)<<1))
				data = append(data, pack(values[:1], (width+7)/8*8)...)
			} else {
				data = append(data, byte(groups<<1|1))
				data = append(data, pack(values, width)...)
			}
			want = append(want, values...)
		}
		x, err := newIndexReader(data, len(want))
		if err != nil {
			t.Fatal(err)
		}
		var got []uint32
		for len(got) < len(want) {
			part := make([]uint32, min(1+r.IntN(30), len(want)-len(got)))
			if err := x.decode(part); err != nil {
				t.Fatal(err)
			}
			got = append(got, part...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("width %d: got %d, want %d", width, got, want)
		}
		if err := x.decode(make([]uint32, 1)); !errors.Is(err, errShort) {
			t.Errorf("width %d: one more: %v", width, err)
		}
	}
}

func TestIndexesRefused(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"nothing":        {},
		"33 bits":        {33, 2, 0, 0, 0, 0, 0},
		"no run":         {8},
		"empty run":      {8, 0, 1},
		"cut repetition": {16, 8, 1},
		"cut run":        {8, 3, 1, 2, 3},
		"endless length": append([]byte{8}, bytes.Repeat([]byte{0xff}, 12)...),
	} {
		x, err := newIndexReader(data, 4)
		if err == nil {
			err = x.decode(make([]uint32, 4))
		}
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	resolve := func(int) (uint32, error) { return 1, nil }
	if err := lookUp(make([]uint32, 2), []uint32{1, 2}, make([]uint32, 2), resolve); !errors.Is(err, errDamaged) {
		t.Errorf("index beyond the dictionary: %v", err)
	}
}
