//go:build race

package batch

// withDetector tells that the race detector is at work, which makes everything
// slow: a share of the stories is then enough.
const withDetector = true
