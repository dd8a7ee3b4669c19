package writer

import "bytes"

// tombstone is what stands in the place of a manifest while the leftovers of a
// run that never had one are removed. It is created like a manifest, so that
// of a run that is still being written and of its removal only one wins.
func tombstone() []byte { return []byte("{\"removed\": true}\n") }

func isTombstone(data []byte) bool { return bytes.Equal(data, tombstone()) }
