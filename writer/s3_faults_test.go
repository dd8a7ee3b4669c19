package writer_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"waconcile/writer"
	"waconcile/writer/s3test"
)

// A probe takes no fault of the network for one of the store, whichever of
// its calls meets it.
func TestS3ProbeOverFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range s3test.Faults() {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			for _, key := range []string{".probe/kept", ".probe/never"} {
				for nth := range 4 {
					synctest.Test(t, func(t *testing.T) {
						store := &s3test.Store{}
						plan := &s3test.Plan{Seed: 1, Faults: []s3test.Fault{fault}, Rate: func(c s3test.Call) int {
							if c.Key == key && c.N == nth {
								return 1000
							}
							return 0
						}}
						target := newS3(t, (&s3test.Network{Store: store, Plan: plan}).S3(), "bucket", "")
						for range 2 { // the second finds the objects of the first
							err := target.Probe(t.Context())
							if errors.Is(err, writer.ErrUnsafeStore) || err != nil && !errors.Is(err, writer.ErrStore) {
								t.Errorf("%s at call %d for %s: %v", fault, nth, key, err)
							}
							time.Sleep(s3test.Aftermath)
						}
					})
				}
			}
		})
	}
}
