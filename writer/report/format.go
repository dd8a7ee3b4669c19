package report

import (
	"cmp"
	"strconv"
	"strings"

	"waconcile/reconcile"

	"github.com/shopspring/decimal"
)

const (
	minusSign = "\u2212"
	hidden    = "\u2022"
)

// group puts commas between thousands of a number's whole part.
func group(text string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = minusSign, rest
	}
	whole, fraction, _ := strings.Cut(text, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return b.String()
}

func count(n int64) string { return group(strconv.FormatInt(n, 10)) }

// minorUnits is how many decimals amounts of a currency have.
func minorUnits(currency string) int32 {
	if n, ok := reconcile.MinorUnits(currency); ok {
		return n
	}
	const usual = 2
	return usual
}

// rounded is an amount in its currency's minor unit, half away from zero: for
// sums that a person compares at a glance.
func rounded(d decimal.Decimal, currency string) string {
	return group(d.StringFixed(minorUnits(currency)))
}

// exact is an amount with all its decimals, and with those of the minor unit
// at least.
func exact(d decimal.Decimal, currency string) string {
	least := minorUnits(currency)
	text := d.String()
	if _, fraction, _ := strings.Cut(text, "."); int32(len(fraction)) < least {
		text = d.StringFixed(least)
	}
	return group(text)
}

// signed is an exact amount with its sign, plus included.
func signed(d decimal.Decimal, currency string) string {
	if d.IsPositive() {
		return "+" + exact(d, currency)
	}
	return exact(d, currency)
}

// optional shows a value that may be null.
func optional(d decimal.NullDecimal, currency string, show func(decimal.Decimal, string) string) string {
	if !d.Valid {
		return ""
	}
	return show(d.Decimal, currency)
}

func quantity(d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return group(d.Decimal.String())
}

// mask hides the middle of an id: a quarter of it stays at each end, four
// characters at most.
func mask(id string) string {
	runes := []rune(id)
	const endMax = 4
	end := min(len(runes)/4, endMax)
	if len(runes) == 0 {
		return ""
	}
	return string(runes[:end]) + strings.Repeat(hidden, min(len(runes)-2*end, endMax)) + string(runes[len(runes)-end:])
}

// maskDigits masks whatever could be a phone number in a text.
func maskDigits(text string) string {
	const phoneDigits = 7
	var b strings.Builder
	for text != "" {
		n := digits(text)
		switch {
		case n >= phoneDigits:
			b.WriteString(mask(text[:n]))
		case n == 0:
			n = 1
			fallthrough
		default:
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

// digits is how many digits a text begins with.
func digits(text string) int {
	n := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if n < 0 {
		return len(text)
	}
	return n
}

// fileSize is a size for people, rounded down.
func fileSize(n int64) string {
	const step = 1024
	units := []string{"B", "KiB", "MiB", "GiB"}
	i := 0
	for n >= 10*step && i < len(units)-1 {
		n /= step
		i++
	}
	return count(n) + " " + units[i]
}

// byAmount orders by falling absolute amount.
func byAmount(a, b decimal.Decimal) int { return b.Abs().Cmp(a.Abs()) }

// byText orders by the first pair that differs.
func byText(pairs ...[2]string) int {
	for _, p := range pairs {
		if c := cmp.Compare(p[0], p[1]); c != 0 {
			return c
		}
	}
	return 0
}
