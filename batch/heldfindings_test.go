package batch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"waconcile/reader"
	"waconcile/reconcile"

	"github.com/google/go-cmp/cmp"
)

// TestHeldFindings: findings come back with their texts, in the order of their
// table, whole or some chunks at a time.
func TestHeldFindings(t *testing.T) {
	t.Parallel()
	for _, opaque := range []bool{false, true} {
		for _, atOnce := range []int{1, 2 * chunkFindings, 1 << 20} {
			t.Run(fmt.Sprintf("opaque=%v,at once=%d", opaque, atOnce), func(t *testing.T) {
				t.Parallel()
				names := reader.NewNames()
				held, want := someFindings(t, names, opaque)
				if held.len() != len(want) {
					t.Errorf("%d findings of %d", held.len(), len(want))
				}
				var lists [][]finding
				for held.len() > 0 {
					rows := held.take(atOnce).sorted(names)
					if len(rows) > max(atOnce, chunkFindings) || !slices.IsSortedFunc(rows, compareFindings) {
						t.Errorf("%d findings at once, in order: %v", len(rows), slices.IsSortedFunc(rows, compareFindings))
					}
					lists = append(lists, rows)
				}
				slices.SortFunc(want, compareFindings)
				if diff := cmp.Diff(want, merged(lists), cmp.AllowUnexported(finding{})); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
	var none heldFindings
	if rows := none.take(10).sorted(reader.NewNames()); len(rows) != 0 || merged(nil) != nil {
		t.Errorf("%d findings of none", len(rows))
	}
}

// someFindings are findings of few accounts, numbers, contacts and instants, so
// that each part of the order decides now and then. Handles are given out in
// an order that is not that of the texts.
func someFindings(t *testing.T, names *reader.Names, opaque bool) (held *heldFindings, texts []finding) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	held = &heldFindings{}
	kinds := []reconcile.FindingKind{reconcile.OutsideWindow, reconcile.BadDeliveryTime}
	accounts, numbers := []string{"waba-2", "waba-10", "waba-1"}, []string{"4930", "390", "39020"}
	contacts := []string{"0012345", "12345678", "1234567", "123456789012345"}
	if opaque {
		contacts = append(contacts, "user.one", "123.4567", "1234567890123456")
	}
	for range 2*chunkFindings + 700 {
		f := finding{
			kind: kinds[rng.IntN(2)], account: accounts[rng.IntN(3)], business: numbers[rng.IntN(3)],
			contact: contacts[rng.IntN(len(contacts))], messageID: fmt.Sprint("m", rng.IntN(30)), at: int64(rng.IntN(3)),
			detail: fmt.Sprint("detail ", rng.IntN(3)),
		}
		if rng.IntN(9) == 0 {
			f.messageID = ""
		}
		contact, ok := reconcile.PhoneContact([]byte(f.contact))
		if !ok {
			contact = reconcile.OpaqueContact(names.InternString(f.contact))
		}
		held.add(&reconcile.Finding{
			Kind: f.kind, MessageID: f.messageID, At: f.at, Detail: f.detail,
			PairKey: reconcile.PairKey{Contact: contact, Account: names.InternString(f.account), Business: names.InternString(f.business)},
		})
		texts = append(texts, f)
	}
	return held, texts
}
