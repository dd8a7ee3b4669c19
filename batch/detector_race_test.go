//go:build race

package batch

import "flag"

// withDetector tells that the race detector is at work, which makes everything
// slow: a share of the stories and of the histories is then enough.
const withDetector = true

func init() {
	if err := flag.Set("rapid.checks", "15"); err != nil {
		panic(err)
	}
}
