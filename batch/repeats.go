package batch

import "math/bits"

// repeatSearch looks for hashes that occur more than once. A bit is set for
// each hash; those that meet a set bit, two in a hundred by chance, are counted
// by themselves. So what is looked up at random is small enough for the
// processor's cache. Its memory is kept from one search to the next.
type repeatSearch struct {
	seen       []uint64 // bits
	candidates []uint64
	table      []candidate // by open addressing
}

// candidate is a hash that may be repeated, and how often it has been found; a
// slot is free unless it is taken.
type candidate struct {
	hash  uint64
	taken bool
	found uint32
}

// seenBits is how many bits there are for a hash, at least.
const seenBits = 16

// find adds to out the hashes that occur more than once.
func (r *repeatSearch) find(hashes []uint64, out map[uint64]bool) {
	r.guess(hashes)
	if len(r.candidates) == 0 {
		return
	}
	r.tabulate()
	for _, h := range hashes {
		if c := r.slot(h); c.taken {
			if c.found++; c.found == 2 {
				out[h] = true
			}
		}
	}
}

// guess collects every hash that is a repeated one, and a few others.
func (r *repeatSearch) guess(hashes []uint64) {
	size := 1 << bits.Len(uint(seenBits*len(hashes)))
	r.seen = emptied(r.seen, max(1, size/64))
	r.candidates = r.candidates[:0]
	mask := uint64(len(r.seen) - 1)
	for _, h := range hashes {
		word, bit := &r.seen[h>>6&mask], uint64(1)<<(h&63)
		if *word&bit != 0 {
			r.candidates = append(r.candidates, h)
		}
		*word |= bit
	}
}

// tabulate makes the table of the candidates.
func (r *repeatSearch) tabulate() {
	r.table = emptied(r.table, 1<<bits.Len(uint(4*len(r.candidates))))
	for _, h := range r.candidates {
		*r.slot(h) = candidate{hash: h, taken: true}
	}
}

// slot is where a hash is in the table, or would be.
func (r *repeatSearch) slot(h uint64) *candidate {
	mask := uint64(len(r.table) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		if c := &r.table[i]; !c.taken || c.hash == h {
			return c
		}
	}
}

// emptied is s with n zero entries.
func emptied[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}
