package batch

// prefetch reads memory sequentially that is about to be read in random order:
// the processor then fetches ahead what it would else have to wait for, line by
// line.
type prefetch struct {
	sum byte // of what was read, which a compiler would leave out otherwise
}

const (
	// lineBytes is the size of a cache line.
	lineBytes = 64
	// prefetchMax is the most that is read ahead: more would not be there any
	// longer when it is asked for.
	prefetchMax = 1 << 20
)

// bytes reads a byte of each line.
func (p *prefetch) bytes(b []byte) {
	if len(b) > prefetchMax {
		return
	}
	for at := 0; at < len(b); at += lineBytes {
		p.sum += b[at]
	}
}
