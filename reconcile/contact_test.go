package reconcile

import (
	"cmp"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

var phoneNumber = regexp.MustCompile(`^[0-9]{7,15}$`)

// checkContact: whatever is a phone number comes back as it was, and nothing
// else is one.
func checkContact(t *testing.T, text string) (c Contact) {
	t.Helper()
	c, ok := PhoneContact([]byte(text))
	if ok != phoneNumber.MatchString(text) {
		t.Fatalf("%q is a phone number: %v", text, ok)
	}
	if got := string(c.AppendDigits([]byte("+"))); ok && got != "+"+text {
		t.Fatalf("%q comes back as %q", text, got)
	}
	return c
}

func FuzzPhoneContact(f *testing.F) {
	f.Add("393331234567")
	f.Add("0000000")
	f.Add("999999999999999")
	f.Add("1234567:")
	f.Add("/2345678")
	f.Fuzz(func(t *testing.T, text string) { checkContact(t, text) })
}

// TestPhoneContact tries every byte at every place, and holds the order of
// contacts against that of their digits.
func TestPhoneContact(t *testing.T) {
	t.Parallel()
	for length := range 18 {
		for at := range length {
			for b := range 256 {
				digits := []byte(strings.Repeat("9", length))
				digits[at] = byte(b)
				checkContact(t, string(digits))
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	var last string
	for range 20_000 {
		digits := make([]byte, phoneDigitsMin+rng.IntN(phoneDigitsMax-phoneDigitsMin+1))
		for i := range digits {
			digits[i] = '0' + byte(rng.IntN(10))
			if i < len(last) && rng.IntN(8) > 0 { // often what the last begins with
				digits[i] = last[i]
			}
		}
		text := string(digits)
		if last != "" {
			a, _ := checkContact(t, last).Order()
			b, _ := checkContact(t, text).Order()
			if got, want := cmp.Compare(a, b), strings.Compare(last, text); got != want {
				t.Fatalf("%s and %s are in order %d, want %d", last, text, got, want)
			}
		}
		last = text
	}
}
