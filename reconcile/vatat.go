package reconcile

// VATAt says when VAT is due on what a recharge pays (R13). It follows from
// how the recharges were sold, and so it is the same for all of them.
type VATAt uint8

// The two ways in which recharges are sold.
const (
	VATAtRecharge VATAt = iota // with VAT, when they are sold: what they pay bears none
	VATAtUsage                 // without VAT, which is due on what they pay
)

func (v VATAt) String() string { return [2]string{"recharge", "usage"}[v] }

// ParseVATAt reads the text of a VATAt without regard to case.
func ParseVATAt(s string) (VATAt, bool) {
	for v := VATAtRecharge; v <= VATAtUsage; v++ {
		if enumEqual(s, v.String()) {
			return v, true
		}
	}
	return VATAtRecharge, false
}
