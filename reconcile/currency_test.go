package reconcile

import "testing"

func TestMinorUnits(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int32{"EUR": 2, "USD": 2, "INR": 2, "JPY": 0, "KRW": 0, "CLP": 0, "KWD": 3, "BHD": 3, "CLF": 4} {
		if got, ok := MinorUnits(code); !ok || got != want {
			t.Errorf("minor units of %s are %d, %v; want %d", code, got, ok, want)
		}
	}
	for _, code := range []string{"", "E", "EURO", "eur", "XAU", "XXX", "D A", "US ", "$US", "GBD"} {
		if got, ok := MinorUnits(code); ok {
			t.Errorf("%q is a currency with %d decimals", code, got)
		}
	}
}
