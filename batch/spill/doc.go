// Package spill keeps in a temporary file what a run cannot hold in memory.
//
// A File has no name: it is removed as soon as it is made, and vanishes with
// the process, so that a crash leaves nothing. What is written to it is a
// Piece, of which the owner keeps place, size and hash; a piece that does not
// read back as what was written is an error, since it would end in a table.
//
// Runs are sorted lists of rows in a File, which Merge reads back as one, a
// block of each at a time.
package spill
