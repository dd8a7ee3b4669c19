package batch

import (
	"math/bits"

	"waconcile/reconcile"
)

// share is a part of all contacts: those whose hash falls to the index-th of
// count equal parts. A pass takes the rows of one share. Into how many shares
// the contacts are split has no bearing on any result.
type share struct{ index, count uint64 }

// everyone is the share that has all contacts.
func everyone() share { return share{0, 1} }

// sharesOf splits all contacts into n.
func sharesOf(n int) []share {
	shares := make([]share, n)
	for i := range shares {
		shares[i] = share{uint64(i), uint64(n)}
	}
	return shares
}

// halves splits a share into two.
func (s share) halves() []share {
	return []share{{2 * s.index, 2 * s.count}, {2*s.index + 1, 2 * s.count}}
}

// halved splits each of some shares into two.
func halved(shares []share) []share {
	var halves []share
	for _, s := range shares {
		halves = append(halves, s.halves()...)
	}
	return halves
}

// has tells whether a contact falls to the share.
func (s share) has(c reconcile.Contact) bool {
	part, _ := bits.Mul64(hashOfContact(c), s.count)
	return part == s.index
}

// shardOf spreads the contacts of the share over shards, by the bits of the
// hash that the share leaves open; it tells of the others that they are not
// in it.
func (s share) shardOf(c reconcile.Contact, shards int) (shard int, has bool) {
	part, rest := bits.Mul64(hashOfContact(c), s.count)
	return bucketOf(rest, shards), part == s.index
}

// hashOfContact is a hash of which the upper bits are good. It reaches nothing
// published.
func hashOfContact(c reconcile.Contact) uint64 { return uint64(c) * 0x9e3779b97f4a7c15 }

// bucketOf spreads hashes over n buckets by their upper bits.
func bucketOf(hash uint64, n int) int {
	bucket, _ := bits.Mul64(hash, uint64(n))
	return int(bucket)
}
