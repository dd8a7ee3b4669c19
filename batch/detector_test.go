//go:build !race

package batch

const withDetector = false
