package reconcile_test

import (
	"math/big"
	"testing"

	. "waconcile/reconcile"

	"pgregory.net/rapid"
)

func TestParseMicros(t *testing.T) {
	t.Parallel()
	good := map[string]Micros{
		"0": 0, "0.14": 140_000, "-0.000001": -1, "12": 12_000_000, "0.000000": 0, "007.5": 7_500_000,
		"9223372036854.775807": 9_223_372_036_854_775_807,
	}
	for text, want := range good {
		if got, err := ParseMicros(text); err != nil || got != want {
			t.Errorf("ParseMicros(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "-", ".", ".5", "5.", "1e3", "1,5", " 1", "1 ", "+1", "--1", "1.2.3", "0.1234567", "0.1400000", "0x1", "NaN",
		"9223372036854.775808", "99999999999999999999999999999999999999999",
	} {
		if got, err := ParseMicros(text); err == nil {
			t.Errorf("ParseMicros(%q) = %d, want an error", text, got)
		}
	}
}

// Printing and parsing come back to the same price, and the decimal form has
// the value that big.Rat says.
func TestMicrosRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := Micros(rapid.Int64().Draw(t, "micros"))
		text := m.Decimal().StringFixed(6)
		back, err := ParseMicros(text)
		if err != nil || back != m {
			t.Fatalf("%d as %q comes back as %d, %v", m, text, back, err)
		}
		exact := new(big.Rat).SetFrac64(int64(m), 1_000_000)
		if m.Decimal().Rat().Cmp(exact) != 0 {
			t.Fatalf("%d is %s, want %s", m, m.Decimal(), exact)
		}
	})
}
