package demo

import (
	"math/bits"
	"math/rand/v2"
)

// draw is the one source of chance. Every draw is integer arithmetic, so that
// it is the same on every machine.
type draw struct{ *rand.PCG }

func newDraw(seed uint64) draw { return draw{rand.NewPCG(seed, 0x77616e63)} }

// below is a number in [0, n).
func (d draw) below(n int64) int64 {
	hi, _ := bits.Mul64(d.Uint64(), uint64(n))
	return int64(hi)
}

// between is a number in [low, high).
func (d draw) between(low, high int64) int64 { return low + d.below(high-low) }

// chance is true once in a while: perMille times in a thousand.
func (d draw) chance(perMille int64) bool { return d.below(1000) < perMille }

// soon is a delay from low on, mostly short and at most high: the smaller of
// three.
func (d draw) soon(low, high int64) int64 {
	return min(d.between(low, high), d.between(low, high), d.between(low, high))
}

// busy is a number in [0, n) of which the small ones come far more often.
func (d draw) busy(n int64) uint32 { return uint32(d.below(d.below(d.below(n)+1) + 1)) }

// pick is an index into weights, as often as its weight says.
func (d draw) pick(weights []uint64) int {
	var total uint64
	for _, w := range weights {
		total += w
	}
	at := uint64(d.below(int64(total)))
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}

// scatter is a bijection of 64-bit numbers without visible order (the
// finaliser of SplitMix64): what is drawn from a message's or a contact's
// number is the same wherever it is looked at.
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
