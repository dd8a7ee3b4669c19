package batch

import (
	"cmp"
	"slices"
)

// sortKeys puts keys into their order, which is that of their numbers. spare
// is memory of at least the same length.
//
// A pile has thousands of contacts whose numbers have few digits in common, so
// they are dealt by digitBits of the contact at a time, from the lowest; what
// all keys have alike costs nothing. Then only the few charges of one contact
// are left to be sorted.
func sortKeys(keys, spare []chargeKey) {
	if len(keys) < dealFrom {
		slices.SortFunc(keys, compareKeys)
		return
	}
	from, to := keys, spare[:len(keys)]
	same, differs := from[0].contact, uint64(0)
	for i := range from {
		differs |= from[i].contact ^ same
	}
	for shift := 0; differs>>shift != 0; shift += digitBits {
		if differs>>shift&digitMask == 0 {
			continue
		}
		dealKeys(from, to, shift)
		from, to = to, from
	}
	if &from[0] != &keys[0] {
		copy(keys, from)
	}
	for start := 0; start < len(keys); {
		end := start + 1
		for end < len(keys) && keys[end].contact == keys[start].contact {
			end++
		}
		if end > start+1 {
			slices.SortFunc(keys[start:end], compareKeys)
		}
		start = end
	}
}

func compareKeys(a, b chargeKey) int {
	return cmp.Or(cmp.Compare(a.contact, b.contact), cmp.Compare(a.rest, b.rest))
}

const (
	digitBits = 11
	digitMask = 1<<digitBits - 1
	dealFrom  = 512 // fewer keys are sorted sooner than counted
)

// dealKeys copies keys in the order of a digit, and else as they were.
func dealKeys(from, to []chargeKey, shift int) {
	var next [digitMask + 1]uint32
	for i := range from {
		next[from[i].contact>>shift&digitMask]++
	}
	at := uint32(0)
	for digit, n := range next {
		next[digit] = at
		at += n
	}
	for _, key := range from {
		digit := key.contact >> shift & digitMask
		to[next[digit]] = key
		next[digit]++
	}
}
