package reconcile

import (
	"bytes"
)

// NormaliseNumber brings a contact or a business number to the one form in
// which it is compared: white space trimmed, a "whatsapp:" prefix and then a
// leading "+" or "00" removed, then spaces, dots, hyphens and brackets
// removed. If only digits are left, those are the id; else it is the trimmed
// text as it came. The result is appended to buf where it had to be made, and
// otherwise is a part of raw.
func NormaliseNumber(raw, buf []byte) []byte {
	if isDigits(raw) && !bytes.HasPrefix(raw, []byte("00")) {
		return raw
	}
	trimmed := bytes.TrimSpace(raw)
	rest := trimmed
	const scheme = "whatsapp:"
	if len(rest) >= len(scheme) && bytes.EqualFold(rest[:len(scheme)], []byte(scheme)) {
		rest = rest[len(scheme):]
	}
	if bytes.HasPrefix(rest, []byte("+")) {
		rest = rest[1:]
	} else if bytes.HasPrefix(rest, []byte("00")) {
		rest = rest[2:]
	}
	start := len(buf)
	for _, c := range rest {
		switch {
		case c >= '0' && c <= '9':
			buf = append(buf, c)
		case c == ' ' || c == '.' || c == '-' || c == '(' || c == ')' || c == '[' || c == ']':
		default:
			return trimmed
		}
	}
	if len(buf) == start {
		return trimmed
	}
	return buf[start:]
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}
