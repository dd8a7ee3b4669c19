package batch

import (
	"fmt"
	"testing"

	"waconcile/reconcile"

	"github.com/google/go-cmp/cmp"
)

// Findings come back as they were kept.
func TestHeldFindings(t *testing.T) {
	t.Parallel()
	var h heldFindings
	var want, got []reconcile.Finding
	for i := range 2*chunkFindings + 5 {
		f := reconcile.Finding{
			Kind: reconcile.OutsideWindow, MessageID: fmt.Sprint("m", i), At: int64(i), Detail: fmt.Sprint("detail ", i%3),
			PairKey: reconcile.PairKey{Contact: reconcile.Contact(i * i), Account: reconcile.Name(i % 7), Business: reconcile.Name(i % 5)},
		}
		if i%2 == 0 {
			f.Kind, f.MessageID = reconcile.BadDeliveryTime, ""
		}
		h.add(&f)
		want = append(want, f)
	}
	for f := range h.all() {
		got = append(got, *f)
	}
	if diff := cmp.Diff(want, got); diff != "" || h.len() != len(want) {
		t.Errorf("%d findings of %d (-want +got):\n%s", h.len(), len(want), diff)
	}
}
