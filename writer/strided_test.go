package writer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// strideDecoder is the other reading of the frames that are made here: that of
// a library, which refuses what is no frame of RFC 8878.
func strideDecoder(t testing.TB) *zstd.Decoder {
	t.Helper()
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func checkStride(t testing.TB, d *zstd.Decoder, page []byte) (compressed int, ok bool) {
	t.Helper()
	if s, ok := strideOfTexts(page); ok {
		return checkFrameOf(t, d, page, s), true
	}
	return 0, false
}

func checkFrameOf(t testing.TB, d *zstd.Decoder, page []byte, s stride) (compressed int) {
	t.Helper()
	var e strideEncoder
	for range 2 { // the second in used memory
		frame := e.appendFrame(nil, page, s)
		back, err := d.DecodeAll(frame, nil)
		if err != nil || !bytes.Equal(back, page) {
			t.Fatalf("%d bytes of %+v: %v", len(page), s, err)
		}
		compressed = len(frame)
	}
	return compressed
}

// idPage is a page of ids of one length with the same beginning.
func idPage(r *rand.Rand, values int, head string, tail int, alphabet string) []byte {
	var texts Texts
	for range values {
		id := []byte(head)
		for range tail {
			id = append(id, alphabet[r.IntN(len(alphabet))])
		}
		texts.Append(id)
	}
	return texts.data
}

// TestStrides: pages of all sizes and forms read back, and are no longer than
// what the usual encoder makes of them.
func TestStrides(t *testing.T) {
	t.Parallel()
	d, usual := strideDecoder(t), zstdEncoder(t)
	r := rand.New(rand.NewPCG(3, 3))
	for _, alphabet := range []string{digitsInOrder, "a", "01", string(bytes.Repeat([]byte("xyz"), 20)) + digitsInOrder} {
		for _, tail := range []int{1, 15, 16, 23, 31, 32, 47, 63, 64, 130, 300, 5000, 60_000} {
			for _, values := range []int{strideValues, 65, 1000, 30_000} {
				if values*tail > 4<<20 {
					continue
				}
				page := idPage(r, values, []string{"", "wamid.", fmt.Sprintf("%040d", 0)}[r.IntN(3)], tail, alphabet)
				size, ok := checkStride(t, d, page)
				if want := tail >= strideTailMin && len(alphabet) > 1; ok != want {
					t.Errorf("%d values of %d bytes: a stride: %v, want %v", values, tail, ok, want)
				}
				if ok && len(alphabet) == len(digitsInOrder) && values >= 1000 && tail <= 64 {
					if other := len(usual.EncodeAll(page, nil)); size > other+other/50 {
						t.Errorf("%d values of %d bytes: %d bytes, the usual encoder takes %d", values, tail, size, other)
					}
				}
			}
		}
	}
}

func zstdEncoder(t *testing.T) *zstd.Encoder {
	t.Helper()
	e, err := newZstdEncoder()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestNoStride: what has no such form is left to the usual encoder.
func TestNoStride(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	long := idPage(r, 100, "", 32, digitsInOrder)
	for name, page := range map[string][]byte{
		"nothing":           nil,
		"half a length":     {1, 0},
		"few values":        idPage(r, strideValues-1, "", 32, digitsInOrder),
		"very short ones":   idPage(r, 100, "", strideTailMin-1, digitsInOrder),
		"very long ones":    idPage(r, 70, "", strideLengthMax, "ab"),
		"another length":    append(bytes.Clone(long), idPage(r, 100, "", 31, digitsInOrder)...),
		"a page cut short":  long[:len(long)-1],
		"a length too long": append([]byte{255, 255, 255, 255}, long...),
	} {
		if s, ok := strideOfTexts(page); ok {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestNumberStrides: instants of a day, behind levels and not, read back.
func TestNumberStrides(t *testing.T) {
	t.Parallel()
	d, usual := strideDecoder(t), zstdEncoder(t)
	r := rand.New(rand.NewPCG(5, 5))
	const day = 1_719_964_800_000
	for _, span := range []int64{1, 2, 200, 70_000, 86_400_000, 1 << 40} {
		for _, values := range []int{strideValues - 1, strideValues, 1000, rowGroupRows} {
			for _, levels := range []int{0, 7} {
				page := bytes.Repeat([]byte{9}, levels)
				for range values {
					page = plainInt64(page, day+r.Int64N(span))
				}
				s, ok := strideOfNumbers(page, levels)
				if want := values >= strideValues && span > 1 && span < 1<<32; ok != want {
					t.Errorf("%d values within %d ms: a stride: %v, want %v", values, span, ok, want)
				}
				if !ok {
					continue
				}
				size := checkFrameOf(t, d, page, s)
				if other := len(usual.EncodeAll(page, nil)); span == 86_400_000 && size > other+other/50 {
					t.Errorf("%d values within a day: %d bytes, the usual encoder takes %d", values, size, other)
				}
			}
		}
	}
}

// FuzzStride: whatever has the form of a stride reads back as it was.
func FuzzStride(f *testing.F) {
	f.Add([]byte("abcdefgh"), uint16(100), uint8(3), uint64(1))
	f.Add([]byte("0123456789abcdef"), uint16(9000), uint8(10), uint64(2))
	f.Add(bytes.Repeat([]byte{7}, 300), uint16(700), uint8(250), uint64(3))
	d := strideDecoder(f)
	f.Fuzz(func(t *testing.T, value []byte, values uint16, fixed uint8, seed uint64) {
		if len(value) == 0 || len(value)*int(values) > 1<<20 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 1))
		var texts Texts
		for range values {
			for i := min(int(fixed), len(value)); i < len(value); i++ {
				value[i] ^= byte(r.IntN(1 + int(fixed)))
			}
			texts.Append(value)
		}
		checkStride(t, d, texts.data)
		if s, ok := strideOfNumbers(texts.data[:len(texts.data)/8*8], 0); ok {
			checkFrameOf(t, d, texts.data[:len(texts.data)/8*8], s)
		}
	})
}
