package writer

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/huff0"
)

const digitsInOrder = "0123456789abcdef"

// hexLiterals are so many of the given digits by chance.
func hexLiterals(r *rand.Rand, n int, digits string) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[r.IntN(len(digits))]
	}
	return b
}

// checkHexCoder: what is coded is what the library, which counts, makes of it.
func checkHexCoder(t *testing.T, h *hexCoder, literals []byte) (ok bool) {
	t.Helper()
	coded, ok := h.code(literals)
	if !ok {
		return false
	}
	var s huff0.Scratch
	want, _, err := huff0.Compress4X(literals, &s)
	if err != nil || !bytes.Equal(coded, want) {
		t.Fatalf("%d digits: %d bytes, not the %d of the library (%v)", len(literals), len(coded), len(want), err)
	}
	return true
}

// TestHexCoder: hashes of all lengths are coded, in the bytes of the library.
func TestHexCoder(t *testing.T) {
	t.Parallel()
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 1))
	var h hexCoder
	for _, from := range []int{hexSample, 3 * hexSample, 16_380, 60_000, blockMax - 33} {
		for n := from; n < from+34; n++ {
			if !checkHexCoder(t, &h, hexLiterals(r, n, digitsInOrder)) {
				t.Errorf("seed %d: %d digits are none", seed, n)
			}
		}
	}
	for _, n := range []int{hexSample - 1, blockMax + 1} {
		if checkHexCoder(t, &h, hexLiterals(r, n, digitsInOrder)) {
			t.Errorf("coded %d digits", n)
		}
	}
}

// TestHexCoderMixed: digits of which some are rarer further on are coded as by
// the library, or not at all.
func TestHexCoderMixed(t *testing.T) {
	t.Parallel()
	const seed = 13
	r := rand.New(rand.NewPCG(seed, 1))
	var h hexCoder
	coded := 0
	for range 500 {
		literals := hexLiterals(r, hexSample+r.IntN(hexSample), digitsInOrder)
		for range r.IntN(3) {
			some := digitsInOrder[:1+r.IntN(len(digitsInOrder))]
			literals = append(literals, hexLiterals(r, r.IntN(3*hexSample), some)...)
		}
		if checkHexCoder(t, &h, literals) {
			coded++
		}
	}
	if coded < 100 || coded > 450 {
		t.Errorf("seed %d: %d of 500 are coded, which tells little of the others", seed, coded)
	}
}

// TestHexCoderRefuses: what is no digit is seen wherever it stands, and so are
// digits for which other codes are shorter.
func TestHexCoderRefuses(t *testing.T) {
	t.Parallel()
	const seed = 12
	r := rand.New(rand.NewPCG(seed, 1))
	var h hexCoder
	plain := hexLiterals(r, 2*hexSample+5, digitsInOrder) // streams with digits that are no eight
	for c := range 256 {
		for range 50 {
			at := r.IntN(len(plain))
			literals := bytes.Clone(plain)
			literals[at] = byte(c)
			if ok := checkHexCoder(t, &h, literals); ok != (bytes.IndexByte([]byte(digitsInOrder), byte(c)) >= 0) {
				t.Fatalf("seed %d: byte %#x at %d: coded: %v", seed, c, at, ok)
			}
		}
	}
	for name, literals := range map[string][]byte{
		"one digit":   bytes.Repeat([]byte("7"), 2*hexSample),
		"ten digits":  bytes.Repeat([]byte("0123456789"), hexSample),
		"often zeros": bytes.Repeat([]byte("000"+digitsInOrder), hexSample),
		"upper case":  bytes.ToUpper(plain),
	} {
		if checkHexCoder(t, &h, literals) {
			t.Errorf("%s: coded", name)
		}
	}
}

// TestHexCoderBound: a digit may be nearly as frequent as two others together.
func TestHexCoderBound(t *testing.T) {
	t.Parallel()
	const rare = 120
	for zeros, want := range map[int]bool{2*rare - 1: true, 2 * rare: false} {
		literals := bytes.Repeat([]byte("0"), zeros)
		literals = append(literals, bytes.Repeat([]byte("1"), rare)...)
		for left := hexSample - len(literals); left > 0; left-- {
			literals = append(literals, digitsInOrder[2+left%14])
		}
		if got := checkHexCoder(t, new(hexCoder), literals); got != want {
			t.Errorf("%d zeros, %d ones: coded: %v", zeros, rare, got)
		}
	}
}

// FuzzHexCoder: whatever is coded is coded as by the library: digits by chance,
// others behind them, and a byte that may be none.
func FuzzHexCoder(f *testing.F) {
	f.Add(uint64(1), uint16(0), []byte(nil), uint16(3000), byte('g'))
	f.Add(uint64(2), uint16(9999), []byte("0123"), uint16(2048), byte('A'))
	f.Add(uint64(3), uint16(4103), bytes.Repeat([]byte("00000007"), 300), uint16(4097), byte('f'))
	f.Fuzz(func(t *testing.T, seed uint64, more uint16, tail []byte, at uint16, c byte) {
		literals := append(hexLiterals(rand.New(rand.NewPCG(seed, 1)), hexSample+int(more), digitsInOrder), tail...)
		literals[int(at)%len(literals)] = c
		checkHexCoder(t, new(hexCoder), literals)
	})
}
